"""The frame around every REST list: `data`, `pagination`, `meta`."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from metrics.window import Window
from resolvers.context import Context
from rest.cursor import Key, decode, encode, order

T = TypeVar("T")


def cut(
    items: Sequence[T], key: Callable[[T], Key], limit: int, cursor: str | None, width: int
) -> tuple[Sequence[T], str | None]:
    """The page of items after the cursor, and the next cursor if there are more. Items come in order of their keys."""
    if cursor is not None:
        after = order(decode(cursor, width))
        items = [item for item in items if order(key(item)) > after]
    page = items[:limit]
    return page, encode(key(page[-1])) if len(items) > limit else None


def framed(
    data: Sequence[object], next_cursor: str | None, limit: int, window: Window, context: Context
) -> dict[str, object]:
    """One answer."""
    meta = {"generated_at": instant(context.now), "request_id": context.request_id, "time_window": interval(window)}
    pagination = {"next_cursor": next_cursor, "has_more": next_cursor is not None, "page_size": limit}
    return {"data": data, "pagination": pagination, "meta": meta}


def instant(at: datetime) -> str:
    """RFC 3339 in UTC, with milliseconds where there are any."""
    text = at.isoformat(timespec="milliseconds" if at.microsecond else "seconds")
    return text.replace("+00:00", "Z")


def interval(window: Window) -> str:
    """A window as an ISO interval."""
    return f"{instant(window.start)}/{instant(window.end)}"
