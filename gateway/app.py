"""The web application: every surface over one store, and the writer that feeds it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import InitVar, dataclass, field
from datetime import datetime

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from auth.access import Access
from auth.caller import ANONYMOUS
from backends.backend import Backend
from gateway.authentication import Authenticated, client_of
from gateway.health import healthz, readiness
from gateway.inside import within
from gateway.intake import WriterIntake
from gateway.login import in_memory
from gateway.middleware import Protected, gateway_error, http_error
from gateway.settings import Settings
from gateway.timeline import entry
from gateway.writer import Writer
from graph.app import graphql_routes
from graph.documents import Shown, Trusted
from graph.live import Bounds, Live
from graph.schema import build_schema
from metrics.errors import GatewayError
from metrics.targets import Targets, packaged
from promptsets.dataset import Catalogue
from resolvers.context import Context
from resolvers.pulse import Pulse
from resolvers.ranking import Rankings
from rest.events import Door, Intake
from rest.json import Json
from rest.routes import DOCS_PATH, OPENAPI_PATH, OPERATIONS, routes
from telemetry.regions import Regions

Clock = Callable[[], datetime]

PLACES = {
    "graphql": "/graphql",
    **{operation.name: operation.path for operation in OPERATIONS},
    "docs": DOCS_PATH,
    "openapi": OPENAPI_PATH,
    "alive": "/healthz",
    "ready": "/readyz",
}


@dataclass(slots=True)
class Parts:
    """What the application is composed of."""

    settings: Settings
    store: Backend
    writer: Writer
    regions: Regions
    clock: Clock
    datasets: Catalogue = field(default_factory=Catalogue)
    targets: Targets = field(default_factory=packaged)
    rankings: Rankings = field(default_factory=Rankings)
    # Who may come in; without one, a door that forgets everything at the end.
    door: InitVar[Access | None] = None
    access: Access = field(init=False)
    pulse: Pulse = field(init=False)

    def __post_init__(self, door: Access | None) -> None:
        self.access = door or in_memory(self.settings, self.clock)
        self.pulse = Pulse(self.store, self.clock)

    def context(self, request: HTTPConnection) -> Context:
        """A request's view of the store, or a WebSocket's, which has no id."""
        return Context(
            self.store,
            self.clock(),
            entry,
            getattr(request.state, "request_id", ""),
            self.regions.names,
            targets=self.targets,
            datasets=self.datasets,
            rankings=self.rankings,
            caller=getattr(request.state, "caller", ANONYMOUS),
            access=self.access,
            client=client_of(request),
            insides=within,
        )

    async def graph_context(self, request: HTTPConnection) -> Context:
        """The same, as the graph wants it."""
        return self.context(request)

    def intake(self, _: Request) -> Intake:
        """A request's way to the loader."""
        return WriterIntake(self.writer)


def build_app(parts: Parts) -> Starlette:
    """The application over these parts. It starts the writer, and at its end stops it and closes the store."""
    settings = parts.settings

    async def index(request: Request) -> Response:
        if "text/html" in request.headers.get("accept", ""):
            return RedirectResponse(PLACES["graphql"])
        return Json({"name": "naap-gateway", "places": PLACES})

    async def readyz(_: Request) -> Response:
        return await readiness(parts.store, parts.writer)

    documents = Trusted.load(settings.trusted_documents) if settings.trusted_documents else Shown()
    door = Door(settings.token, settings.events_max_bytes, settings.events_max_inflated_bytes)
    schema = build_schema()
    bounds = Bounds(settings.live_subscriptions, settings.live_per_caller, settings.live_per_connection)
    origins = (settings.live_origins or frozenset()) | ({settings.public_url} if settings.public_url else set())
    live = Live(schema, parts.graph_context, documents, parts.pulse, parts.access.caller, bounds, origins)
    return Starlette(
        routes=[
            Route("/", index),
            Route(PLACES["alive"], healthz),
            Route(PLACES["ready"], readyz),
            *routes(parts.context, parts.intake, door),
            *graphql_routes(schema, parts.graph_context, PLACES["graphql"], documents, settings.batch, live),
        ],
        middleware=[
            Middleware(Protected),
            Middleware(GZipMiddleware, minimum_size=1024, compresslevel=5),
            Middleware(Authenticated, access=parts.access, graph=PLACES["graphql"]),
        ],
        exception_handlers={GatewayError: gateway_error, HTTPException: http_error},
        lifespan=_lifespan(parts),
    )


def _lifespan(parts: Parts) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        parts.writer.start()
        try:
            yield
        finally:
            parts.pulse.close()
            await asyncio.to_thread(parts.writer.stop)
            parts.access.close()
            await parts.store.close()

    return lifespan
