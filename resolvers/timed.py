"""A store whose reads are written into a request's journal, wrapped around any other."""

import asyncio
import time
from collections.abc import Awaitable, Iterable, Mapping, Sequence, Sized
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
from metrics.errors import GatewayError
from metrics.evidence import EvidenceQuestion
from metrics.fact import Fact
from metrics.question import Question
from metrics.row import Row
from metrics.sighting import Seen, SightingQuestion
from resolvers.journal import Journal
from resolvers.plan import places, words

T = TypeVar("T")


class Timed:
    """A `Backend` that says of each read what it was in words (never the values asked for), its time and its rows."""

    def __init__(self, backend: Backend, journal: Journal) -> None:
        self._backend = backend
        self._journal = journal
        self.name = backend.name

    async def _told(self, name: str, what: str, reading: Awaitable[T]) -> T:
        step, began = self._journal.begin(name, what), time.perf_counter()
        try:
            answer = await reading
        except GatewayError as error:
            step.error = error.code
            raise
        except asyncio.CancelledError:
            step.error = "CANCELLED"
            raise
        except BaseException:
            step.error = "INTERNAL"
            raise
        finally:
            step.seconds = time.perf_counter() - began
            self._journal.end(step)
        if isinstance(answer, Sized):
            step.rows = len(answer)
        return answer

    async def holds(self) -> Holdings:
        """As `Backend` says."""
        return await self._told("holds", "what there is", self._backend.holds())

    async def rows(self, question: Question) -> Sequence[Row]:
        """As `Backend` says."""
        return await self._told("rows", words(question), self._backend.rows(question))

    async def seen(self, question: SightingQuestion) -> Sequence[Seen]:
        """As `Backend` says."""
        what = f"by {', '.join(question.by)}; {places(question.where)}"
        return await self._told("seen", what, self._backend.seen(question))

    async def evidence(self, question: EvidenceQuestion) -> Sequence[Fact]:
        """As `Backend` says."""
        return await self._told("evidence", f"at most {question.limit:,}", self._backend.evidence(question))

    async def sessions(self, question: SessionQuestion) -> Sequence[SessionRecord]:
        """As `Backend` says."""
        return await self._told("sessions", f"at most {question.limit:,}", self._backend.sessions(question))

    async def streams(self, question: StreamQuestion) -> Sequence[StreamRecord]:
        """As `Backend` says."""
        return await self._told("streams", f"at most {question.limit:,}", self._backend.streams(question))

    async def stream_count(self, question: SessionQuestion) -> int:
        """As `Backend` says."""
        return await self._told("stream_count", "how many", self._backend.stream_count(question))

    async def events(self, owners: Iterable[str]) -> Sequence[LoggedEvent]:
        """As `Backend` says."""
        return await self._told("events", "of sessions", self._backend.events(owners))

    async def stakes(self, question: StakeQuestion) -> Sequence[Staked]:
        """As `Backend` says."""
        return await self._told("stakes", f"of {len(question.orchestrators):,}", self._backend.stakes(question))

    async def payments(self, question: PageQuestion) -> Sequence[PaymentRecord]:
        """As `Backend` says."""
        return await self._told("payments", _page(question), self._backend.payments(question))

    async def incidents(self, question: PageQuestion) -> Sequence[IncidentRecord]:
        """As `Backend` says."""
        return await self._told("incidents", _page(question), self._backend.incidents(question))

    async def incident_counts(self, question: PageQuestion) -> Mapping[str, int]:
        """As `Backend` says."""
        what = f"of {len(question.wallets):,} wallets"
        return await self._told("incident_counts", what, self._backend.incident_counts(question))

    async def payment_events(self, request_ids: Iterable[str]) -> Sequence[PaymentEvent]:
        """As `Backend` says."""
        return await self._told("payment_events", "of requests", self._backend.payment_events(request_ids))

    async def ping(self) -> None:
        """As `Backend` says."""
        await self._told("ping", "whether it answers", self._backend.ping())

    async def close(self) -> None:
        """As `Backend` says."""
        await self._backend.close()


def _page(question: PageQuestion) -> str:
    return f"of {len(question.wallets):,} wallets at most {question.limit:,} each"
