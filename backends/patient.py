"""A store that is waited for only so long, wrapped around any other."""

import asyncio
from collections.abc import Awaitable, Iterable, Mapping, Sequence
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
from metrics.errors import StoreTimeout
from metrics.evidence import EvidenceQuestion
from metrics.fact import Fact
from metrics.question import Question
from metrics.row import Row
from metrics.sighting import Seen, SightingQuestion

T = TypeVar("T")


class Patient:
    """A `Backend` each of whose reads ends after so many seconds, with StoreTimeout; the read itself is cancelled."""

    def __init__(self, backend: Backend, seconds: float) -> None:
        self._backend = backend
        self._seconds = seconds
        self.name = backend.name

    async def _within(self, reading: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(self._seconds) as patience:
                return await reading
        except TimeoutError as error:
            if not patience.expired():
                raise
            raise StoreTimeout(
                f"the store did not answer within {self._seconds:g} s. Ask for less at a time, or again later."
            ) from error

    async def holds(self) -> Holdings:
        """As `Backend` says."""
        return await self._within(self._backend.holds())

    async def rows(self, question: Question) -> Sequence[Row]:
        """As `Backend` says."""
        return await self._within(self._backend.rows(question))

    async def seen(self, question: SightingQuestion) -> Sequence[Seen]:
        """As `Backend` says."""
        return await self._within(self._backend.seen(question))

    async def evidence(self, question: EvidenceQuestion) -> Sequence[Fact]:
        """As `Backend` says."""
        return await self._within(self._backend.evidence(question))

    async def sessions(self, question: SessionQuestion) -> Sequence[SessionRecord]:
        """As `Backend` says."""
        return await self._within(self._backend.sessions(question))

    async def streams(self, question: StreamQuestion) -> Sequence[StreamRecord]:
        """As `Backend` says."""
        return await self._within(self._backend.streams(question))

    async def stream_count(self, question: SessionQuestion) -> int:
        """As `Backend` says."""
        return await self._within(self._backend.stream_count(question))

    async def events(self, owners: Iterable[str]) -> Sequence[LoggedEvent]:
        """As `Backend` says."""
        return await self._within(self._backend.events(owners))

    async def stakes(self, question: StakeQuestion) -> Sequence[Staked]:
        """As `Backend` says."""
        return await self._within(self._backend.stakes(question))

    async def payments(self, question: PageQuestion) -> Sequence[PaymentRecord]:
        """As `Backend` says."""
        return await self._within(self._backend.payments(question))

    async def incidents(self, question: PageQuestion) -> Sequence[IncidentRecord]:
        """As `Backend` says."""
        return await self._within(self._backend.incidents(question))

    async def incident_counts(self, question: PageQuestion) -> Mapping[str, int]:
        """As `Backend` says."""
        return await self._within(self._backend.incident_counts(question))

    async def payment_events(self, request_ids: Iterable[str]) -> Sequence[PaymentEvent]:
        """As `Backend` says."""
        return await self._within(self._backend.payment_events(request_ids))

    async def ping(self) -> None:
        """As `Backend` says."""
        await self._within(self._backend.ping())

    async def close(self) -> None:
        """As `Backend` says."""
        await self._backend.close()
