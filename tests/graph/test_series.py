"""Series of metrics and of demand, bucket by bucket."""

import pytest

from tests.graph.world import ALICE, NOW_MS, CountingStore, ask, fact

HOUR = 3_600_000


@pytest.fixture
def store() -> CountingStore:
    """Output in the first and third of four hours (10, then 30 fps), one failed session in the second."""
    store = CountingStore()
    store.latest_ms = NOW_MS - 1
    for hours, values in (
        (4, {"output_fps": 10 * 10**9, "sessions": 1, "served": 1}),
        (3, {"sessions": 1, "startup_failed": 1, "unserved": 1}),
        (2, {"output_fps": 30 * 10**9, "tickets": 3, "fees_wei": 10**18}),
    ):
        store.add(fact(str(hours), NOW_MS - hours * HOUR, values, orchestrator=ALICE, gpu_model="A100"))
    store.add(fact("m", NOW_MS - HOUR - 30_000, {"inference_ms": 60_000}, gpu_model="A100"))
    store.add(fact("n", NOW_MS - HOUR - 30_000, {"inference_ms": 30_000}))
    return store


@pytest.mark.parametrize(
    ("fill", "values", "samples"),
    [
        ("NONE", [10, None, 30], [1, 0, 1]),
        ("NULL", [10, None, 30, None], [1, 0, 1, 0]),
        ("ZERO", [10, 0, 30, 0], [1, 0, 1, 0]),
        ("PREVIOUS", [10, 10, 30, 30], [1, 0, 1, 0]),
    ],
)
async def test_buckets_without_evidence_are_filled_as_asked(store, fill, values, samples) -> None:
    store.facts.pop("m"), store.facts.pop("n")
    answer = await ask(
        store,
        f"""{{ network {{ series(window: {{last: PT4H}}, interval: HOUR, fill: {fill}) {{ interval starts
            values(metric: "outputFps")
            samples: values(metric: "outputFps", statistic: SAMPLES) buckets {{ start end partial metrics {{
            outputFps {{ value samples }} sessions }} }} }} }} }}""",
    )

    assert answer.errors == []
    series = answer.data["network"]["series"]
    assert series["values"] == values
    assert series["samples"] == samples
    assert [bucket["metrics"]["outputFps"]["value"] for bucket in series["buckets"]] == values
    assert [bucket["metrics"]["outputFps"]["samples"] for bucket in series["buckets"]] == samples
    assert [bucket["start"] for bucket in series["buckets"]] == series["starts"]
    assert [bucket["metrics"]["sessions"] for bucket in series["buckets"]][:3] == [1, 1, 0]


async def test_buckets_that_the_window_cuts_or_the_data_do_not_fill_are_partial(store) -> None:
    store.latest_ms = NOW_MS - HOUR - HOUR // 2
    answer = await ask(
        store,
        """{ network { series(window: {start: "2026-01-09T10:30:00Z", end: "2026-01-09T14:00:00Z"}, interval: HOUR,
            fill: NULL) {
             window { start end } buckets { start partial metrics { window { start } } } } } }""",
    )

    buckets = answer.data["network"]["series"]["buckets"]
    assert [(bucket["start"][11:13], bucket["partial"]) for bucket in buckets] == [
        ("10", True),
        ("11", False),
        ("12", True),
        ("13", True),
    ]
    assert buckets[0]["metrics"]["window"]["start"] == "2026-01-09T10:30:00Z"


async def test_the_gateway_picks_an_interval_and_says_which(store) -> None:
    answer = await ask(
        store,
        """{ network { series(window: {last: P7D}, maxPoints: 10) { interval }
             demandSeries(window: {last: PT4H}) { interval } } }""",
    )

    assert answer.data["network"] == {"series": {"interval": "DAY"}, "demandSeries": {"interval": "HOUR"}}


async def test_demand_adds_up_exactly(store) -> None:
    answer = await ask(
        store,
        """{ network { demand(window: {last: PT4H}) { sessions unserved inferenceMinutes byGpuModel { gpuModel
            inferenceMinutes capacityRatePct }
             capacityRatePct feesWei feesEth feesWeiPerMinute faceValueWei tickets stakeLpt }
             cut: demand(window: {start: "2026-01-09T13:00:00Z", end: "2026-01-09T14:00:00Z"}) { inferenceMinutes }
             idle: demand(window: {start: "2025-01-09T13:00:00Z", end: "2025-01-09T14:00:00Z"}) { feesWeiPerMinute } }
             }""",
    )

    assert answer.data["network"] == {
        "demand": {
            "sessions": 2,
            "unserved": 1,
            "inferenceMinutes": 1.5,
            "byGpuModel": [
                {"gpuModel": "A100", "inferenceMinutes": 1.0, "capacityRatePct": None},
                {"gpuModel": None, "inferenceMinutes": 0.5, "capacityRatePct": None},
            ],
            "capacityRatePct": None,
            "feesWei": "1000000000000000000",
            "feesEth": "1",
            "feesWeiPerMinute": 10**18 / 1.5,
            "faceValueWei": "0",
            "tickets": 3,
            "stakeLpt": None,
        },
        "cut": {"inferenceMinutes": 0.5},
        "idle": {"feesWeiPerMinute": None},
    }


@pytest.mark.parametrize(
    ("fill", "tickets"),
    [("NONE", [0, 0, 3]), ("NULL", [0, 0, 3, 0]), ("ZERO", [0, 0, 3, 0]), ("PREVIOUS", [0, 0, 3, 3])],
)
async def test_a_demand_series_is_filled_as_asked(store, fill, tickets) -> None:
    answer = await ask(
        store,
        f"""{{ network {{ demandSeries(window: {{last: PT4H}}, interval: HOUR, fill: {fill}) {{
               buckets {{ start partial demand {{ tickets }} }} }} }} }}""",
    )

    assert [bucket["demand"]["tickets"] for bucket in answer.data["network"]["demandSeries"]["buckets"]] == tickets
