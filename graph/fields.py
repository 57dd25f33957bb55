"""Fields that a function answers, described and typed."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import strawberry

F = TypeVar("F", bound=Callable[..., Any])


def field(description: str, name: str | None = None) -> Callable[[F], F]:
    """`strawberry.field` for a method: the same, but it keeps the method's type. `name`: not the usual one."""
    return cast(Callable[[F], F], strawberry.field(description=description, name=name))
