"""Everything that a store answers about a feed, as one text: two loads are the same where the texts are."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from backends.backend import Backend, PageQuestion, SessionQuestion, StakeQuestion, StreamQuestion
from metrics.columns import MEASURES
from metrics.dimension import Dimension
from metrics.evidence import EvidenceQuestion
from metrics.explorer import COLUMNS
from metrics.question import Question
from metrics.sighting import Seen, SightingQuestion, Trait
from metrics.supply import MEASURES as SUPPLY
from metrics.window import Grain, Window
from tests.reference.lives import WALLETS

ALL = Window.of_ms(0, 2**42)


def everything(store: Backend) -> str:
    """Totals and every grouping, series by the hour, sightings, sessions, streams, and single attempts."""
    return asyncio.run(_everything(store))


async def _everything(store: Backend) -> str:
    holds = await store.holds()
    reach = [edge for span in holds.sources.values() for edge in span]
    window = Window.of_ms(min(reach, default=0), max(reach, default=0) + 1).aligned(Grain.HOUR)
    told: list[Any] = [sorted(holds.sources.items())]
    for question in questions(window):
        told += await store.rows(question)
    told += sorted(map(seen_key, await store.seen(SightingQuestion.of(Trait))))
    told += await store.stakes(StakeQuestion(WALLETS, ALL.start_ms, ALL.end_ms))
    ledger = PageQuestion(tuple(WALLETS), ALL.start_ms, ALL.end_ms, limit=1000)
    told += [*await store.payments(ledger), *await store.incidents(ledger)]
    told.append(sorted((await store.incident_counts(ledger)).items()))
    told += await store.evidence(EvidenceQuestion(ALL.start_ms, ALL.end_ms, COLUMNS, limit=100_000))
    told += await store.sessions(SessionQuestion())
    told += await store.streams(StreamQuestion(SessionQuestion(), limit=1000))
    return "\n".join(repr(plain(one)) for one in told)


def plain(value: Any) -> Any:
    """The value with every mapping in the order of its keys."""
    if is_dataclass(value) and not isinstance(value, type):
        return [(field.name, plain(getattr(value, field.name))) for field in fields(value)]
    if isinstance(value, Mapping):
        return sorted((key, plain(inner)) for key, inner in value.items())
    return [plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def questions(window: Window) -> Iterable[Question]:
    """A question of every kind."""
    yield Question.of(MEASURES, ALL)
    yield Question.of(MEASURES, window, Grain.HOUR)
    yield Question.of(MEASURES, window, Grain.DAY, by=Dimension)
    odd = Window.of_ms(window.start_ms + 1_234_567, window.end_ms - 7_654_321) if window.count(Grain.HOUR) > 3 else ALL
    for dimension in Dimension:
        yield Question.of(MEASURES, odd, by=[dimension])
    yield Question.of(SUPPLY, window, Grain.HOUR, by=Dimension)
    yield Question.of(SUPPLY, window, Grain.DAY, by=[Dimension.WORKFLOW])
    for dimension in Dimension:
        yield Question.of(SUPPLY, odd, by=[dimension])


def seen_key(seen: Seen) -> tuple[tuple[tuple[bool, str], ...], int, int]:
    """What a sighting says, in an order."""
    return tuple((trait is None, trait or "") for trait in seen.traits), seen.first_ms, seen.last_ms
