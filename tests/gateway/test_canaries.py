"""The search for canaries: what a gateway in another process tells is found, however it is told."""

import asyncio
import gzip
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import websockets
import zstandard
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from auth.caller import ANONYMOUS, Caller, Scope
from backends.memory import MemoryStore
from telemetry.simulator.catalogue import PROMPTS, RESTART_LOGS, STARTUP_ERRORS
from tests.canaries.planted import ALSO, ANYBODY, Canary
from tests.canaries.search import Said
from tests.canaries.suite import Report
from tests.gateway.processes import environment, free_port, naap, started
from tests.graph.owners import ALICE, GAIL, ask, events

# An alias, the name of a parameter: whoever asks with it is told it. Nobody may be.
TOLD = "canaryThatEverybodyIsTold"
QUERY = f"{{ {TOLD}: metricCatalogue {{ name description }} }}"
SUBSCRIPTION = f"subscription {{ {TOLD}: metricsUpdated {{ cursor }} }}"
ERROR = STARTUP_ERRORS[0]
INCIDENTS = f'subscription {{ incidents(orchestrator: "{ALICE}") {{ incidents {{ text }} }} }}'


class Gateway:
    """A gateway in a process of its own, which knows Alice's session, and a token of an operator."""

    def __init__(self, port: int, token: str) -> None:
        self.port, self.token = port, token

    def ask(self, path: str, body: bytes | None = None, **headers: str) -> bytes:
        """The first bytes of an answer, as they come."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body, named)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return bytes(answer.read1())
        except urllib.error.HTTPError as error:
            return error.read()

    def graphql(self, query: str, **headers: str) -> bytes:
        """The answer to a query."""
        return self.ask("/graphql", json.dumps({"query": query}).encode(), Content_Type="application/json", **headers)

    def stream(self, query: str, **headers: str) -> bytes:
        """The first event of a subscription."""
        return self.graphql(query, Accept="text/event-stream", **headers)

    def socket(self, query: str, **payload: str) -> bytes:
        """The first message of a subscription."""

        async def hear() -> str:
            protocols = [websockets.Subprotocol("graphql-transport-ws")]
            async with websockets.connect(f"ws://127.0.0.1:{self.port}/graphql", subprotocols=protocols) as to:
                await to.send(json.dumps({"type": "connection_init", "payload": payload}))
                await to.recv()
                await to.send(json.dumps({"type": "subscribe", "id": "1", "payload": {"query": query}}))
                return str(await to.recv())

        return asyncio.run(hear()).encode()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    store, port = tmp_path_factory.mktemp("canaries") / "store", free_port()
    private = {"prompt": PROMPTS[0], "address": "a.example", "error": ERROR, "log": RESTART_LOGS[0], "key": "0x1"}
    planted = {name: Canary(text, None) for name, text in private.items()}
    an_hour_ago = time.time_ns() // 1_000_000 - 55 * 60_000
    lines = b"\n".join(events(ALICE, GAIL, "alice", planted, an_hour_ago)).decode()
    assert naap("ingest", "-", store=store, text=lines).returncode == 0
    issue = ("token", "issue", "--name", "ops", "--role", "operator", "--scope", "incidents:read")
    token = naap(*issue, store=store).stdout.strip()
    with started("serve", "--port", str(port), env=environment(store, **{ALSO: TOLD}), port=port):
        yield Gateway(port, f"Bearer {token}")


@pytest.mark.parametrize(
    ("tell", "read"),
    [
        (lambda gateway: gateway.graphql(QUERY), bytes),
        (lambda gateway: gateway.graphql(QUERY, Accept_Encoding="gzip"), gzip.decompress),
        (lambda gateway: gateway.graphql(QUERY, Accept_Encoding="zstd"), zstandard.decompress),
        (lambda gateway: gateway.ask(f"/v1/sla/network/demand?{TOLD}=1"), bytes),
        (lambda gateway: gateway.stream(SUBSCRIPTION), bytes),
        (lambda gateway: gateway.socket(SUBSCRIPTION), bytes),
    ],
    ids=["GraphQL", "gzip", "zstd", "REST", "events", "WebSocket"],
)
def test_what_another_process_tells_is_found(
    gateway: Gateway, canaries: Report, tell: Callable[[Gateway], bytes], read: Callable[[bytes], bytes]
) -> None:
    assert TOLD.encode() in read(tell(gateway))

    with pytest.raises(AssertionError, match=f"what is private: .*{TOLD}"):
        canaries.check()


def test_what_its_owner_is_told_is_no_finding(gateway: Gateway, canaries: Report) -> None:
    query = f'{{ orchestrator(address: "{ALICE}") {{ incidents {{ nodes {{ text }} }} }} }}'
    told = [
        gateway.graphql(query, Authorization=gateway.token),
        gateway.stream(INCIDENTS, Authorization=gateway.token),
        gateway.socket(INCIDENTS, Authorization=gateway.token),
    ]

    assert [json.dumps(ERROR)[1:-1].encode() in one for one in told] == [True] * 3
    canaries.check()


TEXT = ANYBODY["error"].text.encode()


async def test_what_this_process_tells_is_found(canaries: Report) -> None:
    app = Starlette(routes=[Route("/", lambda _: PlainTextResponse(TEXT))])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        assert (await client.get("/")).content == TEXT
    with pytest.raises(AssertionError, match=r"http / told .* what is private"):
        canaries.check()

    await ask(MemoryStore(), ANONYMOUS, f'{{ orchestrator(address: "{TEXT.decode()}") {{ id }} }}')
    with pytest.raises(AssertionError, match=r"GraphQL told .* what is private"):
        canaries.check()


ANSWER: dict[str, Any] = {"type": "http.response.start", "status": 200, "headers": []}


def bodies(*parts: bytes) -> list[dict[str, Any]]:
    return [{"type": "http.response.body", "body": part, "more_body": True} for part in parts]


@pytest.mark.parametrize(
    "messages",
    [
        [ANSWER, *bodies(b"before", TEXT[:9], TEXT[9:12], TEXT[12:] + b"behind")],
        [{**ANSWER, "headers": [(b"x-error", TEXT)]}],
        [{**ANSWER, "headers": [(b"content-encoding", b"gzip")]}, *bodies(*map(bytes, zip(gzip.compress(TEXT))))],
        [{"type": "websocket.accept", "headers": [(b"x-error", TEXT)]}],
        [{"type": "websocket.send", "bytes": TEXT}],
        [{"type": "websocket.close", "reason": TEXT.decode()}],
    ],
    ids=["cut", "header", "cut and compressed", "accepted", "bytes", "reason"],
)
@pytest.mark.parametrize("caller", [ANONYMOUS, Caller("ops", frozenset({Scope.INCIDENTS}), operator=True)])
def test_wherever_it_stands_it_is_found_unless_it_may_be_met(
    canaries: Report, messages: list[dict[str, Any]], caller: Caller
) -> None:
    said = Said({"type": "http", "path": "/", "state": {"caller": caller}})
    for message in messages:
        said.next(message)

    if caller is ANONYMOUS:
        with pytest.raises(AssertionError, match="what is private"):
            canaries.check()
    canaries.check()
