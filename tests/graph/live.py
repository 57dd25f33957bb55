"""A graph that is live on a port of its own, and ways to subscribe to it."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import uvicorn
import websockets
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send
from websockets.asyncio.client import ClientConnection

from auth.account import Account
from auth.budget import Budget
from auth.caller import ANONYMOUS, Caller
from auth.meter import Kept
from gateway.serve import MAX_MESSAGE_BYTES
from graph.app import graphql_routes
from graph.documents import Shown
from graph.live import Bounds, Live
from graph.schema import build_schema
from metrics.errors import Unauthenticated
from resolvers.context import Context
from resolvers.pulse import Pulse
from tests.graph.owners import ALICE, AT, ROLES, Counted, context, network
from tests.graph.world import fact

PROTOCOL = "graphql-transport-ws"
SESSIONS = """subscription($after: String, $workflow: String) {
  metricsUpdated(after: $after, workflow: $workflow) { cursor buckets { start metrics { sessions } } } }"""
INCIDENTS = """subscription($wallet: Address!, $after: String) {
  incidents(orchestrator: $wallet, after: $after) { cursor hasMore incidents { at kind text streamId } } }"""
SCHEMA = build_schema()


def counted(caller: Caller, scope: Any) -> str:
    """Whom a connection is counted for."""
    return caller.subject or str(scope["client"][0])


@dataclass
class Running:
    """A live graph over the network of tests/graph/owners.py, five minutes after Alice's session began."""

    store: Counted = field(default_factory=network)
    now: datetime = datetime.fromtimestamp(AT / 1000).astimezone() + timedelta(minutes=5)
    bounds: Bounds = field(default_factory=Bounds)
    origins: frozenset[str] = frozenset()
    callers: dict[str, Caller] = field(default_factory=lambda: {f"Bearer {name}": one for name, one in ROLES.items()})
    # What everybody may spend in a minute, and one subscription at once.
    budget: Budget = Budget("cost", 1_000_000, 60)
    most: int = 100_000
    port: int = 0
    made: int = 0

    def __post_init__(self) -> None:
        self.meter = Kept()
        self.pulse = Pulse(lambda: self.store, lambda: self.now, every_s=0.02)
        self.live = Live(
            SCHEMA, self.watching, Shown(), self.pulse, self.who, counted, self.paying, self.bounds, self.origins
        )

    async def who(self, header: str | None) -> Caller:
        """The caller that the header names."""
        if header is not None and header not in self.callers:
            raise Unauthenticated("the token is not good.")
        return ANONYMOUS if header is None else self.callers[header]

    @asynccontextmanager
    async def paying(self, caller: Caller, scope: Any, is_request: bool) -> AsyncIterator[Account]:
        """An account for one payment."""
        account = Account(self.meter, counted(caller, scope), self.budget, self.most)
        if is_request:
            await account.open()
        yield account

    async def spent(self, who: str = "127.0.0.1") -> int:
        """What somebody has spent."""
        return self.budget.amount - (await self.meter.spent(who, self.budget)).remaining(self.budget)

    async def context(self, connection: HTTPConnection) -> Context:
        """A request's context."""
        return context(self.store, await self.who(connection.headers.get("authorization")))

    def watching(self, _: HTTPConnection, view: Any) -> Context:
        """One update's context."""
        self.made += 1
        return context(view, ANONYMOUS)

    def happened(self, at_ms: int = AT + 60_000, orchestrator: str = ALICE) -> None:
        """One more session, that was requested then."""
        owner = f"later/{self.store.version}"
        self.store.facts[owner] = [fact(owner, at_ms, {"sessions": 1}, orchestrator=orchestrator, workflow="sdxl")]
        self.store.version += 1

    @property
    def url(self) -> str:
        """Where the graph is."""
        return f"http://127.0.0.1:{self.port}/graphql"

    @asynccontextmanager
    async def connected(
        self, protocol: str = PROTOCOL, payload: Any = None, begun: bool = True, **more: Any
    ) -> AsyncIterator[ClientConnection]:
        """A WebSocket, by default one that has been acknowledged."""
        protocols = [websockets.Subprotocol(protocol)]
        async with websockets.connect(self.url.replace("http", "ws"), subprotocols=protocols, **more) as connection:
            if begun:
                await say(connection, type="connection_init", payload=payload or {})
                assert await heard(connection) == {"type": "connection_ack"}
            yield connection


class Known:
    """Says who asks, as gateway/authentication.py does."""

    def __init__(self, app: ASGIApp, callers: Mapping[str | None, Caller]) -> None:
        self._app, self._callers = app, callers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            caller = self._callers.get(Headers(scope=scope).get("authorization"), ANONYMOUS)
            scope.setdefault("state", {})["caller"] = caller
        await self._app(scope, receive, send)


@asynccontextmanager
async def served(running: Running, buffer_bytes: int | None = None) -> AsyncIterator[Running]:
    """Serve it, in this event loop; with `buffer_bytes` the system takes no more than that for a client."""
    routes = graphql_routes(SCHEMA, running.context, live=running.live)
    config = uvicorn.Config(
        Starlette(routes=routes, middleware=[Middleware(Known, running.callers)]),
        log_config=None,
        ws_max_size=MAX_MESSAGE_BYTES,
        ws_per_message_deflate=False,
    )
    listening = socket.create_server(("127.0.0.1", 0))
    if buffer_bytes is not None:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer_bytes)
    running.port = listening.getsockname()[1]
    server = uvicorn.Server(config)
    serving = asyncio.ensure_future(server.serve([listening]))
    await until(lambda: server.started)
    try:
        yield running
    finally:
        running.pulse.close()
        server.should_exit = True
        await serving


async def until(holds: Callable[[], bool], seconds: float = 10) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.01)


async def say(connection: ClientConnection, **message: Any) -> None:
    """Send a message."""
    await connection.send(json.dumps(message))


async def subscribe(connection: ClientConnection, query: str, id: str = "1", **variables: Any) -> None:
    """Begin a subscription."""
    await say(connection, type="subscribe", id=id, payload={"query": query, "variables": variables})


async def heard(connection: ClientConnection, seconds: float = 10) -> Any:
    """The next message."""
    async with asyncio.timeout(seconds):
        return json.loads(await connection.recv())


async def nothing_heard(connection: ClientConnection, seconds: float = 0.2) -> None:
    """Make sure that no message comes for a while."""
    try:
        message = await heard(connection, seconds)
    except TimeoutError:
        return
    raise AssertionError(message)


async def closed(connection: ClientConnection) -> tuple[int | None, str | None]:
    """How the server closes the connection."""
    async with asyncio.timeout(10):
        await connection.wait_closed()
    return connection.close_code, connection.close_reason


def sessions(message: Any, root: str = "metricsUpdated") -> list[int]:
    """The count of sessions in each bucket of an update."""
    assert message["type"] == "next", message
    return [bucket["metrics"]["sessions"] for bucket in message["payload"]["data"][root]["buckets"]]
