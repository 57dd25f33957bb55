"""Copying a store's content, or a part of it, into another store: page by page, again without harm, and checked."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple, Protocol

from backends.contents import Page, Position, Shelf, Tally
from backends.log import Batch, Derivation, Log, Statements
from backends.part import Part
from metrics.errors import BadRequest

# Items of a page: bodies are long, sessions bring their state along.
LIMITS = {Shelf.EVENTS: 2_000, Shelf.CONFLICTS: 2_000, Shelf.REJECTED: 500, Shelf.SESSIONS: 2_000}
LIMIT = 10_000
# Items after which rollups are brought up to date.
REFRESH_AFTER = 100_000


class Origin(Protocol):
    """Where content is read: see `backends.log.Log`."""

    def page(self, shelf: Shelf, part: Part, after: Position | None, limit: int) -> Page: ...

    def size(self, shelf: Shelf, part: Part) -> int: ...


class Mark(NamedTuple):
    """How far a copy is: the shelf in hand and the position on it (None: at its beginning)."""

    shelf: Shelf
    after: Position | None


BEGINNING = Mark(next(iter(Shelf)), None)
Step = Callable[[Mark | None, int], None]


def copy(origin: Origin, target: Log, part: Part, start: Mark, step: Step) -> None:
    """Copy from a mark on. `step` is told where to go on (None: nowhere) and how many items came, once these are kept.

    Raises BadRequest where the target has other content under the same identity.
    """
    shelves, count = [*Shelf], 0
    for number, shelf in enumerate(shelves[shelves.index(start.shelf) :], shelves.index(start.shelf)):
        after = start.after if shelf is start.shelf else None
        while True:
            page = origin.page(shelf, part, after, LIMITS.get(shelf, LIMIT))
            keep(target, shelf, page.items)
            count, after = count + len(page.items), page.after
            if count >= REFRESH_AFTER:
                target.refresh()
                count = 0
            if after is None:
                break
            step(Mark(shelf, after), len(page.items))
        if number + 1 == len(shelves):
            target.refresh()
        step(Mark(shelves[number + 1], None) if number + 1 < len(shelves) else None, len(page.items))


def keep(target: Log, shelf: Shelf, items: Sequence[Any]) -> None:
    """Put items of a shelf into a store."""
    if not items:
        return
    match shelf:
        case Shelf.CLAIMS | Shelf.OFFERS | Shelf.PAYMENTS | Shelf.STAKES:
            target.state(Statements(**{shelf.value: items}))
        case Shelf.SESSIONS | Shelf.SIGHTINGS | Shelf.FACTS | Shelf.SUPPLY:
            target.replace(Derivation((), **{shelf.value: items}))
        case Shelf.REJECTED:
            target.append(Batch(rejected=items))
        case Shelf.CONFLICTS:
            target.append(Batch(conflicts=items))
            target.mark_derived()
        case Shelf.EVENTS:
            target.append(Batch(events=list(_new(target, items))))
            # What they derive to was copied before them.
            target.mark_derived()


def _new(target: Log, events: Sequence[Any]) -> Iterator[Any]:
    """The events that the target does not have yet."""
    by_source = attrgetter("source")
    for source, group in groupby(sorted(events, key=by_source), key=by_source):
        some = list(group)
        known = target.identities(source, [event.id for event in some])
        for event in some:
            if event.id not in known:
                yield event
            elif known[event.id].sha != event.sha:
                raise BadRequest(
                    f"TO holds another event of source {source!r} under the id {event.id!r}: the two stores were "
                    "loaded apart. Load the events into TO instead (naap ingest), or copy into an empty store.",
                    "TO",
                )


def tallied(store: Origin, part: Part, step: Callable[[int], None] = lambda _: None) -> Tally:
    """Count everything of a part; `step` is told how many items more were read."""
    tally = Tally({})
    for shelf in Shelf:
        after: Position | None = None
        while True:
            page = store.page(shelf, part, after, LIMITS.get(shelf, LIMIT))
            tally.add(shelf, page.items)
            step(len(page.items))
            after = page.after
            if after is None:
                break
    return tally
