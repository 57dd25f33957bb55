"""`GET /v1/sla/gpu/metrics`: hand-computed answers over a small store, in the contract's shape."""

from datetime import timedelta

import pytest

from backends.log import Derivation
from metrics import columns as c
from metrics.catalogue import BY_NAME
from metrics.dimension import DIMENSIONS, Dimension
from metrics.fact import Fact
from metrics.sighting import TRAITS, Sighting, Trait
from metrics.window import Window, to_ms
from rest.gpu_metrics import NAME, NAMES, REST_NAMES
from rest.page import Listing
from tests.rest.conftest import NOW, Surface

A, B = "0x" + "aa" * 20, "0x" + "bb" * 20
PATH = "/v1/sla/gpu/metrics"
DAY = Window.last(timedelta(days=1), NOW)
FPS = c.BILLIONTHS


def fact(key: str, minutes_ago: int, values: dict[str, int], **dims: str | None) -> Fact:
    held = {Dimension.SOURCE.value: "s", **dims}
    return Fact("o", key, to_ms(NOW) - minutes_ago * 60_000, tuple(held.get(d.value) for d in DIMENSIONS), values)


def sample(key: str, minutes_ago: int, fps: int, **dims: str | None) -> Fact:
    return fact(key, minutes_ago, {"samples": 1, "output_fps": fps * FPS}, **dims)


def version(key: str, wallet: str, text: str, minutes_ago: int) -> Sighting:
    at = to_ms(NOW) - minutes_ago * 60_000
    held = {Trait.ORCHESTRATOR: wallet, Trait.NODE_VERSION: text}
    return Sighting("o", key, at, at, tuple(held.get(trait) for trait in TRAITS))


@pytest.fixture
def filled(surface: Surface) -> Surface:
    at_a = {"orchestrator": A, "gpu": "GPU-1", "workflow": "w", "region": "fra"}
    facts = [
        sample("1", 10, 10, **at_a),
        sample("2", 9, 20, **at_a),
        sample("3", 90, 99, **at_a),  # before the last hour
        sample("4", 5, 30, orchestrator=A, gpu=None, workflow="w", region=None),
        sample("5", 5, 0, orchestrator=B, gpu="GPU-2", workflow="v", region=None),
        fact("6", 5, {"sessions": 1, "served": 1, "stays": 1, "prompt_to_first_frame": 3_073_500}, **at_a),
        fact("7", 5, {"sessions": 1, "startup_failed": 1, "stays": 1, "swaps": 1}, **at_a),
        sample("8", 5, 7, orchestrator=None, gpu=None, workflow="w", region=None),
        fact("9", 5, {"sessions": 1, "unserved": 1}, orchestrator=None, workflow="refused"),
        fact("10", 5, {"payments": 1, "fees_wei": 5}, orchestrator=B, workflow="only-paid"),
    ]
    seen = [version("a", A, "0.8.8-3a5678ec-dirty", 50), version("b", A, "0.8.7", 60), version("c", B, "0.9.0-rc1", 5)]
    surface.store.replace(Derivation(["o"], facts, seen))
    return surface


async def test_one_row_per_wallet_gpu_workflow_and_region_nulls_last(filled: Surface) -> None:
    async with filled.client() as client:
        data = (await client.get(PATH)).json()["data"]

    keys = [(row["o_wallet"], row["gpu_id"], row["workflow"], row["region"]) for row in data]
    assert keys == [(A, "GPU-1", "w", "fra"), (A, None, "w", None), (B, "GPU-2", "v", None), (None, None, "w", None)]


async def test_a_row_has_the_shape_and_the_numbers_of_the_contract(filled: Surface) -> None:
    async with filled.client() as client:
        answer = (await client.get(PATH, params={"o_wallet": A.upper().replace("X", "x"), "gpu_id": "GPU-1"})).json()

    assert answer == {
        "data": [
            {
                "o_wallet": A,
                "orchestrator_agent_version": "0.8.8",
                "gpu_id": "GPU-1",
                "workflow": "w",
                "region": "fra",
                "time_window": "2026-01-09T13:00:00Z/2026-01-09T14:00:00Z",
                "metrics": {
                    "output_fps": 15.0,
                    "prompt_to_first_frame_latency_ms": 3073.5,
                    "e2e_stream_latency_ms": None,
                    "jitter_coefficient": pytest.approx(5 / 15),
                    "startup_time_s": None,
                    "failure_rate_pct": 50.0,
                    "swap_rate_pct": 50.0,
                    "bandwidth_up_mbps": None,
                    "bandwidth_down_mbps": None,
                    "cuda_utilization_efficiency_pct": None,
                    "samples": 2,
                },
            }
        ],
        "pagination": {"next_cursor": None, "has_more": False, "page_size": 100},
        "meta": {
            "generated_at": "2026-01-09T14:00:00Z",
            "request_id": "a-request",
            "time_window": "2026-01-09T13:00:00Z/2026-01-09T14:00:00Z",
            "last_event_at": None,
        },
    }


async def test_no_evidence_is_null_and_a_measured_zero_is_zero(filled: Surface) -> None:
    async with filled.client() as client:
        row = (await client.get(PATH, params={"o_wallet": B})).json()["data"][0]

    assert (row["metrics"]["output_fps"], row["metrics"]["samples"]) == (0.0, 1)
    assert row["metrics"]["failure_rate_pct"] is None


async def test_the_window_includes_its_start_and_excludes_its_end(filled: Surface) -> None:
    async with filled.client() as client:
        wide = await client.get(
            PATH, params={"time_range": "2026-01-09T12:30:00Z/2026-01-09T13:50:00.001Z", "gpu_id": "GPU-1"}
        )
        none = await client.get(
            PATH, params={"time_range": "2026-01-09T12:31:00Z/2026-01-09T13:50:00Z", "gpu_id": "GPU-1"}
        )

    assert wide.json()["data"][0]["metrics"]["samples"] == 2
    assert none.json()["data"] == []


@pytest.mark.parametrize(
    ("parameter", "value", "rows"),
    [
        ("region", "fra", 1),
        ("workflow", "v", 1),
        ("workflow", "nobody's", 0),
        ("gpu_id", "GPU-9", 0),
        ("o_wallet", "0x" + "0" * 40, 0),
    ],
)
async def test_filters_keep_what_they_name(filled: Surface, parameter: str, value: str, rows: int) -> None:
    async with filled.client() as client:
        answer = await client.get(PATH, params={parameter: value})

    assert (answer.status_code, len(answer.json()["data"])) == (200, rows)


async def test_pages_follow_one_another_and_end(filled: Surface) -> None:
    async with filled.client() as client:
        whole = (await client.get(PATH)).json()["data"]
        rows, cursor, pages = [], None, 0
        while pages == 0 or cursor:
            params = {"limit": "1"} | ({"cursor": cursor} if cursor else {})
            answer = (await client.get(PATH, params=params)).json()
            rows += answer["data"]
            cursor, pages = answer["pagination"]["next_cursor"], pages + 1
            assert answer["pagination"]["has_more"] is (cursor is not None)

    assert (rows, pages) == (whole, 4)


async def test_pages_stay_on_the_window_of_the_first_one(filled: Surface) -> None:
    async with filled.client() as client:
        first = (await client.get(PATH, params={"time_range": "24h", "limit": "1"})).json()
        filled.now = NOW + timedelta(days=3)  # by then the last 24 hours are empty
        for again in ("24h", first["meta"]["time_window"]):
            params = {"time_range": again, "cursor": first["pagination"]["next_cursor"]}
            second = (await client.get(PATH, params=params)).json()

            assert second["meta"]["time_window"] == first["meta"]["time_window"]
            assert len(second["data"]) == 3
            assert second["data"][0]["time_window"] == first["meta"]["time_window"]


@pytest.mark.parametrize(
    "other",
    [
        {"time_range": "24h", "workflow": "w"},
        {"time_range": "24h", "region": "fra"},
        {"time_range": "7d", "region": "w"},
        {"region": "w"},
    ],
)
async def test_a_cursor_belongs_to_its_filters_and_its_time_range(filled: Surface, other: dict[str, str]) -> None:
    filters = {"": NAME, "region": "w"}
    cursor = Listing("24h", DAY, filters, limit=1).cut([(A, None, "w", None)] * 2, lambda key: key)[1]
    async with filled.client() as client:
        good = await client.get(PATH, params={"time_range": "24h", "region": "w", "cursor": str(cursor)})
        answer = await client.get(PATH, params={**other, "cursor": str(cursor)})

    assert good.status_code == 200
    assert (answer.status_code, answer.json()["code"], answer.json()["argument"]) == (400, "BAD_REQUEST", "cursor")


async def test_a_filter_written_in_another_way_is_the_same(filled: Surface) -> None:
    async with filled.client() as client:
        first = (await client.get(PATH, params={"o_wallet": A, "limit": "1"})).json()
        params = {"o_wallet": "0x" + "AA" * 20, "time_range": "1h", "cursor": first["pagination"]["next_cursor"]}
        second = await client.get(PATH, params=params)

    assert [row["gpu_id"] for row in second.json()["data"]] == [None]


async def test_an_empty_answer_tells_how_far_the_data_reach(surface: Surface) -> None:
    surface.loader.load("default", [b'{"type": "x", "timestamp": "1767000000000"}'])
    surface.loader.derive()
    async with surface.client() as client:
        answer = (await client.get(PATH)).json()

    assert (answer["data"], answer["meta"]["last_event_at"]) == ([], "2025-12-29T09:20:00Z")


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("o_wallet", "0x12"),
        ("time_range", "yesterday"),
        ("time_range", "2026-01-09T14:00:00Z/2026-01-09T13:00:00Z"),
        ("limit", "-1"),
        ("limit", "1001"),
        ("cursor", "nonsense"),
        ("gpu", "GPU-1"),
        ("region", ""),
    ],
)
async def test_a_bad_parameter_is_a_problem_that_names_it(filled: Surface, parameter: str, value: str) -> None:
    async with filled.client() as client:
        answer = await client.get(PATH, params={parameter: value})

    problem = answer.json()
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert (problem["code"], problem["argument"], problem["request_id"]) == ("BAD_REQUEST", parameter, "a-request")


def test_every_name_is_the_catalogues_or_known_to_come() -> None:
    assert {name for name in NAMES if name not in BY_NAME} <= {"cuda_utilization_efficiency_pct"}
    assert set(REST_NAMES) <= set(NAMES)
