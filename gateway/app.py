"""The web application: every surface over one store, and the writer that feeds it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import InitVar, dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Scope

from auth.access import Access
from auth.caller import ANONYMOUS, Caller
from auth.meter import Meter, open_meter
from backends.backend import Backend
from backends.federated import Federated
from backends.patient import Patient
from gateway import llms, numbers
from gateway.address import Proxies
from gateway.authentication import Authenticated, client_of
from gateway.compressed import Compressed
from gateway.conditional import Conditional
from gateway.cross_origin import CrossOrigin
from gateway.health import Lag, healthz, readiness
from gateway.inside import within
from gateway.intake import NoIntake, WriterIntake
from gateway.login import in_memory
from gateway.metered import ESTIMATE, Metered, Purse
from gateway.middleware import Protected, gateway_error, http_error
from gateway.observed import ASK_S, Observed
from gateway.patience import Patience
from gateway.seen import Places
from gateway.settings import Settings
from gateway.timeline import entry
from gateway.traces import Traces
from gateway.turnstile import Turnstile
from gateway.watched import Watched, logged
from gateway.writer import Writer
from graph.app import graphql_routes
from graph.dashboard.schema import dashboard_schema
from graph.documents import Shown, Trusted
from graph.live import Bounds, Live
from graph.schema import build_schema
from metrics.errors import GatewayError
from metrics.targets import Targets, packaged
from promptsets.dataset import Catalogue
from resolvers.context import Context
from resolvers.journal import Journal
from resolvers.pulse import Pulse
from resolvers.ranking import Rankings
from resolvers.results import Results
from rest.events import Door, Intake
from rest.explorer import EXPLORER
from rest.json import Json
from rest.routes import DOCS_PATH, OPENAPI_PATH, OPERATIONS, routes
from telemetry.regions import Regions

CORS_HEADERS = (
    "Authorization", "Content-Type", "X-Request-Id", ESTIMATE, "GraphQL-Require-Preflight", "Apollo-Require-Preflight",
    "X-Apollo-Operation-Name",
)  # fmt: skip
CORS_EXPOSED = ("ETag", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-Id", "Link")

Clock = Callable[[], datetime]

PLACES = {
    "graphql": "/graphql",
    "dashboard": "/dashboard/graphql",
    **{operation.name: operation.path for operation in OPERATIONS},
    "docs": DOCS_PATH,
    "openapi": OPENAPI_PATH,
    "alive": "/healthz",
    "ready": "/readyz",
    "metrics": "/metrics",
    "llms": "/llms.txt",
}
# Other people's clients, whose pages are served from elsewhere. What they ask needs no caller.
CROSS_ORIGIN = (PLACES["dashboard"], *(operation.path for operation in EXPLORER))


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
    # Where budgets are kept; unset: where the settings say.
    meter: Meter | None = None
    # Who may come in; without one, a door that forgets everything at the end.
    door: InitVar[Access | None] = None
    access: Access = field(init=False)
    pulse: Pulse = field(init=False)
    turnstile: Turnstile = field(init=False)
    # Answers that others ask for too; `results.counts` says what became of them.
    results: Results[Any] = field(init=False)
    # What Prometheus is told; whatever keeps counts of its own is told by a line in `gateway.numbers`.
    observed: Observed = field(default_factory=Observed)

    def __post_init__(self, door: Access | None) -> None:
        self.turnstile = Turnstile(self.settings)
        self.results = Results(self.store.holds, self.settings.cache_bytes)
        self.access = door or in_memory(self.settings, self.clock)
        self.pulse = Pulse(self.view, self.clock, lambda: Journal(self.observed.read))

    def view(self) -> Backend:
        """The store, as one request or one moment of live data reads it."""
        # Several stores are each waited for only so long, and by themselves.
        if isinstance(self.store, Federated):
            return self.store.request()
        return Patient(self.store, self.settings.read_seconds)

    def context(self, request: Request) -> Context:
        """A request's view of the store."""
        context = self.watching(request, self.view())
        context.account = getattr(request.state, "account", None)
        context.attempt = partial(self.turnstile.admit, request)
        # Whatever ends the request ends its reads (`Patience`).
        request.scope["state"].setdefault("contexts", []).append(context)
        return context

    def watching(self, connection: HTTPConnection, view: Backend) -> Context:
        """What a subscriber's connection sees, which has no end in sight; others may share the view."""
        state = connection.state
        return Context(
            view,
            self.clock(),
            entry,
            getattr(state, "request_id", ""),
            self.regions.names,
            targets=self.targets,
            datasets=self.datasets,
            rankings=self.rankings,
            caller=getattr(state, "caller", ANONYMOUS),
            several=view if isinstance(view, Federated) else None,
            access=self.access,
            client=client_of(connection),
            insides=within,
            journal=Journal(self.observed.read),
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
        return await readiness(parts.store, parts.writer, parts.settings.read_seconds)

    told = llms.page(settings)

    async def llms_txt(_: Request) -> Response:
        return PlainTextResponse(told)

    documents = Trusted.load(settings.trusted_documents) if settings.trusted_documents else Shown()
    door = Door(settings.token, settings.events_max_bytes, settings.events_max_inflated_bytes, settings.events_seconds)
    schema = build_schema(suggestions=settings.suggestions, introspection=settings.introspection)
    meter = parts.meter or open_meter(settings.redis)
    purse = Purse.of(settings, meter, parts.observed)
    bounds = Bounds(settings.live_subscriptions, settings.live_per_caller, settings.live_per_connection)
    origins = frozenset(settings.cors_origins) | ({settings.public_url} if settings.public_url else set())

    def counted_for(caller: Caller, scope: Scope) -> str:
        return purse.key(caller, scope["state"]["address"])

    live = Live(
        schema, parts.watching, documents, parts.pulse, parts.access.caller, counted_for, purse.paying, bounds, origins
    )
    lag = Lag(parts.store, parts.clock, ASK_S)
    numbers.tell(parts.observed, lag, meter, parts.results.counts, live, parts.writer)
    traces = Traces.to(settings.traces) if settings.traces else None
    paths = [
        # What most ask for is looked for first.
        *graphql_routes(schema, parts.graph_context, PLACES["graphql"], documents, settings.batch, live, parts.results),
        Route("/", index),
        Route(PLACES["alive"], healthz),
        Route(PLACES["ready"], readyz),
        Route(PLACES["metrics"], parts.observed.page),
        Route(PLACES["llms"], llms_txt),
        *routes(parts.context, parts.intake, door, results=parts.results),
        # It sends texts and knows no ids: trusted documents are a matter of the graph.
        *graphql_routes(
            dashboard_schema(settings.suggestions, settings.introspection),
            parts.graph_context,
            PLACES["dashboard"],
            batch=settings.batch,
            results=parts.results,
        ),
    ]
    see = [parts.observed.seen, logged, *([traces.seen] if traces else [])]
    return Starlette(
        routes=paths,
        middleware=[Middleware(Watched, places=Places(paths), see=see), *_middleware(parts, purse)],
        exception_handlers={GatewayError: gateway_error, HTTPException: http_error},
        lifespan=_lifespan(parts, traces),
    )


def _middleware(parts: Parts, purse: Purse) -> list[Middleware]:
    """What a request passes through, in this order."""
    settings = parts.settings
    found = [Middleware(CrossOrigin, CROSS_ORIGIN), Middleware(Protected)]
    if settings.cors_origins:
        # Without credentials: a page gets what anybody gets, or what the token that it holds itself may have.
        found.append(
            Middleware(
                CORSMiddleware,
                allow_origins=settings.cors_origins,
                allow_methods=("GET", "POST"),
                allow_headers=CORS_HEADERS,
                expose_headers=CORS_EXPOSED,
                max_age=3600,
            )
        )
    return [
        *found,
        Middleware(Compressed),
        Middleware(Conditional),
        Middleware(
            Authenticated,
            access=parts.access,
            graphs=(PLACES["graphql"], PLACES["dashboard"]),
            proxies=Proxies(settings.trusted_proxies, settings.proxy_header == "forwarded"),
            rate=settings.rates.anonymous,
        ),
        # Behind who it is: that says whose budget it is.
        Middleware(Metered, purse=purse),
        Middleware(Patience, request_s=settings.request_seconds, body_s=settings.body_seconds),
    ]


def _lifespan(parts: Parts, traces: Traces | None) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        if parts.writer is not None:
            parts.writer.start()
        try:
            yield
        finally:
            parts.pulse.close()
            if parts.writer is not None:
                await asyncio.to_thread(parts.writer.stop)
            parts.access.close()
            if traces is not None:
                await asyncio.to_thread(traces.close)
            await parts.store.close()

    return lifespan
