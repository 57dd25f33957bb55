"""The stores that every capability is tried on, a column of the suite's table each: COLUMNS, below, has them all."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar
from uuid import uuid4

from backends.chdb import open_chdb
from backends.memory import MemoryStore

T = TypeVar("T")


class Missing(Exception):
    """Why a store cannot be tried here, in words that follow "backend NAME: "."""


@dataclass(frozen=True, slots=True)
class Started:
    """A store that is there to be tried."""

    # A new, empty store, gone at the end of the context.
    new: Callable[[], AbstractContextManager[Any]]
    # The URL (NAAP_BACKEND) of a new, empty place that other processes can open, gone at the end of the context.
    place: Callable[[], AbstractContextManager[str]] | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """One kind of store."""

    name: str  # as the table and REQUIRE_BACKENDS name it: letters, digits
    # Called once in a session, when the first test needs it; what it holds is let go of at the end. Raises Missing.
    start: Callable[[], AbstractContextManager[Started]]
    # What the store cannot do yet: the name of the test → why. Each must fail; the day it passes the suite says so.
    gaps: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def _memory() -> Iterator[Started]:
    yield Started(lambda: nullcontext(MemoryStore()))


@contextmanager
def _chdb() -> Iterator[Started]:
    @contextmanager
    def place() -> Iterator[str]:
        with TemporaryDirectory(prefix="naap-chdb-") as path:
            yield f"chdb://{Path(path).resolve()}"

    # One handle stays open, so that the embedded engine is started once and not per test.
    first = open_chdb()
    try:
        yield Started(lambda: closing(open_chdb()), place)
    finally:
        wait(first.close())


@contextmanager
def _clickhouse() -> Iterator[Started]:
    """A server of its own, for as long as the session: chDB is one store per process."""
    from backends.clickhouse.address import address_of
    from backends.clickhouse.server import drop, open_clickhouse

    with serving() as port:

        @contextmanager
        def place() -> Iterator[str]:
            url = f"clickhouse://127.0.0.1:{port}/naap_{uuid4().hex}"
            try:
                yield url
            finally:
                drop(address_of(url))

        @contextmanager
        def new() -> Iterator[Any]:
            with place() as url, closing(open_clickhouse(address_of(url))) as store:
                yield store

        yield Started(new, place)


@contextmanager
def serving(path: str = ":memory:", *options: str) -> Iterator[int]:
    """The port of a test server over a path of chDB's; killed at the end."""
    command = [sys.executable, "-m", "tests.backends.clickhouse_http", path, *options]
    server = subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        yield int(server.stdout.readline())
    finally:
        server.kill()
        server.communicate()


@contextmanager
def _postgresql(version: int) -> Iterator[Started]:
    from tests.backends.servers import serving_postgresql

    with serving_postgresql(version) as server:
        yield _databases(server.url())


@contextmanager
def _timescale() -> Iterator[Started]:
    """A TimescaleDB that somebody else runs: each store has a database of its own there, dropped at the end."""
    if not (url := os.environ.get("NAAP_TEST_TIMESCALE_URL")):
        raise Missing("NAAP_TEST_TIMESCALE_URL names no server")
    yield _databases(url, "timescaledb")


def _databases(server: str, *extensions: str) -> Started:
    from backends.postgres.store import open_postgres
    from tests.backends.servers import database

    @contextmanager
    def new() -> Iterator[Any]:
        with database(server, *extensions) as url, closing(open_postgres(url)) as store:
            yield store

    return Started(new, lambda: database(server, *extensions))


COLUMNS = (
    Column("memory", _memory),
    Column("chdb", _chdb),
    Column("clickhouse", _clickhouse),
    Column("postgresql16", partial(_postgresql, 16)),
    Column("postgresql18", partial(_postgresql, 18)),
    Column("timescale", _timescale),
)

# One loop for everything that is asked: a connection belongs to the loop that made it.
_LOOP = asyncio.new_event_loop()


def wait(asked: Awaitable[T]) -> T:
    """What a store answers, from a test that is not async."""
    return _LOOP.run_until_complete(asked)


@contextmanager
def closing(store: Any) -> Iterator[Any]:
    """A store, closed at the end."""
    try:
        yield store
    finally:
        wait(store.close())
