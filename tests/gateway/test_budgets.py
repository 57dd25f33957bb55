"""Budgets as clients meet them over HTTP: headers, refusals, estimates, and whom a request is counted for."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace

import httpx
import pytest

from auth.access import Access
from auth.budget import Tiers
from auth.caller import Caller
from gateway.address import caller_address, counted
from gateway.app import build_app
from gateway.settings import Settings
from tests.auth.redis import free_port, redis_server
from tests.gateway.conftest import Running

PAGE = "{ orchestrators { nodes { metrics { sessions } } } }"
SMALL = Settings(budgets=Tiers(2_000, 10_000, 0), rates=Tiers(0, 0, 0))
ASK = {"json": {"query": PAGE}}
Open = Callable[[Settings], Awaitable[Running]]


@pytest.fixture
async def opened() -> AsyncIterator[Open]:
    """A way to open gateways, which are closed afterwards."""
    async with AsyncExitStack() as stack:

        async def open_one(settings: Settings) -> Running:
            gateway = Running(settings)
            await stack.enter_async_context(gateway.app.router.lifespan_context(gateway.app))
            await stack.enter_async_context(gateway.client)
            return gateway

        yield open_one


CALLERS = {"known": Caller("0x" + "ab" * 20), "operator": Caller("ops", operator=True)}


@pytest.fixture(autouse=True)
def tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens that are good without a login."""
    monkeypatch.setattr(Access, "known", lambda _, header: CALLERS.get(header.removeprefix("Bearer ")))


def at(gateway: Running, host: str, token: str | None = None) -> httpx.AsyncClient:
    """A client at another address, perhaps with a token."""
    transport = httpx.ASGITransport(gateway.app, client=(host, 50_000))
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000", headers=headers)


async def test_every_answer_says_what_is_left(opened: Open) -> None:
    gateway = await opened(Settings())
    rest = "/v1/sla/gpu/metrics"
    for path in ("/", "/nothing", "/graphql?query={__typename}", "/graphql?query={", rest, f"{rest}?limit=x", "/docs"):
        answer = await gateway.client.get(path)
        assert answer.headers["ratelimit-policy"] == '"requests";q=100;w=1, "cost";q=300000;w=60', path
        assert re.fullmatch(r'"requests";r=\d+;t=1, "cost";r=\d+;t=\d+', answer.headers["ratelimit"]), path


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_what_watches_the_gateway_is_not_counted(opened: Open, path: str) -> None:
    gateway = await opened(replace(SMALL, rates=Tiers(1, 1, 1)))

    answers = [await gateway.client.get(path) for _ in range(5)]

    assert all(answer.status_code != 429 and "ratelimit" not in answer.headers for answer in answers)


async def test_graphql_and_rest_pay_from_one_budget(opened: Open) -> None:
    gateway = await opened(SMALL)

    first = await gateway.client.get("/v1/sla/gpu/metrics?limit=50")
    second = await gateway.client.post("/graphql", json={"query": "{__typename}"})

    # Nothing was answered, so that only the requests are paid, 1 each, and a read.
    assert first.headers["ratelimit"].startswith('"cost";r=1499;')
    assert second.json()["extensions"]["cost"]["remaining"] == 1498


async def test_an_empty_budget_is_429_with_the_time_to_wait(opened: Open) -> None:
    gateway = await opened(replace(SMALL, budgets=Tiers(2_300, 10_000, 0)))
    seen, gateway.store.seen = gateway.store.seen, broken  # type: ignore[method-assign]
    failed = await gateway.client.post("/graphql", **ASK)
    # What failed is not given back.
    assert failed.json()["extensions"]["cost"] | {"resetAt": ""} == {
        "requested": 1_152, "actual": 1_152, "remaining": 1_148, "resetAt": ""
    }  # fmt: skip

    graph = await gateway.client.post("/graphql", **ASK)
    rest = await gateway.client.get("/v1/sla/gpu/metrics?limit=100")

    assert (graph.status_code, graph.json()["errors"][0]["extensions"]["code"]) == (429, "RATE_LIMITED")
    assert "data" not in graph.json()
    assert graph.json()["extensions"]["cost"]["remaining"] == 1_147
    assert "first: 48 would fit" in graph.json()["errors"][0]["message"]
    assert (rest.status_code, rest.json()["code"]) == (429, "RATE_LIMITED")
    assert "smaller limit" in rest.json()["detail"]
    for answer in (graph, rest):
        assert 1 <= int(answer.headers["retry-after"]) <= 120
    assert 'naap_refused_total{budget="cost"} 2.0' in (await gateway.client.get("/metrics")).text
    # Another address, and a caller with a token at this one, are served; an operator has no limit here.
    gateway.store.seen = seen  # type: ignore[method-assign]
    other = await at(gateway, "10.0.0.2").post("/graphql", **ASK)
    known = await at(gateway, "127.0.0.1", "known").post("/graphql", **ASK)
    operator = await at(gateway, "127.0.0.1", "operator").post("/graphql", **ASK)
    assert [one.status_code for one in (other, known, operator)] == [200, 200, 200]
    assert known.headers["ratelimit-policy"] == '"cost";q=10000;w=60'
    assert "ratelimit" not in operator.headers


async def broken(_: object) -> object:
    raise RuntimeError("broken")


async def test_an_estimate_runs_nothing(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = await opened(SMALL)
    monkeypatch.setattr(gateway.store, "rows", broken)
    header = {"X-Naap-Estimate": "cost"}

    graph = (await gateway.client.post("/graphql", headers=header, **ASK)).json()
    rest = (await gateway.client.get("/v1/sla/gpu/metrics?limit=20", headers=header)).json()

    assert (graph["data"], graph["extensions"]["cost"]["requested"], graph["extensions"]["cost"]["actual"]) == (
        None,
        1_152,
        1,
    )
    assert (rest["cost"]["requested"], rest["cost"]["actual"], rest["cost"]["remaining"]) == (701, 1, 1_998)
    for path in ("/graphql?query={__typename}", "/v1/sla/gpu/metrics"):
        wrong = await gateway.client.get(path, headers={"X-Naap-Estimate": "time"})
        assert wrong.status_code == 400
        assert "X-Naap-Estimate must be cost" in wrong.text


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "expected"),
    [
        ("9.9.9.9", [], 0, "9.9.9.9"),
        ("9.9.9.9", ["1.1.1.1"], 0, "9.9.9.9"),  # nobody is trusted
        ("9.9.9.9", ["6.6.6.6, 1.1.1.1"], 1, "1.1.1.1"),  # what stands left is the caller's tale
        ("9.9.9.9", ["6.6.6.6", "1.1.1.1"], 1, "1.1.1.1"),
        ("9.9.9.9", ["6.6.6.6, 1.1.1.1, 2.2.2.2"], 2, "1.1.1.1"),
        ("9.9.9.9", ["1.1.1.1"], 2, "9.9.9.9"),  # did not come through both
        ("9.9.9.9", ["unknown"], 1, "9.9.9.9"),
        ("9.9.9.9", ["1.1.1.1:4711"], 1, "1.1.1.1"),
        ("9.9.9.9", ["[2001:db8:1:2:3:4:5:6]:443"], 1, "2001:db8:1:2::/64"),
        ("2001:db8:1:2::77", [], 0, "2001:db8:1:2::/64"),
        ("fe80::1%eth0", [], 0, "fe80::/64"),
        ("::ffff:9.9.9.9", [], 0, "9.9.9.9"),
        (None, [], 0, "unknown"),
        ("testclient", [], 0, "unknown"),
    ],
)
def test_an_address_is_what_our_first_proxy_saw(peer, forwarded, proxies, expected) -> None:
    assert counted(caller_address(peer, forwarded, proxies)) == expected


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        (['for=6.6.6.6, for="[2001:db8::1]:80";proto=https'], "2001:db8::/64"),
        (["for=1.1.1.1;by=2.2.2.2"], "1.1.1.1"),
        (["by=2.2.2.2"], "9.9.9.9"),
        (["for=_hidden"], "9.9.9.9"),
    ],
)
def test_a_proxy_may_say_it_as_rfc_7239_does(forwarded, expected) -> None:
    assert counted(caller_address("9.9.9.9", forwarded, 1, is_rfc7239=True)) == expected


async def test_callers_behind_a_trusted_proxy_are_told_apart(opened: Open) -> None:
    gateway = await opened(replace(SMALL, trusted_proxies=1, rates=Tiers(2, 2, 2)))

    async def ask(told: str) -> int:
        return (await gateway.client.get("/", headers={"X-Forwarded-For": told, "Accept": "*/*"})).status_code

    assert [await ask(f"{n}.6.6.6, 1.1.1.1") for n in range(4)][-1] == 429
    assert await ask("1.1.1.1, 2.2.2.2") == 200


async def test_gateways_that_share_a_redis_share_budgets_and_serve_without_it() -> None:
    port = free_port()
    settings = replace(SMALL, redis_url=f"redis://127.0.0.1:{port}/0")
    one, other = Running(settings), Running(settings)
    async with one.client, other.client:
        with redis_server(port):
            for gateway in (one, other):
                await gateway.client.get("/v1/sla/datasets")
            shared = await one.client.get("/")
            assert '"cost";r=1997;' in shared.headers["ratelimit"]
            assert "naap_budget_alone 0.0" in (await one.client.get("/metrics")).text
        alone = await one.client.get("/v1/sla/gpu/metrics?limit=5")
        assert (alone.status_code, '"cost";r=1499;' in alone.headers["ratelimit"]) == (200, True)
        assert "naap_budget_alone 1.0" in (await one.client.get("/metrics")).text


def test_the_application_can_be_built_without_a_redis_there() -> None:
    build_app(Running(replace(SMALL, redis_url="redis://127.0.0.1:1/0")).parts)


async def test_a_long_document_that_is_refused_or_estimated_is_paid_by_its_length(opened: Open) -> None:
    gateway = await opened(SMALL)
    wrong = {"query": "{ network { " + " ".join(f"x{n}" for n in range(1_000)) + " } }"}
    right = {"query": "{ __typename }" + " " * 6_000}
    by_length = (len(wrong["query"]) - 2_000) // 20

    refused = (await gateway.client.post("/graphql", json=wrong)).json()
    answered = (await gateway.client.post("/graphql", json=right)).json()
    header = {"X-Naap-Estimate": "cost"}
    estimated = (await gateway.client.post("/graphql", json=right, headers=header)).json()

    assert refused["extensions"]["cost"]["actual"] == 1 + by_length > 100
    assert (answered["extensions"]["cost"]["requested"], answered["extensions"]["cost"]["actual"]) == (1, 1)
    assert estimated["extensions"]["cost"]["actual"] == 1 + (len(right["query"]) - 2_000) // 20
    statuses = [(await gateway.client.post("/graphql", json=wrong)).status_code for _ in range(20)]
    assert 429 in statuses
