"""Every store under the same promises. The engines are started once per process."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest

from backends.chdb import open_chdb
from backends.memory import MemoryStore
from backends.postgres.store import open_postgres
from tests.backends.servers import database, server, timescale


def open_memory() -> MemoryStore:
    """The in-memory store."""
    return MemoryStore()


STORES: dict[str, Callable[[], Any]] = {"memory": open_memory, "chdb": open_chdb}
# Servers: what starts one, or skips with the reason why there is none, and answers its URL.
SERVERS: dict[str, Callable[[], str]] = {
    "postgresql 16": lambda: server(16).url(),
    "postgresql 18": lambda: server(18).url(),
    "timescaledb": timescale,
}
EVERY = (*STORES, *SERVERS)


@pytest.fixture(scope="session", autouse=True)
def engine() -> Iterator[None]:
    """One handle that stays open, so that the embedded engine is started once and not per test."""
    store = open_chdb()
    yield
    asyncio.run(store.close())


@contextmanager
def opened(name: str) -> Iterator[Any]:
    """A new, empty store."""
    with database(SERVERS[name]()) if name in SERVERS else nullcontext("") as url:
        store = open_postgres(url) if url else STORES[name]()
        try:
            yield store
        finally:
            asyncio.run(store.close())


@pytest.fixture(params=EVERY)
def store(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A new, empty store of each kind."""
    with opened(request.param) as one:
        yield one


@pytest.fixture(params=EVERY, scope="module")
def shared(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A store of each kind that the tests of a module share: each must use owners of its own or take its facts away."""
    with opened(request.param) as one:
        yield one


@pytest.fixture(scope="session", name="opened")
def _opened() -> Callable[[str], Any]:
    return opened
