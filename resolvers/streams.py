"""Streams: pages of them, newest first unless asked otherwise, their sessions, and what happened in a session."""

from asyncio import gather
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from backends.backend import SessionRecord, StreamQuestion, StreamRecord
from metrics.dimension import Dimension
from metrics.errors import TooComplex
from metrics.sighting import SightingQuestion, Trait
from metrics.window import from_ms
from resolvers.context import Context
from resolvers.page import Page, Slice, decoded, encoded
from resolvers.scope import EVERYWHERE, Scope
from resolvers.stream_filter import EVERY_STREAM, Part, StreamTest, dimensions, parts_of

MAX_COUNTED = 100_000
SWAP = "orchestrator_swap"

Position = tuple[int, str]


@dataclass(frozen=True, slots=True)
class StreamListing:
    """A page of streams, and what is needed to count them."""

    context: Context
    page: Page[StreamRecord]
    parts: Sequence[Part]

    async def total(self) -> int:
        """How many streams pass in all."""
        if not self.parts:
            return 0
        only = self.parts[0]
        if len(self.parts) == 1 and only.since_ms is None and only.until_ms is None:
            return await self.context.loader.stream_counts.load(only.sessions)
        questions = (_question(part, True, None, None, MAX_COUNTED) for part in self.parts)
        pages = await gather(*(self.context.streams(question) for question in questions))
        if any(len(page) >= MAX_COUNTED for page in pages):
            raise TooComplex(f"more than {MAX_COUNTED:,} streams pass. Narrow startedAt to count them.", "filter")
        return len({record.stream_id for page in pages for record in page})


async def streams(
    context: Context,
    wanted: Slice,
    test: StreamTest = EVERY_STREAM,
    descending: bool = True,
    scope: Scope = EVERYWHERE,
) -> StreamListing:
    """A page of the streams of a scope that pass the test."""
    scheme = f"Stream {'desc' if descending else 'asc'}"
    after, before = _position(scheme, wanted.after, "after"), _position(scheme, wanted.before, "before")
    low, high = (before, after) if descending else (after, before)
    parts = parts_of(test, await _known(context, test), scope)
    towards = descending is not wanted.backward
    questions = [_question(part, towards, low, high, wanted.size + 1) for part in parts]
    pages = await gather(*(context.streams(question) for question in questions))
    found = {record.stream_id: record for page in pages for record in page}.values()
    ordered = sorted(found, key=lambda record: (record.started_ms, record.stream_id), reverse=towards)
    return StreamListing(context, _page(ordered, wanted, scheme), parts)


def _page(ordered: Sequence[StreamRecord], wanted: Slice, scheme: str) -> Page[StreamRecord]:
    chosen, more = list(ordered[: wanted.size]), len(ordered) > wanted.size
    if wanted.backward:
        chosen.reverse()
    items = [(encoded(scheme, (record.started_ms, record.stream_id)), record) for record in chosen]
    # Behind a cursor there is at least what it came from.
    return Page(
        items,
        has_next=wanted.before is not None if wanted.backward else more,
        has_previous=more if wanted.backward else wanted.after is not None,
    )


def _question(part: Part, descending: bool, low: Position | None, high: Position | None, limit: int) -> StreamQuestion:
    # A position before every stream of that instant: no stream id is blank.
    lows = [at for at in (low, None if part.since_ms is None else (part.since_ms, "")) if at is not None]
    highs = [at for at in (high, None if part.until_ms is None else (part.until_ms, "")) if at is not None]
    lowest, highest = max(lows, default=None), min(highs, default=None)
    after, before = (highest, lowest) if descending else (lowest, highest)
    return StreamQuestion(part.sessions, descending, after, before, limit)


def _position(scheme: str, cursor: str | None, argument: str) -> Position | None:
    if cursor is None:
        return None
    started_ms, stream_id = decoded(scheme, cursor, argument)
    return int(started_ms), str(stream_id)


async def _known(context: Context, test: StreamTest) -> Mapping[Dimension, Sequence[str]]:
    """The known values of the dimensions that a test needs."""
    wanted = sorted(dimensions(test))
    seen = await gather(*(context.seen(SightingQuestion.of((Trait(one.value),))) for one in wanted))
    values = ([one.traits[0] for one in found] for found in seen)
    return {
        dimension: [value for value in told if value is not None]
        for dimension, told in zip(wanted, values, strict=True)
    }


async def stream(context: Context, stream_id: str) -> StreamRecord | None:
    """One stream, or None."""
    return await context.loader.streams_by_id.load(stream_id)


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """What may be shown of an event: never prompts, error texts or network addresses."""

    at: datetime
    type: str
    subtype: str | None
    orchestrator: str | None
    state: str | None
    output_fps: float | None


async def timeline(context: Context, session: SessionRecord) -> list[TimelineEvent]:
    """What happened in a session, in order of time."""
    context.spend_timeline()
    shown = []
    running: str | None = None
    for event in await context.events(session.owner):
        entry = context.entries(event.body)
        wallet = session.wallets.get(entry.place)
        if entry.subtype == SWAP and not entry.place:
            # A swap that does not say what it left, left the leg that was running.
            wallet = running
        running = wallet or running
        shown.append(
            TimelineEvent(from_ms(event.at_ms), entry.type, entry.subtype, wallet, entry.state, entry.output_fps)
        )
    return shown
