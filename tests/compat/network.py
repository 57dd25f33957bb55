"""A simulated network that clients of others are shown, and ways to ask it what they ask."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
from starlette.applications import Starlette

from auth.caller import ANONYMOUS
from backends.memory import MemoryStore
from gateway.app import Parts, build_app
from gateway.settings import Settings
from gateway.simulate import simulation
from gateway.timeline import entry
from gateway.writer import Writer
from graph.dashboard.schema import dashboard_schema
from graph.schema import build_schema
from metrics.window import from_ms
from resolvers.context import Context
from telemetry.loader import Loader
from telemetry.regions import Regions
from telemetry.stake import stake_events
from tests.graph.world import Answer, CountingStore, context

GRAPH, DASHBOARD = build_schema(), dashboard_schema()
END = from_ms(1_767_992_400_000)  # 2026-01-09T21:00:00Z
# Asked a moment after the last event, and off the edges of hours.
NOW = END + timedelta(minutes=17)


@dataclass(frozen=True)
class Network:
    """A store that is loaded, and the application over it."""

    store: MemoryStore
    regions: Regions
    app: Starlette

    def context(self) -> Context:
        """A request."""
        return Context(self.store, NOW, entry, "test", self.regions.names, caller=ANONYMOUS)

    async def graph(self, query: str, **variables: Any) -> Any:
        """What /graphql answers."""
        found = await GRAPH.execute(query, variable_values=variables, context_value=self.context())
        assert not found.errors, found.errors
        return found.data

    async def dashboard(self, query: str, **variables: Any) -> Answer:
        """What /dashboard/graphql answers."""
        found: Any = await DASHBOARD.execute(query, variable_values=variables, context_value=self.context())
        return Answer(found.data, [error.formatted for error in found.errors or []])

    async def get(self, path: str, **parameters: str) -> httpx.Response:
        """What a path answers."""
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
            return await client.get(path, params=parameters)


def simulated() -> Network:
    """Three orchestrators over 40 hours, with jobs, failures and stake."""
    run = simulation(3, 40, 11, END, 2.0)
    lines = list(run.events())
    regions = Regions.of_config({"version": "test", "regions": run.truth()["regions"]})
    store = MemoryStore()
    loader = Loader(store, lambda: NOW, regions)
    loader.load("default", lines)
    loader.load("stake", (event for _, event in stake_events(run.stakes(), "the simulated stake")))
    loader.derive()
    settings = Settings()
    app = build_app(Parts(settings, store, Writer(loader, settings.loader_queue), regions, lambda: NOW))
    return Network(store, regions, app)


async def ask(store: CountingStore, query: str, **variables: Any) -> Answer:
    """What the dashboard is answered over a store of hand-made facts."""
    found: Any = await DASHBOARD.execute(query, variable_values=variables, context_value=context(store))
    return Answer(found.data, [error.formatted for error in found.errors or []])
