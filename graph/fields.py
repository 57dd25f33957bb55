"""Fields that a function answers, described and typed."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import strawberry

F = TypeVar("F", bound=Callable[..., Any])


def field(description: str, *directives: object, name: str | None = None) -> Callable[[F], F]:
    """`strawberry.field` for a method, but it keeps the method's type. `directives` are the schema's, such as `Tag`."""
    return cast(Callable[[F], F], strawberry.field(description=description, directives=directives, name=name))
