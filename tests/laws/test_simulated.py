"""Simulated networks: the truth they know, and the reference, against what the embedded store answers."""

import math
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from backends.chdb import open_chdb
from backends.clickhouse.store import ClickHouseStore
from metrics import catalogue
from metrics.columns import SWAPS_BY_REASON
from metrics.dimension import Dimension
from metrics.question import Question
from metrics.supply import BUSY_MS, FAMILIES, GPU_MS
from metrics.window import from_ms
from telemetry.simulator.network import Simulation
from telemetry.simulator.options import Options, parse_faults
from telemetry.swaps import swap_reason
from tests.laws.answers import ALL
from tests.laws.compare import DEMAND, JOBS, MEASURES, OUTCOMES, REASONS, camel, jobs_of, load, told
from tests.laws.test_reference import agree
from tests.reference.oracle import Oracle

GROUPS = {
    "orchestrators": Dimension.ORCHESTRATOR,
    "gpus": Dimension.GPU,
    "workflows": Dimension.WORKFLOW,
    "gateways": Dimension.GATEWAY,
}
EVERY = MEASURES | OUTCOMES | DEMAND | REASONS | JOBS
EXACT = {
    "tickets": "tickets",
    "payments": "payments",
    "inference_ms": "inferenceMs",
    "stays": "stays",
    "swaps": "swaps",
}


@pytest.fixture
async def store() -> Any:
    opened = open_chdb()
    yield opened
    await opened.close()


async def test_a_clean_feed_gives_the_simulators_truth(store: ClickHouseStore) -> None:
    options = Options(orchestrators=8, hours=12, seed=11)
    simulation = Simulation(options)
    lines = [("default", line) for line in simulation.events()]
    load(store, lines, options.end + timedelta(days=1))
    truth = simulation.truth()

    compared = 0
    for wanted, sums in [(truth["network"], await one(store))] + [
        (group, sums.get(key))
        for name, dimension in GROUPS.items()
        for sums in [await by(store, dimension)]
        for key, group in truth[name].items()
    ]:
        if sums is None:
            assert not wanted["sessions"]
            assert not wanted["tickets"]
            continue
        compared += 1
        compare(sums, wanted)
    assert compared > 20
    assert truth["network"]["jobs"]["completed"]


def compare(sums: Mapping[str, Any], truth: Mapping[str, Any]) -> None:
    """Every count and wei exactly, every mean to 1e-6."""
    for metric in catalogue.METRICS:
        name = camel(metric.name)
        if name in truth:
            wanted = truth[name] if isinstance(truth[name], Mapping) else {"value": truth[name]}
            ours = told(metric, sums)
            agree(ours if isinstance(ours, Mapping) else {"value": ours}, wanted, name)
    for name, formula in catalogue.OUTCOMES.items():
        assert formula.value(sums) == truth["outcomes"][camel(name)], name
    for ours, theirs in EXACT.items():
        assert sums.get(ours, truth[theirs]) == truth[theirs], ours
    assert str(sums["fees_wei"]) == truth["feesWei"]
    assert str(sums["face_value_wei"]) == truth["faceValueWei"]
    compare_jobs(sums, truth["jobs"])
    reasons = {reason.value: sums[column.name] for reason, column in SWAPS_BY_REASON.items() if sums[column.name]}
    assert reasons == {reason: count for reason, count in truth["swapReasons"].items() if count}


def compare_jobs(sums: Mapping[str, Any], truth: Mapping[str, Any]) -> None:
    """The same of jobs. By GPU, workflow and gateway the truth does not tell them."""
    if truth["requested"]:
        ours = jobs_of(sums)
        agree(ours, truth, "jobs")
        assert ours["jobs"] == truth["requested"]
        assert ours["succeeded"] + ours["failed"] == truth["completed"]


async def one(store: ClickHouseStore) -> Mapping[str, Any]:
    """The network's sums."""
    return (await store.rows(Question.of(EVERY, ALL)))[0].sums


async def by(store: ClickHouseStore, dimension: Dimension) -> dict[str | None, Mapping[str, Any]]:
    """The sums of each value of a dimension."""
    rows = await store.rows(Question.of(EVERY, ALL, by=[dimension]))
    return {row.by[0]: row.sums for row in rows}


async def test_with_every_fault_the_reference_agrees(store: ClickHouseStore) -> None:
    options = Options(orchestrators=5, hours=6, seed=5, faults=parse_faults("all"))
    lines = [("default", line) for line in Simulation(options).events()]
    now = options.end + timedelta(hours=1)
    load(store, lines, now, every=4_000)
    oracle = Oracle(lines, now=now, reason=lambda text: swap_reason(text or "").value)

    assert oracle.conflicts > 0
    for where in filters(oracle):
        question = Question.of(EVERY, ALL, where={Dimension(k): [v] for k, v in where.items()})
        rows = await store.rows(question)
        sums = rows[0].sums if rows else {}
        theirs = oracle.metrics(from_ms(ALL.start_ms), from_ms(ALL.end_ms), **where)
        ours = {camel(metric.name): told(metric, sums) for metric in catalogue.METRICS}
        agree(ours, theirs, str(where))
        agree(jobs_of(sums), oracle.jobs(from_ms(ALL.start_ms), from_ms(ALL.end_ms), **where), f"jobs {where}")
        capacity = oracle.capacity(from_ms(ALL.start_ms), from_ms(ALL.end_ms), **where)
        agree(await supplied(store, where), {name: capacity[name] for name in ("gpuMs", "busyMs")}, str(where))
        demand = oracle.demand(from_ms(ALL.start_ms), from_ms(ALL.end_ms), **where)
        assert (sums.get("fees_wei", 0), sums.get("tickets", 0)) == (int(demand["feesWei"]), demand["tickets"])
        assert math.isclose(sums.get("inference_ms", 0) / 60_000, demand["inferenceMinutes"], abs_tol=1e-9)


async def supplied(store: ClickHouseStore, where: Mapping[str, str]) -> Mapping[str, Any]:
    """Advertised and busy GPU time, as the reference spells it."""
    asked = {Dimension(name): [value] for name, value in where.items()}
    members = [FAMILIES[column.measures[0]].member(asked.keys(), None) for column in (GPU_MS, BUSY_MS)]
    if None in members:
        return {"gpuMs": None, "busyMs": None}
    rows = await store.rows(Question.of([one for one in members if one], ALL, where=asked))
    told = [rows[0].sums[one.name] if rows else 0 for one in members if one]
    return dict(zip(("gpuMs", "busyMs"), told, strict=True))


def filters(oracle: Oracle) -> Iterator[dict[str, str]]:
    """No filter, and each value of some dimensions."""
    yield {}
    for dimension in ("orchestrator", "gpu", "workflow", "gateway"):
        for value in oracle.groups(from_ms(ALL.start_ms), from_ms(ALL.end_ms), dimension)[:4]:
            if value is not None:
                yield {dimension: value}
