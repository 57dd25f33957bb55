"""The frame around every REST list: `data`, `pagination`, `meta`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from metrics.errors import BadRequest
from metrics.window import Window, from_ms
from resolvers.context import Context
from resolvers.contributors import contributors
from rest import schema
from rest.cursor import Cursor, Key, decode, encode, fingerprint, order
from rest.parameter import Asked
from rest.params import CURSOR, LIMIT
from rest.schema import Schema

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Paged:
    """One page of a list: its items, where it goes on, and what time it is about, if it is about any."""

    items: Sequence[Mapping[str, object]]
    next_cursor: str | None
    limit: int
    window: Window | None


@dataclass(frozen=True, slots=True)
class Listing:
    """A list that is read page by page: every page is about the window of the first one, and about its filters."""

    asked: str
    window: Window
    filters: Mapping[str, str] = field(default_factory=dict)
    after: Key | None = None
    limit: int = 100

    @classmethod
    def of(cls, name: str, asked: Asked, time_range: str, window: Window, width: int) -> "Listing":
        """The list `name` that is asked for, with keys of `width` parts. Raises BadRequest for another one's cursor."""
        filters = {"": name, **asked.selection}
        limit, cursor = asked[LIMIT], asked.get(CURSOR)
        if cursor is None:
            return cls(time_range, window, filters, None, limit)
        here = decode(cursor, width)
        if here.fingerprint != fingerprint(filters):
            raise _of_another_list("other filters")
        # The first page's interval, as `meta` tells it, is the same range said in other words.
        if time_range != here.asked and window != here.window:
            raise _of_another_list("another time_range")
        return cls(here.asked, here.window, filters, here.key, limit)

    def cut(self, items: Sequence[T], key: Callable[[T], Key]) -> tuple[Sequence[T], str | None]:
        """One page of the items, which come in order of their keys, and the next cursor if there are more."""
        if self.after is not None:
            after = order(self.after)
            items = [item for item in items if order(key(item)) > after]
        page = items[: self.limit]
        if len(items) <= self.limit:
            return page, None
        return page, encode(Cursor(key(page[-1]), self.asked, self.window, fingerprint(self.filters)))

    def paged(self, items: Sequence[Mapping[str, object]], next_cursor: str | None) -> Paged:
        """One page of it."""
        return Paged(items, next_cursor, self.limit, self.window)


async def framed(page: Paged, context: Context) -> dict[str, object]:
    """One answer. It tells how far the data reach: an empty list before that is an old dump, not a silent network."""
    # As of `generated_at`, like the answer.
    latest_ms = (await context.held()).latest_ms
    meta: dict[str, object] = {
        "generated_at": instant(context.began),
        "request_id": context.request_id,
        "time_window": None if page.window is None else interval(page.window),
        "last_event_at": None if latest_ms is None else instant(from_ms(latest_ms)),
    }
    if (told := contributors(context)) is not None:
        meta["backends"] = told
    more = page.next_cursor is not None
    pagination = {"next_cursor": page.next_cursor, "has_more": more, "page_size": page.limit}
    return {"data": page.items, "pagination": pagination, "meta": meta}


_PART = {
    "source": schema.text("The feed."),
    "region": schema.text("The region; blank: where none is known; left out: every one that no store names."),
    "start": schema.instant("From when on; null: from the beginning.", nullable=True),
    "end": schema.instant("Until when, excluded; null: without end.", nullable=True),
}
_REASON = {"code": schema.text("What went wrong, for programs."), "message": schema.text("The same for people.")}
BACKEND = schema.record(
    {
        "name": schema.text("The store's name."),
        "rows": schema.whole("Rows that it answered with.", minimum=0),
        "milliseconds": schema.number("How long its answers took, added up.", minimum=0),
        "reached_until": schema.instant("Its latest event.", nullable=True),
        "error": schema.record(_REASON, "Why it did not answer; left out where it did."),
        "is_missing": schema.boolean("Does the answer go without its part?"),
        "missing": schema.listing(
            schema.record(_PART, "A part of the data.", optional=("region",)),
            "What the answer goes without, as far as that is known.",
        ),
        "left_to_others": schema.listing(
            schema.record(
                {**_PART, "answered_by": schema.listing(schema.text("A store's name."), "Who answered for it.")},
                "A part of the data.",
                optional=("region",),
            ),
            "What it holds too and others answered for.",
        ),
    },
    "One store.",
    optional=("error",),
)


def envelope(item: Schema) -> Schema:
    """The schema of what `framed` makes of items."""
    pagination = {
        "next_cursor": schema.text("What to pass as `cursor` for the next page; null on the last one.", nullable=True),
        "has_more": schema.boolean("Is there a next page?"),
        "page_size": schema.whole("The limit that was asked for.", minimum=1),
    }
    meta = {
        "generated_at": schema.instant("When this was answered."),
        "request_id": schema.text("Under which id the log has the request that this was made for."),
        "time_window": schema.text(
            "What the list is about: an ISO 8601 interval, the same on every page. Null where it is about no time.",
            nullable=True,
        ),
        "last_event_at": schema.instant("How far the data reach; null where there are none.", nullable=True),
        "backends": schema.listing(BACKEND, "Of a gateway over several stores: those that had to do with this answer."),
    }
    return schema.record(
        {
            "data": schema.listing(item, "The items of this page, in order of their keys, nulls last."),
            "pagination": schema.record(pagination, "Where this page ends."),
            "meta": schema.record(meta, "About this answer.", optional=("backends",)),
        },
        "One page of a list.",
    )


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
