"""A store that could not be opened: opened when it is asked and some time has passed, and away until then."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import monotonic

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
from metrics.errors import StoreUnavailable
from metrics.evidence import EvidenceQuestion
from metrics.fact import Fact
from metrics.question import Question
from metrics.row import Row
from metrics.sighting import Seen, SightingQuestion

AGAIN_AFTER_S = 5.0


class Later:
    """A `Backend` whose `opening` failed with `error`; it is run again in a thread. Raises StoreUnavailable."""

    name = "later"

    def __init__(
        self, opening: Callable[[], Backend], error: StoreUnavailable, clock: Callable[[], float] = monotonic
    ) -> None:
        self._opening = opening
        self._error = error
        self._clock = clock
        self._again = clock() + AGAIN_AFTER_S
        self._store: Backend | None = None
        self._trying: asyncio.Task[Backend] | None = None

    async def holds(self) -> Holdings:
        return await (await self._opened()).holds()

    async def rows(self, question: Question) -> Sequence[Row]:
        return await (await self._opened()).rows(question)

    async def seen(self, question: SightingQuestion) -> Sequence[Seen]:
        return await (await self._opened()).seen(question)

    async def evidence(self, question: EvidenceQuestion) -> Sequence[Fact]:
        return await (await self._opened()).evidence(question)

    async def sessions(self, question: SessionQuestion) -> Sequence[SessionRecord]:
        return await (await self._opened()).sessions(question)

    async def streams(self, question: StreamQuestion) -> Sequence[StreamRecord]:
        return await (await self._opened()).streams(question)

    async def stream_count(self, question: SessionQuestion) -> int:
        return await (await self._opened()).stream_count(question)

    async def events(self, owners: Iterable[str]) -> Sequence[LoggedEvent]:
        return await (await self._opened()).events(owners)

    async def stakes(self, question: StakeQuestion) -> Sequence[Staked]:
        return await (await self._opened()).stakes(question)

    async def payments(self, question: PageQuestion) -> Sequence[PaymentRecord]:
        return await (await self._opened()).payments(question)

    async def incidents(self, question: PageQuestion) -> Sequence[IncidentRecord]:
        return await (await self._opened()).incidents(question)

    async def incident_counts(self, question: PageQuestion) -> Mapping[str, int]:
        return await (await self._opened()).incident_counts(question)

    async def payment_events(self, request_ids: Iterable[str]) -> Sequence[PaymentEvent]:
        return await (await self._opened()).payment_events(request_ids)

    async def ping(self) -> None:
        await (await self._opened()).ping()

    async def close(self) -> None:
        if self._trying is not None:
            await asyncio.gather(self._trying, return_exceptions=True)
        if self._store is not None:
            await self._store.close()

    async def _opened(self) -> Backend:
        if self._store is not None:
            return self._store
        if self._trying is None:
            if self._clock() < self._again:
                raise StoreUnavailable(str(self._error)) from self._error
            self._trying = asyncio.create_task(self._open())
        # Whoever stops waiting for it stops nobody else.
        return await asyncio.shield(self._trying)

    async def _open(self) -> Backend:
        try:
            self._store = await asyncio.to_thread(self._opening)
        except StoreUnavailable as error:
            self._error = error
            self._again = self._clock() + AGAIN_AFTER_S
            raise
        finally:
            self._trying = None
        return self._store
