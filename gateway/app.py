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
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from auth.access import Access
from auth.caller import ANONYMOUS
from backends.backend import Backend
from backends.federated import Federated
from gateway.authentication import Authenticated, client_of
from gateway.health import healthz, readiness
from gateway.inside import within
from gateway.intake import NoIntake, WriterIntake
from gateway.login import in_memory
from gateway.middleware import Protected, gateway_error, http_error
from gateway.settings import Settings
from gateway.timeline import entry
from gateway.writer import Writer
from graph.app import graphql_routes
from graph.documents import Shown, Trusted
from graph.schema import build_schema
from metrics.errors import GatewayError
from metrics.targets import Targets, packaged
from promptsets.dataset import Catalogue
from resolvers.context import Context
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
    # None where nothing is written: several stores, and none of them is for that.
    writer: Writer | None
    regions: Regions
    clock: Clock
    datasets: Catalogue = field(default_factory=Catalogue)
    targets: Targets = field(default_factory=packaged)
    rankings: Rankings = field(default_factory=Rankings)
    # Who may come in; without one, a door that forgets everything at the end.
    door: InitVar[Access | None] = None
    access: Access = field(init=False)

    def __post_init__(self, door: Access | None) -> None:
        self.access = door or in_memory(self.settings, self.clock)

    def context(self, request: Request) -> Context:
        """A request's view of the store."""
        several = self.store.request() if isinstance(self.store, Federated) else None
        return Context(
            several or self.store,
            self.clock(),
            entry,
            request.state.request_id,
            self.regions.names,
            targets=self.targets,
            datasets=self.datasets,
            rankings=self.rankings,
            caller=getattr(request.state, "caller", ANONYMOUS),
            several=several,
            access=self.access,
            client=client_of(request),
            insides=within,
        )

    async def graph_context(self, request: Request) -> Context:
        """The same, as the graph wants it."""
        return self.context(request)

    def intake(self, _: Request) -> Intake:
        """A request's way to the loader."""
        return NoIntake() if self.writer is None else WriterIntake(self.writer)


def build_app(parts: Parts) -> Starlette:
    """The application over these parts. It starts the writer, and at its end stops it and closes the store."""
    settings = parts.settings

    async def index(request: Request) -> Response:
        if "text/html" in request.headers.get("accept", ""):
            return RedirectResponse(PLACES["graphql"])
        return Json({"name": "naap-gateway", "places": PLACES})

    async def readyz(_: Request) -> Response:
        return await readiness(parts.store, parts.writer, parts.settings.store_timeout_s)

    documents = Trusted.load(settings.trusted_documents) if settings.trusted_documents else Shown()
    door = Door(settings.token, settings.events_max_bytes, settings.events_max_inflated_bytes)
    return Starlette(
        routes=[
            Route("/", index),
            Route(PLACES["alive"], healthz),
            Route(PLACES["ready"], readyz),
            *routes(parts.context, parts.intake, door),
            *graphql_routes(build_schema(), parts.graph_context, PLACES["graphql"], documents, settings.batch),
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
        if parts.writer is not None:
            parts.writer.start()
        try:
            yield
        finally:
            if parts.writer is not None:
                await asyncio.to_thread(parts.writer.stop)
            parts.access.close()
            await parts.store.close()

    return lifespan
