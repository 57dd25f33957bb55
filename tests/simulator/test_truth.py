"""The truth adds up, holds every outcome, and is what an independent reading of the feed finds."""

from datetime import UTC, datetime
from typing import Any

import pytest

from telemetry.simulator.outcome import Course, outcome
from telemetry.simulator.tally import Spread
from telemetry.simulator.tickets import Ticket
from tests.simulator.runs import run

OUTCOMES = ("served", "startupFailed", "outputFailed", "abandoned", "unserved", "open")
PARTS = ("orchestrators", "gpus", "workflows", "gateways")
ADDED = ("sessions", "streams", "stays", "swaps", "errorEvents", "restarts", "clockSkew", "statusSamples", "payments")
SPREADS = ("outputFps", "inputFps", "promptToFirstFrameMs", "e2eLatencyMs", "startupTimeS", "ingestMbps")


def groups(truth: dict[str, Any]) -> list[dict[str, Any]]:
    return [truth["network"], *(group for part in PARTS for group in truth[part].values())]


def test_outcomes_add_up_everywhere() -> None:
    for group in groups(run(12, 48, 1)[1]):
        outcomes = group["outcomes"]

        assert outcomes["requested"] == sum(outcomes[name] for name in OUTCOMES) == group["sessions"]
        assert outcomes["attempted"] == sum(outcomes[name] for name in OUTCOMES[:3])
        assert group["swaps"] == sum(group["swapReasons"].values()) <= group["stays"]


def test_no_part_exceeds_the_network() -> None:
    truth = run(12, 48, 1)[1]
    for part in PARTS:
        for name in ADDED:
            assert sum(group[name] for group in truth[part].values()) <= truth["network"][name], (part, name)
        for name in SPREADS:
            total = sum(int(group[name]["sumStored"]) for group in truth[part].values())
            assert total <= int(truth["network"][name]["sumStored"]), (part, name)


def test_what_names_an_orchestrator_is_told_of_one() -> None:
    truth = run(12, 48, 1)[1]

    for name in ("statusSamples", "restarts", "payments", "tickets", "stays", "swaps"):
        assert sum(group[name] for group in truth["orchestrators"].values()) == truth["network"][name], name
    for name in ("feesWei", "faceValueWei"):
        assert sum(int(g[name]) for g in truth["orchestrators"].values()) == int(truth["network"][name]) > 0, name


def test_ratios_are_null_over_nothing_and_within_bounds_otherwise() -> None:
    for group in groups(run()[1]):
        for name in [key for key in group if key.endswith("Pct")]:
            assert group[name] is None or 0 <= group[name] <= 100
        assert (group["outcomes"]["attempted"] == 0) == (group["failureRatePct"] is None)


def test_every_outcome_and_every_swap_reason_occurs() -> None:
    truth = run(15, 1, 4, rate=20)[1]
    network = run(12, 48, 1)[1]["network"]

    assert all(network["outcomes"][name] for name in OUTCOMES[:5])
    assert truth["network"]["outcomes"]["open"] > 0
    assert all(network["swapReasons"].values())
    assert network["startupTimeS"]["samples"] < network["promptToFirstFrameMs"]["samples"]


@pytest.mark.parametrize("faults", ["none", "duplicate,conflict,late,malformed,wander"])
def test_the_independent_reference_reads_the_truth_from_the_feed(faults: str) -> None:
    oracle_module = pytest.importorskip("tests.reference.oracle", reason="the reference is not there")
    lines, truth = run(5, 3, 21, faults)
    start, end = datetime(2026, 1, 9, tzinfo=UTC), datetime(2026, 1, 10, 1, tzinfo=UTC)
    oracle = oracle_module.Oracle([("default", line) for line in lines], end)
    dimensions = (
        ("orchestrator", "orchestrators"),
        ("gpu", "gpus"),
        ("workflow", "workflows"),
        ("gateway", "gateways"),
    )
    cases = [({}, truth["network"])]
    cases += [({dimension: key}, group) for dimension, part in dimensions for key, group in truth[part].items()]

    for where, group in cases:
        metrics, demand = oracle.metrics(start, end, **where), oracle.demand(start, end, **where)
        assert metrics["outcomes"] == group["outcomes"], where
        for name in ("streams", "errorEvents", "restarts", "clockSkew", "ambiguousGpuSessions"):
            assert metrics[name] == group[name], (where, name)
        for name in SPREADS:
            wanted = {key: group[name][key] for key in ("samples", "value", "min", "max")}
            assert {key: metrics[name][key] for key in wanted} == pytest.approx(wanted), (where, name)
        assert demand["inferenceMinutes"] == pytest.approx(group["inferenceMinutes"]), where
        assert str(demand["feesWei"]) == group["feesWei"], where


@pytest.mark.parametrize(
    ("course", "silent", "wanted"),
    [
        (Course(named=True, segment=True, samples=3, output=True), False, "served"),
        (Course(named=True, segment=True), False, "served"),
        (Course(refused=True, errors=2, other_error=True, closed=True), False, "unserved"),
        (Course(closed=True, left_after_ms=900), False, "abandoned"),
        (Course(named=True, closed=True, left_after_ms=5_000), False, "abandoned"),
        (Course(named=True, closed=True, left_after_ms=5_001), False, "startupFailed"),
        (Course(named=True, closed=True, left_after_ms=900, errors=2, other_error=True), False, "startupFailed"),
        (Course(named=True, errors=1, other_error=True, user_error=True), False, "abandoned"),
        (Course(named=True, segment=True, samples=4, closed=True), False, "outputFailed"),
        (Course(named=True, segment=True, samples=4), False, "open"),
        (Course(named=True), False, "open"),
        (Course(named=True), True, "startupFailed"),
    ],
)
def test_outcomes_by_hand(course: Course, silent: bool, wanted: str) -> None:
    assert outcome(course, silent) == wanted


def test_fees_are_rounded_half_up_once_per_payment() -> None:
    half = Ticket("5 WEI", "0.1000000000", 5, 1_000_000_000)

    assert [half.expected_wei(tickets) for tickets in (1, 2, 3)] == [1, 1, 2]


def test_a_spread_by_hand() -> None:
    spread = Spread()
    for value in (0, 10, 20):
        spread.add(value)

    assert spread.answer(10) == {
        "samples": 3,
        "value": 1.0,
        "min": 0.0,
        "max": 2.0,
        "stddev": pytest.approx(0.8164965809),
        "sum": 3.0,
        "sumStored": "30",
    }
    assert spread.variation() == pytest.approx(0.8164965809)
    assert Spread().answer(10)["value"] is None
