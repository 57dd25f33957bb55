"""How often and what a request reads."""

import random

import pytest

from metrics.columns import OUTPUT_FPS
from metrics.measure import Aggregate
from tests.graph.world import NOW_MS, CountingStore, ask, fact, sighting, small_network

EIGHT = (
    "outputFps { value p50 p95 p99 } inputFps { value p50 p95 p99 } promptToFirstFrameMs { value p50 p95 p99 } "
    "promptToPlayableMs { value p50 p95 p99 } e2eLatencyMs { value p50 p95 p99 } startupTimeS { value p50 p95 p99 } "
    "failureRatePct { value } swapRatePct { value }"
)
PAGE = f"""query($order: OrchestratorOrder) {{ orchestrators(first: 50, orderBy: $order) {{ edges {{ node {{
  address metrics(window: {{last: PT24H}}) {{ {EIGHT} }}
  gpus {{ edges {{ node {{ gpuId model metrics(window: {{last: PT24H}}) {{ {EIGHT} }} }} }} }} }} }} }} }}"""


def network_of(orchestrators: int) -> CountingStore:
    """So many orchestrators with two GPUs each."""
    store, chance = CountingStore(), random.Random(1)
    for number in range(orchestrators):
        for card in range(2):
            dims = {"orchestrator": f"0x{number:040x}", "gpu": f"GPU-{number}-{card}", "gpu_model": "RTX 4090"}
            owner = f"{number}/{card}"
            store.add(
                sighting(owner, NOW_MS - 5_000, NOW_MS - 1_000, **dims),
                fact(owner, NOW_MS - 2_000, {"output_fps": chance.randrange(30 * 10**9), "sessions": 1}, **dims),
            )
    return store


@pytest.mark.parametrize(
    "order", [None, {"metric": "outputFps", "statistic": "P95", "window": {"last": "PT24H"}, "direction": "DESC"}]
)
async def test_a_nested_page_makes_at_most_six_reads_whatever_its_size(order) -> None:
    small, large = network_of(3), network_of(50)

    for store in (small, large):
        answer = await ask(store, PAGE, order=order)
        assert answer.errors == []

    assert len(answer.data["orchestrators"]["edges"]) == 50
    assert sum(large.calls.values()) <= 6
    assert large.calls == small.calls


async def test_only_what_is_selected_is_read() -> None:
    store = small_network()

    await ask(store, "{ network { metrics { outputFps { p95 } } } }")

    (question,) = store.asked
    kept = (Aggregate.MIN, Aggregate.MAX, Aggregate.HISTOGRAM)
    assert set(question.measures) == {OUTPUT_FPS.measure(each) for each in kept}


@pytest.mark.parametrize(
    ("selection", "names"),
    [
        ("sessions", {"sessions"}),
        ("outputFps { samples }", {"output_fps_n"}),
        ("outputFps { met }", {"output_fps_n", "output_fps_sum"}),
        ("outputFps { target }", set()),
        ("window { start }", set()),
        ("outcomes { served }", {"served"}),
        ("sessions streams @skip(if: true)", {"sessions"}),
        ("sessions @include(if: $no) streams @include(if: $yes)", {"streams"}),
        ("...Part", {"restarts"}),
        ("... on SlaMetrics { restarts }", {"restarts"}),
        ("a: outputFps { min } b: outputFps { samples }", {"output_fps_min", "output_fps_max", "output_fps_n"}),
    ],
)
async def test_fragments_aliases_and_directives_are_looked_through(selection, names) -> None:
    store = small_network()

    answer = await ask(
        store,
        f"""query($yes: Boolean = true, $no: Boolean = false) {{
               network {{ metrics {{ {selection} x: window {{ end }} }} }}
               y: network {{ metrics {{
                 ...Part @include(if: $no) window {{ end }} a: window @skip(if: $yes) {{ end }} }} }}
             }}
             fragment Part on SlaMetrics {{ restarts }}""",
    )

    assert answer.errors == []
    assert {measure.name for question in store.asked for measure in question.measures} == names


async def test_columns_and_buckets_of_one_series_are_one_read() -> None:
    store = small_network()

    await ask(
        store,
        """{ network { series(window: {last: PT24H}, interval: HOUR) { starts buckets { start metrics { sessions } }
             a: values(metric: "outputFps") b: values(metric: "failureRatePct") } } }""",
    )

    assert store.calls == {"rows": 1}


async def test_sessions_and_timelines_of_many_streams_are_one_read_each() -> None:
    store = small_network()

    await ask(
        store,
        "{ streams { nodes { sessions { requestId timeline { at } orchestrator { nodeVersion } gpu { model } } } } }",
    )

    assert store.calls == {"streams": 1, "sessions": 1, "events": 1, "seen": 2}


async def test_the_total_is_counted_only_when_asked() -> None:
    store = small_network()

    await ask(store, "{ streams { nodes { id } } }")
    assert "stream_count" not in store.calls
    await ask(store, "{ streams { totalCount } }")
    assert store.calls["stream_count"] == 1
