"""The Livepeer Explorer: its five calls, by hand and beside the gateway's own numbers."""

import math
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from statistics import median
from typing import Any

import pytest
from starlette.datastructures import QueryParams

from backends.memory import MemoryStore
from metrics.columns import JOBS_SUCCEEDED
from metrics.dimension import INDEX, Dimension
from metrics.errors import BadRequest, TooComplex
from metrics.explorer import MEASURES, ROUND_TRIP_S, SUCCESS, TRIED, round_trip_score, total_score
from metrics.measure import Aggregate
from metrics.question import Question
from metrics.window import Window, to_ms
from resolvers import explorer as reading
from resolvers.context import Context
from resolvers.explorer import region_id
from rest.explorer import AGGREGATED_STATS, EXPLORER, PIPELINES, RAW_STATS, REGIONS, TOP_AI_SCORE
from rest.operation import Single
from rest.parameter import read
from tests.compat.network import NOW, Network
from tests.graph.test_reads import network_of
from tests.graph.world import ALICE, BOB, CAROL, NOW_MS, CountingStore, context, fact, sighting, small_network

SECOND = 1_000_000  # of latencies, which are kept in microseconds
HOUR_MS = 3_600_000


async def asked(store: CountingStore, operation: Single, query: str = "") -> Any:
    """The answer of an operation."""
    return await operation.answer(context(store), read(QueryParams(query), operation.parameters))


def leaders() -> CountingStore:
    """Alice 4 of 4 in 2 s, Bob 1 of 2 in 4 s and a job in 6 s, Carol 0 of 1: all in fra, Alice once more nowhere."""
    store, at = CountingStore(), NOW_MS - HOUR_MS
    sdxl, flux = ({"workflow": name, "region": "fra"} for name in ("sdxl", "flux"))
    quick = {"served": 1, "sessions": 1, "prompt_to_first_frame": 2 * SECOND}
    store.add(
        *(fact(f"a{n}", at + n, quick, orchestrator=ALICE, **sdxl)
          for n in range(4)),
        fact("b1", at, quick | {"prompt_to_first_frame": 4 * SECOND}, orchestrator=BOB, **sdxl),
        fact("b2", at, {"output_failed": 1, "sessions": 1}, orchestrator=BOB, **sdxl),
        fact("b3", at, {"jobs": 1, "jobs_succeeded": 1, "job_duration": 6 * SECOND}, orchestrator=BOB, **flux),
        fact("c1", at, {"startup_failed": 1, "sessions": 1}, orchestrator=CAROL, **sdxl),
        fact("n1", at, quick | {"prompt_to_first_frame": 10 * SECOND}, orchestrator=ALICE, workflow="sdxl"),
        fact("u1", at, {"unserved": 1, "sessions": 1}, **sdxl),
        sighting("a0", at, at, workflow="sdxl", pipeline="live", region="fra", orchestrator=ALICE),
        sighting("b3", at, at, workflow="flux", pipeline="text-to-image", region="fra", orchestrator=BOB),
    )  # fmt: skip
    return store


def scored(success: float, trip: float | None, middle: float) -> dict[str, Any]:
    """The contract's formula, written out."""
    worth = 0.0 if trip is None else math.e ** (math.log(0.8) / middle * trip)
    score = 0.65 * success + 0.35 * worth if success else 0.0
    return {"success_rate": success, "round_trip_score": pytest.approx(worth), "score": pytest.approx(score)}


async def test_scores_by_hand() -> None:
    # Of all: 2 s, 10 s, and (4 + 6) / 2 = 5 s.
    assert await asked(leaders(), AGGREGATED_STATS) == {
        ALICE: {"FRA": scored(1, 2, 5), "GLOBAL": scored(1, 10, 5)},
        BOB: {"FRA": scored(2 / 3, 5, 5)},
        CAROL: {"FRA": scored(0, None, 5)},
    }
    assert scored(1, 5, 5)["round_trip_score"] == 0.8


async def test_one_orchestrator_is_held_against_all_and_a_region_against_itself() -> None:
    store = leaders()

    one = await asked(store, AGGREGATED_STATS, f"orchestrator={BOB.upper().replace('0X', '0x')}")
    assert one == {BOB: {"FRA": scored(2 / 3, 5, 5)}}
    assert await asked(store, AGGREGATED_STATS, "region=fra") == {
        ALICE: {"FRA": scored(1, 2, 3.5)}, BOB: {"FRA": scored(2 / 3, 5, 3.5)}, CAROL: {"FRA": scored(0, None, 3.5)},
    }  # fmt: skip
    assert await asked(store, AGGREGATED_STATS, "region=global") == {ALICE: {"GLOBAL": scored(1, 10, 10)}}
    assert await asked(store, AGGREGATED_STATS, "region=nowhere") == {}


async def test_a_pipeline_and_a_model_choose_what_is_compared() -> None:
    store = leaders()

    live = {
        ALICE: {"FRA": scored(1, 2, 4), "GLOBAL": scored(1, 10, 4)},
        BOB: {"FRA": scored(0.5, 4, 4)},
        CAROL: {"FRA": scored(0, None, 4)},
    }
    assert await asked(store, AGGREGATED_STATS, "pipeline=live") == live
    assert await asked(store, AGGREGATED_STATS, "pipeline=live&model=sdxl") == live
    assert await asked(store, AGGREGATED_STATS, "model=flux") == {BOB: {"FRA": scored(1, 6, 6)}}
    assert await asked(store, AGGREGATED_STATS, "pipeline=live&model=flux") == {}


async def test_the_best_score_is_that_of_one_model_in_one_region() -> None:
    store = leaders()

    assert await asked(store, TOP_AI_SCORE, f"orchestrator={ALICE}") == {
        "region": "FRA", "orchestrator": ALICE, "value": scored(1, 2, 4)["score"], "model": "sdxl", "pipeline": "live",
    }  # fmt: skip
    assert (await asked(store, TOP_AI_SCORE, f"orchestrator={BOB}"))["pipeline"] == "text-to-image"
    assert await asked(store, TOP_AI_SCORE, f"orchestrator={'0x' + '77' * 20}") == {}


async def test_time_is_half_open_and_in_seconds() -> None:
    store, second = leaders(), NOW_MS // 1000 - 3600

    assert await asked(store, AGGREGATED_STATS, f"since={second}.001&until={second}.003") == {
        ALICE: {"FRA": scored(1, 2, 2)}
    }
    assert await asked(store, AGGREGATED_STATS, f"since={second}.004") == {}
    assert {*await asked(store, AGGREGATED_STATS, f"until={second + 86_400}")} == {ALICE, BOB, CAROL}
    assert await asked(store, AGGREGATED_STATS, f"until={second}") == {}


async def test_attempts_come_newest_first_by_region_with_what_went_wrong() -> None:
    store, at = leaders(), NOW_MS - HOUR_MS // 2
    sdxl, flux = {"orchestrator": ALICE, "workflow": "sdxl"}, {"orchestrator": ALICE, "workflow": "flux"}
    trip = {"prompt_to_first_frame": 3 * SECOND}
    store.add(
        fact("s9", at, {"sessions": 1, "output_failed": 1} | trip, **sdxl),
        fact("s9", at + 5, {"error_events": 1}, **sdxl),
        fact("s9", at + 9, {"error_events": 1}, **sdxl),
        fact("s8", at, {"sessions": 1, "abandoned": 1} | trip, **sdxl),
        fact("s7", NOW_MS - 25 * HOUR_MS, {"sessions": 1, "served": 1}, **sdxl),
        fact("s6", at + 10, {"sessions": 1, "served": 1}, orchestrator=ALICE),
        fact("j1", at + 1_500, {"jobs": 1, "jobs_failed": 1, "job_duration": 1_500_000}, **flux),
        fact("j2", at + 2_500, {"jobs": 1, "jobs_succeeded": 1}, **flux),
        fact("j2", at + 2_500, {"job_duration": 250_000}, **flux),
        fact("j3", at + 3_500, {"jobs": 1}, **flux),
    )
    found = await asked(store, RAW_STATS, f"orchestrator={ALICE}")

    def told(one: Any) -> Any:
        errors = [(error["error_code"], error["count"]) for error in one["errors"]]
        return one["timestamp"], one["model"], one["success_rate"], one["round_trip_time"], errors

    second = at // 1000
    assert [told(one) for one in found["GLOBAL"]] == [
        (second + 2, "flux", 1, 0.25, []),
        (second + 1, "flux", 0, 1.5, [("JOB_FAILED", 1)]),
        (second, "unknown", 1, 0, []),
        (second, "sdxl", 0, 3, [("OUTPUT_FAILED", 1), ("ERROR_EVENT", 2)]),
        (second - 1800, "sdxl", 1, 10, []),
    ]
    assert found["GLOBAL"][1] == {
        "region": "GLOBAL", "orchestrator": ALICE, "success_rate": 0, "round_trip_time": 1.5,
        "timestamp": second + 1, "model": "flux", "pipeline": "text-to-image",
        "errors": [{"error_code": "JOB_FAILED", "message": "the job ended without success", "count": 1}],
    }  # fmt: skip
    assert len(found["FRA"]) == 4
    assert {*await asked(store, RAW_STATS, f"orchestrator={ALICE}&region=fra")} == {"FRA"}
    assert len((await asked(store, RAW_STATS, f"orchestrator={ALICE}&pipeline=text-to-image"))["GLOBAL"]) == 2
    assert await asked(store, RAW_STATS, f"orchestrator={ALICE}&pipeline=live&model=flux") == {}
    assert await asked(store, RAW_STATS, f"orchestrator={'0x' + '77' * 20}") == {}


async def test_too_many_attempts_are_refused_and_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    store = leaders()

    for limit, value in (("MAX_ATTEMPTS", 3), ("MAX_FACTS", 3)):
        with monkeypatch.context() as patched:
            patched.setattr(reading, limit, value)
            assert len((await asked(store, RAW_STATS, f"orchestrator={BOB}"))["FRA"]) == 3
            with pytest.raises(TooComplex, match="later since"):
                await asked(store, RAW_STATS, f"orchestrator={ALICE}")


def loose_trips(store: MemoryStore, window: Window) -> dict[tuple[str | None, str], list[int]]:
    """Round trips that count where their session or job does not count as an attempt, by orchestrator and region."""
    found: dict[tuple[str | None, str], list[int]] = defaultdict(list)
    for facts in store.facts.values():
        held = [one for one in facts if window.start_ms <= one.at_ms < window.end_ms]
        attempts = {one.dims[:2] + one.dims[4:] for one in held if one.values.keys() & ENDS}
        for one in held:
            if one.dims[:2] + one.dims[4:] not in attempts:
                place = one.dims[INDEX[Dimension.ORCHESTRATOR]], region_id(one.dims[INDEX[Dimension.REGION]])
                found[place] += [one.values[name] for name in TRIPS if name in one.values]
    return found


ENDS = frozenset(("served", "startup_failed", "output_failed", "jobs_succeeded", "jobs_failed"))
TRIPS = ("prompt_to_first_frame", "job_duration")


async def attempts_add_up(store: MemoryStore, asking: Callable[[], Context], window: Window) -> int:
    """Single attempts beside the sums behind the scores; how many places were compared."""
    since = f"since={window.start_ms / 1000:.3f}&until={window.end_ms / 1000:.3f}"

    async def said(operation: Single, query: str) -> Any:
        return await operation.answer(asking(), read(QueryParams(query), operation.parameters))

    by = (Dimension.ORCHESTRATOR, Dimension.REGION)
    sums = {(row.by[0], region_id(row.by[1])): row.sums
            for row in await store.rows(Question.of(MEASURES, window, by=by))}  # fmt: skip
    loose, compared = loose_trips(store, window), 0
    scores = await said(AGGREGATED_STATS, since)
    for wallet in {wallet for wallet, _ in sums if wallet}:
        raw = await said(RAW_STATS, f"orchestrator={wallet}&{since}")
        assert raw.keys() == scores.get(wallet, {}).keys()
        for region, each in raw.items():
            told, place = sums[wallet, region], (wallet, region)
            assert len(each) == TRIED.value(told)
            wins = sum(one["success_rate"] for one in each)
            assert wins / len(each) == scores[wallet][region]["success_rate"] == SUCCESS.value(told)
            trips = [one["round_trip_time"] for one in each if one["round_trip_time"]]
            trips += [trip / SECOND for trip in loose[place]]
            assert (sum(trips) / len(trips) if trips else None) == pytest.approx(ROUND_TRIP_S.value(told))
            compared += 1
    return compared


async def test_attempts_are_what_scores_are_made_of() -> None:
    store = leaders()
    swapped = {"workflow": "sdxl", "region": "fra"}
    store.add(
        fact("x", NOW_MS - 5, {"sessions": 1, "served": 1}, orchestrator=BOB, **swapped),
        fact("x", NOW_MS - 5, {"prompt_to_first_frame": SECOND}, orchestrator=ALICE, **swapped),
    )

    assert await attempts_add_up(store, lambda: context(store), Window.of_ms(NOW_MS - 24 * HOUR_MS, NOW_MS)) == 4


@pytest.mark.parametrize("before_ms", [0, 7 * HOUR_MS + 1_234_567])
async def test_attempts_of_a_simulated_network_are_what_its_scores_are_made_of(
    network: Network, before_ms: int
) -> None:
    window = Window.of_ms(to_ms(NOW) - 24 * HOUR_MS - before_ms, to_ms(NOW) - before_ms)
    jobs = await network.store.rows(Question.of([JOBS_SUCCEEDED.measure(Aggregate.SUM)], window))

    assert jobs[0].sums["jobs_succeeded"]
    assert await attempts_add_up(network.store, network.context, window) > 2


async def test_pipelines_are_those_of_which_something_was_tried() -> None:
    store = leaders()

    assert await asked(store, PIPELINES) == {
        "pipelines": [
            {"id": "live", "models": ["sdxl"], "regions": ["FRA", "GLOBAL"]},
            {"id": "text-to-image", "models": ["flux"], "regions": ["FRA"]},
        ]
    }
    found = await asked(store, PIPELINES, "region=GLOBAL")
    assert found == {"pipelines": [{"id": "live", "models": ["sdxl"], "regions": ["GLOBAL"]}]}
    assert await asked(store, PIPELINES, "until=1000") == {"pipelines": []}


async def test_regions_are_the_whole_the_configured_and_the_seen() -> None:
    assert await asked(small_network(), REGIONS) == {
        "regions": [
            {"id": "GLOBAL", "name": "Global", "type": "ai"},
            {"id": "FRA", "name": "Frankfurt", "type": "ai"},
            {"id": "NYC", "name": "nyc", "type": "ai"},
        ]
    }


@pytest.mark.parametrize(
    ("operation", "query", "argument"),
    [
        (RAW_STATS, "", "orchestrator"),
        (TOP_AI_SCORE, "", "orchestrator"),
        (AGGREGATED_STATS, "orchestrator=0x12", "orchestrator"),
        (AGGREGATED_STATS, "since=yesterday", "since"),
        (AGGREGATED_STATS, "since=-1", "since"),
        (AGGREGATED_STATS, "until=1e9", "until"),
        (AGGREGATED_STATS, "until=NaN", "until"),
        (AGGREGATED_STATS, "until=99999999999", "until"),
        (AGGREGATED_STATS, "since=2000&until=2000", "since"),
        (AGGREGATED_STATS, "since=9999999999", "since"),
        (AGGREGATED_STATS, "until=0", "until"),
        (AGGREGATED_STATS, "job_type=ai", "job_type"),
        (PIPELINES, "region=%00", "region"),
        (REGIONS, "region=fra", "region"),
    ],
)
async def test_a_wrong_parameter_is_named(operation: Single, query: str, argument: str) -> None:
    with pytest.raises(BadRequest) as refused:
        await asked(small_network(), operation, query)

    assert refused.value.argument == argument


@pytest.mark.parametrize("operation", EXPLORER, ids=lambda one: one.name)
async def test_a_call_makes_as_many_reads_over_a_large_network_as_over_a_small_one(operation: Single) -> None:
    small, large = network_of(3), network_of(60)
    query = f"orchestrator={ALICE}" if operation in (RAW_STATS, TOP_AI_SCORE) else ""

    for store in (small, large):
        await asked(store, operation, query)

    assert large.calls == small.calls
    assert sum(large.calls.values()) <= 3


def test_the_score_stays_within_its_bounds() -> None:
    assert (round_trip_score(0, 5), round_trip_score(None, 5), round_trip_score(5, None)) == (1, 0, 0)
    assert round_trip_score(0, 0) == 1
    assert round_trip_score(1e9, 1e-9) == 0
    assert (total_score(0, 1), total_score(1, 1)) == (0, 1)


async def test_scores_are_those_of_the_gateways_own_numbers(network: Network) -> None:
    query = """query($window: WindowInput) { regions { id } orchestrators(first: 100) { nodes { address %s } } }"""
    regions = [one["id"] for one in (await network.graph("{ regions { id } }"))["regions"]]
    cells = " ".join(
        f'r{n}: metrics(window: $window, workflow: "streamdiffusion-sdxl", region: "{region}") '
        "{ failureRatePct { value } promptToFirstFrameMs { value } }"
        for n, region in enumerate(regions)
    )
    window = {"start": (NOW - timedelta(hours=24)).isoformat(), "end": NOW.isoformat()}
    told = (await network.graph(query % cells, window=window))["orchestrators"]["nodes"]
    own = {
        (one["address"], region.upper()): (
            1 - one[f"r{n}"]["failureRatePct"]["value"] / 100, one[f"r{n}"]["promptToFirstFrameMs"]["value"],
        )
        for one in told for n, region in enumerate(regions) if one[f"r{n}"]["failureRatePct"]["value"] is not None
    }  # fmt: skip
    middle = median(trip for success, trip in own.values() if success and trip is not None)
    answer = await network.get("/api/aggregated_stats", pipeline="live-video-to-video", model="streamdiffusion-sdxl")
    found = {(wallet, region): one for wallet, places in answer.json().items() for region, one in places.items()}

    assert len(found) > 4
    assert found.keys() == own.keys()
    for key, (success, trip) in own.items():
        assert found[key]["success_rate"] == pytest.approx(success)
        expected = scored(success, None if trip is None else trip / 1000, middle / 1000)
        assert found[key]["round_trip_score"] == expected["round_trip_score"]
        assert found[key]["score"] == expected["score"]


async def test_its_five_calls_are_answered_in_their_shapes(network: Network) -> None:
    scores = (await network.get("/api/aggregated_stats")).json()
    wallet = next(iter(scores))
    top = (await network.get("/api/top_ai_score", orchestrator=wallet)).json()
    raw = (await network.get("/api/raw_stats", orchestrator=wallet)).json()
    pipelines = (await network.get("/api/pipelines")).json()["pipelines"]
    regions = (await network.get("/api/regions")).json()["regions"]

    known = {one["id"] for one in regions}
    assert {region for places in scores.values() for region in places} | {*raw} <= known
    assert all(
        {*one} == {"success_rate", "round_trip_score", "score"} for places in scores.values() for one in places.values()
    )
    assert all(0 <= value <= 1 for places in scores.values() for one in places.values() for value in one.values())
    assert {*top} == {"region", "orchestrator", "value", "model", "pipeline"}
    assert top["model"] in next(one for one in pipelines if one["id"] == top["pipeline"])["models"]
    assert all(one["timestamp"] >= after["timestamp"] for some in raw.values() for one, after in pairwise(some))
