"""Who tries too often to sign in, or with bad tokens, is held back; whoever else asks is not."""

import json
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from auth.audit import LOGGER
from auth.budget import Tiers
from gateway.settings import Settings
from graph.schema import build_schema
from rest.login import LOGIN_OPERATIONS
from tests.auth.wallet import Wallet
from tests.gateway.conftest import Running

FEW = Settings(nonces_per_minute=2, logins_per_minute=2, refreshes_per_minute=2)
BAD = {"Authorization": "Bearer aaaa.bbbb.cccc"}
A, B = Wallet(1).address, Wallet(2).address
MOMENTS = {"issued_at": "2026-01-09T14:00:00Z", "expires_at": "2026-02-01T00:00:00Z"}
SIGNATURE = "0x" + "00" * 65
REST: dict[str, tuple[str, str, Any]] = {
    "nonce": ("POST", "/auth/nonce", {}),
    "login": ("POST", "/auth/login", {"message": "x", "signature": SIGNATURE}),
    "refresh": ("POST", "/auth/refresh", {"refresh_token": "x"}),
    "logout": ("POST", "/auth/logout", {"refresh_token": "x"}),
    "delegate": (
        "POST",
        "/auth/delegations",
        {"orchestrator": A, "delegate": B, "scopes": [], "signature": SIGNATURE, **MOMENTS},
    ),
    "revoke_delegation": ("DELETE", f"/auth/delegations?id={'0' * 64}", None),
}
GRAPH = {
    "nonce": "requestNonce { nonce }",
    "login": f'login(message: "x", signature: "{SIGNATURE}") {{ wallet }}',
    "refresh": 'refresh(refreshToken: "x") { wallet }',
    "logout": 'logout(refreshToken: "x")',
    "delegate": f'delegate(orchestrator: "{A}", delegate: "{B}", scopes: [], signature: "{SIGNATURE}", '
    f'issuedAt: "{MOMENTS["issued_at"]}", expiresAt: "{MOMENTS["expires_at"]}") {{ id }}',
    "revoke_delegation": f'revokeDelegation(id: "{"0" * 64}") {{ id }}',
}


@pytest.fixture
async def gateway() -> AsyncIterator[Running]:
    running = Running(FEW)
    async with running.app.router.lifespan_context(running.app), running.client:
        yield running


def at(gateway: Running, host: str) -> httpx.AsyncClient:
    """A client with an address of its own."""
    transport = httpx.ASGITransport(gateway.app, client=(host, 50_000))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000")


def codes(answer: httpx.Response) -> list[str]:
    return [error["extensions"]["code"] for error in answer.json().get("errors", [])]


def test_every_way_to_change_something_is_tried_here() -> None:
    assert {one.name for one in LOGIN_OPERATIONS if one.method != "GET"} == REST.keys() == GRAPH.keys()
    assert len(build_schema()._schema.mutation_type.fields) == len(GRAPH)  # type: ignore[union-attr]


@pytest.mark.parametrize("name", REST)
async def test_an_address_tries_so_often_a_minute_by_rest_and_graph_together(gateway: Running, name: str) -> None:
    method, path, body = REST[name]
    by_graph = {"query": f"mutation {{ {GRAPH[name]} }}"}

    first = await gateway.client.request(method, path, json=body)
    second = await gateway.client.post("/graphql", json=by_graph)
    third = await gateway.client.request(method, path, json=body)
    fourth = await gateway.client.post("/graphql", json=by_graph)

    assert first.status_code != 429
    assert "RATE_LIMITED" not in codes(second)
    assert (third.status_code, third.headers["content-type"]) == (429, "application/problem+json")
    assert third.json()["code"] == "RATE_LIMITED"
    assert 1 <= int(third.headers["retry-after"]) <= 60
    assert "2 a minute" in third.json()["detail"]
    assert codes(fourth) == ["RATE_LIMITED"]
    assert 1 <= fourth.json()["errors"][0]["extensions"]["retryAfterSeconds"] <= 60
    async with at(gateway, "10.0.0.2") as other:
        assert (await other.request(method, path, json=body)).status_code != 429


async def test_aliases_and_batches_are_tries_each(gateway: Running) -> None:
    document = {"query": "mutation { " + " ".join(f"a{n}: {GRAPH['login']}" for n in range(5)) + " }"}

    assert codes(await gateway.client.post("/graphql", json=document)).count("RATE_LIMITED") == 3
    batch = (await gateway.client.post("/graphql", json=[document, document])).json()
    assert [error["extensions"]["code"] for one in batch for error in one["errors"]] == ["RATE_LIMITED"] * 10


async def test_an_ipv6_network_is_one_address_and_no_limit_is_none(gateway: Running) -> None:
    statuses = []
    for n in range(3):
        async with at(gateway, f"2001:db8::{n + 1}") as one:
            statuses.append((await one.post("/auth/nonce")).status_code)
    assert statuses == [200, 200, 429]

    free = Running(replace(FEW, nonces_per_minute=0))
    assert {(await free.client.post("/auth/nonce")).status_code for _ in range(5)} == {200}


async def test_slowapis_own_variables_and_words_are_not_heard(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("RATELIMIT_ENABLED", "false")
    gateway = Running(FEW)

    assert [(await gateway.client.post("/auth/nonce")).status_code for _ in range(3)] == [200, 200, 429]
    assert not [one for one in caplog.records if one.name == "slowapi"]


SECRET = "an operator's secret"
GOOD = {"Authorization": f"Bearer {SECRET}"}


async def tried(settings: Settings) -> tuple[list[httpx.Response], int]:
    """The answers to ten bad tokens, and how many of them were looked at."""
    gateway, looks = Running(settings), 0
    caller = gateway.parts.access.caller

    async def counting(header: str | None) -> Any:
        nonlocal looks
        looks += 1
        return await caller(header)

    gateway.parts.access.caller = counting  # type: ignore[method-assign]
    return [await gateway.client.get(path, headers=BAD) for path in ("/healthz", "/graphql") * 5], looks


async def test_bad_tokens_are_counted_and_beyond_a_number_not_looked_at() -> None:
    answers, looks = await tried(Settings(rates=Tiers(3, 50, 50)))
    statuses = [one.status_code for one in answers]
    held = next(one for one in answers if one.status_code == 429)

    assert statuses[:3] == [401] * 3
    assert statuses.count(401) == looks < 10
    assert answers[0].headers["ratelimit-policy"] == '"refusals";q=3;w=1'
    assert answers[0].headers["ratelimit"].startswith('"refusals";r=2;')
    assert int(held.headers["retry-after"]) >= 1

    answers, looks = await tried(Settings(rates=Tiers(0, 50, 50)))
    assert ({one.status_code for one in answers}, looks) == ({401}, 10)
    assert "ratelimit" not in answers[0].headers


async def test_a_good_token_costs_no_refusal_and_needs_none_of_what_strangers_spend() -> None:
    gateway = Running(Settings(rates=Tiers(2, 50, 50), operator_token=SECRET))
    for _ in range(4):
        gateway.parts.access.forget()
        assert (await gateway.client.get("/", headers=GOOD)).status_code == 200
    assert 429 in [(await gateway.client.get("/")).status_code for _ in range(20)]
    gateway.parts.access.forget()

    assert (await gateway.client.get("/", headers=GOOD)).status_code == 200


@pytest.mark.parametrize(
    ("proxies", "sent", "network"),
    [(0, "6.6.6.6, 198.51.100.7", "10.0.0.0/24"), (1, "6.6.6.6, 198.51.100.7", "198.51.100.0/24"),
     (1, "2001:db8:1:2:3::4", "2001:db8:1::/48")],
)  # fmt: skip
async def test_the_audit_log_tells_the_address_that_our_proxies_saw(
    caplog: pytest.LogCaptureFixture, proxies: int, sent: str, network: str
) -> None:
    gateway = Running(Settings(trusted_proxies=proxies))
    headers = {"X-Forwarded-For": sent}
    with caplog.at_level(logging.INFO, LOGGER):
        async with at(gateway, "10.0.0.9") as client:
            await client.get("/", headers={**headers, **BAD})
            await client.get("/auth/delegations", headers=headers)
            await client.post("/auth/refresh", json={"refresh_token": "x"}, headers=headers)
            await client.post("/graphql", json={"query": f"mutation {{ {GRAPH['refresh']} }}"}, headers=headers)
    told = [json.loads(one.getMessage()) for one in caplog.records if one.name == LOGGER]

    assert [one["event"] for one in told] == ["token_refused", "forbidden", "refresh_refused", "refresh_refused"]
    assert {one["client"] for one in told} == {network}
