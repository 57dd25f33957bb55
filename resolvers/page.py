"""Pages: a slice of something ordered, between opaque cursors that say where it begins and ends."""

import base64
import binascii
import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import orjson

from metrics.errors import BadRequest
from resolvers.context import Limits
from resolvers.order import Rank

T = TypeVar("T")
U = TypeVar("U")

_CHECK_BYTES = 6


@dataclass(frozen=True, slots=True)
class Slice:
    """The arguments of a connection, checked."""

    size: int
    backward: bool = False
    after: str | None = None
    before: str | None = None

    @classmethod
    def of(
        cls,
        limits: Limits,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> "Slice":
        """The slice that these arguments describe: the first page where none is given."""
        if first is not None and last is not None:
            raise BadRequest("give first or last, not both.", "last")
        name, size = ("first", first) if last is None else ("last", last)
        if size is not None and not 0 <= size <= limits.max_page:
            raise BadRequest(f"{name} must be between 0 and {limits.max_page}, not {size}.", name)
        return cls(limits.page if size is None else size, last is not None, after, before)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items with their cursors, and whether there are more on either side."""

    items: Sequence[tuple[str, T]]
    has_next: bool
    has_previous: bool

    def map(self, change: Callable[[T], U]) -> "Page[U]":
        """The same page of other things."""
        return Page([(cursor, change(item)) for cursor, item in self.items], self.has_next, self.has_previous)


def cut(
    ranks: Sequence[Rank],
    items: Sequence[T],
    wanted: Slice,
    scheme: str,
    position: Callable[[T], list[Any]],
    rank: Callable[[list[Any]], Rank],
) -> Page[T]:
    """The slice of `items`, which are in order of `ranks`."""
    low, high = 0, len(items)
    if wanted.after is not None:
        low = bisect_right(ranks, _ranked(wanted.after, scheme, rank, "after"))
    if wanted.before is not None:
        high = max(low, bisect_left(ranks, _ranked(wanted.before, scheme, rank, "before")))
    if wanted.backward:
        low = max(low, high - wanted.size)
    else:
        high = min(high, low + wanted.size)
    chosen = [(encoded(scheme, position(item)), item) for item in items[low:high]]
    return Page(chosen, has_next=high < len(items), has_previous=low > 0)


def _ranked(cursor: str, scheme: str, rank: Callable[[list[Any]], Rank], argument: str) -> Rank:
    try:
        return rank(decoded(scheme, cursor, argument))
    except (TypeError, ValueError, IndexError):
        raise foreign(argument) from None


def encoded(scheme: str, position: Sequence[Any]) -> str:
    """A position in an order, as an opaque text that only this order reads again."""
    body = orjson.dumps(list(position))
    return base64.urlsafe_b64encode(_check(scheme, body) + body).decode().rstrip("=")


def decoded(scheme: str, cursor: str, argument: str) -> list[Any]:
    """The position that a cursor stands for. Raises BadRequest where it is not of this order, or was changed."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise foreign(argument) from None
    check, body = raw[:_CHECK_BYTES], raw[_CHECK_BYTES:]
    if check != _check(scheme, body):
        raise foreign(argument)
    position: list[Any] = orjson.loads(body)
    return position


def _check(scheme: str, body: bytes) -> bytes:
    # Not a secret: a cursor only says where to go on, and what it shows is checked like any other page.
    return hashlib.blake2b(
        body, digest_size=_CHECK_BYTES, person=hashlib.blake2b(scheme.encode(), digest_size=16).digest()
    ).digest()


def foreign(argument: str) -> BadRequest:
    """The error of a cursor that was not given out for this list."""
    return BadRequest(
        f"{argument} is no cursor of this connection in this order with these filters. Take it from pageInfo or "
        "an edge of the query.",
        argument,
    )
