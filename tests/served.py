"""The whole gateway over a small simulated network, to be asked in this process."""

from datetime import UTC, datetime

from starlette.types import Receive, Scope, Send

from auth.budget import Tiers
from backends.memory import MemoryStore
from gateway.app import Parts, build_app
from gateway.settings import Settings
from gateway.writer import Writer
from metrics.window import from_ms
from promptsets.dataset import Catalogue
from promptsets.source import load
from telemetry.loader import Loader
from telemetry.regions import Regions
from tests.rest.conftest import TOKEN
from tests.simulator.runs import run

UNCOUNTED = Tiers(0, 0, 0)
LATER = datetime(2100, 1, 1, tzinfo=UTC)


def loaded() -> tuple[MemoryStore, Loader]:
    """A store with half an hour of two orchestrators, and what loaded it."""
    store = MemoryStore()
    loader = Loader(store, lambda: LATER, Regions())
    loader.load("default", run(2, 0.5, 5)[0])
    loader.derive()
    return store, loader


class Served:
    """Its writer is started and stopped by whoever uses it, not by each request."""

    def __init__(self) -> None:
        settings, (store, loader) = Settings(operator_token=TOKEN, rates=UNCOUNTED, budgets=UNCOUNTED), loaded()
        now = from_ms(max(event.at_ms for event in store.raw.values()) + 1)
        self.writer = Writer(loader, settings.loader_queue)
        datasets = Catalogue.of(load(None))
        self.app = build_app(Parts(settings, store, self.writer, Regions(), lambda: now, datasets))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            raise NotImplementedError
        await self.app(scope, receive, send)
