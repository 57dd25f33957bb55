"""A REST surface over the in-memory store, with the clock stopped."""

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request

from backends.memory import MemoryStore
from metrics.errors import GatewayError
from promptsets.dataset import Catalogue
from resolvers.context import Context
from rest.events import Door
from rest.problem import of_error
from rest.routes import routes
from telemetry.loader import Loader, Report
from telemetry.regions import Regions
from tests.canaries.planting import plant, planting

NOW = datetime(2026, 1, 9, 14, 0, tzinfo=UTC)
TOKEN = "a-token-of-some-length"


class Kept:
    """An intake that remembers."""

    def __init__(self) -> None:
        self.bodies: list[tuple[str, bytes, bool]] = []
        self.answer: Report | GatewayError = Report(accepted=1)

    async def take(self, source: str, content: bytes, one_per_line: bool) -> Report:
        self.bodies.append((source, content, one_per_line))
        if isinstance(self.answer, GatewayError):
            raise self.answer
        return self.answer


class Surface:
    """The routes of REST, its store, loader and intake, and a client whose address can be chosen."""

    def __init__(self) -> None:
        self.store = plant(MemoryStore())
        self.loader = Loader(self.store, lambda: NOW, Regions())
        self.kept = Kept()
        self.now = NOW
        self.datasets = Catalogue()

    def app(self, token: str | None = None, most: int = 1000, most_inflated: int = 2000) -> Starlette:
        def context(_: Request) -> Context:
            timeline = lambda body: pytest.fail("no timeline here")  # noqa: E731
            return Context(self.store, self.now, timeline, "a-request", datasets=self.datasets)

        async def failed(_: Request, error: Exception) -> object:
            assert isinstance(error, GatewayError)
            return of_error(error, "a-request")

        door = Door(token, most, most_inflated)
        return Starlette(
            routes=routes(context, lambda _: self.kept, door),
            exception_handlers={GatewayError: failed},  # type: ignore[dict-item]
        )

    def client(
        self, host: str = "127.0.0.1", base: str = "http://127.0.0.1:8000", **limits: object
    ) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app(**limits), client=(host, 50_000))  # type: ignore[arg-type]
        return httpx.AsyncClient(transport=transport, base_url=base)


@pytest.fixture(autouse=True)
def planted() -> Iterator[None]:
    with planting():
        yield


@pytest.fixture
def surface() -> Surface:
    return Surface()
