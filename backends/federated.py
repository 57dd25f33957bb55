"""Several stores as one: each is asked for its part at the same time, and the parts are added up.

`request()` gives a request its own view, which remembers for that request who contributed and who failed: a store that
fails is not asked again in it, whoever else holds its part answers instead, and what nobody else holds is missing.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from time import perf_counter
from typing import Any, TypeVar, cast

from backends.backend import (
    Backend,
    Holdings,
    LoggedEvent,
    SessionQuestion,
    SessionRecord,
    Staked,
    StakeQuestion,
    StreamQuestion,
    StreamRecord,
)
from backends.cutting import (
    SessionCut,
    about,
    about_seen,
    about_sessions,
    cut,
    cut_seen,
    cut_sessions,
    joined,
    joined_events,
    joined_seen,
    joined_sessions,
    joined_stakes,
)
from backends.part import WHOLE, Part
from backends.routing import EVERYTHING, Asked, Holder, Map
from backends.streaming import page_of_streams, stream_ids
from backends.told import Contribution, Told
from metrics.errors import GatewayError, StoreTimeout, StoreUnavailable
from metrics.question import Question
from metrics.row import Row
from metrics.sighting import Seen, SightingQuestion

log = logging.getLogger("naap.federated")
T = TypeVar("T")


@dataclass(slots=True)
class Member:
    """One of the stores: a name that may be shown, what it states that it holds, and the store."""

    name: str
    store: Backend
    part: Part = WHOLE
    # How far its sources reached when it last said so.
    reach: Mapping[str, tuple[int, int]] | None = None


class Failed(Exception):
    """Stores failed while they were asked; what the others answered is remembered."""

    def __init__(self, errors: Mapping[int, GatewayError]) -> None:
        super().__init__(sorted(errors))
        self.errors = errors


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
        return await self._answer(self._holds)

    async def rows(self, question: Question) -> Sequence[Row]:
        async def ask(asking: "Asking") -> Sequence[Row]:
            cuts = [cut(question, one) for one in asking.map.asks(about(question))]
            return joined(question, await asking.each(cuts, "rows"))

        return await self._answer(ask, about(question))

    async def seen(self, question: SightingQuestion) -> Sequence[Seen]:
        async def ask(asking: "Asking") -> Sequence[Seen]:
            asks = asking.map.asks(about_seen(question), any_time=True)
            cuts = [cut_seen(question, one, alone=len(asks) == 1) for one in asks]
            return joined_seen(question, await asking.each(cuts, "seen"))

        return await self._answer(ask, about_seen(question))

    async def sessions(self, question: SessionQuestion) -> Sequence[SessionRecord]:
        async def ask(asking: "Asking") -> Sequence[SessionRecord]:
            cuts = [cut_sessions(question, one) for one in asking.map.asks(about_sessions(question))]
            return joined_sessions(question, await asyncio.gather(*(_kept_sessions(asking, one) for one in cuts)))

        return await self._answer(ask, about_sessions(question))

    async def streams(self, question: StreamQuestion) -> Sequence[StreamRecord]:
        async def ask(asking: "Asking") -> Sequence[StreamRecord]:
            passing = {one.store for one in asking.map.asks(about_sessions(question.sessions))}
            return await page_of_streams(asking.of(passing), asking.of(asking.map.present()), question)

        return await self._answer(ask, about_sessions(question.sessions))

    async def stream_count(self, question: SessionQuestion) -> int:
        async def ask(asking: "Asking") -> int:
            asks = [(one.store, question) for one in asking.map.asks(about_sessions(question))]
            counts = await asking.all(dict(asks), "stream_count")
            some = {store for store, count in counts.items() if count}
            if len(some) <= 1:
                return sum(counts.values())
            return len(await stream_ids(asking.of(some), question))

        return await self._answer(ask, about_sessions(question))

    async def events(self, owners: Iterable[str]) -> Sequence[LoggedEvent]:
        wanted = tuple(owners)

        async def ask(asking: "Asking") -> Sequence[LoggedEvent]:
            # A session's events may lie on both sides of an edge.
            found = await asking.all(dict.fromkeys(asking.map.present(), wanted), "events")
            return joined_events(found[store] for store in sorted(found))

        return await self._answer(ask, EVERYTHING)

    async def stakes(self, question: StakeQuestion) -> Sequence[Staked]:
        async def ask(asking: "Asking") -> Sequence[Staked]:
            # Stake is imported beside a feed: where it lies, no source tells.
            found = await asking.all(dict.fromkeys(asking.map.present(), question), "stakes")
            return joined_stakes(question, (found[store] for store in sorted(found)))

        return await self._answer(ask, EVERYTHING)

    async def ping(self) -> None:
        """Return if every store answers, or one where partial answers are allowed."""

        async def ask(asking: "Asking") -> None:
            await asking.all(dict.fromkeys(asking.map.present(), ()), "ping")

        await self._answer(ask, EVERYTHING)

    async def close(self) -> None:
        await asyncio.gather(*(member.store.close() for member in self.members))

    async def _answer(self, work: Callable[["Asking"], Awaitable[T]], asked: Asked | None = None) -> T:
        """What `work` makes of the stores that answer; begun again, with what is known, where one fails meanwhile."""
        told = self._told or Told()
        known: dict[Hashable, Any] = {}
        await self._reach(told)
        while True:
            asking = Asking(self, self._map(told), told, known)
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

    async def _reach(self, told: Told) -> None:
        """Find out, once in a request, how far the stores reach. One that is slow in saying so is slow."""
        wanted = [n for n in range(len(self.members)) if n not in told.held and n not in told.failed]
        if not wanted:
            return
        found = await asyncio.gather(*(self._held(store, told) for store in wanted))
        for store, held in zip(wanted, found, strict=True):
            if isinstance(held, GatewayError):
                told.failed[store] = held
            else:
                told.held[store] = held
                self.members[store].reach = held.sources

    async def _held(self, store: int, told: Told) -> Holdings | GatewayError:
        try:
            return await self.timed(store, self.members[store].store.holds(), self._timeout_s / 2)
        except (StoreTimeout, StoreUnavailable) as error:
            return error

    def _map(self, told: Told) -> Map:
        return Map.of([Holder(member.part, member.reach) for member in self.members], frozenset(told.failed))

    async def _holds(self, asking: "Asking") -> Holdings:
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

    async def timed(self, store: int, reading: Awaitable[T], timeout_s: float | None = None) -> T:
        """What a store answers in time. Raises StoreTimeout where it does not."""
        try:
            async with asyncio.timeout(timeout_s or self._timeout_s):
                return await reading
        except (TimeoutError, StoreTimeout) as error:
            log.warning("store %s did not answer in time", self.members[store].name)
            raise StoreTimeout(
                f"the store {self.members[store].name} did not answer within {self._timeout_s:g} s. Ask for a shorter "
                "window or a wider interval, or try again later."
            ) from error
        except StoreUnavailable as error:
            log.warning("store %s cannot be used: %s", self.members[store].name, error)
            raise StoreUnavailable(
                f"the store {self.members[store].name} cannot be reached or used; the reason is in the gateway's log."
            ) from error


@dataclass(frozen=True, slots=True)
class Asking:
    """One attempt at an answer: who answers for what, and what was answered already."""

    federated: Federated
    map: Map
    told: Told
    known: dict[Hashable, Any]

    async def ask(self, store: int, method: str, question: Any) -> Any:
        """What one store answers. Raises Failed."""
        if (store, method, question) not in self.known:
            call = getattr(self.federated.members[store].store, method)
            began = perf_counter()
            try:
                found = await self.federated.timed(store, call(*(() if method == "ping" else (question,))))
            except (StoreTimeout, StoreUnavailable) as error:
                self.told.read(store, perf_counter() - began, 0)
                raise Failed({store: error}) from error
            self.told.read(store, perf_counter() - began, len(found) if isinstance(found, Sequence) else 0)
            self.known[store, method, question] = found
        return self.known[store, method, question]

    async def all(self, questions: Mapping[int, Any], method: str) -> dict[int, Any]:
        """What each store answers to its question. Raises Failed with all that fail, when all are done."""
        found = await gathered(self.ask(store, method, question) for store, question in questions.items())
        return dict(zip(questions, found, strict=True))

    async def each(self, cuts: Sequence[Any], method: str) -> list[tuple[Any, Any]]:
        """The cuts, each with what its store answers."""
        found = await gathered(self.ask(one.store, method, one.question) for one in cuts)
        return list(zip(cuts, found, strict=True))

    def of(self, stores: Iterable[int]) -> "Group":
        """Some of the stores."""
        return Group(self, tuple(sorted(stores)))


@dataclass(frozen=True, slots=True)
class Group:
    """Some stores, asked together."""

    asking: Asking
    stores: tuple[int, ...]

    async def streams(self, questions: Mapping[int, StreamQuestion]) -> dict[int, Sequence[StreamRecord]]:
        """A page of streams of each."""
        return await self.asking.all(questions, "streams")

    async def sessions(self, question: SessionQuestion) -> Sequence[SessionRecord]:
        """Sessions of all."""
        found = await self.asking.all(dict.fromkeys(self.stores, question), "sessions")
        return joined_sessions(question, (found[store] for store in self.stores))


async def gathered(readings: Iterable[Awaitable[T]]) -> list[T]:
    """All results. Raises the first stranger among the errors, else one Failed for all stores that failed."""
    found = await asyncio.gather(*readings, return_exceptions=True)
    errors: dict[int, GatewayError] = {}
    for one in found:
        if isinstance(one, Failed):
            errors.update(one.errors)
        elif isinstance(one, BaseException):
            raise one
    if errors:
        raise Failed(errors)
    return cast("list[T]", found)


async def _kept_sessions(asking: Asking, made: SessionCut) -> Sequence[SessionRecord]:
    """The first sessions of a cut, `limit` of them if there are so many, without the regions to drop."""
    question, kept = made.question, dict[str, SessionRecord]()
    while True:
        page: Sequence[SessionRecord] = await asking.ask(made.store, "sessions", question)
        kept |= {one.owner: one for one in page if made.drop is None or made.drop.admit(one.region)}
        if made.drop is None or len(page) < question.limit or len(kept) >= made.question.limit:
            return list(kept.values())
        # A page begins at the instant at which the last one ended; it is longer where that instant fills it.
        last_ms = page[-1].requested_ms
        longer = question.limit * 2 if last_ms == question.start_ms else question.limit
        question = replace(question, start_ms=last_ms, limit=longer)
