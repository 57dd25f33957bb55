"""The embedded store: ClickHouse inside this process, in one directory or in memory.

One process holds a directory, and a process holds one; every thread has its own handle. After a fork the child must not
touch it: start processes by spawn.
"""

import asyncio
import fcntl
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from itertools import count
from pathlib import Path
from uuid import uuid4

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from backends.clickhouse.compile import Statement
from backends.clickhouse.errors import as_gateway_errors
from backends.clickhouse.handle import Handle, OnStatement, Records
from backends.clickhouse.limits import WRITING, Limits, reading
from backends.clickhouse.store import ClickHouseStore
from metrics.errors import StoreInUse, StoreUnavailable

DATABASE = "naap"
READ = Limits()
KILLS, KILL_EVERY_S = 40, 0.05
# Directories that this process has opened: a lock on one of them may be its own.
_OPENED: set[Path] = set()


def open_chdb(
    path: str | Path | None = None,
    *,
    readers: int = 2,
    limits: Limits = READ,
    on_statement: OnStatement | None = None,
) -> ClickHouseStore:
    """Open the store in a directory, made if missing, or a new one in memory.

    Raises StoreInUse where another process holds the directory, StoreUnavailable where it cannot be used.
    """
    place = None if path is None else _directory(Path(path))
    database = DATABASE if place else f"{DATABASE}_{uuid4().hex}"
    if place is not None and place not in _OPENED and _locked(place / "status"):
        raise _in_use(place)
    client = _connect(place)
    if place is not None:
        _OPENED.add(place)
    try:
        with as_gateway_errors("open"):
            # chDB's own database is no Atomic one.
            client.command(f"CREATE DATABASE IF NOT EXISTS `{database}` ENGINE = Atomic")
        writer = Handle(_set(client, database, WRITING), on_statement)
        pool = ReadPool(
            lambda: _set(_connect(place), database, reading(limits)), readers, on_statement, lambda: _connect(place)
        )
        dropped = None if place else f"DROP DATABASE `{database}` SYNC"
        return ClickHouseStore("chdb", writer, pool, on_close=dropped)
    except BaseException:
        client.close()
        raise


class ReadPool:
    """Threads that read, each with a handle of its own. A cancelled read is not begun, or killed where it runs."""

    def __init__(
        self,
        connect: Callable[[], Client],
        threads: int,
        on_statement: OnStatement | None,
        connect_killer: Callable[[], Client],
    ) -> None:
        self._connect = connect
        self._connect_killer = connect_killer
        self._killer: Client | None = None
        self._kills = ThreadPoolExecutor(1, thread_name_prefix="chdb-kill")
        self._numbers = count()
        self._on_statement = on_statement
        self._local = threading.local()
        self._handles: list[Handle] = []
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="chdb-read")

    async def query(self, statement: Statement, as_bytes: Sequence[str] = ()) -> Records:
        """The rows that answer a statement."""
        tag = f"read {os.getpid()}.{id(self)}.{next(self._numbers)}"
        try:
            reading = self._threads.submit(self._query, statement, as_bytes, tag)
        except RuntimeError as error:
            raise StoreUnavailable("the store is closed.") from error
        try:
            return await asyncio.wrap_future(reading)
        except asyncio.CancelledError:
            if not reading.cancelled() and not reading.done():
                with suppress(RuntimeError):  # closed meanwhile
                    self._kills.submit(self._kill, reading, tag)
            raise

    async def close(self) -> None:
        """Wait for what runs, then let go of every handle."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._kills.shutdown(wait=True)
        if self._killer is not None:
            self._killer.close()
        for handle in self._handles:
            handle.close()

    def _query(self, statement: Statement, as_bytes: Sequence[str], tag: str) -> Records:
        # The engine knows a statement by its text only.
        return self._handle().query(statement.name, f"{statement.sql}\n/* {tag} */", statement.values, as_bytes)

    def _kill(self, reading: Future[Records], tag: str) -> None:
        """End a statement that runs; again and again, for its thread may not have handed it to the engine yet."""
        if self._killer is None:
            self._killer = self._connect_killer()
        for _ in range(KILLS):
            if reading.done():
                return
            with suppress(ClickHouseError):
                running = f"query NOT LIKE 'KILL%' AND position(query, '/* {tag} */') > 0"
                self._killer.command(f"KILL QUERY WHERE {running} ASYNC")
            wait([reading], KILL_EVERY_S)

    def _handle(self) -> Handle:
        if not hasattr(self._local, "handle"):
            with as_gateway_errors("open reader"):
                self._local.handle = Handle(self._connect(), self._on_statement)
            self._handles.append(self._local.handle)
        handle: Handle = self._local.handle
        return handle


def _connect(place: Path | None) -> Client:
    try:
        return clickhouse_connect.get_client(interface="chdb", path=str(place) if place else None)
    except ClickHouseError as error:
        raise _unopened(place, error) from error


def _set(client: Client, database: str, settings: Mapping[str, object]) -> Client:
    client.database = database
    for name, value in settings.items():
        client.set_client_setting(name, value)
    return client


def _directory(path: Path) -> Path:
    if path.exists() and not path.is_dir():
        raise StoreUnavailable(f"{path} is a file. Give the directory that should hold the store.")
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(
            f"{path} cannot be made: {error.strerror}. Give a directory that may be written."
        ) from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise StoreUnavailable(
            f"{path} may not be written by this process. Change its owner or give another directory."
        )
    return path.resolve()


def _unopened(place: Path | None, error: ClickHouseError) -> StoreUnavailable:
    if place is not None and _locked(place / "status"):
        return _in_use(place)
    if "already initialized" in str(error):
        return StoreUnavailable(
            "this process already has another embedded store open; "
            f"{place or 'memory'} cannot be opened beside it. Close that one first."
        )
    return StoreUnavailable(f"the store in {place or 'memory'} cannot be opened; the reason is in the log.")


def _in_use(place: Path) -> StoreInUse:
    return StoreInUse(
        f"another process holds the store in {place}. Stop it, or give this one another directory: "
        "an embedded store serves one process."
    )


def _locked(status: Path) -> bool:
    """Is the file that the engine locks held? Asked before the engine is, which would print its own complaint first."""
    with suppress(FileNotFoundError, PermissionError), status.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
