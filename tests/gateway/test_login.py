"""Signing in over HTTP and GraphQL: what a client sends and gets, who the gateway takes it for, and what that costs."""

import json
import statistics
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from auth.access_token import TYPE
from auth.audit import LOGGER
from auth.caller import Role, Scope
from auth.signing import SigningKey
from gateway.settings import Settings
from tests.auth.wallet import Wallet
from tests.gateway.conftest import NOW, Running

ALICE, BOB = Wallet(1), Wallet(2)
VIEWER = "{ viewer { subject wallet roles scopes orchestrators gateways expiresAt } }"
LOGIN = "mutation ($m: String!, $s: String!) { login(message: $m, signature: $s) { accessToken refreshToken wallet } }"


async def post(client: httpx.AsyncClient, path: str, body: Any = None, token: str | None = None) -> httpx.Response:
    return await client.post(path, json=body, headers=bearer(token))


def bearer(token: str | None) -> dict[str, str]:
    return {} if token is None else {"Authorization": f"Bearer {token}"}


async def login(client: httpx.AsyncClient, wallet: Wallet = ALICE, **more: object) -> dict[str, Any]:
    """The tokens of a wallet that signs in, as a client does it."""
    asked = (await post(client, "/auth/nonce", {"address": wallet.address})).json()
    signed = {"message": asked["message"], "signature": wallet.sign(asked["message"]), **more}
    answer = await post(client, "/auth/login", signed)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    tokens: dict[str, Any] = answer.json()
    return tokens


async def graphql(client: httpx.AsyncClient, query: str, token: str | None = None, **variables: object) -> Any:
    answer = await client.post("/graphql", json={"query": query, "variables": variables}, headers=bearer(token))
    return answer.json()


async def test_a_wallet_signs_in_and_is_the_viewer(running: Running) -> None:
    tokens = await login(running.client)

    assert (await graphql(running.client, VIEWER, tokens["access_token"]))["data"]["viewer"] == {
        "subject": ALICE.address,
        "wallet": ALICE.address,
        "roles": ["GATEWAY", "ORCHESTRATOR"],
        "scopes": ["earnings:read", "incidents:read", "payments:read", "sessions:read", "standing:read"],
        "orchestrators": [ALICE.address],
        "gateways": [ALICE.address],
        "expiresAt": "2026-01-09T14:15:00Z",
    }
    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_at"] == "2026-01-09T14:15:00Z"


async def test_nobody_is_nobody(running: Running) -> None:
    assert (await graphql(running.client, VIEWER))["data"] == {"viewer": None}


async def test_the_nonce_comes_with_all_that_a_message_needs(running: Running) -> None:
    told = (await post(running.client, "/auth/nonce")).json()

    assert told["nonce"].isalnum()
    assert told | {"nonce": ""} == {
        "nonce": "", "expires_at": "2026-01-09T14:10:00Z", "domain": "127.0.0.1:8000", "uri": "http://127.0.0.1:8000",
        "chain_id": 42161, "message": None, "version": "1",
    }  # fmt: skip


async def test_tokens_are_renewed_and_ended_also_with_an_old_token_sent_along(running: Running) -> None:
    first = await login(running.client)
    renewed = await post(running.client, "/auth/refresh", {"refresh_token": first["refresh_token"]}, "expired.or.other")
    second = renewed.json()
    assert (await post(running.client, "/auth/logout", None, second["access_token"])).json() == {"signed_in": False}

    gone = await post(running.client, "/auth/refresh", {"refresh_token": second["refresh_token"]})
    assert (gone.status_code, gone.json()["code"]) == (401, "UNAUTHENTICATED")


PLACES = (
    ("GET", "/graphql?query={__typename}"),
    ("POST", "/graphql"),
    ("GET", "/v1/sla/datasets"),
    ("POST", "/v1/events"),
    ("GET", "/healthz"),
    ("GET", "/nothing"),
    ("GET", "/auth/delegations"),
)


@pytest.mark.parametrize("token", ["xxxxxxxx", "aaaa.bbbb.cccc", "naap_0000000000000000_" + "A" * 43])
async def test_a_bad_token_is_told_wherever_it_is_sent(running: Running, token: str) -> None:
    for method, path in PLACES:
        answer = await running.client.request(method, path, headers=bearer(token))

        assert answer.status_code == 401, path
        assert answer.headers["www-authenticate"] == 'Bearer realm="naap-gateway", error="invalid_token"'
        told = answer.json()["errors"][0]["extensions"] if path.startswith("/graphql") else answer.json()
        assert told["code"] == "UNAUTHENTICATED"
        assert token not in answer.text


async def test_a_token_of_another_audience_is_refused_by_the_whole_gateway(running: Running) -> None:
    import jwt

    key: SigningKey = running.parts.access.keys.current
    at = int(NOW.timestamp())
    claims = {
        "iss": "http://127.0.0.1:8000", "aud": "https://other.example", "sub": "x", "exp": at + 60, "nbf": at,
        "iat": at, "jti": "x", "scope": "",
    }  # fmt: skip
    token = jwt.encode(claims, key.private, key.algorithm, {"kid": key.kid, "typ": TYPE})
    answer = await running.client.get("/v1/sla/datasets", headers=bearer(token))

    assert (answer.status_code, answer.json()["detail"]) == (
        401, "the token is for another gateway; here it must be http://127.0.0.1:8000's.",
    )  # fmt: skip


WRONG = (
    ("/auth/nonce", {"address": "0x1"}, "address"),
    ("/auth/nonce", {"wallet": "0x1"}, "wallet"),
    ("/auth/nonce", [], "body"),
    ("/auth/login", {"message": "hello"}, "signature"),
    ("/auth/login", {"message": 5, "signature": ""}, "message"),
    ("/auth/login", {"message": "hello", "signature": "0x"}, "message"),
    ("/auth/login", {"message": "x", "signature": "0x", "scopes": "earnings:read"}, "scopes"),
    ("/auth/login", {"message": "x", "signature": "0x", "scopes": ["x"] * 33}, "scopes"),
    ("/auth/refresh", {}, "refresh_token"),
    ("/auth/logout", {}, "refresh_token"),
)


async def test_a_wrong_body_names_what_is_wrong(running: Running) -> None:
    for path, body, argument in WRONG:
        answer = await post(running.client, path, body)
        assert answer.status_code == 400, body
        assert (answer.json()["code"], answer.json()["argument"]) == ("BAD_REQUEST", argument)


async def test_bodies_are_bounded_and_json(running: Running) -> None:
    large = await post(running.client, "/auth/login", {"message": "x" * 20_000, "signature": ""})
    form = await running.client.post("/auth/login", data={"message": "x"})
    broken = await running.client.post("/auth/login", content=b"{", headers={"Content-Type": "application/json"})

    assert [one.status_code for one in (large, form, broken)] == [413, 400, 400]
    assert form.json()["argument"] == "Content-Type"


async def test_a_delegation_is_drafted_signed_handed_in_listed_and_revoked(running: Running) -> None:
    client = running.client
    asked = {
        "orchestrator": ALICE.address, "delegate": BOB.address, "scope": "earnings:read payments:read",
        "expires_at": "2026-02-01T00:00:00Z",
    }  # fmt: skip
    draft = (await client.get("/auth/delegations/draft", params=asked)).json()
    given = running.parts.access.grants.draft(
        ALICE.address, BOB.address, asked["scope"].split(), NOW + timedelta(days=22, hours=10)
    )
    assert draft["typed_data"] == given.typed_data(running.parts.access.site)
    body = {
        "orchestrator": ALICE.address, "delegate": BOB.address, "scopes": asked["scope"].split(),
        "issued_at": draft["issued_at"], "expires_at": asked["expires_at"],
        "signature": ALICE.sign_digest(given.digest(running.parts.access.site)),
    }  # fmt: skip
    bob = (await login(client, BOB))["access_token"]
    kept = (await post(client, "/auth/delegations", body, bob)).json()
    assert (kept["orchestrator"], kept["revoked_at"]) == (ALICE.address, None)

    acting = await login(client, BOB, orchestrator=ALICE.address)
    assert (acting["orchestrators"], acting["scopes"]) == ([ALICE.address], ["earnings:read", "payments:read"])
    assert (await client.get("/auth/delegations", headers=bearer(bob))).json() == {"data": [kept]}
    gone = await client.delete("/auth/delegations", params={"id": kept["id"]}, headers=bearer(bob))
    assert gone.json()["revoked_at"] == "2026-01-09T14:00:00Z"
    after = await client.post("/graphql", json={"query": VIEWER}, headers=bearer(acting["access_token"]))
    assert after.status_code == 401


async def test_all_of_it_works_in_graphql(running: Running) -> None:
    client, site = running.client, running.parts.access.site
    asked = await graphql(
        client,
        f'mutation {{ requestNonce(address: "{BOB.address}") {{ nonce message domain uri chainId }} }}',
    )
    message = asked["data"]["requestNonce"]["message"]
    tokens = (await graphql(client, LOGIN, m=message, s=BOB.sign(message)))["data"]["login"]
    again = await graphql(client, LOGIN, m=message, s=BOB.sign(message))
    assert again["data"] == {"login": None}
    assert again["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"

    given = running.parts.access.grants.draft(ALICE.address, BOB.address, ["earnings:read"], NOW + timedelta(days=1))
    kept = await graphql(
        client,
        "mutation ($o: Address!, $d: Address!, $g: String!) { delegate(orchestrator: $o, delegate: $d, "
        'scopes: ["earnings:read"], issuedAt: "2026-01-09T14:00:00Z", expiresAt: "2026-01-10T14:00:00Z", '
        "signature: $g) { id } }",
        tokens["accessToken"],
        o=ALICE.address, d=BOB.address, g=ALICE.sign_digest(given.digest(site)),
    )  # fmt: skip
    id = kept["data"]["delegate"]["id"]
    mine = "{ viewer { delegations { id orchestrator delegate scopes issuedAt expiresAt revokedAt } } }"
    listed = await graphql(client, mine, tokens["accessToken"])
    assert listed["data"]["viewer"]["delegations"][0]["id"] == id
    revoke = f'mutation {{ revokeDelegation(id: "{id}") {{ revokedAt }} }}'
    assert (await graphql(client, revoke))["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert (await graphql(client, revoke, tokens["accessToken"]))["data"]["revokeDelegation"]["revokedAt"]

    renewed = await graphql(
        client, "mutation ($t: String!) { refresh(refreshToken: $t) { accessToken } }", t=tokens["refreshToken"]
    )
    access = renewed["data"]["refresh"]["accessToken"]
    assert (await graphql(client, "mutation { logout }", access))["data"] == {"logout": True}
    ended = await client.post("/graphql", json={"query": VIEWER}, headers=bearer(access))
    assert ended.status_code == 401


async def test_no_mutation_is_ever_a_link(running: Running) -> None:
    answer = await running.client.get("/graphql", params={"query": "mutation { requestNonce { nonce } }"})

    assert "nonce" not in answer.text
    assert answer.json()["errors"][0]["message"] == "a mutation cannot be asked for this way: send it by POST."


async def test_our_keys_are_published(running: Running) -> None:
    answer = await running.client.get("/.well-known/jwks.json")

    assert answer.json() == running.parts.access.keys.jwks(NOW)
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert "d" not in answer.json()["keys"][0]


@pytest.fixture
async def guarded() -> AsyncIterator[Running]:
    gateway = Running(Settings(operator_token="an-operators-token"))
    async with gateway.app.router.lifespan_context(gateway.app), gateway.client:
        yield gateway


async def test_events_take_the_operators_token_and_a_machines_with_the_scope(guarded: Running) -> None:
    issue = guarded.parts.access.machines.issue
    _, writer = issue("kafka", "key", Role.OPERATOR, [], frozenset({Scope.EVENTS}), timedelta(days=1), NOW)
    _, reader = issue("prom", "jwt", Role.OPERATOR, [], frozenset({Scope.PLAN}), timedelta(days=1), NOW)
    tokens = ("an-operators-token", writer, reader, (await login(guarded.client))["access_token"], None)

    answers = [(await guarded.client.post("/v1/events", headers=bearer(one))).status_code for one in tokens]
    assert answers == [200, 200, 403, 403, 401]


async def test_what_is_forbidden_is_told_the_audit_log(guarded: Running, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger=LOGGER)
    token = (await login(guarded.client))["access_token"]
    caplog.clear()
    await guarded.client.post("/v1/events", headers=bearer(token))

    (line,) = [json.loads(one.getMessage()) for one in caplog.records if one.name == LOGGER]
    assert (line["event"], line["client"], line["subject"], line["what"]) == (
        "forbidden", "127.0.0.0/24", ALICE.address, "/v1/events",
    )  # fmt: skip


async def test_knowing_who_asks_costs_less_than_a_tenth_of_a_millisecond(
    running: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    access, header = running.parts.access, f"Bearer {(await login(running.client))['access_token']}"
    await access.caller(header)

    def one() -> float:
        begun = time.perf_counter()
        for _ in range(100):
            assert access.known(header) is not None
        return (time.perf_counter() - begun) * 10  # milliseconds of one

    again = []
    for _ in range(50):
        access.forget()
        begun = time.perf_counter()
        await access.caller(header)
        again.append((time.perf_counter() - begun) * 1000)
    median_ms, first_ms = statistics.median(one() for _ in range(50)), statistics.median(again)
    with capsys.disabled():
        print(
            f"\nwho asks: median {median_ms:.4f} ms for a known token; {first_ms:.2f} ms once in 5 s, beside the loop"
        )
    assert median_ms < 0.1
