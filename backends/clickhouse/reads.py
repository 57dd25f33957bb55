"""Answering: the `Backend` of a ClickHouse. Each question is one statement."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

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
from backends.clickhouse.compile import Statement, compiled, compiled_sightings
from backends.clickhouse.evidence import compiled_evidence
from backends.clickhouse.handle import Records
from backends.clickhouse.ledger import (
    compiled_incident_counts,
    compiled_incidents,
    compiled_payment_events,
    compiled_payments,
)
from backends.clickhouse.sessions import compiled_sessions, compiled_stream_count, compiled_streams
from backends.clickhouse.stakes import compiled_stakes
from backends.clickhouse.tide import Tide
from backends.records import EVENT_COLUMNS, event_of, fact_of, record_of
from metrics.evidence import EvidenceQuestion
from metrics.fact import Fact
from metrics.question import Question
from metrics.row import Row
from metrics.sighting import Seen, SightingQuestion


class Reader(Protocol):
    """Runs a read somewhere off the event loop."""

    async def query(self, statement: Statement, as_bytes: Sequence[str] = ()) -> Records:
        """The rows that answer it."""


class Reads:
    """Questions to statements, rows to answers."""

    def __init__(self, reader: Reader, tide: Tide) -> None:
        self._reader = reader
        self._tide = tide

    async def holds(self) -> Holdings:
        return self._tide.holdings

    async def rows(self, question: Question) -> Sequence[Row]:
        names, by = [measure.name for measure in question.measures], len(question.by) + 1
        return [
            Row(
                row[0] if question.grain else None,
                tuple(value or None for value in row[1:by]),
                dict(zip(names, row[by:], strict=True)),
            )
            for row in await self._reader.query(compiled(question, self._tide.behind))
        ]

    async def seen(self, question: SightingQuestion) -> Sequence[Seen]:
        rows = await self._reader.query(compiled_sightings(question, self._tide.days_unseen))
        return [Seen(tuple(value or None for value in row[:-2]), row[-2], row[-1]) for row in rows]

    async def evidence(self, question: EvidenceQuestion) -> Sequence[Fact]:
        names = [column.name for column in question.columns]
        return [fact_of(row, names) for row in await self._reader.query(compiled_evidence(question))]

    async def sessions(self, question: SessionQuestion) -> Sequence[SessionRecord]:
        return [record_of(row) for row in await self._reader.query(compiled_sessions(question))]

    async def streams(self, question: StreamQuestion) -> Sequence[StreamRecord]:
        rows = await self._reader.query(compiled_streams(question))
        return [StreamRecord(row[0], row[1], row[2], row[3] or None, row[4] or None) for row in rows]

    async def stream_count(self, question: SessionQuestion) -> int:
        return int((await self._reader.query(compiled_stream_count(question)))[0][0])

    async def events(self, owners: Iterable[str]) -> Sequence[LoggedEvent]:
        statement = Statement("events")
        test = statement.among("owner", list(owners))
        statement.sql = f"SELECT {EVENT_COLUMNS} FROM raw FINAL WHERE {test} ORDER BY owner, at_ms, id, source"
        return [event_of(row) for row in await self._reader.query(statement, ("body",))]

    async def stakes(self, question: StakeQuestion) -> Sequence[Staked]:
        return [Staked(*row) for row in await self._reader.query(compiled_stakes(question))]

    async def payments(self, question: PageQuestion) -> Sequence[PaymentRecord]:
        rows = await self._reader.query(compiled_payments(question))
        return [PaymentRecord(*row)._replace(gateway=row[5] or None, workflow=row[6] or None) for row in rows]

    async def incidents(self, question: PageQuestion) -> Sequence[IncidentRecord]:
        rows = await self._reader.query(compiled_incidents(question), ("body",))
        return [
            IncidentRecord(*row)._replace(gpu=row[4] or None, workflow=row[5] or None, gateway=row[6] or None)
            for row in rows
        ]

    async def incident_counts(self, question: PageQuestion) -> Mapping[str, int]:
        return dict(await self._reader.query(compiled_incident_counts(question)))

    async def payment_events(self, request_ids: Iterable[str]) -> Sequence[PaymentEvent]:
        statement = compiled_payment_events(list(request_ids))
        return [PaymentEvent(*row) for row in await self._reader.query(statement, ("body",))]

    async def ping(self) -> None:
        await self._reader.query(Statement("ping", {}, "SELECT 1"))
