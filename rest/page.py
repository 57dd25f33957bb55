"""The frame around every REST list: `data`, `pagination`, `meta`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from metrics.errors import BadRequest
from metrics.window import Window, from_ms
from resolvers.context import Context
from rest import params
from rest.cursor import Cursor, Key, decode, encode, fingerprint, order

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Listing:
    """A list that is read page by page: every page is about the window of the first one, and about its filters."""

    asked: str
    window: Window
    filters: Mapping[str, str] = field(default_factory=dict)
    after: Key | None = None

    @classmethod
    def of(
        cls, time_range: str, filters: Mapping[str, str], cursor: str | None, width: int, now: datetime
    ) -> "Listing":
        """The list that is asked for. Raises BadRequest for a cursor of another one."""
        window = params.time_range(time_range, now)
        if cursor is None:
            return cls(time_range, window, filters)
        here = decode(cursor, width)
        if here.fingerprint != fingerprint(filters):
            raise _of_another_list("other filters")
        # The first page's interval, as `meta` tells it, is the same range said in other words.
        if time_range != here.asked and window != here.window:
            raise _of_another_list("another time_range")
        return cls(here.asked, here.window, filters, here.key)

    def cut(self, items: Sequence[T], key: Callable[[T], Key], limit: int) -> tuple[Sequence[T], str | None]:
        """One page of the items, which come in order of their keys, and the next cursor if there are more."""
        if self.after is not None:
            after = order(self.after)
            items = [item for item in items if order(key(item)) > after]
        page = items[:limit]
        if len(items) <= limit:
            return page, None
        return page, encode(Cursor(key(page[-1]), self.asked, self.window, fingerprint(self.filters)))


async def framed(
    data: Sequence[object], next_cursor: str | None, limit: int, window: Window | None, context: Context
) -> dict[str, object]:
    """One answer, without a window where it is about no time.

    It tells how far the data reach: an empty list before that is an old dump, not a silent network.
    """
    latest_ms = (await context.holds()).latest_ms
    meta = {
        "generated_at": instant(context.now),
        "request_id": context.request_id,
        "time_window": None if window is None else interval(window),
        "last_event_at": None if latest_ms is None else instant(from_ms(latest_ms)),
    }
    pagination = {"next_cursor": next_cursor, "has_more": next_cursor is not None, "page_size": limit}
    return {"data": data, "pagination": pagination, "meta": meta}


def instant(at: datetime) -> str:
    """RFC 3339 in UTC, with milliseconds where there are any."""
    text = at.isoformat(timespec="milliseconds" if at.microsecond else "seconds")
    return text.replace("+00:00", "Z")


def interval(window: Window) -> str:
    """A window as an ISO interval."""
    return f"{instant(window.start)}/{instant(window.end)}"


def _of_another_list(difference: str) -> BadRequest:
    return BadRequest(
        f"cursor belongs to a list with {difference}. Ask as for its first page, or leave cursor out to begin again.",
        "cursor",
    )
