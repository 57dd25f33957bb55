"""SQL in every text that the door takes, by REST and by mutations: a wrong text like any other, logins as before."""

from collections.abc import AsyncIterator
from copy import deepcopy
from typing import Any

import pytest
from sqlalchemy import event

from auth.budget import Tiers
from gateway.settings import Settings
from rest.login import LOGIN_OPERATIONS
from tests.auth.wallet import Wallet
from tests.gateway.conftest import Running
from tests.gateway.test_injection import HARMLESS, PAYLOADS
from tests.gateway.test_login import BOB, bearer, graphql, login, post
from tests.gateway.test_turnstile import GRAPH, MOMENTS, REST, SIGNATURE, A, B

FREE = Settings(
    rates=Tiers(0, 0, 0), budgets=Tiers(0, 0, 0), nonces_per_minute=0, logins_per_minute=0, refreshes_per_minute=0
)
ALL = {"scopes": ["earnings:read"], "orchestrator": A}
BODIES = {name: {**REST[name][2], **(ALL if name in ("login", "delegate") else {})} for name in REST if REST[name][2]}
BODIES["nonce"] = {"address": A}
# Each argument of each mutation, and a document that has it as a variable.
ARGUMENTS = {
    "requestNonce": {"address": A},
    "login": {"message": "x", "signature": SIGNATURE, "scopes": ["earnings:read"], "orchestrator": A},
    "refresh": {"refreshToken": "x"},
    "logout": {"refreshToken": "x"},
    "delegate": {
        "orchestrator": A, "delegate": B, "scopes": ["earnings:read"], "signature": SIGNATURE,
        "issuedAt": MOMENTS["issued_at"], "expiresAt": MOMENTS["expires_at"],
    },
    "revokeDelegation": {"id": "0" * 64},
}  # fmt: skip
TYPES = {
    "address": "Address", "orchestrator": "Address", "delegate": "Address!", "scopes": "[String!]!", "id": "ID!",
    "issuedAt": "DateTime!", "expiresAt": "DateTime!",
}  # fmt: skip


@pytest.fixture
async def door() -> AsyncIterator[Running]:
    running = Running(FREE)
    async with running.app.router.lifespan_context(running.app), running.client:
        yield running


def with_text(values: dict[str, Any], name: str, text: str) -> dict[str, Any]:
    """The same with this text in one place."""
    changed = deepcopy(values)
    changed[name] = [text] if isinstance(values[name], list) else text
    return changed


async def told(door: Running, token: str, text: str) -> dict[str, tuple[int, Any]]:
    """What every place of the door says to a text: status and code."""
    said = {}
    for name, body in BODIES.items():
        method, path, _ = REST[name]
        for key in body:
            answer = await door.client.request(method, path, json=with_text(body, key, text), headers=bearer(token))
            said[f"{path} {key}"] = (answer.status_code, answer.json().get("code"))
    for operation in LOGIN_OPERATIONS:
        for parameter in operation.parameters:
            answer = await door.client.request(
                operation.method, operation.path, params={parameter.name: text}, headers=bearer(token)
            )
            said[f"{operation.path} ?{parameter.name}"] = (answer.status_code, answer.json().get("code"))
    for mutation, arguments in ARGUMENTS.items():
        for key in arguments:
            answer = await graphql(door.client, document(mutation), token, **with_text(arguments, key, text))
            errors = [error["extensions"]["code"] for error in answer.get("errors", [])]
            said[f"{mutation} {key}"] = (200, errors)
    return said


def document(mutation: str) -> str:
    """A mutation with all its arguments as variables."""
    types = {name: TYPES.get(name, "String!") for name in ARGUMENTS[mutation]}
    if mutation == "delegate":
        types |= {"orchestrator": "Address!"}
    leaf = {"requestNonce": " { nonce }", "login": " { wallet }", "refresh": " { wallet }", "logout": ""}
    asked = ", ".join(f"{name}: ${name}" for name in types)
    declared = ", ".join(f"${name}: {type_}" for name, type_ in types.items())
    return f"mutation({declared}) {{ {mutation}({asked}){leaf.get(mutation, ' { id }')} }}"


async def test_sql_at_the_door_is_a_wrong_text_like_any_other(door: Running) -> None:
    token = (await login(door.client))["access_token"]
    kept = (await login(door.client, BOB))["refresh_token"]
    harmless = await told(door, token, HARMLESS)

    assert {status for status, _ in harmless.values()} <= {200, 400, 401, 403, 404}
    assert "INTERNAL" not in str(harmless)
    assert len(harmless) == sum(map(len, BODIES.values())) + sum(map(len, ARGUMENTS.values())) + 5
    for payload in PAYLOADS:
        assert await told(door, token, payload) == harmless, payload
    # Whoever was signed in still is, and nobody else.
    assert (await graphql(door.client, "{ viewer { wallet } }", token))["data"]["viewer"]["wallet"] == Wallet(1).address
    assert (await post(door.client, "/auth/refresh", {"refresh_token": kept})).status_code == 200


def test_every_mutation_and_argument_is_tried() -> None:
    from graph.schema import build_schema

    fields = build_schema()._schema.mutation_type.fields  # type: ignore[union-attr]
    assert {name: set(field.args) for name, field in fields.items()} == {
        name: set(arguments) for name, arguments in ARGUMENTS.items()
    }
    assert len(GRAPH) == len(ARGUMENTS)


async def test_values_written_into_the_statements_would_be_found(door: Running) -> None:
    token = (await login(door.client))["access_token"]
    expected = await told(door, token, HARMLESS)

    @event.listens_for(door.parts.access._store._engine, "before_cursor_execute", retval=True)
    def naive(_c: Any, _k: Any, statement: str, parameters: Any, _x: Any, many: bool) -> tuple[str, Any]:
        if many or not any(isinstance(one, str) and "'" in one for one in parameters):
            return statement, parameters
        for one in parameters:
            statement = statement.replace("?", f"'{one}'" if isinstance(one, str) else str(one), 1)
        return statement, ()

    assert any([await told(door, token, payload) != expected for payload in PAYLOADS])
