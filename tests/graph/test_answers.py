"""What a query is answered, worked out by hand over the small network."""

import pytest

from tests.graph.world import ALICE, BOB, CAROL, CountingStore, ask, small_network

DAY = "window: {last: PT24H}"


@pytest.fixture
def store() -> CountingStore:
    """The small network."""
    return small_network()


async def test_no_evidence_is_null_and_counts_are_zero(store) -> None:
    answer = await ask(
        store,
        """query($a: Address!) { orchestrator(address: $a) { metrics(window: {last: PT24H}) {
          outputFps { value p50 p95 p99 min max stddev samples met }
          failureRatePct { value samples met target } sessions outcomes { requested served } swapReasons { count } }
          } }""",
        a=CAROL,
    )

    assert answer.errors == []
    assert answer.data["orchestrator"]["metrics"] == {
        "outputFps": dict.fromkeys(("value", "p50", "p95", "p99", "min", "max", "stddev", "met")) | {"samples": 0},
        "failureRatePct": {"value": None, "samples": 0, "met": None, "target": 1},
        "sessions": 0,
        "outcomes": {"requested": 0, "served": 0},
        "swapReasons": [],
    }


async def test_a_measured_zero_is_zero(store) -> None:
    answer = await ask(
        store,
        f'{{ orchestrator(address: "{ALICE}") {{ metrics({DAY}) {{ failureRatePct {{ value met samples }} }} }} }}',
    )

    assert answer.data["orchestrator"]["metrics"]["failureRatePct"] == {"value": 0, "met": True, "samples": 1}


async def test_statistics_of_two_samples(store) -> None:
    answer = await ask(
        store,
        f'{{ orchestrator(address: "{ALICE}") {{ metrics({DAY}) {{ outputFps {{ value p50 min max stddev samples }}'
        " jitterCoefficient { value target met } } } }",
    )

    metrics = answer.data["orchestrator"]["metrics"]
    assert metrics["outputFps"] == {"value": 15, "p50": 10, "min": 10, "max": 20, "stddev": 5, "samples": 2}
    assert metrics["jitterCoefficient"] == {"value": pytest.approx(1 / 3), "target": 0.1, "met": False}


async def test_a_gpu_under_an_orchestrator_counts_only_that_ones_facts(store) -> None:
    answer = await ask(
        store,
        f"""{{ orchestrators {{ nodes {{ address gpus {{ nodes {{ gpuId metrics({DAY}) {{ outputFps {{ value }}
            sessions }}
            orchestrators {{ address }} }} }} }} }}
            gpu(gpuId: "GPU-1") {{ metrics({DAY}) {{ outputFps {{ value }} sessions }} }} }}""",
    )

    alice, bob, carol = answer.data["orchestrators"]["nodes"]
    both = [{"address": ALICE}, {"address": BOB}]
    assert alice["gpus"]["nodes"] == [
        {"gpuId": "GPU-1", "metrics": {"outputFps": {"value": 15}, "sessions": 1}, "orchestrators": both}
    ]
    assert [gpu["metrics"]["sessions"] for gpu in bob["gpus"]["nodes"]] == [1, 1]
    assert bob["gpus"]["nodes"][0]["metrics"]["outputFps"] == {"value": 30}
    assert carol["gpus"]["nodes"] == []
    assert answer.data["gpu"]["metrics"] == {"outputFps": {"value": 20}, "sessions": 2}


async def test_an_orchestrator_of_a_workflow_counts_only_that_workflow(store) -> None:
    answer = await ask(
        store,
        f'{{ workflow(name: "flux") {{ orchestrators {{ nodes {{ address metrics({DAY}) {{ sessions }} }} }} }} }}',
    )

    assert answer.data["workflow"]["orchestrators"]["nodes"] == [{"address": BOB, "metrics": {"sessions": 1}}]


async def test_arguments_narrow_what_is_counted(store) -> None:
    answer = await ask(
        store,
        f"""{{ network {{ all: metrics({DAY}) {{ sessions }} hour: metrics {{ sessions }} flux: metrics({DAY},
            workflow: "flux") {{ sessions }}
            fra: metrics({DAY}, region: "fra") {{ sessions }} gw: metrics({DAY}, gateway: "gw") {{ sessions }}
            test: metrics({DAY}, synthetic: true) {{ sessions }} both: metrics({DAY}, workflow: "flux", region:
            "fra") {{ sessions }} }}
            nyc: network(region: "nyc") {{ in: metrics({DAY}) {{ sessions }} out: metrics({DAY}, region: "fra") {{
            sessions }} }} }}""",
    )

    counts = {name: found["sessions"] for name, found in answer.data["network"].items()}
    assert counts == {"all": 3, "hour": 2, "flux": 1, "fra": 2, "gw": 1, "test": 0, "both": 0}
    assert answer.data["nyc"] == {"in": {"sessions": 1}, "out": {"sessions": 0}}


async def test_a_value_is_compared_with_the_network_or_the_window_before(store) -> None:
    answer = await ask(
        store,
        f"""{{ orchestrator(address: "{BOB}") {{
            net: metrics({DAY}, compareTo: NETWORK) {{ outputFps {{ value comparedTo }} }}
            before: metrics(window: {{last: PT1H}}, compareTo: PREVIOUS_WINDOW) {{ failureRatePct {{ value comparedTo
            }} }}
            nothing: metrics {{ outputFps {{ comparedTo }} }} }} }}""",
    )

    assert answer.data["orchestrator"] == {
        "net": {"outputFps": {"value": 30, "comparedTo": 20}},
        "before": {"failureRatePct": {"value": 100, "comparedTo": 0}},
        "nothing": {"outputFps": {"comparedTo": None}},
    }


async def test_swaps_are_told_by_reason(store) -> None:
    answer = await ask(
        store, f"{{ network {{ metrics({DAY}) {{ swapRatePct {{ value }} swapReasons {{ reason count }} }} }} }}"
    )

    assert answer.data["network"]["metrics"] == {
        "swapRatePct": {"value": pytest.approx(100 / 3)},
        "swapReasons": [{"reason": "TIMEOUT", "count": 1}],
    }


async def test_entities_say_what_was_seen_last(store) -> None:
    answer = await ask(
        store,
        f"""{{ orchestrator(address: "{ALICE.upper().replace("X", "x")}") {{ address nodeVersion serviceUris regions
            lastSeenAt workflows {{ name pipeline }} }}
            gpu(gpuId: "GPU-1") {{ model vramBytes vramGib cudaCapability }}
            gateways {{ nodes {{ gatewayId address names region }} }} regions {{ id name }} }}""",
    )

    assert answer.data["orchestrator"] == {
        "address": ALICE,
        "nodeVersion": "0.8.8",
        "serviceUris": ["https://a:2", "https://a:1"],
        "regions": ["fra"],
        "lastSeenAt": "2026-01-09T13:30:00.020Z",
        "workflows": [{"name": "sdxl", "pipeline": None}],
    }
    assert answer.data["gpu"] == {"model": "RTX 4090", "vramBytes": 24 * 2**30, "vramGib": 24, "cudaCapability": None}
    assert answer.data["gateways"]["nodes"][1] == {"gatewayId": "gw", "address": None, "names": [], "region": "nyc"}
    assert answer.data["regions"] == [{"id": "fra", "name": "Frankfurt"}, {"id": "nyc", "name": "nyc"}]


async def test_the_network_counts_who_was_seen_in_its_last_day(store) -> None:
    answer = await ask(store, "{ network { orchestratorCount gpuCount lastEventAt } }")

    assert answer.data["network"] == {"orchestratorCount": 2, "gpuCount": 2, "lastEventAt": "2026-01-09T13:59:00Z"}


async def test_a_region_that_is_neither_configured_nor_seen_is_null(store) -> None:
    answer = await ask(
        store,
        """{ mars: network(region: "mars") { lastEventAt } fra: network(region: "fra") { __typename }
             nyc: network(region: "nyc") { __typename } }""",
    )

    assert answer.errors == []
    assert answer.data == {"mars": None, "fra": {"__typename": "Network"}, "nyc": {"__typename": "Network"}}


async def test_an_empty_store_answers_without_errors() -> None:
    store = CountingStore()
    store.latest_ms = None

    answer = await ask(
        store,
        """{ network { orchestratorCount lastEventAt metrics { sessions freshness { asOf lagSeconds partial } }
             series { buckets { start } starts } demand { feesWei feesEth inferenceMinutes byGpuModel { gpuModel } } }
             orchestrators { totalCount nodes { address } pageInfo { hasNextPage startCursor } } streams { totalCount
             nodes { id } } regions { id } }""",
    )

    assert answer.errors == []
    assert answer.data["network"] == {
        "orchestratorCount": 0,
        "lastEventAt": None,
        "metrics": {"sessions": 0, "freshness": {"asOf": None, "lagSeconds": None, "partial": True}},
        "series": {"buckets": [], "starts": []},
        "demand": {"feesWei": "0", "feesEth": "0", "inferenceMinutes": 0, "byGpuModel": []},
    }
    assert answer.data["streams"] == {"totalCount": 0, "nodes": []}


@pytest.mark.parametrize(
    "query",
    [
        'orchestrator(address: "0x%s")' % ("e" * 40),
        'gpu(gpuId: "x")',
        'workflow(name: "x")',
        'gateway(gatewayId: "x")',
        'stream(streamId: "x")',
    ],
)
async def test_the_unknown_is_null_without_an_error(store, query) -> None:
    answer = await ask(store, f"{{ it: {query} {{ __typename }} }}")

    assert (answer.data, answer.errors) == ({"it": None}, [])


async def test_a_node_is_found_again_by_its_id(store) -> None:
    listed = await ask(
        store,
        """{ orchestrators { nodes { id } } gpus { nodes { id } } workflows { nodes { id } }
             gateways { nodes { id } } streams { nodes { id } } }""",
    )
    ids = [node["id"] for connection in listed.data.values() for node in connection["nodes"]]

    answer = await ask(
        store,
        "query($ids: [ID!]!) { nodes(ids: $ids) { id __typename ... on Gpu { gpuId } } }",
        ids=[*ids, "R3B1OnVua25vd24"],
    )

    assert [node and node["id"] for node in answer.data["nodes"]] == [*ids, None]
    assert {node["__typename"] for node in answer.data["nodes"] if node} == {
        "Orchestrator",
        "Gpu",
        "Workflow",
        "Gateway",
        "Stream",
    }


async def test_the_catalogue_says_what_each_metric_means(store) -> None:
    answer = await ask(store, "{ metricCatalogue { name unit formula direction target dimensions statistics } }")

    told = {metric["name"]: metric for metric in answer.data["metricCatalogue"]}
    assert told["failureRatePct"]["target"] == 1
    assert told["outputFps"]["statistics"] == ["VALUE", "P50", "P95", "P99", "MIN", "MAX", "STDDEV", "SAMPLES"]
    assert told["sessions"]["statistics"] == ["VALUE"]
