"""One attempt to answer a question from several stores: they are asked at once, in time, and nothing is asked twice."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, TypeVar, cast

from backends.backend import Backend, SessionQuestion, SessionRecord, StreamQuestion, StreamRecord
from backends.cutting import EvidenceCut, SessionCut, joined_sessions
from backends.part import WHOLE, Part
from backends.routing import Map
from backends.told import Told
from metrics.dimension import INDEX, Dimension
from metrics.errors import GatewayError, StoreTimeout, StoreUnavailable
from metrics.fact import Fact

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


async def timed(member: Member, reading: Awaitable[T], timeout_s: float) -> T:
    """What a store answers in time. Raises StoreTimeout or StoreUnavailable, whose words name nothing but the store."""
    try:
        async with asyncio.timeout(timeout_s):
            return await reading
    except (TimeoutError, StoreTimeout) as error:
        log.warning("store %s did not answer in time", member.name)
        raise StoreTimeout(
            f"the store {member.name} did not answer in time. Ask for a shorter window or a wider interval, or try "
            "again later."
        ) from error
    except StoreUnavailable as error:
        log.warning("store %s cannot be used: %s", member.name, error)
        raise StoreUnavailable(
            f"the store {member.name} cannot be reached or used; the reason is in the gateway's log."
        ) from error


@dataclass(frozen=True, slots=True)
class Asking:
    """One attempt at an answer: who answers for what, and what was answered already."""

    members: Sequence[Member]
    timeout_s: float
    map: Map
    told: Told
    known: dict[Hashable, Any]

    async def ask(self, store: int, method: str, question: Any) -> Any:
        """What one store answers. Raises Failed."""
        if (store, method, question) not in self.known:
            member, began = self.members[store], perf_counter()
            call = getattr(member.store, method)
            try:
                found = await timed(member, call(*(() if method == "ping" else (question,))), self.timeout_s)
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


async def kept_sessions(asking: Asking, made: SessionCut) -> Sequence[SessionRecord]:
    """The first sessions of a cut, `limit` of them if there are so many, without the regions to drop."""
    return await _kept(asking, made, "sessions", lambda one: (one.owner, one.requested_ms, one.region))


async def kept_evidence(asking: Asking, made: EvidenceCut) -> Sequence[Fact]:
    """The same of single facts."""
    region = INDEX[Dimension.REGION]
    return await _kept(asking, made, "evidence", lambda one: ((one.owner, one.key), one.at_ms, one.dims[region]))


async def _kept(
    asking: Asking,
    made: SessionCut | EvidenceCut,
    method: str,
    place_of: Callable[[Any], tuple[Hashable, int, str | None]],
) -> list[Any]:
    """`place_of` says of an item who it is, its instant and its region; items come in order of their instants."""
    question, kept = made.question, dict[Hashable, Any]()
    while True:
        page = await asking.ask(made.store, method, question)
        for one in page:
            identity, last_ms, region = place_of(one)
            if made.drop is None or made.drop.admit(region):
                kept[identity] = one
        if made.drop is None or len(page) < question.limit or len(kept) >= made.question.limit:
            return list(kept.values())
        # A page begins at the instant at which the last one ended; it is longer where that instant fills it.
        longer = question.limit * 2 if last_ms == question.start_ms else question.limit
        question = replace(question, start_ms=last_ms, limit=longer)
