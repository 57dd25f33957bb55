"""The web application: every surface over one store, and the writer that feeds it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import InitVar, dataclass, field
from datetime import datetime
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from auth.access import Access
from auth.caller import ANONYMOUS
from backends.backend import Backend
from gateway.authentication import Authenticated, client_of
from gateway.compressed import Compressed
from gateway.conditional import Conditional
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
from graph.schema import build_schema
from metrics.errors import GatewayError
from metrics.targets import Targets, packaged
from promptsets.dataset import Catalogue
from resolvers.context import Context
from resolvers.ranking import Rankings
from resolvers.results import Results
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
    # Answers that others ask for too; `results.counts` says what became of them.
    results: Results[Any] = field(init=False)

    def __post_init__(self, door: Access | None) -> None:
        self.results = Results(self.store.holds, self.settings.cache_bytes)
        self.access = door or in_memory(self.settings, self.clock)

    def context(self, request: Request) -> Context:
        """A request's view of the store."""
        return Context(
            self.store,
            self.clock(),
            entry,
            request.state.request_id,
            self.regions.names,
            targets=self.targets,
            datasets=self.datasets,
            rankings=self.rankings,
            caller=getattr(request.state, "caller", ANONYMOUS),
            access=self.access,
            client=client_of(request),
            insides=within,
        )

    async def graph_context(self, request: Request) -> Context:
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
    return Starlette(
        routes=[
            Route("/", index),
            Route(PLACES["alive"], healthz),
            Route(PLACES["ready"], readyz),
            *routes(parts.context, parts.intake, door, results=parts.results),
            *graphql_routes(
                build_schema(), parts.graph_context, PLACES["graphql"], documents, settings.batch, parts.results
            ),
        ],
        middleware=[
            Middleware(Protected),
            Middleware(Compressed),
            Middleware(Conditional),
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
            await asyncio.to_thread(parts.writer.stop)
            parts.access.close()
            await parts.store.close()

    return lifespan
