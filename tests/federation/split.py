"""One store's content shared out among three, and everything a store can be asked."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from backends.asking import Member
from backends.backend import PageQuestion, SessionQuestion, StreamQuestion
from backends.copying import BEGINNING, copy
from backends.federated import Federated
from backends.part import Part
from metrics.columns import JOBS, SESSIONS
from metrics.dimension import Dimension
from metrics.evidence import EvidenceQuestion
from metrics.question import Question
from metrics.sighting import SightingQuestion, Trait
from metrics.supply import MEASURES as SUPPLY
from metrics.window import HOUR_MS, Grain, Window
from tests.laws.answers import everything, plain
from tests.reference.lives import T0, WALLETS

ALL = Window.of_ms(T0 - 20 * 24 * HOUR_MS, T0 + 20 * 24 * HOUR_MS)
NAMES = ("one", "two", "three")


def copied(whole: Any, into: Any, part: Part) -> Any:
    """A store with that part of another one."""
    copy(whole, into, part, BEGINNING, lambda *_: None)
    return into


def federated(stores: Sequence[Any], parts: Sequence[Part], timeout_s: float = 20.0, partial: bool = True) -> Federated:
    """Stores behind one gateway."""
    members = [Member(name, store, part) for name, store, part in zip(NAMES, stores, parts, strict=False)]
    return Federated(members, timeout_s, partial)


def by_time(*hours: int) -> list[Part]:
    """Three stretches of time: between them these hours after T0."""
    first, second = (T0 // HOUR_MS * HOUR_MS + hour * HOUR_MS for hour in sorted(hours))
    return [Part(until_ms=first), Part(from_ms=first, until_ms=second), Part(from_ms=second)]


def by_region(places: Sequence[int]) -> list[Part]:
    """Three sets of regions: where each of these is."""
    regions = ("north", "south", "eu", "")
    groups: list[set[str]] = [set(), set(), set()]
    for region, place in zip(regions, places, strict=True):
        groups[place].add(region)
    # An empty set of regions is no part: a name that nothing has stands for it.
    return [Part(regions=frozenset(group or {f"nowhere {n}"})) for n, group in enumerate(groups)]


STREAMS = ("s1", "s2", "s3")
AROUND = [T0 + hours * HOUR_MS for hours in (-48, 0, 1, 2, 48)]
FILTERS = (
    SessionQuestion(),
    SessionQuestion(start_ms=AROUND[1] + 60_000),
    SessionQuestion(end_ms=AROUND[2]),
    SessionQuestion(outcomes=("SERVED",)),
    SessionQuestion(where=((Dimension.SOURCE, ("a",)),)),
    SessionQuestion(where=((Dimension.REGION, ("north", "eu")),)),
    SessionQuestion(where=((Dimension.WORKFLOW, ("model-x",)),), start_ms=AROUND[2]),
    SessionQuestion(stream_ids=("s1", "s3")),
)


def more(store: Any) -> list[Any]:
    """What `everything` leaves out: pages, filters, counts, events."""
    return asyncio.run(_more(store))


async def _more(store: Any) -> list[Any]:
    told: list[Any] = [await store.rows(Question.of(SUPPLY, ALL, Grain.DAY, by)) for by in ((), [Dimension.SOURCE])]
    for asked in FILTERS:
        told.append(await store.stream_count(asked))
        told.append(await store.sessions(asked))
        told.append(await store.sessions(SessionQuestion(**{**_fields(asked), "limit": 2})))
        for descending in (True, False):
            told.append(await store.streams(StreamQuestion(asked, descending, limit=2)))
            for at in AROUND[1:4]:
                told.append(await store.streams(StreamQuestion(asked, descending, after=(at, ""), limit=2)))
                told.append(await store.streams(StreamQuestion(asked, descending, before=(at + 1, "s2"), limit=1)))
    for asked in FILTERS:
        bounds = (asked.start_ms or 0, asked.end_ms or 2**42)
        every = EvidenceQuestion(*bounds, (SESSIONS, JOBS), asked.where)
        told += [await store.evidence(every), await store.evidence(replace(every, limit=2))]
    sessions = await store.sessions(SessionQuestion())
    told.append(await store.events([session.owner for session in sessions]))
    told.append(await store.payment_events(("r1", "r2", "r3", "")))
    for start_ms, end_ms in ((0, 2**42), (AROUND[1], AROUND[2] + 5)):
        for limit in (1000, 2):
            page = PageQuestion(WALLETS, start_ms, end_ms, (AROUND[2], "a", "") if limit == 2 else None, limit)
            told += [await store.payments(page), await store.incidents(page)]
            told.append(sorted((await store.incident_counts(page)).items()))
    for since in (None, *AROUND):
        for by in ((Trait.ORCHESTRATOR,), (Trait.SOURCE, Trait.GPU), (Trait.REGION,), ()):
            told.append(await store.seen(SightingQuestion.of(by, None, since)))
            told.append(await store.seen(SightingQuestion.of(by, {Trait.REGION: ["north", "south"]}, since)))
            told.append(await store.seen(SightingQuestion.of(by, {Trait.SOURCE: ["a"]}, since)))
    return [plain(list(one) if isinstance(one, list | tuple) else one) for one in told]


def _fields(asked: SessionQuestion) -> dict[str, Any]:
    return {name: getattr(asked, name) for name in asked.__dataclass_fields__}


def assert_same(one: Any, other: Any) -> None:
    """Both stores answer alike, whatever they are asked."""
    assert everything(one) == everything(other)
    for mine, theirs in zip(more(one), more(other), strict=True):
        assert mine == theirs
