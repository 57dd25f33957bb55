"""Canaries: texts that are planted where nobody but their owner may read, and looked for in every answer of the suite.

`watching` looks: tests/conftest.py has it around every test, over all GraphQL and HTTP answers that are made
in this process. What the simulator invents of this kind is looked for too, wherever its network is asked.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import httpx
import orjson
import pytest
from graphql import GraphQLError

import telemetry.loader
from auth.caller import ANONYMOUS, Caller, Scope
from backends.log import Event, Rejected
from backends.memory import MemoryStore
from graph.schema import Schema
from resolvers.context import Context
from telemetry.simulator.catalogue import LATE_ERRORS, PROMPTS, RESTART_LOGS, STARTUP_ERRORS


@dataclass(frozen=True)
class Canary:
    """A planted text, and who may meet it: with a scope, an orchestrator or a gateway (None: any of them)."""

    text: str
    scope: Scope | None  # None: nobody may, whoever it is
    owner: str | None = None

    @cached_property
    def forms(self) -> tuple[str, ...]:
        """The text as it stands, in JSON, and within anything in base64, as cursors and ids are."""
        raw = self.text.encode()
        # Of each way to begin within a group of three bytes the letters that depend on nothing before or behind.
        coded = (base64.urlsafe_b64encode(b"\0" * shift + raw).decode()[4:-4] for shift in range(3))
        return (self.text, json.dumps(self.text)[1:-1], *coded)

    def may_be_met_by(self, caller: Caller) -> bool:
        """Is this caller entitled? Written down again on purpose, not taken from auth/rights.py."""
        if self.scope is None or self.scope not in caller.scopes:
            return False
        wallets = caller.gateways if self.scope is Scope.SESSIONS else caller.orchestrators
        return caller.operator or (bool(wallets) if self.owner is None else self.owner in wallets)


def canaries_of(orchestrator: str, gateway: str, name: str) -> dict[str, Canary]:
    """What is planted in a session of an orchestrator for a gateway."""
    return {
        "prompt": Canary(f"canary prompt of {name}: a heron in an attic", Scope.SESSIONS, gateway),
        "address": Canary(f"canary-{name}.client.example", Scope.SESSIONS, gateway),
        "error": Canary(f"canary error of {name}: no such canvas", Scope.INCIDENTS, orchestrator),
        "log": Canary(f"canary log of {name}: the kiln went cold", Scope.INCIDENTS, orchestrator),
        "key": Canary("0x" + (name.encode().hex() + "ca11ab1e" * 5)[:40], None),
    }


# Of nobody that a test is logged in as.
ANYBODY = canaries_of("0x" + "ee" * 20, "0x" + "dd" * 20, "anybody")
ALL: list[Canary] = [
    *ANYBODY.values(),
    *(Canary(prompt, Scope.SESSIONS) for prompt in PROMPTS),
    *(Canary(text, Scope.INCIDENTS) for text in (*RESTART_LOGS, *STARTUP_ERRORS, *LATE_ERRORS)),
]
MET: ContextVar[bool] = ContextVar("MET", default=False)


@contextmanager
def met() -> Iterator[None]:
    """Within it HTTP answers may hold canaries: the test has logged in as their owner."""
    token = MET.set(True)
    try:
        yield
    finally:
        MET.reset(token)


def check(said: str, caller: Caller, where: str) -> None:
    """Fail where an answer tells a canary to somebody who may not meet it."""
    escaped = [one.text for one in ALL if not one.may_be_met_by(caller) and any(form in said for form in one.forms)]
    assert not escaped, f"{where} told {caller} what is private: {escaped}"


def _caller(context: Any) -> Caller:
    """Who asks; a context that notes who looks at it does not notice."""
    if not isinstance(context, Context):
        return ANONYMOUS
    made_of = replace(context.made_of)
    caller, context.made_of = context.caller, made_of
    return caller


@contextmanager
def watching() -> Iterator[None]:
    """Look for canaries in every answer."""
    execute, handle = Schema.execute, httpx.ASGITransport.handle_async_request

    async def watched_execute(self: Schema, *args: Any, **kwargs: Any) -> Any:
        result = await execute(self, *args, **kwargs)
        errors = [error.formatted if isinstance(error, GraphQLError) else str(error) for error in result.errors or []]
        said = json.dumps([result.data, errors], ensure_ascii=False, default=str)
        check(said, _caller(kwargs.get("context_value")), "GraphQL")
        return result

    async def watched_handle(self: httpx.ASGITransport, request: httpx.Request) -> httpx.Response:
        response = await handle(self, request)
        text = (await response.aread()).decode(errors="replace")
        if not MET.get():
            check(f"{text} {response.headers}", ANONYMOUS, f"{request.method} {request.url.path}")
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Schema, "execute", watched_execute)
        patch.setattr(httpx.ASGITransport, "handle_async_request", watched_handle)
        yield


def plant(store: MemoryStore) -> MemoryStore:
    """Canaries in what a store keeps and never answers: losers of conflicts, and lines that could not be read."""
    body = json.dumps({name: canary.text for name, canary in ANYBODY.items()}).encode()
    loser = Event("default", "canary", b"c" * 32, 1_767_966_517_287, "", "ai_stream_events", body)
    store.conflicts["default", "canary", loser.sha] = loser
    store.rejected["default", loser.sha] = Rejected("default", loser.sha, "not_json", ANYBODY["error"].text, body)
    return store


@contextmanager
def planting() -> Iterator[None]:
    """Canaries in every event that is loaded meanwhile."""
    arrivals = telemetry.loader.arrivals
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(telemetry.loader, "arrivals", lambda line, *more: arrivals(salted(line), *more))
        yield


def salted(line: bytes) -> bytes:
    """A line whose events hold canaries wherever the wire has place for what is private."""
    try:
        value = orjson.loads(line)
        events = value if isinstance(value, list) else [value]
        for event in events:
            if isinstance(event, dict) and isinstance(event.get("data"), dict):
                _salt(event["data"])
        return orjson.dumps(value)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return line


def _salt(data: dict[str, Any]) -> None:
    data["clientIP"] = ANYBODY["address"].text
    if isinstance(params := data.setdefault("params", {}), dict):
        params["prompt"] = ANYBODY["prompt"].text
    if data.get("type") == "error":
        data["message"] = f"{data.get('message', '')} {ANYBODY['error'].text}"
    if isinstance(status := data.get("inference_status"), dict):
        status |= {"last_restart_logs": [ANYBODY["log"].text], "last_error": ANYBODY["error"].text}


def texts(planted: Mapping[str, Canary]) -> dict[str, str]:
    """What is planted, by kind."""
    return {kind: canary.text for kind, canary in planted.items()}
