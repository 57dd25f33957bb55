"""What is about the caller (viewer, tokens, delegations) is told to that caller alone: two callers, every field."""

from datetime import timedelta
from typing import Any

from graphql import GraphQLInterfaceType, GraphQLObjectType, GraphQLUnionType, get_named_type

from graph.node import global_id
from graph.schema import build_schema
from tests.auth.wallet import Wallet
from tests.gateway.conftest import NOW, Running
from tests.gateway.test_login import ALICE, BOB, bearer, graphql, login, post
from tests.graph.test_rights import ONESELF

EVE = Wallet(3)
GRAPH = build_schema()._schema
DELEGATION = "id orchestrator delegate scopes issuedAt expiresAt revokedAt"
VIEWER = (
    f"{{ viewer {{ subject wallet roles scopes orchestrators gateways expiresAt delegations {{ {DELEGATION} }} }} }}"
)
REVOKE = f"mutation ($id: ID!) {{ revokeDelegation(id: $id) {{ {DELEGATION} }} }}"


def fields(type_name: str) -> set[str]:
    type_: Any = GRAPH.type_map[type_name]
    return set(type_.fields)


async def delegated(running: Running, giver: Wallet, taker: Wallet, token: str) -> dict[str, Any]:
    """A delegation that is handed in."""
    access = running.parts.access
    given = access.grants.draft(giver.address, taker.address, ["earnings:read"], NOW + timedelta(days=3))
    body = {
        "orchestrator": giver.address, "delegate": taker.address, "scopes": ["earnings:read"],
        "issued_at": given.issued_at.isoformat(), "expires_at": given.expires_at.isoformat(),
        "signature": giver.sign_digest(given.digest(access.site)),
    }  # fmt: skip
    kept: dict[str, Any] = (await post(running.client, "/auth/delegations", body, token)).json()
    return kept


def test_these_types_are_reached_from_the_caller_only() -> None:
    found = set()
    for name, type_ in GRAPH.type_map.items():
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            found |= {
                f"{name}.{field}" for field, one in type_.fields.items() if get_named_type(one.type).name in ONESELF
            }
        if isinstance(type_, GraphQLObjectType) and name in ONESELF:
            assert type_.interfaces == ()
        if isinstance(type_, GraphQLUnionType):
            assert not {one.name for one in type_.types} & ONESELF

    mutations = {f"Mutation.{name}" for name in fields("Mutation") if name != "logout"}
    assert found == {"Query.viewer", "Viewer.delegations", *mutations}
    assert fields("Viewer") | fields("Delegation") == {word.strip("{}") for word in VIEWER.split()} - {"", "viewer"}


async def test_each_is_told_its_own_and_nothing_of_the_other(running: Running) -> None:
    client = running.client
    alice, bob, eve = [await login(client, wallet) for wallet in (ALICE, BOB, EVE)]
    kept = await delegated(running, ALICE, EVE, alice["access_token"])
    own = {name: (await graphql(client, VIEWER, one["access_token"]))["data"]["viewer"]
           for name, one in (("alice", alice), ("bob", bob), ("eve", eve))}  # fmt: skip
    none = (await graphql(client, VIEWER))["data"]["viewer"]

    assert none is None
    assert (own["alice"]["wallet"], own["alice"]["orchestrators"]) == (ALICE.address, [ALICE.address])
    assert [one["id"] for one in own["alice"]["delegations"]] == [kept["id"]]
    assert own["eve"]["delegations"] == own["alice"]["delegations"]
    for secret in (ALICE.address, EVE.address, kept["id"]):
        assert secret not in str(own["bob"])
    assert BOB.address not in str([own["alice"], own["eve"]])
    assert own["bob"]["delegations"] == []


async def test_what_is_anothers_cannot_be_named_changed_or_told_from_nothing(running: Running) -> None:
    client = running.client
    alice, bob = [await login(client, wallet) for wallet in (ALICE, BOB)]
    kept = await delegated(running, ALICE, EVE, alice["access_token"])
    answers = []
    for id in (kept["id"], "0" * 64):
        answer = await graphql(client, REVOKE, bob["access_token"], id=id)
        by_rest = await client.delete("/auth/delegations", params={"id": id}, headers=bearer(bob["access_token"]))
        answers.append((answer["data"], answer["errors"][0]["extensions"]["code"], by_rest.status_code))
        assert (await client.delete("/auth/delegations", params={"id": id})).status_code == 401
    assert answers[0] == answers[1] == ({"revokeDelegation": None}, "NOT_FOUND", 404)
    for type_name in sorted(ONESELF):
        node = await graphql(client, "query ($id: ID!) { node(id: $id) { id } }", bob["access_token"],
                             id=global_id(type_name, kept["id"]))  # fmt: skip
        assert (node.get("data") or {}).get("node") is None

    still = (await graphql(client, VIEWER, alice["access_token"]))["data"]["viewer"]["delegations"]
    assert [one["revokedAt"] for one in still] == [None]


async def test_revoking_one_leaves_the_others(running: Running) -> None:
    alice = (await login(running.client, ALICE))["access_token"]
    first, second = [await delegated(running, ALICE, taker, alice) for taker in (BOB, EVE)]
    await graphql(running.client, REVOKE, alice, id=first["id"])

    left = (await graphql(running.client, VIEWER, alice))["data"]["viewer"]["delegations"]
    assert [one["id"] for one in left] == [second["id"]]


async def test_tokens_are_told_to_whoever_signed_and_once(running: Running) -> None:
    client = running.client
    alice, bob = [await login(client, wallet) for wallet in (ALICE, BOB)]
    tokens = [alice["access_token"], alice["refresh_token"]]
    said = [
        await graphql(client, VIEWER, alice["access_token"]),
        await graphql(client, VIEWER, bob["access_token"]),
        (await client.get("/auth/delegations", headers=bearer(alice["access_token"]))).json(),
        (await client.get("/metrics")).text,
    ]
    assert [token for token in tokens if token in str(said)] == []
    # Signing out with nothing of hers ends nothing of hers.
    await graphql(client, 'mutation { logout(refreshToken: "x") }', bob["access_token"])
    await graphql(client, "mutation { logout }", bob["access_token"])
    assert (await graphql(client, VIEWER, alice["access_token"]))["data"]["viewer"]["wallet"] == ALICE.address
    assert (
        await client.post("/graphql", json={"query": VIEWER}, headers=bearer(bob["access_token"]))
    ).status_code == 401
