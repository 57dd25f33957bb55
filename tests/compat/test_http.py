"""What the dashboard and the Explorer meet on the wire: any page may ask, errors are readable, answers may be kept."""

import httpx
import pytest

from gateway.app import CROSS_ORIGIN
from tests.compat.network import Network

CACHED = "public, max-age=30, stale-while-revalidate=15"
ORIGIN = {"Origin": "https://dashboard.example"}


def client(network: Network) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(network.app), base_url="http://127.0.0.1:8000")


async def test_the_dashboard_is_answered_wherever_its_page_comes_from(network: Network) -> None:
    async with client(network) as asking:
        answer = await asking.post("/dashboard/graphql", json={"query": "{ kpi { timeframeHours } }"}, headers=ORIGIN)
        wrong = await asking.post("/dashboard/graphql", json={"query": "{ nothing }"}, headers=ORIGIN)
        graph = await asking.post("/graphql", json={"query": "{ kpi { timeframeHours } }"}, headers=ORIGIN)

    assert answer.json()["data"] == {"kpi": {"timeframeHours": 12}}
    assert answer.json()["extensions"]["cost"]["requested"] > 20  # it is paid for like the graph
    assert answer.headers["access-control-allow-origin"] == wrong.headers["access-control-allow-origin"] == "*"
    assert wrong.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    assert "kpi" in graph.json()["errors"][0]["message"]  # the two contracts are two schemas


async def test_a_token_that_is_not_good_is_refused_as_graphql_does(network: Network) -> None:
    async with client(network) as asking:
        headers = {**ORIGIN, "Authorization": "Bearer nothing"}
        answer = await asking.post("/dashboard/graphql", json={"query": "{ kpi { timeframeHours } }"}, headers=headers)

    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (401, "UNAUTHENTICATED")
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_a_browser_gets_a_page_to_try_it_on(network: Network) -> None:
    async with client(network) as asking:
        page = await asking.get("/dashboard/graphql", headers={"Accept": "text/html"})

    assert page.status_code == 200
    assert "/dashboard/graphql" in page.text


@pytest.mark.parametrize("path", CROSS_ORIGIN)
async def test_a_preflight_is_answered(network: Network, path: str) -> None:
    async with client(network) as asking:
        answer = await asking.options(path, headers={**ORIGIN, "Access-Control-Request-Method": "POST"})
        elsewhere = await asking.options("/v1/events", headers={**ORIGIN, "Access-Control-Request-Method": "POST"})

    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, "*")
    assert "Content-Type" in answer.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in answer.headers
    assert "access-control-allow-origin" not in elsewhere.headers


async def test_the_explorers_answers_may_be_kept_for_a_while_and_its_errors_may_not(network: Network) -> None:
    async with client(network) as asking:
        answer = await asking.get("/api/regions")
        wrong = await asking.get("/api/raw_stats", headers=ORIGIN)

    assert (answer.status_code, answer.headers["cache-control"]) == (200, CACHED)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert (wrong.status_code, wrong.json()["argument"]) == (400, "orchestrator")
    assert wrong.headers["access-control-allow-origin"] == "*"
    assert wrong.headers["cache-control"] == "no-store"
