"""The gateway's own answers in the reference's shape, so that the two can be held against each other."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import groupby
from typing import Any

from backends.memory import MemoryStore
from metrics import catalogue
from metrics.columns import (
    FACE_VALUE_WEI,
    FEES_WEI,
    INFERENCE_MS,
    JOBS_BY_KIND,
    PAYMENTS,
    SWAPS_BY_REASON,
    TICKETS,
    UNSERVED,
)
from metrics.dimension import Dimension, synthetic
from metrics.fold import fold
from metrics.metric import Metric
from metrics.question import Question
from metrics.supply import BUSY_MS, FAMILIES, GPU_MS
from metrics.window import Window
from telemetry.flops import Flops
from telemetry.loader import Loader
from telemetry.regions import Regions

FIGURES = {
    "gpus": {"RTX 4090": 165_200_000_000_000, "RTX 5090": 209_500_000_000_000},
    "workflows": {"model-x": 1_300_000_000_000},
}
FLOPS = Flops("tests", FIGURES["gpus"], FIGURES["workflows"])


def camel(name: str) -> str:
    """A catalogue name as GraphQL spells it."""
    head, *rest = name.split("_")
    return head + "".join(word.title() for word in rest)


def loaded(feed: Iterable[tuple[str, bytes]], now: datetime, regions: Mapping[str, Any] | None = None) -> MemoryStore:
    """A memory store with the feed loaded in order, one source after the other."""
    store = MemoryStore()
    load(store, feed, now, regions)
    return store


def load(
    store: MemoryStore, feed: Iterable[tuple[str, bytes]], now: datetime, regions: Any = None, every: int = 0
) -> Loader:
    """Load a feed; derive after every `every` lines (0: once at the end)."""
    loader = Loader(store, lambda: now, Regions.of_config(regions or {}), FLOPS)
    lines = list(feed)
    for start in range(0, len(lines), every or max(1, len(lines))):
        piece = lines[start : start + every] if every else lines
        for source, group in groupby(piece, key=lambda one: one[0]):
            loader.load(source, [line for _, line in group])
        loader.derive()
    return loader


MEASURES = {
    measure
    for metric in catalogue.METRICS
    for statistic in metric.statistics
    for measure in metric.reads(statistic)
    if not measure.column.hourly
}
OUTCOMES = {measure for formula in catalogue.OUTCOMES.values() for measure in formula.reads()}
DEMAND = {column.measures[0] for column in (FACE_VALUE_WEI, FEES_WEI, INFERENCE_MS, PAYMENTS, TICKETS, UNSERVED)}
JOBS = {
    measure
    for metric in catalogue.JOB_METRICS
    for statistic in metric.statistics
    for measure in metric.reads(statistic)
} | {column.measures[0] for column in JOBS_BY_KIND.values()}
REASONS = {column.measures[0] for column in SWAPS_BY_REASON.values()}


def sums(store: MemoryStore, start_ms: int, end_ms: int, where: Mapping[str, str]) -> Mapping[str, Any]:
    """Every sum of the window and filter."""
    facts = [fact for facts in store.facts.values() for fact in facts]
    question = Question.of(
        MEASURES | OUTCOMES | DEMAND | REASONS | JOBS,
        Window.of_ms(start_ms, end_ms),
        where={
            Dimension(name): [synthetic(value) if isinstance(value, bool) else value] for name, value in where.items()
        },
    )
    rows = fold(facts, question)
    return {**(rows[0].sums if rows else {}), **supply(store, start_ms, end_ms, where)}


def metrics(store: MemoryStore, start_ms: int, end_ms: int, where: Mapping[str, str]) -> dict[str, Any]:
    """The answers as the reference spells them."""
    found = sums(store, start_ms, end_ms, where)
    answer: dict[str, Any] = {camel(metric.name): told(metric, found) for metric in catalogue.METRICS}
    answer["outcomes"] = {camel(name): formula.value(found) or 0 for name, formula in catalogue.OUTCOMES.items()}
    answer["swapReasons"] = {
        reason.value: found[column.name] for reason, column in SWAPS_BY_REASON.items() if found.get(column.name)
    }
    return answer


def demand(store: MemoryStore, start_ms: int, end_ms: int, where: Mapping[str, str]) -> dict[str, Any]:
    """The sums of demand as the reference spells them."""
    found = sums(store, start_ms, end_ms, where)
    names = {"feesWei": "fees_wei", "faceValueWei": "face_value_wei", "tickets": "tickets", "payments": "payments"}
    answer = {theirs: found.get(ours, 0) for theirs, ours in names.items()}
    return answer | {"inferenceMinutes": found.get("inference_ms", 0) / 60_000}


def capacity(store: MemoryStore, start_ms: int, end_ms: int, where: Mapping[str, Any]) -> dict[str, Any]:
    """Advertised and busy GPU time, as the reference spells it."""
    found = supply(store, start_ms, end_ms, where)
    if not found:
        return {"gpuMs": None, "busyMs": None, "capacityRatePct": None}
    rate = catalogue.SUPPLY["capacity_rate_pct"].value(found)
    return {"gpuMs": found[GPU_MS.name], "busyMs": found[BUSY_MS.name], "capacityRatePct": rate}


def supply(store: MemoryStore, start_ms: int, end_ms: int, where: Mapping[str, Any]) -> dict[str, Any]:
    """Every sum of supply under the name of its family; none where no column tells it."""
    asked = {Dimension(name): [synthetic(value) if isinstance(value, bool) else value] for name, value in where.items()}
    members = {whole: family.member(asked.keys(), None) for whole, family in FAMILIES.items()}
    if None in members.values():
        return {}
    question = Question.of([one for one in members.values() if one], Window.of_ms(start_ms, end_ms), where=asked)
    rows = fold((fact for facts in store.supply.values() for fact in facts), question)
    return {whole.name: rows[0].sums[one.name] if rows else 0 for whole, one in members.items() if one}


def jobs(store: MemoryStore, start_ms: int, end_ms: int, where: Mapping[str, str]) -> dict[str, Any]:
    """The answers about jobs as the reference spells them."""
    return jobs_of(sums(store, start_ms, end_ms, where))


def jobs_of(found: Mapping[str, Any]) -> dict[str, Any]:
    """The same of sums at hand."""
    answer: dict[str, Any] = {camel(metric.name): told(metric, found) for metric in catalogue.JOB_METRICS}
    return answer | {"byKind": {kind.name: found.get(column.name) or 0 for kind, column in JOBS_BY_KIND.items()}}


def told(metric: Metric, found: Mapping[str, Any]) -> Any:
    """What one metric says."""
    if metric.is_count:
        return metric.value(found) or 0
    return {statistic.value: metric.value(found, statistic) for statistic in metric.statistics}
