"""The compute-efficiency index, worked out by hand: GPUs that cost 1, 2 and 4 per minute, all 50 % efficient."""

from typing import Any

import pytest

from tests.graph.world import ALICE, BOB, NOW_MS, CountingStore, ask, fact, sighting

MINUTE_MS = 60_000
PRICES = {"GPU-1": (ALICE, "L4", 1), "GPU-2": (BOB, "L4", 2), "GPU-3": (BOB, "L4", 4), "GPU-4": (BOB, "A100", 8)}


@pytest.fixture
def store() -> CountingStore:
    """Ten minutes of each GPU; GPU-5 ran without a payment."""
    made = CountingStore()
    for gpu, (wallet, model, price) in {**PRICES, "GPU-5": (BOB, "L4", 0)}.items():
        dims = {"orchestrator": wallet, "gpu": gpu, "gpu_model": model, "workflow": "sdxl"}
        at = NOW_MS - 30 * MINUTE_MS
        for minute in range(10):
            made.add(fact(f"m{gpu}/{minute}", at + minute * MINUTE_MS, {"inference_ms": MINUTE_MS}, **dims))
        if price:
            made.add(fact(f"p{gpu}", at, {"payments": 1, "fees_wei": 10 * price}, **dims))
        stated = {"achieved_flops": 5, "peak_flops": 10, "stated_samples": 1}
        made.add(fact(f"e{gpu}", at, stated, **dims), sighting(gpu, at, at + 1, **dims))
    return made


async def cei(store: CountingStore, scope: str, arguments: str = "") -> Any:
    answer = await ask(store, f"{{ one: {scope} {{ ceiPct{arguments} }} }}")
    assert answer.errors == []
    return answer.data["one"]["ceiPct"]


@pytest.mark.parametrize(
    ("gpu", "percent"),
    [
        ("GPU-1", 50),  # cheaper than the median: no more than its efficiency
        ("GPU-2", 50),  # the median of 1, 2 and 4
        ("GPU-3", 25),  # twice the median
        ("GPU-4", 50),  # the only one of its model
        ("GPU-5", None),  # nobody paid for it
    ],
)
async def test_a_gpu_is_held_against_the_median_of_its_model(
    store: CountingStore, gpu: str, percent: float | None
) -> None:
    assert await cei(store, f'gpu(gpuId: "{gpu}")') == percent


async def test_an_orchestrator_is_the_mean_of_its_models_by_minutes(store: CountingStore) -> None:
    # L4: 30 minutes for 60 wei are 2 per minute, the median; A100: as its median.
    assert await cei(store, f'orchestrator(address: "{BOB}")') == 50
    assert await cei(store, f'orchestrator(address: "{ALICE}")', '(workflow: "sdxl")') == 50


async def test_without_efficiency_or_fees_there_is_none(store: CountingStore) -> None:
    assert await cei(store, f'orchestrator(address: "{BOB}")', '(workflow: "flux")') is None
    assert await cei(store, f'orchestrator(address: "{BOB}")', "(window: {last: PT1M})") is None


async def test_a_page_of_gpus_makes_as_many_reads_as_one(store: CountingStore) -> None:
    await ask(store, '{ gpu(gpuId: "GPU-1") { ceiPct } }')
    one = store.calls["rows"]
    store.calls.clear()

    await ask(store, "{ gpus { nodes { ceiPct } } }")

    assert store.calls["rows"] == one <= 4
