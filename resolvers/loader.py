"""The loader: questions of one moment are planned together, read once, and remembered for the request."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import TypeVar

from backends.backend import (
    Backend,
    Holdings,
    IncidentRecord,
    LoggedEvent,
    PageQuestion,
    PaymentEvent,
    PaymentRecord,
    SessionQuestion,
    SessionRecord,
    Staked,
    StakeQuestion,
    StreamQuestion,
    StreamRecord,
)
from metrics.errors import TooComplex
from metrics.evidence import EvidenceQuestion
from metrics.fact import Fact
from metrics.question import Question
from metrics.row import Row
from metrics.sighting import Seen, SightingQuestion
from resolvers.batch import PATIENCE, Batch
from resolvers.journal import Journal
from resolvers.plan import Read, check, plan, split
from resolvers.sightings import Look, plan_seen, split_seen
from resolvers.wallet_pages import Record, counted, paged, together

MAX_SESSIONS = 20_000
BUSY_S = 0.002

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Loader:
    """What one request has read and is reading."""

    def __init__(self, backend: Backend, max_stream_pages: int, journal: Journal) -> None:
        self._backend = backend
        self._journal = journal
        self._stream_pages_left = max_stream_pages
        self.rows: Batch[Question, list[Row]] = self._batch("rows", self._rows)
        self.seen: Batch[SightingQuestion, list[Seen]] = self._batch("seen", self._seen)
        self.stakes: Batch[StakeQuestion, list[Staked]] = self._batch("stakes", self._stakes)
        self.holdings: Batch[None, Holdings] = self._batch("holdings", self._holdings)
        self.sessions: Batch[str, list[SessionRecord]] = self._batch("sessions", self._sessions)
        self.evidence: Batch[EvidenceQuestion, Sequence[Fact]] = self._batch("evidence", self._evidence)
        self.events: Batch[str, list[LoggedEvent]] = self._batch("events", self._events)
        self.payments: Batch[PageQuestion, list[PaymentRecord]] = self._batch("payments", self._payments)
        self.incidents: Batch[PageQuestion, list[IncidentRecord]] = self._batch("incidents", self._incidents)
        self.incident_counts: Batch[PageQuestion, int] = self._batch("incident_counts", self._incident_counts)
        self.payment_events: Batch[str, list[PaymentEvent]] = self._batch("payment_events", self._payment_events)
        self.streams: Batch[StreamQuestion, Sequence[StreamRecord]] = self._batch("streams", self._streams)
        self.streams_by_id: Batch[str, StreamRecord | None] = self._batch("streams_by_id", self._streams_by_id)
        self.stream_counts: Batch[SessionQuestion, int] = self._batch("stream_counts", self._stream_counts)

    async def settled(self) -> None:
        """Return when nothing has been read for some loop turns: siblings that read have begun and ended."""
        quiet = 0
        while quiet <= 2 * PATIENCE:
            busy = any(batch.busy for batch in (self.rows, self.seen, self.sessions, self.streams))
            quiet = 0 if busy else quiet + 1
            await asyncio.sleep(BUSY_S if busy else 0)

    def cancel(self) -> None:
        """Stop what is still being read."""
        for part in vars(self).values():
            if isinstance(part, Batch):
                part.cancel()

    def _batch(self, name: str, answer: Callable[[Sequence[K]], Awaitable[Mapping[K, V | Exception]]]) -> Batch[K, V]:
        async def planned(keys: Sequence[K]) -> Mapping[K, V | Exception]:
            with self._journal.planning(name, len(keys)):
                return await answer(keys)

        return Batch(planned)

    async def _rows(self, questions: Sequence[Question]) -> Mapping[Question, list[Row] | Exception]:
        answers: dict[Question, list[Row] | Exception] = {}
        for part in await asyncio.gather(*(self._read(read) for read in plan(questions))):
            answers.update(part)
        return answers

    async def _read(self, read: Read) -> Mapping[Question, list[Row] | Exception]:
        try:
            check(read)
            return split(read, await self._backend.rows(read.question))
        except Exception as error:
            return dict.fromkeys(read.askers, error)

    async def _seen(self, questions: Sequence[SightingQuestion]) -> Mapping[SightingQuestion, list[Seen] | Exception]:
        answers: dict[SightingQuestion, list[Seen] | Exception] = {}
        for part in await asyncio.gather(*(self._look(look) for look in plan_seen(questions))):
            answers.update(part)
        return answers

    async def _look(self, look: Look) -> Mapping[SightingQuestion, list[Seen] | Exception]:
        try:
            return split_seen(look, await self._backend.seen(look.question))
        except Exception as error:
            return dict.fromkeys(look.askers, error)

    async def _stakes(self, questions: Sequence[StakeQuestion]) -> Mapping[StakeQuestion, list[Staked]]:
        names = sorted({name for one in questions for name in one.orchestrators})
        first, last = min(one.first_ms for one in questions), max(one.last_ms for one in questions)
        found: dict[str, list[Staked]] = {name: [] for name in names}
        for one in await self._backend.stakes(StakeQuestion(tuple(names), first, last)):
            found[one.orchestrator].append(one)
        return {
            question: [one for name in question.orchestrators for one in found[name] if one.at_ms <= question.last_ms]
            for question in questions
        }

    async def _holdings(self, keys: Sequence[None]) -> Mapping[None, Holdings]:
        return {None: await self._backend.holds()}

    async def _sessions(self, stream_ids: Sequence[str]) -> Mapping[str, list[SessionRecord]]:
        question = SessionQuestion(stream_ids=tuple(stream_ids), limit=MAX_SESSIONS)
        records = await self._backend.sessions(question)
        if len(records) >= MAX_SESSIONS:
            raise TooComplex(f"these streams have {MAX_SESSIONS:,} sessions or more. Ask for fewer streams at a time.")
        found: dict[str, list[SessionRecord]] = {stream_id: [] for stream_id in stream_ids}
        for record in records:
            found[record.stream_id].append(record)
        return found

    async def _evidence(
        self, questions: Sequence[EvidenceQuestion]
    ) -> Mapping[EvidenceQuestion, Sequence[Fact] | Exception]:
        found = await asyncio.gather(*(self._backend.evidence(one) for one in questions), return_exceptions=True)
        return dict(zip(questions, _only_ordinary(found), strict=True))

    async def _events(self, owners: Sequence[str]) -> Mapping[str, list[LoggedEvent]]:
        found: dict[str, list[LoggedEvent]] = defaultdict(list)
        for event in await self._backend.events(owners):
            found[event.owner].append(event)
        return {owner: found[owner] for owner in owners}

    async def _payments(
        self, questions: Sequence[PageQuestion]
    ) -> Mapping[PageQuestion, list[PaymentRecord] | Exception]:
        return await self._pages(questions, self._backend.payments)

    async def _incidents(
        self, questions: Sequence[PageQuestion]
    ) -> Mapping[PageQuestion, list[IncidentRecord] | Exception]:
        return await self._pages(questions, self._backend.incidents)

    async def _incident_counts(self, questions: Sequence[PageQuestion]) -> Mapping[PageQuestion, int | Exception]:
        return await counted(questions, self._backend.incident_counts)

    async def _pages(
        self, questions: Sequence[PageQuestion], read: Callable[[PageQuestion], Awaitable[Sequence[Record]]]
    ) -> Mapping[PageQuestion, list[Record] | Exception]:
        merged = together(questions)
        self._spend(len(merged))
        return await paged(merged, read)

    async def _payment_events(self, request_ids: Sequence[str]) -> Mapping[str, list[PaymentEvent]]:
        found: dict[str, list[PaymentEvent]] = {request_id: [] for request_id in request_ids}
        for event in await self._backend.payment_events(request_ids):
            found[event.request_id].append(event)
        return found

    async def _streams(
        self, questions: Sequence[StreamQuestion]
    ) -> Mapping[StreamQuestion, Sequence[StreamRecord] | Exception]:
        self._spend(len(questions))
        pages = await asyncio.gather(*(self._backend.streams(one) for one in questions), return_exceptions=True)
        return dict(zip(questions, _only_ordinary(pages), strict=True))

    def _spend(self, pages: int) -> None:
        self._stream_pages_left -= pages
        if self._stream_pages_left < 0:
            raise TooComplex(
                "too many pages in one request. Ask for the streams, payments or incidents of fewer at a time."
            )

    async def _streams_by_id(self, stream_ids: Sequence[str]) -> Mapping[str, StreamRecord | None]:
        question = StreamQuestion(SessionQuestion(stream_ids=tuple(stream_ids)), limit=len(stream_ids))
        found = {record.stream_id: record for record in await self._backend.streams(question)}
        return {stream_id: found.get(stream_id) for stream_id in stream_ids}

    async def _stream_counts(self, questions: Sequence[SessionQuestion]) -> Mapping[SessionQuestion, int | Exception]:
        counts = await asyncio.gather(*(self._backend.stream_count(one) for one in questions), return_exceptions=True)
        return dict(zip(questions, _only_ordinary(counts), strict=True))


def _only_ordinary(results: Sequence[T | BaseException]) -> list[T | Exception]:
    """Answers and errors; what is no ordinary error (a cancellation) goes on its way."""
    kept: list[T | Exception] = []
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, Exception):
            raise result
        kept.append(result)
    return kept
