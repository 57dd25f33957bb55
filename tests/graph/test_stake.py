"""Stake as it is answered: exact, as of an instant, and only where it is somebody's."""

from datetime import timedelta

import pytest

from backends.log import Stake
from tests.graph.world import ALICE, BOB, CAROL, HOUR_MS, NOW, NOW_MS, CountingStore, ask, small_network

DAY = "window: {last: PT24H}"
ELSEWHERE = "0x" + "dd" * 20


@pytest.fixture
def store() -> CountingStore:
    """The small network: Alice staked more an hour ago, Bob nothing yet, Carol once; somebody stakes elsewhere."""
    store = small_network()
    rows = [
        (ALICE, NOW_MS - 72 * HOUR_MS, 10**18),
        (ALICE, NOW_MS - HOUR_MS, 25 * 10**17),
        (ALICE, NOW_MS + 5, 9 * 10**18),
        (CAROL, NOW_MS - 2 * HOUR_MS, 30_000_000 * 10**18 + 1),
        (ELSEWHERE, NOW_MS - 2 * HOUR_MS, 10**18),
    ]
    for who, at_ms, lptu in rows:
        store.stakings["default", f"{who}/{at_ms}"] = Stake("default", who, at_ms, f"{who}/{at_ms}", lptu)
    return store


async def test_the_latest_until_now_counts_and_null_is_not_zero(store: CountingStore) -> None:
    answer = await ask(store, "{ orchestrators { nodes { address stakeLpt } } }")

    assert answer.errors == []
    assert answer.data["orchestrators"]["nodes"] == [
        {"address": ALICE, "stakeLpt": "2.5"},
        {"address": BOB, "stakeLpt": None},
        {"address": CAROL, "stakeLpt": "30000000.000000000000000001"},
    ]
    assert store.calls["stakes"] == 1


async def test_demand_tells_the_stake_at_the_windows_end(store: CountingStore) -> None:
    before = (NOW - timedelta(hours=1, milliseconds=1)).isoformat().replace("+00:00", "Z")
    at = (NOW - timedelta(hours=1)).isoformat().replace("+00:00", "Z")
    answer = await ask(
        store,
        f"""{{ orchestrator(address: "{ALICE}") {{
        before: demand(window: {{start: "2026-01-01T00:00:00Z", end: "{before}"}}) {{ stakeLpt }}
        at: demand(window: {{start: "2026-01-01T00:00:00Z", end: "{at}"}}) {{ stakeLpt }}
        narrowed: demand({DAY}, workflow: "flux") {{ stakeLpt sessions }}
        never: demand(window: {{start: "2025-01-01T00:00:00Z", end: "2025-01-02T00:00:00Z"}}) {{ stakeLpt }} }} }}""",
    )

    assert answer.errors == []
    assert answer.data["orchestrator"] == {
        "before": {"stakeLpt": "1"},
        "at": {"stakeLpt": "2.5"},
        "narrowed": {"stakeLpt": "2.5", "sessions": 0},
        "never": {"stakeLpt": None},
    }


async def test_the_network_has_the_stake_of_those_seen_in_it_and_others_have_none(store: CountingStore) -> None:
    some = f"demand({DAY}) {{ stakeLpt }}"
    answer = await ask(
        store,
        f"""{{ network {{ {some} real: demand({DAY}, synthetic: false) {{ stakeLpt }}
        part: demand({DAY}, workflow: "sdxl") {{ stakeLpt }} }} nyc: network(region: "nyc") {{ {some} }}
        workflows {{ nodes {{ {some} }} }} gateways {{ nodes {{ {some} }} }} regions {{ {some} }}
        gpu(gpuId: "GPU-1") {{ {some} orchestrators {{ address {some} }} }} }}""",
    )

    assert answer.errors == []
    both = "30000002.500000000000000001"
    network = answer.data["network"]
    assert (network["demand"]["stakeLpt"], network["real"]["stakeLpt"], network["part"]["stakeLpt"]) == (
        both,
        both,
        None,
    )
    assert answer.data["nyc"]["demand"]["stakeLpt"] is None
    others = [*answer.data["workflows"]["nodes"], *answer.data["gateways"]["nodes"], *answer.data["regions"]]
    assert {one["demand"]["stakeLpt"] for one in [*others, answer.data["gpu"]]} == {None}
    assert [one["demand"]["stakeLpt"] for one in answer.data["gpu"]["orchestrators"]] == ["2.5", None]


async def test_a_series_tells_it_bucket_by_bucket_in_one_read_for_a_page(store: CountingStore) -> None:
    answer = await ask(
        store,
        f"""{{ orchestrators {{ nodes {{ stakeLpt demand({DAY}) {{ stakeLpt }}
        demandSeries(window: {{last: PT4H}}, interval: HOUR, fill: NULL) {{ buckets {{ demand {{ stakeLpt }} }} }}
        }} }} }}""",
    )

    assert answer.errors == []
    alice, bob, _ = answer.data["orchestrators"]["nodes"]
    assert [one["demand"]["stakeLpt"] for one in alice["demandSeries"]["buckets"]] == ["1", "1", "2.5", "2.5"]
    assert {one["demand"]["stakeLpt"] for one in bob["demandSeries"]["buckets"]} == {None}
    assert store.calls["stakes"] <= 2


async def test_stake_that_nobody_asks_for_is_not_read(store: CountingStore) -> None:
    await ask(store, f"{{ network {{ demand({DAY}) {{ sessions }} }} orchestrators {{ nodes {{ address }} }} }}")

    assert store.calls["stakes"] == 0


@pytest.mark.parametrize(("direction", "order"), [("DESC", [CAROL, ALICE, BOB]), ("ASC", [ALICE, CAROL, BOB])])
async def test_orchestrators_are_ordered_by_it_and_cursors_hold(
    store: CountingStore, direction: str, order: list[str]
) -> None:
    query = f"""query($after: String) {{ orchestrators(orderBy: {{field: STAKE_LPT, direction: {direction}}}, first: 1,
        after: $after) {{ nodes {{ address }} pageInfo {{ endCursor }} }} }}"""
    found, after = [], None
    for _ in order:
        page = (await ask(store, query, after=after)).data["orchestrators"]
        found += [one["address"] for one in page["nodes"]]
        after = page["pageInfo"]["endCursor"]

    assert found == order
