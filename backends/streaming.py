"""Streams of several stores as one list: a stream's sessions may lie in any of them.

A store tells of a stream what it holds of it, so that there it may begin later than it does in all. Pages are read
from each store until those that are still unread can no longer come before the ones that are known.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from backends.backend import SessionQuestion, SessionRecord, StreamQuestion, StreamRecord
from backends.cutting import in_bounds, merged_stream
from backends.memory import stream_of
from metrics.errors import TooComplex

FIRST_PAGE, LONGEST_PAGE = 200, 10_000
MOST_STREAMS = 100_000
MOST_SESSIONS = 100_000
IDS_AT_ONCE = 1_000
EVERY_SESSION = SessionQuestion()
Position = tuple[int, str]


class Stores(Protocol):
    """Stores that are asked together, by number."""

    @property
    def stores(self) -> tuple[int, ...]: ...

    async def streams(self, questions: Mapping[int, StreamQuestion]) -> dict[int, Sequence[StreamRecord]]: ...

    async def sessions(self, question: SessionQuestion) -> Sequence[SessionRecord]: ...


async def page_of_streams(passing: Stores, every: Stores, question: StreamQuestion) -> Sequence[StreamRecord]:
    """The page. `passing` may have sessions that pass, `every` may have others of the same streams."""
    if len(every.stores) == 1:
        return (await every.streams(dict.fromkeys(passing.stores, question))).get(every.stores[0], [])
    # Where every session passes, some store lists each stream where it begins in all.
    all_pass = replace(question.sessions, limit=EVERY_SESSION.limit) == EVERY_SESSION
    asked = question if all_pass else _unbounded(question)
    size = max(FIRST_PAGE, min(question.limit + 1, LONGEST_PAGE))
    known: dict[str, StreamRecord] = {}
    positions: dict[int, Position | None] = dict.fromkeys(passing.stores)
    while True:
        pages = await passing.streams({store: _page(asked, at, size) for store, at in positions.items()})
        new = {one.stream_id for page in pages.values() for one in page} - known.keys()
        known |= await _whole(every, sorted(new))
        if len(known) > MOST_STREAMS:
            raise TooComplex(f"more than {MOST_STREAMS:,} streams pass. Narrow startedAt.", "filter")
        positions = {
            store: (page[-1].started_ms, page[-1].stream_id) for store, page in pages.items() if len(page) == size
        }
        within = [one for one in known.values() if in_bounds(one, question)]
        within.sort(key=_place, reverse=question.descending)
        certain = [one for one in within if _is_certain(one, positions.values(), question.descending, all_pass)]
        if not positions or len(certain) >= question.limit:
            return certain[: question.limit]
        size = min(size * 4, LONGEST_PAGE)


async def stream_ids(passing: Stores, sessions: SessionQuestion) -> set[str]:
    """The ids of the streams with a session that passes."""
    found: set[str] = set()
    positions: dict[int, Position | None] = dict.fromkeys(passing.stores)
    while positions:
        asked = StreamQuestion(sessions)
        pages = await passing.streams({store: _page(asked, at, LONGEST_PAGE) for store, at in positions.items()})
        found |= {one.stream_id for page in pages.values() for one in page}
        if len(found) > MOST_STREAMS:
            raise TooComplex(f"more than {MOST_STREAMS:,} streams pass. Narrow startedAt to count them.", "filter")
        positions = {
            store: (page[-1].started_ms, page[-1].stream_id)
            for store, page in pages.items()
            if len(page) == LONGEST_PAGE
        }
    return found


async def _whole(every: Stores, ids: Sequence[str]) -> dict[str, StreamRecord]:
    """The streams of these ids, as all stores together tell them."""
    told: dict[str, list[StreamRecord]] = defaultdict(list)
    for start in range(0, len(ids), IDS_AT_ONCE):
        some = tuple(ids[start : start + IDS_AT_ONCE])
        question = StreamQuestion(SessionQuestion(stream_ids=some), limit=len(some))
        for page in (await every.streams(dict.fromkeys(every.stores, question))).values():
            for record in page:
                told[record.stream_id].append(record)
    merged = {stream_id: merged_stream(records) for stream_id, records in told.items()}
    known = {stream_id: record for stream_id, record in merged.items() if record is not None}
    return known | await _by_sessions(every, [stream_id for stream_id, record in merged.items() if record is None])


async def _by_sessions(every: Stores, ids: Sequence[str]) -> dict[str, StreamRecord]:
    """Streams of which two stores tell a first session of the same instant: whose it is, only the sessions know."""
    if not ids:
        return {}
    question = SessionQuestion(stream_ids=tuple(ids), limit=MOST_SESSIONS)
    found: dict[str, list[SessionRecord]] = defaultdict(list)
    for record in await every.sessions(question):
        found[record.stream_id].append(record)
    return {stream_id: stream_of(records) for stream_id, records in found.items()}


def _is_certain(stream: StreamRecord, unread: Iterable[Position | None], descending: bool, all_pass: bool) -> bool:
    """Does it come before everything unread? A store's unread streams lie behind its position, as it tells them."""
    here = _place(stream)
    if descending:
        # In all they begin no later than that.
        return all(at is not None and here > at for at in unread)
    return all(at is not None and all_pass and here < at for at in unread)


def _place(stream: StreamRecord) -> Position:
    return stream.started_ms, stream.stream_id


def _unbounded(question: StreamQuestion) -> StreamQuestion:
    """Without the later of its bounds: a stream that begins before it in all may begin after it in a store."""
    return replace(question, after=None) if question.descending else replace(question, before=None)


def _page(question: StreamQuestion, at: Position | None, size: int) -> StreamQuestion:
    return replace(question, limit=size, after=question.after if at is None else at)
