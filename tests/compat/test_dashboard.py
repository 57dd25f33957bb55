"""The NaaP dashboard: its contract, its three documents, and what it is told where something is not known."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from graphql import GraphQLObjectType, build_client_schema, introspection_from_schema

from metrics.errors import StoreUnavailable
from resolvers.dashboard.timeframe import MAX_HOURS, hours_until
from tests.compat.documents import FEES_OVERVIEW, NAAP_API_DATA, REALTIME_DATA, TYPES
from tests.compat.network import DASHBOARD, Network, ask
from tests.graph.test_reads import network_of
from tests.graph.world import ALICE, BOB, NOW, NOW_MS, CountingStore, fact, sighting, small_network

# As a client sees it.
SCHEMA = build_client_schema(introspection_from_schema(DASHBOARD._schema))
ORCHESTRATORS = """{ orchestrators(period: "24h") { address uris lastSeen knownSessions successSessions successRatio
  effectiveSuccessRate noSwapRatio slaScore pipelines pipelineModels { pipelineId modelIds } gpuCount } }"""
WORKFLOW = {"workflow": "sdxl", "pipeline": "live", "service_uri": "https://a:1", "orchestrator": ALICE}


def types_of(line: str) -> dict[str, str]:
    """`a b Int! / c Float` as field → type."""
    parts = [part.split() for part in line.split(" / ")]
    return {name: part[-1] for part in parts for name in part[:-1]}


def test_its_types_are_those_of_the_published_contract() -> None:
    lines = re.split(r"\n(?=\w)", TYPES.strip())
    roots = [line.removeprefix("Query.") for line in lines if line.startswith("Query.")]
    others = dict(re.sub(r"\s+", " ", line).split(": ", 1) for line in lines if not line.startswith("Query."))

    def written(name: str, field: Any) -> str:
        arguments = ", ".join(f"{one}: {argument.type}" for one, argument in field.args.items())
        return f"{name}({arguments}): {field.type}" if arguments else f"{name}: {field.type}"

    objects = {
        name: type_
        for name, type_ in SCHEMA.type_map.items()
        if isinstance(type_, GraphQLObjectType) and not name.startswith("__")
    }
    assert [written(name, field) for name, field in objects.pop("Query").fields.items()] == roots
    assert {name: {field: str(one.type) for field, one in type_.fields.items()} for name, type_ in objects.items()} == {
        name: types_of(line) for name, line in others.items()
    }


def test_everything_is_described() -> None:
    for name, type_ in SCHEMA.type_map.items():
        if isinstance(type_, GraphQLObjectType) and not name.startswith("__"):
            assert type_.description, name
            for field_name, field in type_.fields.items():
                assert field.description, f"{name}.{field_name}"
                assert all(one.description for one in field.args.values()), f"{name}.{field_name}"


async def test_its_first_document_is_answered(network: Network) -> None:
    answer = await network.dashboard(NAAP_API_DATA, timeframe="24")

    assert answer.errors == []
    kpi, pipelines = answer.data["kpi"], answer.data["pipelines"]
    assert kpi["timeframeHours"] == 24
    assert len(kpi["hourlyUsage"]) == len(kpi["hourlySessions"]) == 25  # 24 hours begin in the middle of one
    assert 0 < kpi["successRate"]["value"] <= 100
    assert pipelines[0]["name"] == "live-video-to-video"
    assert pipelines[0]["avgFps"] > 0
    live = next(one for one in answer.data["pipelineCatalog"] if one["id"] == "live-video-to-video")
    assert live["regions"]
    assert {one["model"] for one in pipelines[0]["modelMins"]} <= {*live["models"]}


async def test_of_its_second_document_only_the_protocol_is_null(network: Network) -> None:
    answer = await network.dashboard(REALTIME_DATA, timeframe="24")

    assert (answer.data["protocol"], answer.codes) == (None, ["NO_EVIDENCE"])
    assert answer.errors[0]["path"][0] == "protocol"
    capacity = answer.data["gpuCapacity"]
    assert 0 < capacity["activeGPUs"] <= capacity["totalGPUs"]
    assert all(re.fullmatch("[1-9][0-9]*", one["avgWeiPerUnit"]) for one in answer.data["pricing"])
    assert {one["outputPerDollar"] for one in answer.data["pricing"]} == {""}


async def test_its_third_document_asks_for_dollars_that_nobody_knows(network: Network) -> None:
    answer = await network.dashboard(FEES_OVERVIEW)

    # totalUsd has no null in the contract, so that the field above it takes its place.
    assert (answer.data, answer.codes) == ({"fees": None}, ["NO_EVIDENCE"])
    assert "price of ETH" in answer.errors[0]["message"]


async def test_the_same_fees_in_eth_are_answered_and_a_change_in_dollars_is_null_beside_its_error(
    network: Network,
) -> None:
    query = "{ fees { totalEth oneDayVolumeEth volumeChangeEth volumeChangeUsd dayData { dateS volumeEth } } }"
    answer = await network.dashboard(query)

    assert answer.codes == ["NO_EVIDENCE"]
    assert answer.errors[0]["path"] == ["fees", "volumeChangeUsd"]
    fees = answer.data["fees"]
    assert fees["volumeChangeUsd"] is None
    assert fees["oneDayVolumeEth"] == fees["dayData"][-2]["volumeEth"] > 0  # today is not over
    assert fees["totalEth"] == pytest.approx(sum(one["volumeEth"] for one in fees["dayData"]))


async def test_an_orchestrator_without_attempted_sessions_is_left_out() -> None:
    answer = await ask(small_network(), ORCHESTRATORS)

    assert answer.errors == []
    bob, alice = answer.data["orchestrators"]  # Carol was seen and did nothing
    assert (bob["address"], bob["knownSessions"], bob["successSessions"], bob["successRatio"]) == (BOB, 2, 1, 50)
    assert (alice["address"], alice["successRatio"], alice["noSwapRatio"]) == (ALICE, 100, 100)
    assert (bob["noSwapRatio"], bob["effectiveSuccessRate"]) == (50, 50)
    assert alice["uris"] == ["https://a:2", "https://a:1"]
    assert alice["lastSeen"] == "2026-01-09T13:30:00.020Z"
    assert bob["pipelines"] == ["live", "unknown"]
    assert bob["pipelineModels"] == [
        {"pipelineId": "live", "modelIds": ["sdxl"]},
        {"pipelineId": "unknown", "modelIds": ["flux"]},
    ]


async def test_without_an_attempted_session_the_rate_is_missing_and_the_rest_can_be_asked_for() -> None:
    store = CountingStore()
    whole = await ask(store, "{ kpi { successRate { value } dailySessionCount { value delta } } pipelines { name } }")
    rest = await ask(store, "{ kpi { dailySessionCount { value delta } hourlyUsage { value } } }")

    assert (whole.data, whole.codes) == ({"kpi": None, "pipelines": []}, ["NO_EVIDENCE"])
    assert rest.data["kpi"]["dailySessionCount"] == {"value": 0, "delta": 0}
    assert [one["value"] for one in rest.data["kpi"]["hourlyUsage"]] == [0] * 12


async def test_an_empty_store_has_empty_lists_and_no_capacity() -> None:
    store = CountingStore()
    store.latest_ms = None
    query = "{ pipelines { name } pipelineCatalog { id } pricing { model } orchestrators { address } "
    answer = await ask(store, query + "gpuCapacity { totalGPUs activeGPUs } fees { totalEth dayData { dateS } } }")

    empty = {"pipelines": [], "pipelineCatalog": [], "pricing": [], "orchestrators": []}
    expected = {"gpuCapacity": {"totalGPUs": 0, "activeGPUs": 0}, "fees": {"totalEth": 0, "dayData": []}}
    assert (answer.data, answer.errors) == (empty | expected, [])


async def test_a_part_that_fails_is_null_and_the_rest_stands() -> None:
    store = small_network()
    store.fail["stakes"] = StoreUnavailable("the store is away.")
    answer = await ask(store, "{ protocol { totalStakedLPT } pipelines { name } }")

    assert (answer.data["protocol"], answer.codes) == (None, ["STORE_UNAVAILABLE"])
    assert len(answer.data["pipelines"]) == 2


@pytest.mark.parametrize("document", [NAAP_API_DATA, REALTIME_DATA, FEES_OVERVIEW, ORCHESTRATORS])
async def test_a_document_makes_as_many_reads_over_a_large_network_as_over_a_small_one(document: str) -> None:
    small, large = network_of(3), network_of(60)

    for store in (small, large):
        await ask(store, document)

    assert large.calls == small.calls
    assert sum(large.calls.values()) <= 16


@pytest.mark.parametrize(
    ("text", "hours"), [(None, 12), ("12", 12), ("12h", 12), ("1", 1), ("7d", 168), ("366d", MAX_HOURS)]
)
def test_a_timeframe_is_hours_or_days_until_now(text: str | None, hours: int) -> None:
    found = hours_until(NOW, text, "timeframe")

    assert (found.hours, found.window.end) == (hours, NOW)
    assert found.window.length.total_seconds() == hours * 3600


@pytest.mark.parametrize(
    ("field", "argument"),
    [
        *((f'kpi(timeframe: "{text}") {{ timeframeHours }}', "timeframe") for text in
          ("", "0", "0h", "-1", "12 h", "12H", "1.5h", "24m", "9000h", "367d", "٣", "1e3", "99999999999")),
        ('kpi(window: "x") { timeframeHours }', "window"),
        ('kpi(window: "24h", timeframe: "12") { timeframeHours }', "window"),
        ('gpuCapacity(timeframe: "x") { totalGPUs }', "timeframe"),
        ('pipelines(timeframe: "x") { name }', "timeframe"),
        ("pipelines(limit: 0) { name }", "limit"),
        ("pipelines(limit: 201) { name }", "limit"),
        ('orchestrators(period: "x") { address }', "period"),
        ("fees(days: 0) { totalEth }", "days"),
        ("fees(days: 366) { totalEth }", "days"),
    ],
)  # fmt: skip
async def test_a_wrong_argument_is_named(field: str, argument: str) -> None:
    answer = await ask(small_network(), f"{{ {field} protocol {{ __typename }} }}")

    assert (answer.data, answer.codes) == (
        {field.partition("(")[0]: None, "protocol": {"__typename": "Protocol"}},
        ["BAD_REQUEST"],
    )
    assert answer.errors[0]["extensions"]["argument"] == argument


async def test_window_and_timeframe_may_say_the_same() -> None:
    answer = await ask(small_network(), '{ kpi(window: "24h", timeframe: "1d") { timeframeHours } }')

    assert answer.data == {"kpi": {"timeframeHours": 24}}


async def test_a_pipeline_or_a_model_that_nobody_knows_has_nothing() -> None:
    query = "query($p: String, $m: String) { kpi(pipeline: $p, model_id: $m) { dailySessionCount { value } } }"

    for p, m, sessions in (("live", None, 2), (None, "flux", 1), ("live", "flux", 0), ("no", None, 0), (None, "no", 0)):
        answer = await ask(small_network(), query, p=p, m=m)
        assert answer.data == {"kpi": {"dailySessionCount": {"value": sessions}}}, (p, m)


async def test_a_change_is_against_the_window_before() -> None:
    store = CountingStore()
    dims = {"orchestrator": ALICE, "workflow": "sdxl"}
    for hours, values in ((1, {"sessions": 3, "served": 3}), (13, {"sessions": 2, "served": 1, "startup_failed": 1})):
        store.add(fact(f"s{hours}", NOW_MS - hours * 3_600_000, values, **dims))
        store.add(sighting(f"s{hours}", NOW_MS - hours * 3_600_000, NOW_MS - hours * 3_600_000, **dims))
    store.add(sighting("bob", NOW_MS - 13 * 3_600_000, NOW_MS - 13 * 3_600_000, orchestrator=BOB))
    both = "{ value delta }"
    query = f"{{ kpi {{ successRate {both} dailySessionCount {both} orchestratorsObserved {both} }} }}"

    assert (await ask(store, query)).data["kpi"] == {
        "successRate": {"value": 100, "delta": 50},
        "dailySessionCount": {"value": 3, "delta": 50},
        "orchestratorsObserved": {"value": 1, "delta": -1},
    }


async def test_a_price_is_the_mean_of_those_that_are_named() -> None:
    store = CountingStore()
    at = NOW_MS - 60_000
    for number, price in enumerate(("1000", "1001", "0.2", None)):
        uri, wallet = f"https://{number}:1", ALICE if number < 2 else BOB
        model = "cheap" if price == "0.2" else "sdxl"
        store.add(sighting(f"n{number}", at, at, service_uri=uri, orchestrator=wallet, workflow=model, pipeline="live",
                           node_version="1", price_wei_per_pixel=price))  # fmt: skip

    assert (await ask(store, "{ pricing { pipeline model price avgWeiPerUnit capacity } }")).data["pricing"] == [
        {"pipeline": "live", "model": "sdxl", "price": 1000.5e-12, "avgWeiPerUnit": "1001", "capacity": 2},
        {"pipeline": "live", "model": "cheap", "price": 0.2e-12, "avgWeiPerUnit": None, "capacity": 1},
    ]


async def test_fees_are_by_day_and_week_and_days_beyond_the_events_are_not_made_up() -> None:
    store, day = CountingStore(), 86_400_000
    midnight = NOW_MS - NOW_MS % day  # a Friday
    for back, eth in ((0, 5), (1, 3), (3, 2), (5, 1)):
        store.add(fact(f"p{back}", midnight - back * day, {"fees_wei": eth * 10**18, "tickets": 1}))

    async def sources() -> Any:
        from types import SimpleNamespace

        return SimpleNamespace(
            sources={"default": (midnight - 5 * day, NOW_MS)}, pending=0, version=1, latest_ms=NOW_MS
        )

    store.holds = sources  # type: ignore[method-assign]
    query = """{ fees { totalEth oneDayVolumeEth volumeChangeEth oneWeekVolumeEth weeklyVolumeChangeEth
      dayData { dateS volumeEth } weeklyData { date weeklyVolumeEth } } }"""
    fees = (await ask(store, query)).data["fees"]

    assert [one["volumeEth"] for one in fees["dayData"]] == [1, 0, 2, 0, 3, 5]
    assert fees["dayData"][-1]["dateS"] == midnight // 1000
    assert [one["weeklyVolumeEth"] for one in fees["weeklyData"]] == [1, 10]
    assert datetime.fromtimestamp(fees["weeklyData"][-1]["date"], UTC).strftime("%A %F") == "Monday 2026-01-05"
    assert (fees["totalEth"], fees["oneDayVolumeEth"], fees["volumeChangeEth"]) == (11, 3, None)  # nothing to grow from
    assert (fees["oneWeekVolumeEth"], fees["weeklyVolumeChangeEth"]) == (1, None)
    assert [
        one["volumeEth"]
        for one in (await ask(store, "{ fees(days: 2) { dayData { volumeEth } } }")).data["fees"]["dayData"]
    ] == [3, 5]
