"""What the dashboard is told is what the gateway's own fields tell."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from metrics.window import from_ms, to_ms
from tests.compat.network import NOW, Network

FIGURES = """metrics(window: $window) { failureRatePct { value } swapRatePct { value } outputFps { value } sessions
  outcomes { attempted served } } demand(window: $window) { sessions inferenceMinutes feesEth capacityRatePct }"""
HOURS = {"12h": timedelta(hours=12), "1d": timedelta(days=1), "3": timedelta(hours=3)}


def window(length: timedelta, before: int = 0) -> dict[str, str]:
    """The window that ends now, or so many of its lengths before."""
    return {"start": (NOW - (before + 1) * length).isoformat(), "end": (NOW - before * length).isoformat()}


def near(value: float) -> Any:
    return pytest.approx(value, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("timeframe", HOURS)
async def test_the_headline_numbers(network: Network, timeframe: str) -> None:
    query = f"query($window: WindowInput) {{ network {{ {FIGURES} }} }}"
    now, before = [(await network.graph(query, window=window(HOURS[timeframe], n)))["network"] for n in (0, 1)]
    answer = await network.dashboard(
        """query($t: String) { kpi(timeframe: $t) { successRate { value delta } dailyUsageMins { value delta }
        dailySessionCount { value delta } dailyNetworkFeesEth { value } hourlyUsage { value } hourlySessions { value }
        } }""",
        t=timeframe,
    )
    kpi = answer.data["kpi"]

    rate, earlier = (100 - one["metrics"]["failureRatePct"]["value"] for one in (now, before))
    assert kpi["successRate"] == {"value": near(rate), "delta": near(rate - earlier)}
    for name, field in (("dailyUsageMins", "inferenceMinutes"), ("dailySessionCount", "sessions")):
        value, base = now["demand"][field], before["demand"][field]
        assert kpi[name] == {"value": near(value), "delta": near(100 * (value - base) / base)}
    assert kpi["dailyNetworkFeesEth"]["value"] == near(float(now["demand"]["feesEth"]))
    assert sum(one["value"] for one in kpi["hourlyUsage"]) == near(now["demand"]["inferenceMinutes"])
    assert sum(one["value"] for one in kpi["hourlySessions"]) == now["demand"]["sessions"]


async def test_each_hour(network: Network) -> None:
    query = """query($window: WindowInput) { network { demandSeries(window: $window, interval: HOUR, fill: ZERO) {
      buckets { start demand { inferenceMinutes sessions } } } } }"""
    series = (await network.graph(query, window=window(HOURS["1d"])))["network"]["demandSeries"]["buckets"]
    kpi = (
        await network.dashboard('{ kpi(window: "24h") { hourlyUsage { hour value } hourlySessions { hour value } } }')
    ).data["kpi"]

    for name, field in (("hourlyUsage", "inferenceMinutes"), ("hourlySessions", "sessions")):
        assert kpi[name] == [{"hour": one["start"], "value": one["demand"][field]} for one in series]


async def test_of_one_model(network: Network) -> None:
    query = """query($window: WindowInput, $name: String!) { workflow(name: $name) { pipeline
      demand(window: $window) { sessions inferenceMinutes } } }"""
    name = "streamdiffusion-sdxl"
    own = (await network.graph(query, window=window(HOURS["1d"]), name=name))["workflow"]
    kpi = """query($m: String, $p: String) { kpi(timeframe: "24h", model_id: $m, pipeline: $p) {
      dailySessionCount { value } dailyUsageMins { value } } }"""
    found = (await network.dashboard(kpi, m=name, p=own["pipeline"])).data["kpi"]

    assert own["demand"]["sessions"] > 0
    assert found["dailySessionCount"]["value"] == own["demand"]["sessions"]
    assert found["dailyUsageMins"]["value"] == near(own["demand"]["inferenceMinutes"])


async def test_pipelines_and_their_models(network: Network) -> None:
    query = f"""query($window: WindowInput) {{ network {{ {FIGURES} }}
      workflows(first: 100) {{ nodes {{ name pipeline {FIGURES} }} }} }}"""
    told = await network.graph(query, window=window(HOURS["1d"]))
    found = (await network.dashboard(
        '{ pipelines(timeframe: "24h") { name mins sessions avgFps modelMins { model mins sessions avgFps } } }'
    )).data["pipelines"]  # fmt: skip
    own = {one["name"]: one for one in told["workflows"]["nodes"]}
    models = [(one["name"], model) for one in found for model in one["modelMins"] if model["model"] != "unknown"]

    assert len(models) > 3
    for pipeline, model in models:
        workflow = own[model["model"]]
        assert pipeline == (workflow["pipeline"] or "unknown")
        assert model["sessions"] == workflow["demand"]["sessions"]
        assert model["mins"] == near(workflow["demand"]["inferenceMinutes"])
        assert model["avgFps"] == near(workflow["metrics"]["outputFps"]["value"] or 0)
    for one in found:
        assert one["sessions"] == sum(model["sessions"] for model in one["modelMins"])
        assert one["mins"] == near(sum(model["mins"] for model in one["modelMins"]))
    assert sum(one["sessions"] for one in found) == told["network"]["demand"]["sessions"]
    assert sum(one["mins"] for one in found) == near(told["network"]["demand"]["inferenceMinutes"])
    assert found == sorted(found, key=lambda one: -one["mins"])
    assert (await network.dashboard('{ pipelines(timeframe: "24h", limit: 1) { name } }')).data["pipelines"] == [
        {"name": found[0]["name"]}
    ]


async def test_the_catalog(network: Network) -> None:
    told = (await network.graph("{ workflows(first: 100) { nodes { name pipeline } } }"))["workflows"]["nodes"]
    found = (await network.dashboard("{ pipelineCatalog { id name models } }")).data["pipelineCatalog"]

    known = {one["name"]: one["pipeline"] for one in told}
    assert {model: one["id"] for one in found for model in one["models"]}.items() <= known.items()
    assert [one["name"] for one in found] == sorted({one["id"] for one in found})


async def test_gpus(network: Network) -> None:
    query = f"""query($window: WindowInput) {{ network {{ gpuCount {FIGURES} }}
      gpus(first: 100) {{ nodes {{ gpuId model {FIGURES} }} }} }}"""
    told = await network.graph(query, window=window(HOURS["12h"]))
    found = (await network.dashboard(
        """{ gpuCapacity { totalGPUs activeGPUs availableCapacity models { model count }
        pipelineGPUs { name gpus models { model gpus } } } }"""
    )).data["gpuCapacity"]  # fmt: skip
    cards = (await network.get("/v1/sla/network/capabilities", limit="1000")).json()["data"]
    offered: dict[str, set[str]] = {}
    for one in cards:
        offered.setdefault(one["pipeline"], set()).update(gpu["gpu_id"] for gpu in one["gpus"])

    assert found["totalGPUs"] == told["network"]["gpuCount"] == sum(one["count"] for one in found["models"]) > 0
    assert {one["model"] for one in found["models"]} <= {one["model"] for one in told["gpus"]["nodes"]}
    # Ids change when a runner restarts: those that ran under one that is gone are not there.
    there = set().union(*offered.values())
    ran = {one["gpuId"] for one in told["gpus"]["nodes"] if one["metrics"]["sessions"]}
    assert 0 < found["activeGPUs"] == len(ran & there) < len(ran)
    assert found["availableCapacity"] == near(1 - told["network"]["demand"]["capacityRatePct"] / 100)
    assert {one["name"]: one["gpus"] for one in found["pipelineGPUs"]} == {
        name: len(ids) for name, ids in offered.items() if ids
    }


async def test_prices(network: Network) -> None:
    cards = (await network.get("/v1/sla/network/capabilities", limit="1000")).json()["data"]
    asked: dict[str, list[float]] = {}
    for one in cards:
        if one["price_wei_per_pixel"] is not None:
            asked.setdefault(one["workflow"], []).append(float(one["price_wei_per_pixel"]))
    found = (await network.dashboard("{ pricing { model price } }")).data["pricing"]

    assert {one["model"]: one["price"] for one in found} == {
        model: near(sum(prices) / len(prices) / 1e12) for model, prices in asked.items()
    }


@pytest.mark.parametrize("period", HOURS)
async def test_orchestrators(network: Network, period: str) -> None:
    query = f"""query($window: WindowInput) {{ orchestrators(first: 100) {{ nodes {{ address serviceUris lastSeenAt
      workflows {{ name }} slaScore(window: $window) {{ value }} {FIGURES} }} }} }}"""
    told = (await network.graph(query, window=window(HOURS[period])))["orchestrators"]["nodes"]
    fields = """address uris lastSeen knownSessions successSessions successRatio noSwapRatio slaScore gpuCount
      pipelineModels { modelIds }"""
    answer = await network.dashboard(f"query($p: String) {{ orchestrators(period: $p) {{ {fields} }} }}", p=period)
    found = {one["address"]: one for one in answer.data["orchestrators"]}

    attempted = {one["address"]: one for one in told if one["metrics"]["outcomes"]["attempted"]}
    assert found.keys() == attempted.keys() != set()
    for address, one in attempted.items():
        metrics, row = one["metrics"], found[address]
        assert (row["knownSessions"], row["successSessions"]) == (
            metrics["outcomes"]["attempted"], metrics["outcomes"]["served"],
        )  # fmt: skip
        assert row["successRatio"] == near(100 - metrics["failureRatePct"]["value"])
        assert row["successRatio"] == near(100 * row["successSessions"] / row["knownSessions"])
        assert row["noSwapRatio"] == near(100 - metrics["swapRatePct"]["value"])
        assert row["slaScore"] == near(one["slaScore"]["value"])
        assert (row["uris"], row["lastSeen"]) == (one["serviceUris"], one["lastSeenAt"])
        models = {model for offer in row["pipelineModels"] for model in offer["modelIds"]}
        assert models == {workflow["name"] for workflow in one["workflows"]}
    gpus = (await network.graph("{ network { gpuCount } }"))["network"]["gpuCount"]
    assert sum(one["gpuCount"] for one in found.values()) <= gpus


async def test_fees_and_stake(network: Network) -> None:
    query = """query($days: WindowInput, $all: WindowInput) { network {
      demandSeries(window: $days, interval: DAY) { buckets { start demand { feesEth } } }
      demand(window: $all) { feesEth stakeLpt } } }"""
    midnight = from_ms(to_ms(NOW) // 86_400_000 * 86_400_000)
    days = {"start": (midnight - timedelta(days=6)).isoformat(), "end": NOW.isoformat()}
    told = (await network.graph(query, days=days, all=window(timedelta(days=30))))["network"]
    found = await network.dashboard(
        "{ fees(days: 7) { totalEth dayData { dateS volumeEth } } protocol { totalStakedLPT } }"
    )

    assert {one["dateS"]: one["volumeEth"] for one in found.data["fees"]["dayData"]} == {
        to_ms(datetime.fromisoformat(one["start"])) // 1000: near(float(one["demand"]["feesEth"]))
        for one in told["demandSeries"]["buckets"]
    }
    assert found.data["fees"]["totalEth"] == near(float(told["demand"]["feesEth"]))
    assert found.data["protocol"]["totalStakedLPT"] == near(float(told["demand"]["stakeLpt"]))
