"""The whole application over the in-memory store, with the writer's thread and a real clock for time only."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import httpx
import pytest

from backends.memory import MemoryStore
from gateway.app import Parts, build_app
from gateway.settings import Settings
from gateway.writer import Writer
from telemetry.loader import Loader
from telemetry.regions import Regions
from tests.canaries.planting import plant, planting

NOW = datetime(2026, 1, 9, 14, 0, tzinfo=UTC)


class Running:
    """A gateway that runs: its parts and a client."""

    def __init__(self, settings: Settings) -> None:
        self.store = plant(MemoryStore())
        self.loader = Loader(self.store, lambda: NOW, Regions())
        self.parts = Parts(settings, self.store, Writer(self.loader, settings.loader_queue), Regions(), lambda: NOW)
        self.app = build_app(self.parts)
        transport = httpx.ASGITransport(self.app, client=("127.0.0.1", 50_000), raise_app_exceptions=False)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000")

    async def graphql(self, query: str) -> dict[str, object]:
        """The data of an answer without errors."""
        answer = (await self.client.post("/graphql", json={"query": query})).json()
        assert "errors" not in answer, answer
        data: dict[str, object] = answer["data"]
        return data


@pytest.fixture(autouse=True)
def planted() -> Iterator[None]:
    with planting():
        yield


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    gateway = Running(Settings())
    async with gateway.app.router.lifespan_context(gateway.app), gateway.client:
        yield gateway
