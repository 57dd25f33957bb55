"""Answering: the `Backend` of a PostgreSQL. Each question is one statement, or two that see one state."""

from collections.abc import Iterable, Mapping, Sequence

from backends.backend import (
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
from backends.pieces import Level
from backends.postgres.compile import Statement, compiled, compiled_sightings
from backends.postgres.evidence import compiled_evidence
from backends.postgres.histogram import histogram
from backends.postgres.ledger import (
    compiled_incident_counts,
    compiled_incidents,
    compiled_payment_events,
    compiled_payments,
)
from backends.postgres.pool import ReadPool, Records
from backends.postgres.sessions import compiled_sessions, compiled_stakes, compiled_stream_count, compiled_streams
from backends.postgres.tables import beginning
from backends.records import EVENT_COLUMNS, event_of, fact_of, record_of
from backends.stale import Stale
from metrics.evidence import EvidenceQuestion
from metrics.fact import Fact
from metrics.measure import Aggregate
from metrics.question import Question
from metrics.row import Row
from metrics.sighting import Seen, SightingQuestion

# Which rollups are behind is kept in the store, since its writer may be another process.
BEHIND = "SELECT kind, bucket_ms FROM stale"
HOLDINGS = (
    "SELECT source, first_ms, last_ms FROM reach UNION ALL SELECT '', value, 0 FROM marks WHERE name = 'waiting' "
    "UNION ALL SELECT '', value, 1 FROM marks WHERE name = 'version'"
)


class Reads:
    """Questions to statements, rows to answers."""

    def __init__(self, pool: ReadPool, limit: int) -> None:
        self._pool = pool
        self._limit = limit

    async def holds(self) -> Holdings:
        sources, marks = {}, {0: 0, 1: 0}
        for source, first, last in await self._pool.query(Statement("holds", sql=HOLDINGS)):
            if source:
                sources[source] = (first, last)
            else:
                marks[last] = first
        return Holdings(sources, marks[0], marks[1])

    async def rows(self, question: Question) -> Sequence[Row]:
        def then(stale: Records) -> Statement:
            behind = {Level.HOUR: _behind(stale, Stale.HOURS), Level.DAY: _behind(stale, Stale.DAYS)}
            return compiled(question, behind, self._limit)

        names, by = [measure.name for measure in question.measures], len(question.by) + 1
        histograms = [by + index for index, one in enumerate(question.measures) if one.aggregate is Aggregate.HISTOGRAM]
        found = []
        for record in await self._pool.query_after(Statement("rows", sql=BEHIND), then):
            values = list(record)
            for index in histograms:
                values[index] = histogram(values[index])
            dims = tuple(value or None for value in values[1:by])
            found.append(
                Row(values[0] if question.grain else None, dims, dict(zip(names, values[by:], strict=True)))
            )  # fmt: skip
        return found

    async def seen(self, question: SightingQuestion) -> Sequence[Seen]:
        def then(stale: Records) -> Statement:
            return compiled_sightings(question, _behind(stale, Stale.SEEN_DAYS), self._limit)

        rows = await self._pool.query_after(Statement("seen", sql=BEHIND), then)
        return [Seen(tuple(value or None for value in row[:-2]), row[-2], row[-1]) for row in rows]

    async def evidence(self, question: EvidenceQuestion) -> Sequence[Fact]:
        names = [column.name for column in question.columns]
        return [fact_of(row, names) for row in await self._pool.query(compiled_evidence(question))]

    async def sessions(self, question: SessionQuestion) -> Sequence[SessionRecord]:
        return [record_of(row) for row in await self._pool.query(compiled_sessions(question))]

    async def streams(self, question: StreamQuestion) -> Sequence[StreamRecord]:
        rows = await self._pool.query(compiled_streams(question))
        return [StreamRecord(row[0], row[1], row[2], row[3] or None, row[4] or None) for row in rows]

    async def stream_count(self, question: SessionQuestion) -> int:
        return int((await self._pool.query(compiled_stream_count(question)))[0][0])

    async def events(self, owners: Iterable[str]) -> Sequence[LoggedEvent]:
        statement = Statement("events")
        wanted = statement.bind([owner for owner in owners if owner], "text[]")
        statement.sql = f"SELECT {EVENT_COLUMNS} FROM raw WHERE {of_owners(wanted)} ORDER BY owner, at_ms, id, source"
        return [event_of(row) for row in await self._pool.query(statement)]

    async def stakes(self, question: StakeQuestion) -> Sequence[Staked]:
        return [Staked(*row) for row in await self._pool.query(compiled_stakes(question))]

    async def payments(self, question: PageQuestion) -> Sequence[PaymentRecord]:
        rows = await self._pool.query(compiled_payments(question))
        return [PaymentRecord(*row[:5], *(text or None for text in row[5:7]), *row[7:]) for row in rows]

    async def incidents(self, question: PageQuestion) -> Sequence[IncidentRecord]:
        rows = await self._pool.query(compiled_incidents(question))
        return [IncidentRecord(*row[:4], *(text or None for text in row[4:7]), *row[7:]) for row in rows]

    async def incident_counts(self, question: PageQuestion) -> Mapping[str, int]:
        rows = await self._pool.query(compiled_incident_counts(question))
        return {row[0]: row[1] for row in rows}

    async def payment_events(self, request_ids: Iterable[str]) -> Sequence[PaymentEvent]:
        rows = await self._pool.query(compiled_payment_events(list(request_ids)))
        return [PaymentEvent(*row) for row in rows]

    async def ping(self) -> None:
        await self._pool.query(Statement("ping", sql="SELECT 1"))


def of_owners(wanted: str) -> str:
    """The test that an event of the raw log belongs to one of these sessions, by the index over owners."""
    starts = f'ARRAY(SELECT {beginning("one")} COLLATE "C" FROM unnest({wanted}) AS one)'
    return f"{beginning('owner')} = ANY ({starts}) AND owner = ANY ({wanted})"


def _behind(stale: Records, kind: Stale) -> frozenset[int]:
    return frozenset(bucket_ms for name, bucket_ms in stale if name == kind.value)
