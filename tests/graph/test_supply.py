"""Capacity and the heat map, worked out by hand: one URI with one GPU, busy for a quarter of an hour."""

from typing import Any

import pytest

from backends.log import Card, Showing, SupplyHour
from telemetry.flops import Flops
from telemetry.slots import Run, Site, supply_facts
from tests.graph.world import ALICE, HOUR_MS, NOW_MS, WALLET, CountingStore, ask, fact, sighting

GPU = {"gpu": "GPU-1", "gpu_model": "RTX 4090"}
URI = "https://a:1"
HOUR = 'window: {start: "2026-01-09T13:00:00Z", end: "2026-01-09T14:00:00Z"}'


@pytest.fixture
def store() -> CountingStore:
    """GPU-1 is offered for sdxl and flux from 12:00 on; it runs sdxl from 13:00 to 13:15."""
    made, begun = CountingStore(), NOW_MS - HOUR_MS
    cards = tuple(Card("GPU-1", "RTX 4090", workflow, ALICE) for workflow in ("flux", "sdxl"))
    dims = ("default", ALICE, "GPU-1", "RTX 4090", "sdxl", WALLET, "fra", "false")
    hours = [begun - HOUR_MS, begun]
    for one in supply_facts(
        Site("default", URI, "fra"),
        [Showing(URI, begun - HOUR_MS, begun - HOUR_MS, cards)],
        [Run(begun, begun + HOUR_MS // 4, dims)],
        hours,
        Flops("test", {"RTX 4090": 10**14}, {"sdxl": 10**12}),
    ):
        made.supply.setdefault(SupplyHour("default", URI, one.at_ms // HOUR_MS * HOUR_MS), []).append(one)
    for minute in range(15):
        told = {"orchestrator": ALICE, "workflow": "sdxl", "gateway": WALLET, "region": "fra", **GPU}
        made.add(fact(f"s{minute}", begun + minute * 60_000, {"inference_ms": 60_000}, **told))
    made.add(fact("u", begun, {"sessions": 1, "unserved": 1}, workflow="noop", region="fra"))
    made.add(sighting("a", begun, NOW_MS - 1, orchestrator=ALICE, workflow="sdxl", gateway=WALLET, region="fra", **GPU))
    return made


@pytest.mark.parametrize(
    ("scope", "arguments", "percent"),
    [
        ("network", "", 25),
        (f'orchestrator(address: "{ALICE}")', "", 25),
        ('gpu(gpuId: "GPU-1")', "", 25),
        ('workflow(name: "sdxl")', "", 25),
        ("network", ', workflow: "sdxl"', 25),
        ("network", ', workflow: "flux"', 0),
        ("network", ', workflow: "noop"', None),
        ("network", ', region: "fra"', 25),
        ("network", ', region: "nyc"', None),
        ('gpu(gpuId: "GPU-1")', ', workflow: "flux"', 0),
        (f'gateway(gatewayId: "{WALLET}")', "", None),
        ("network", ", synthetic: false", None),
    ],
)
async def test_capacity_is_told_of_whatever_supply_belongs_to(
    store: CountingStore, scope: str, arguments: str, percent: float | None
) -> None:
    answer = await ask(store, f"{{ one: {scope} {{ demand({HOUR}{arguments}) {{ capacityRatePct }} }} }}")

    assert answer.errors == []
    assert answer.data["one"]["demand"] == {"capacityRatePct": percent}


async def test_models_are_told_whether_they_were_used_or_only_advertised(store: CountingStore) -> None:
    query = f"""{{ network {{
        demand({HOUR}, workflow: "sdxl") {{ byGpuModel {{ gpuModel inferenceMinutes capacityRatePct }} }}
        idle: demand({HOUR}, workflow: "flux") {{
          capacityRatePct byGpuModel {{ gpuModel inferenceMinutes capacityRatePct }} }} }} }}"""

    answer = await ask(store, query)

    used = {"gpuModel": "RTX 4090", "inferenceMinutes": 15, "capacityRatePct": 25}
    assert answer.data["network"]["demand"] == {"byGpuModel": [used]}
    idle = {"gpuModel": "RTX 4090", "inferenceMinutes": 0, "capacityRatePct": 0}
    assert answer.data["network"]["idle"] == {"capacityRatePct": 0, "byGpuModel": [idle]}


async def test_a_series_tells_the_hours_in_which_gpus_only_waited(store: CountingStore) -> None:
    query = """{ network { demandSeries(window: {last: PT3H}, interval: HOUR) {
        buckets { start demand { inferenceMinutes capacityRatePct } } } } }"""

    answer = await ask(store, query)

    buckets: list[Any] = answer.data["network"]["demandSeries"]["buckets"]
    assert [(one["start"][11:13], *one["demand"].values()) for one in buckets] == [("12", 0, 0), ("13", 15, 25)]


async def test_the_heat_map_has_a_cell_for_everything_advertised_used_or_missed(store: CountingStore) -> None:
    fields = "region workflow gpus gpuMinutes inferenceMinutes capacityRatePct unserved"
    query = f"{{ network {{ supply({HOUR}) {{ {fields} }} }} }}"

    answer = await ask(store, query)

    names = fields.split()
    assert answer.data["network"]["supply"] == [
        dict(zip(names, row, strict=True))
        for row in (
            ("fra", "flux", 1, 60, 0, 0, 0),
            ("fra", "noop", 0, None, 0, None, 1),
            ("fra", "sdxl", 1, 60, 15, 25, 0),
        )
    ]
    assert store.calls["rows"] == 3


async def told(store: CountingStore, arguments: str = "", scope: str = "network") -> Any:
    """The efficiency in the hour."""
    fields = "value samples target met tier confidence"
    answer = await ask(
        store, f"{{ one: {scope} {{ metrics({HOUR}{arguments}) {{ cudaUtilizationEfficiencyPct {{ {fields} }} }} }} }}"
    )
    assert answer.errors == []
    return answer.data["one"]["metrics"]["cudaUtilizationEfficiencyPct"]


NOTHING = {"value": None, "samples": 0, "target": 80, "met": None, "tier": None, "confidence": None}


@pytest.fixture
def shown(store: CountingStore) -> CountingStore:
    """Frames that took 9 × 10¹⁶ FLOP in the quarter of an hour, in which the GPU can do 10¹⁴ × 900."""
    values = {"samples": 1, "shown_samples": 1, "shown_flops": 10**16 * 10**12}
    for number in range(9):
        where = {"orchestrator": ALICE, "workflow": "sdxl", "gateway": WALLET, "region": "fra", **GPU}
        store.add(fact(f"f{number}", NOW_MS - HOUR_MS + number, values, **where))
    return store


FRA, SDXL = ', region: "fra"', ', workflow: "sdxl"'


@pytest.mark.parametrize("arguments", ["", SDXL, FRA, FRA + SDXL])
async def test_frames_tell_the_efficiency_where_no_sample_states_it(shown: CountingStore, arguments: str) -> None:
    proxy = {"value": 100, "samples": 9, "target": 80, "met": True, "tier": "PROXY", "confidence": "LOW"}

    assert await told(shown, arguments) == proxy
    assert await told(shown, arguments, 'gpu(gpuId: "GPU-1")') == proxy


@pytest.mark.parametrize("arguments", [", synthetic: false", ', workflow: "flux"', ', region: "nyc"'])
async def test_an_efficiency_without_running_time_is_null(shown: CountingStore, arguments: str) -> None:
    assert await told(shown, arguments) == NOTHING


async def test_frames_finer_than_an_hour_tell_no_efficiency(shown: CountingStore) -> None:
    column = 'values(metric: "cudaUtilizationEfficiencyPct")'
    query = f"""{{ network {{ fine: series({HOUR}, interval: MINUTE) {{ {column} }}
        hours: series({HOUR}, interval: HOUR) {{ starts {column} }} }} }}"""

    answer = await ask(shown, query)

    assert set(answer.data["network"]["fine"]["values"]) == {None}
    assert answer.data["network"]["hours"] == {"starts": ["2026-01-09T13:00:00Z"], "values": [100]}


async def test_what_samples_state_wins_over_frames(shown: CountingStore) -> None:
    stated = {"achieved_flops": 30, "peak_flops": 40, "stated_samples": 1}
    shown.add(fact("m", NOW_MS - HOUR_MS, stated, orchestrator=ALICE, workflow="sdxl", region="fra", **GPU))

    assert await told(shown) == {
        "value": 75,
        "samples": 1,
        "target": 80,
        "met": False,
        "tier": "MEASURED",
        "confidence": "HIGH",
    }
