"""Filters, orders and pages of entities and streams."""

from types import SimpleNamespace

import pytest

from backends.backend import LoggedEvent
from resolvers.context import Context
from resolvers.streams import timeline
from tests.graph.world import ALICE, BOB, CAROL, NOW, NOW_MS, CountingStore, ask, fact, session, sighting, small_network

NAMES = {ALICE: "A", BOB: "B", CAROL: "C"}


@pytest.fixture
def store() -> CountingStore:
    """The small network."""
    return small_network()


async def listed(store: CountingStore, **arguments: object) -> str:
    """The orchestrators that are answered, by their initials."""
    answer = await ask(
        store,
        """query($filter: OrchestratorFilter, $orderBy: OrchestratorOrder) {
             orchestrators(filter: $filter, orderBy: $orderBy) { nodes { address } } }""",
        **arguments,
    )
    assert answer.errors == []
    return "".join(NAMES[node["address"]] for node in answer.data["orchestrators"]["nodes"])


@pytest.mark.parametrize(
    ("filter", "found"),
    [
        ({}, "ABC"),
        ({"address": {"eq": ALICE.upper().replace("X", "x")}}, "A"),
        ({"address": {"ne": ALICE}}, "BC"),
        ({"address": {"in": [ALICE, CAROL]}}, "AC"),
        ({"address": {"in": []}}, ""),
        ({"address": {"notIn": [ALICE, CAROL]}}, "B"),
        ({"address": {"contains": "B0B0"}}, "B"),
        ({"lastSeenAt": {"eq": "1970-01-01T00:00:02Z"}}, "C"),
        ({"lastSeenAt": {"eq": "1970-01-01T00:00:02.001Z"}}, ""),
        ({"workflow": {"eq": "sdxl"}}, "AB"),
        ({"workflow": {"ne": "flux"}}, "AC"),
        ({"workflow": {"eq": None}}, "C"),
        ({"workflow": {"ne": None}}, "AB"),
        ({"region": {"in": ["nyc"]}}, "B"),
        ({"gpuModel": {"contains": "rtx"}}, "AB"),
        ({"lastSeenAt": {"gte": "2026-01-09T00:00:00Z"}}, "AB"),
        ({"lastSeenAt": {"lt": "1970-01-01T00:00:02Z"}}, ""),
        ({"lastSeenAt": {"lte": "1970-01-01T00:00:02Z", "gt": "1970-01-01T00:00:01.999Z"}}, "C"),
        ({"and": [{"workflow": {"eq": "sdxl"}}, {"region": {"eq": "nyc"}}]}, "B"),
        ({"or": [{"address": {"eq": CAROL}}, {"region": {"eq": "nyc"}}]}, "BC"),
        ({"not": {"region": {"eq": "nyc"}}}, "AC"),
        ({"or": []}, ""),
        ({"and": [], "workflow": {"eq": "flux"}}, "B"),
    ],
)
async def test_filters_of_orchestrators(store, filter, found) -> None:
    assert await listed(store, filter=filter) == found


DAY = {"window": {"last": "PT24H"}}


@pytest.mark.parametrize(
    ("order", "found"),
    [
        (None, "ABC"),
        ({"field": "ADDRESS", "direction": "DESC"}, "CBA"),
        ({"field": "LAST_SEEN_AT"}, "CBA"),
        ({"field": "LAST_SEEN_AT", "direction": "DESC"}, "ABC"),
        ({"metric": "outputFps", **DAY}, "ABC"),
        ({"metric": "outputFps", "direction": "DESC", **DAY}, "BAC"),
        ({"metric": "outputFps", "statistic": "MIN", "direction": "DESC", **DAY}, "BAC"),
        ({"metric": "sessions", "direction": "DESC", **DAY}, "BAC"),
        ({"metric": "sessions", **DAY}, "ABC"),
        ({"metric": "inputFps", **DAY}, "ABC"),
    ],
)
async def test_orders_of_orchestrators_put_nulls_last_and_ties_by_address(store, order, found) -> None:
    assert await listed(store, orderBy=order) == found


async def test_an_order_by_the_change_since_the_window_before_puts_those_without_one_last() -> None:
    store = CountingStore()
    hour = 3_600_000
    for wallet, before, now in ((ALICE, 10, 12), (BOB, 30, 20), (CAROL, None, 50)):
        store.add(sighting(wallet, 1, NOW_MS, orchestrator=wallet))
        for at_ms, fps in ((NOW_MS - hour - 1, before), (NOW_MS - hour, now)):
            if fps is not None:
                store.add(fact(f"{wallet}{at_ms}", at_ms, {"output_fps": fps * 10**9}, orchestrator=wallet))
    order = {"metric": "outputFps", "window": {"last": "PT1H"}, "compareTo": "PREVIOUS_WINDOW"}

    assert await listed(store, orderBy=order) == "BAC"
    assert await listed(store, orderBy={**order, "direction": "DESC"}) == "ABC"
    assert await listed(store, orderBy={**order, "compareTo": "NETWORK", "direction": "DESC"}) == "CBA"
    assert store.calls["rows"] <= 2 + 2 + 1


@pytest.mark.parametrize(
    "order", [None, {"metric": "outputFps", "direction": "DESC"}, {"field": "FIRST_SEEN_AT", "direction": "DESC"}]
)
async def test_paging_both_ways_gives_every_node_once(order) -> None:
    store = CountingStore()
    for number in range(7):
        dims = {"orchestrator": f"0x{number:040x}"}
        store.add(sighting(str(number), number % 3, 10 + number, **dims))
        if number % 2:
            store.add(fact(str(number), 1767967000000, {"output_fps": number % 4 * 10**9}, **dims))
    query = """query($order: OrchestratorOrder, $first: Int, $after: String, $last: Int, $before: String) {
      orchestrators(orderBy: $order, first: $first, after: $after, last: $last, before: $before) {
        totalCount nodes { address } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""

    async def page(**slice: object) -> dict:
        answer = await ask(store, query, order=order, **slice)
        assert answer.errors == []
        assert answer.data["orchestrators"]["totalCount"] == 7
        return answer.data["orchestrators"]

    everything = (await page(first=50))["nodes"]
    forward, found = [], await page(first=3)
    forward += found["nodes"]
    while found["pageInfo"]["hasNextPage"]:
        found = await page(first=3, after=found["pageInfo"]["endCursor"])
        assert found["pageInfo"]["hasPreviousPage"]
        forward += found["nodes"]
    backward, found = [], await page(last=3)
    backward = found["nodes"]
    while found["pageInfo"]["hasPreviousPage"]:
        found = await page(last=3, before=found["pageInfo"]["startCursor"])
        backward = found["nodes"] + backward

    assert forward == backward == everything
    assert len(everything) == 7


@pytest.mark.parametrize(
    ("filter", "found"),
    [
        ({}, ["s3", "s1", "s2"]),
        ({"workflow": {"eq": "flux"}}, ["s2"]),
        ({"workflow": {"ne": "flux"}}, ["s3", "s1"]),
        ({"orchestrator": {"eq": BOB}}, ["s1", "s2"]),
        ({"orchestrator": {"eq": BOB}, "outcome": {"eq": "SERVED"}}, ["s2"]),
        ({"outcome": {"in": ["UNSERVED", "STARTUP_FAILED"]}}, ["s3", "s1"]),
        ({"outcome": {"in": []}}, []),
        ({"outcome": {"notIn": ["UNSERVED"]}}, ["s1", "s2"]),
        ({"startedAt": {"gte": "2026-01-09T13:30:00Z"}}, ["s3", "s1"]),
        ({"startedAt": {"gt": "2026-01-09T13:30:00Z"}}, ["s3"]),
        ({"startedAt": {"eq": "2026-01-09T13:30:00Z"}}, ["s1"]),
        ({"orchestrator": {"contains": "B0B"}}, ["s1", "s2"]),
        ({"startedAt": {"lte": "2026-01-09T13:30:00Z", "gt": "2026-01-09T12:00:00Z"}}, ["s1", "s2"]),
        ({"startedAt": {"lt": "2026-01-09T12:00:00Z"}}, []),
        ({"or": [{"gateway": {"eq": "gw"}}, {"outcome": {"eq": "UNSERVED"}}]}, ["s3", "s2"]),
        ({"not": {"region": {"eq": "fra"}}}, ["s2"]),
        ({"region": {"contains": "RA"}}, ["s3", "s1"]),
        ({"workflow": {"eq": "nothing"}}, []),
    ],
)
async def test_filters_of_streams(store, filter, found) -> None:
    answer = await ask(
        store,
        "query($filter: StreamFilter) { streams(filter: $filter) { totalCount nodes { streamId } } }",
        filter=filter,
    )

    assert answer.errors == []
    assert [node["streamId"] for node in answer.data["streams"]["nodes"]] == found
    assert answer.data["streams"]["totalCount"] == len(found)


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
async def test_streams_are_paged_both_ways(store, direction) -> None:
    query = """query($d: OrderDirection!, $first: Int, $after: String, $last: Int, $before: String) {
      streams(orderBy: {direction: $d}, first: $first, after: $after, last: $last, before: $before) {
        nodes { streamId } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
    order = ["s2", "s1", "s3"] if direction == "ASC" else ["s3", "s1", "s2"]

    async def page(**slice: object) -> tuple[list[str], dict]:
        answer = await ask(store, query, d=direction, **slice)
        assert answer.errors == []
        return [node["streamId"] for node in answer.data["streams"]["nodes"]], answer.data["streams"]["pageInfo"]

    ids, info = await page(first=2)
    assert (ids, info["hasNextPage"], info["hasPreviousPage"]) == (order[:2], True, False)
    ids, info = await page(first=2, after=info["endCursor"])
    assert (ids, info["hasNextPage"], info["hasPreviousPage"]) == (order[2:], False, True)
    ids, info = await page(last=2)
    assert (ids, info["hasNextPage"], info["hasPreviousPage"]) == (order[1:], False, True)
    ids, info = await page(last=2, before=info["startCursor"])
    assert (ids, info["hasNextPage"], info["hasPreviousPage"]) == (order[:1], True, False)


async def test_a_stream_shows_its_sessions_and_what_happened(store) -> None:
    answer = await ask(
        store,
        """{ stream(streamId: "s1") { startedAt lastEventAt workflow { name pipeline } gateway { gatewayId names }
            sessions {
             requestId requestedAt endedAt outcome orchestrator { address nodeVersion } gpu { gpuId model }
             gpuAttribution region
             promptToFirstFrameMs e2eLatencyMs outputFps { value samples } swaps errors synthetic
             timeline { at type subtype orchestrator state outputFps } } } }""",
    )

    assert answer.errors == []
    first = answer.data["stream"]["sessions"][0]
    timeline = first.pop("timeline")
    assert first == {
        "requestId": "r1",
        "requestedAt": "2026-01-09T13:30:00Z",
        "endedAt": "2026-01-09T13:31:00Z",
        "outcome": "SERVED",
        "orchestrator": {"address": ALICE, "nodeVersion": "0.8.8"},
        "gpu": {"gpuId": "GPU-1", "model": "RTX 4090"},
        "gpuAttribution": "EXACT",
        "region": "fra",
        "promptToFirstFrameMs": 3000,
        "e2eLatencyMs": None,
        "outputFps": {"value": 20, "samples": 2},
        "swaps": 0,
        "errors": 0,
        "synthetic": False,
    }
    assert timeline[0] == {
        "at": "2026-01-09T13:30:00Z",
        "type": "stream_trace",
        "subtype": "gateway_receive_stream_request",
        "orchestrator": ALICE,
        "state": None,
        "outputFps": None,
    }
    assert answer.data["stream"]["workflow"] == {"name": "sdxl", "pipeline": "live"}


async def test_an_orchestrators_streams_are_those_it_had_a_session_of(store) -> None:
    answer = await ask(
        store, f'{{ orchestrator(address: "{ALICE}") {{ streams(first: 5) {{ totalCount nodes {{ streamId }} }} }} }}'
    )

    assert answer.data["orchestrator"]["streams"] == {"totalCount": 1, "nodes": [{"streamId": "s1"}]}


async def test_an_orchestrators_gpus_are_those_seen_last_first_and_are_paged_so() -> None:
    store = CountingStore()
    for gpu, last_ms in (("GPU-a", 10), ("GPU-b", 30), ("GPU-c", 20), ("GPU-d", 20)):
        store.add(sighting(gpu, 0, last_ms, orchestrator=ALICE, gpu=gpu))
    query = """query($a: Address!, $after: String) { orchestrator(address: $a) { gpus(first: 2, after: $after) {
      nodes { gpuId } pageInfo { endCursor hasNextPage } } } }"""

    first = (await ask(store, query, a=ALICE)).data["orchestrator"]["gpus"]
    second = (await ask(store, query, a=ALICE, after=first["pageInfo"]["endCursor"])).data["orchestrator"]["gpus"]

    assert [node["gpuId"] for node in first["nodes"] + second["nodes"]] == ["GPU-b", "GPU-c", "GPU-d", "GPU-a"]
    assert (first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"]) == (True, False)


async def test_a_swap_without_a_place_names_the_orchestrator_of_the_running_leg(store) -> None:
    places = {"e1": "https://a:1", "e2": "", "e3": "", "e4": "https://b:1", "e5": "https://unknown:1", "e6": ""}
    swaps = {"e3", "e6"}
    store.stored.clear()
    store.add(session("s1", "r1", NOW_MS, wallets={"https://a:1": ALICE, "https://b:1": BOB}))
    store.logged = [
        LoggedEvent("default/s1/r1", "default", id, NOW_MS + number, id.encode()) for number, id in enumerate(places)
    ]

    def entry(body: bytes) -> SimpleNamespace:
        id = body.decode()
        subtype = "orchestrator_swap" if id in swaps else None
        return SimpleNamespace(type="stream_trace", subtype=subtype, place=places[id], state=None, output_fps=None)

    made = Context(store, NOW, entry, "test")
    (record,) = await made.sessions("s1")

    found = await timeline(made, record)

    assert [event.orchestrator for event in found] == [ALICE, None, ALICE, BOB, None, BOB]
