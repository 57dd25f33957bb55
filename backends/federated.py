"""Several stores as one: each is asked for its part at the same time, and the parts are added up.

`request()` gives a request its own view, which remembers for that request who contributed and who failed: a store that
fails is not asked again in it, whoever else holds its part answers instead, and what nobody else holds is missing.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Any, TypeVar

from backends.asking import Asking, Failed, Member, gathered, kept_evidence, kept_sessions, timed
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
from backends.cutting import (
    about,
    about_evidence,
    about_page,
    about_seen,
    about_sessions,
    cut,
    cut_evidence,
    cut_pages,
    cut_seen,
    cut_sessions,
    joined,
    joined_events,
    joined_evidence,
    joined_pages,
    joined_payment_events,
    joined_seen,
    joined_sessions,
    joined_stakes,
)
from backends.routing import EVERYTHING, Asked, Holder, Map
from backends.streaming import page_of_streams, stream_ids
from backends.told import Contribution, Told
from metrics.errors import GatewayError, StoreTimeout, StoreUnavailable, TooComplex
from metrics.evidence import EvidenceQuestion
from metrics.fact import Fact
from metrics.question import Question
from metrics.row import Row
from metrics.sighting import Seen, SightingQuestion

T = TypeVar("T")
MOST_LISTED = 10_000


class Federated:
    """A `Backend` of backends. Raises StoreTimeout or StoreUnavailable as they do, where partial answers are refused
    or where nobody is left to answer."""

    name = "federated"

    def __init__(
        self, members: Sequence[Member], timeout_s: float, partial: bool = True, told: Told | None = None
    ) -> None:
        self.members = members
        self._timeout_s = timeout_s
        self.allows_partial = partial
        self._told = told

    def request(self) -> "Federated":
        """The same stores for one request."""
        return Federated(self.members, self._timeout_s, self.allows_partial, Told())

    @property
    def contributions(self) -> Sequence[Contribution]:
        """Who contributed to what this request was answered so far, and what is missing from it."""
        told = self._told or Told()
        return told.contributions([member.name for member in self.members], self._timeout_s)

    @property
    def partial(self) -> bool:
        """Is something missing from what this request was answered so far?"""
        return self._told is not None and bool(self._told.lost)

    async def holds(self) -> Holdings:
        # Afresh: whoever asks wants to know whether something has changed.
        return await self._answer(self._holds, afresh=True)

    async def rows(self, question: Question) -> Sequence[Row]:
        async def ask(asking: Asking) -> Sequence[Row]:
            cuts = [cut(question, one) for one in asking.map.asks(about(question))]
            return joined(question, await asking.each(cuts, "rows"))

        return await self._answer(ask, about(question))

    async def seen(self, question: SightingQuestion) -> Sequence[Seen]:
        async def ask(asking: Asking) -> Sequence[Seen]:
            asks = asking.map.asks(about_seen(question), any_time=True)
            cuts = [cut_seen(question, one, alone=len(asks) == 1) for one in asks]
            return joined_seen(question, await asking.each(cuts, "seen"))

        return await self._answer(ask, about_seen(question))

    async def evidence(self, question: EvidenceQuestion) -> Sequence[Fact]:
        async def ask(asking: Asking) -> Sequence[Fact]:
            cuts = [cut_evidence(question, one) for one in asking.map.asks(about_evidence(question))]
            return joined_evidence(question, await gathered(kept_evidence(asking, one) for one in cuts))

        return await self._answer(ask, about_evidence(question))

    async def sessions(self, question: SessionQuestion) -> Sequence[SessionRecord]:
        async def ask(asking: Asking) -> Sequence[SessionRecord]:
            cuts = [cut_sessions(question, one) for one in asking.map.asks(about_sessions(question))]
            return joined_sessions(question, await gathered(kept_sessions(asking, one) for one in cuts))

        return await self._answer(ask, about_sessions(question))

    async def streams(self, question: StreamQuestion) -> Sequence[StreamRecord]:
        async def ask(asking: Asking) -> Sequence[StreamRecord]:
            passing = {one.store for one in asking.map.asks(about_sessions(question.sessions))}
            return await page_of_streams(asking.of(passing), asking.of(asking.map.present()), question)

        return await self._answer(ask, about_sessions(question.sessions))

    async def stream_count(self, question: SessionQuestion) -> int:
        async def ask(asking: Asking) -> int:
            asks = [(one.store, question) for one in asking.map.asks(about_sessions(question))]
            counts = await asking.all(dict(asks), "stream_count")
            some = {store for store, count in counts.items() if count}
            if len(some) <= 1:
                return sum(counts.values())
            return len(await stream_ids(asking.of(some), question))

        return await self._answer(ask, about_sessions(question))

    async def events(self, owners: Iterable[str]) -> Sequence[LoggedEvent]:
        wanted = tuple(owners)

        async def ask(asking: Asking) -> Sequence[LoggedEvent]:
            # A session's events may lie on both sides of an edge.
            found = await asking.all(dict.fromkeys(asking.map.present(), wanted), "events")
            return joined_events(found[store] for store in sorted(found))

        return await self._answer(ask, EVERYTHING)

    async def stakes(self, question: StakeQuestion) -> Sequence[Staked]:
        async def ask(asking: Asking) -> Sequence[Staked]:
            # Stake is imported beside a feed: where it lies, no source tells.
            found = await asking.all(dict.fromkeys(asking.map.present(), question), "stakes")
            return joined_stakes(question, (found[store] for store in sorted(found)))

        return await self._answer(ask, EVERYTHING)

    async def payments(self, question: PageQuestion) -> Sequence[PaymentRecord]:
        return await self._answer(lambda asking: _pages(asking, question, "payments"), about_page(question))

    async def incidents(self, question: PageQuestion) -> Sequence[IncidentRecord]:
        return await self._answer(lambda asking: _pages(asking, question, "incidents"), about_page(question))

    async def incident_counts(self, question: PageQuestion) -> Mapping[str, int]:
        async def ask(asking: Asking) -> Mapping[str, int]:
            if any(cell.yielding for cell in asking.map.about(about_page(question))):
                # What two stores hold can only be told apart one by one.
                whole = replace(question, after=None, limit=MOST_LISTED)
                found = await _pages(asking, whole, "incidents")
                counts = Counter(one.orchestrator for one in found)
                if max(counts.values(), default=0) >= MOST_LISTED:
                    raise TooComplex(f"there are {MOST_LISTED:,} incidents or more. Use a shorter window.", "window")
                return counts
            cuts = cut_pages(question, asking.map.asks(about_page(question)))
            total: Counter[str] = Counter()
            for one in await gathered(asking.ask(store, "incident_counts", part) for store, part in cuts):
                total.update(one)
            return total

        return await self._answer(ask, about_page(question))

    async def payment_events(self, request_ids: Iterable[str]) -> Sequence[PaymentEvent]:
        wanted = tuple(request_ids)

        async def ask(asking: Asking) -> Sequence[PaymentEvent]:
            found = await asking.all(dict.fromkeys(asking.map.present(), wanted), "payment_events")
            return joined_payment_events(found[store] for store in sorted(found))

        return await self._answer(ask, EVERYTHING)

    async def ping(self) -> None:
        """Return if every store answers, or one where partial answers are allowed."""

        async def ask(asking: Asking) -> None:
            await asking.all(dict.fromkeys(asking.map.present(), ()), "ping")

        await self._answer(ask, EVERYTHING)

    async def close(self) -> None:
        await asyncio.gather(*(member.store.close() for member in self.members))

    async def _answer(
        self, work: Callable[[Asking], Awaitable[T]], asked: Asked | None = None, afresh: bool = False
    ) -> T:
        """What `work` makes of the stores that answer; begun again, with what is known, where one fails meanwhile."""
        told = self._told or Told()
        known: dict[Hashable, Any] = {}
        await self._reach(told, afresh)
        while True:
            asking = Asking(self.members, self._timeout_s, self._map(told), told, known)
            lost = {} if asked is None else asking.map.lost(asked)
            if asked is EVERYTHING:
                lost = {store: lost.get(store, []) for store in asking.map.away}
            if lost and (not self.allows_partial or not asking.map.asks(asked or EVERYTHING)):
                raise told.failed[min(lost)]
            if not asking.map.present():
                raise told.failed[min(told.failed)]
            try:
                answer = await work(asking)
            except Failed as failed:
                told.failed.update(failed.errors)
                continue
            told.without(lost)
            if asked is not None:
                told.yielded.update(dict.fromkeys(cell for cell in asking.map.about(asked) if cell.yielding))
            return answer

    async def _reach(self, told: Told, afresh: bool) -> None:
        """Find out, once in a request or afresh, how far the stores reach. One that is slow in saying so is slow."""
        async with told.asking:
            wanted = [n for n in range(len(self.members)) if n not in told.failed and (afresh or n not in told.held)]
            found = await asyncio.gather(*(self._held(store) for store in wanted))
            for store, held in zip(wanted, found, strict=True):
                if isinstance(held, GatewayError):
                    told.failed[store] = held
                else:
                    told.held[store] = held
                    self.members[store].reach = held.sources

    async def _held(self, store: int) -> Holdings | GatewayError:
        try:
            return await timed(self.members[store], self.members[store].store.holds(), self._timeout_s / 2)
        except (StoreTimeout, StoreUnavailable) as error:
            return error

    def _map(self, told: Told) -> Map:
        return Map.of([Holder(member.part, member.reach) for member in self.members], frozenset(told.failed))

    async def _holds(self, asking: Asking) -> Holdings:
        told = asking.told
        sources: dict[str, tuple[int, int]] = {}
        for held in told.held.values():
            for source, (first, last) in held.sources.items():
                known = sources.get(source, (first, last))
                sources[source] = min(first, known[0]), max(last, known[1])
        away = sorted(told.failed)
        if away and not self.allows_partial:
            raise told.failed[away[0]]
        held_here = {store: held for store, held in told.held.items() if store not in told.failed}
        version = blake2b(repr((sorted((n, h.version) for n, h in held_here.items()), away)).encode(), digest_size=7)
        missing = tuple(self.members[store].name for store in away)
        pending = sum(held.pending for held in told.held.values())
        return Holdings(sources, pending, int.from_bytes(version.digest()), missing)


async def _pages(asking: Asking, question: PageQuestion, method: str) -> list[Any]:
    """A page of payments or incidents, of all stores that answer for its stretch of time."""
    cuts = cut_pages(question, asking.map.asks(about_page(question)))
    return joined_pages(question, await gathered(asking.ask(store, method, part) for store, part in cuts))
