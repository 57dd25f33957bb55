"""A ClickHouse server or cluster, over HTTP. The tables and the SQL are those of the embedded store.

One client that is used by one thread writes, and tries again what a server that is away could not do; an asynchronous
one reads, once per event loop, with as many connections as the pool allows. See docs/decisions/0090 and 0091.
"""

import asyncio
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from threading import Thread
from time import perf_counter
from typing import Any, TypeVar
from uuid import uuid4

import aiohttp
import clickhouse_connect
from clickhouse_connect.driver.asyncclient import AsyncClient
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.external import ExternalData

from backends.clickhouse.address import Address
from backends.clickhouse.compile import Statement
from backends.clickhouse.ddl import Layout, create, create_database, drop_database, type_of
from backends.clickhouse.errors import as_gateway_errors
from backends.clickhouse.handle import Handle, OnStatement, Records, Values
from backends.clickhouse.lease import LEASE, Lease
from backends.clickhouse.limits import EXACT, WRITING, Limits, reading
from backends.clickhouse.retry import Patience, patiently
from backends.clickhouse.store import ClickHouseStore
from backends.tables import MARKS, WANTED, Kind, Table
from metrics.errors import StoreUnavailable

# What breaks on the way is said once, by `retry` and `errors`; the driver's lines hold values of statements.
for noisy in ("urllib3.connectionpool", "clickhouse_connect"):
    logging.getLogger(noisy).setLevel(logging.ERROR)

CONNECT_S = 5
WRITE_S = 300  # a write waits so long for an answer
LEAVE_S = 3  # so long is waited for a server that is told that we go
GRACE_S = 2  # for the answer of a server that ends a read itself
READ = Limits(threads=0)
PATIENCE = Patience()
# On a cluster, beside a server's settings. A shard that is away is an error, never a part of a sum.
CLUSTERED: Mapping[str, object] = {
    "skip_unavailable_shards": 0,
    # What IN looks up is looked up once, where the statement runs, and sent to every shard.
    "prefer_global_in_and_join": 1,
    "distributed_product_mode": "global",
    # A replica is left only when it fails, so that one reader sees one state.
    "load_balancing": "in_order",
}
CLUSTER_WRITING: Mapping[str, object] = {
    **CLUSTERED,
    # An insert returns once every shard has it, on most of its replicas …
    "insert_distributed_sync": 1,
    "insert_quorum": "auto",
    "insert_quorum_parallel": 0,
    # … and the writer reads nothing older than what it wrote.
    "select_sequential_consistency": 1,
    # A rollup's groups lie on other shards than its facts.
    "parallel_distributed_insert_select": 0,
    "distributed_ddl_output_mode": "throw",
}
T = TypeVar("T")
C = TypeVar("C", bound=Client)
LOOKS_UP = re.compile(rf"\bFROM {WANTED.name}\b")
WANTED_STRUCTURE = ", ".join(f"{field.name} {type_of(field)}" for field in WANTED.fields)
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0"})


def open_clickhouse(
    address: Address,
    *,
    limits: Limits = READ,
    pool: int = 10,
    patience: Patience = PATIENCE,
    on_statement: OnStatement | None = None,
) -> ClickHouseStore:
    """Open the store in a server's database, made if missing.

    `pool`: how many reads run at the same time; `patience`: how long a write is tried again while the server is away.
    Raises StoreUnavailable where it cannot be reached, StoreInUse where another process writes it.
    """
    layout = Layout(True, address.cluster, address.database)
    with as_gateway_errors("connect"):
        client = _writing(address)
    try:
        with as_gateway_errors("create database"):
            client.command(create_database(layout))
        client.database = address.database
        writer = ServerHandle(client, patience, on_statement)
    except BaseException:
        client.close()
        raise
    try:
        for statement in create(MARKS, layout):
            writer.command("create", statement)
        # Before anything is read back: whoever wrote until now may just have finished.
        writer.lease = Lease(writer, partial(_renewing, address))
        return ClickHouseStore("clickhouse", writer, Readers(address, limits, pool, on_statement), layout)
    except BaseException:
        writer.close()
        raise


def drop(address: Address) -> None:
    """Drop the database with everything in it."""
    with as_gateway_errors("drop database"):
        client = _writing(address)
        try:
            client.command(drop_database(Layout(True, address.cluster, address.database)))
        finally:
            client.close()


class ServerHandle(Handle):
    """A connection that writes. Every statement may be sent twice: rows carry versions, and inserts a token."""

    def __init__(self, client: Client, patience: Patience, on_statement: OnStatement | None = None) -> None:
        super().__init__(client, on_statement)
        self._patience = patience
        self._wanted: bytes = b""
        self.lease: Lease | None = None

    def command(self, name: str, sql: str, values: Values | None = None) -> None:
        if self.lease and name != LEASE:
            self.lease.check(self)
        super().command(name, sql, values)

    def insert(self, table: Table, columns: Mapping[str, Sequence[Any]]) -> None:
        if self.lease:
            self.lease.check(self)
        super().insert(table, columns)

    def close(self) -> None:
        self._patience = Patience(0)
        if self.lease:
            # A server that hangs holds up nobody's leaving: the lease ends by itself.
            leaving = Thread(target=self.lease.release, args=(self,), daemon=True)
            leaving.start()
            leaving.join(LEAVE_S)
        super().close()

    def want(self, **columns: Sequence[Any]) -> None:
        count = max(map(len, columns.values()), default=0)
        empty = {Kind.TEXT: "", Kind.INT: "0"}
        texts = (
            [str(value).translate(ESCAPES) for value in columns[field.name]]
            if field.name in columns
            else [empty[field.kind]] * count
            for field in WANTED.fields
        )
        self._wanted = "".join("\t".join(row) + "\n" for row in zip(*texts, strict=True)).encode()

    def _run(self, name: str, call: Callable[[], T]) -> T:
        return patiently(name, call, self._patience)

    def _sent_with(self, sql: str) -> Mapping[str, Any]:
        if not LOOKS_UP.search(sql):
            return {}
        wanted = ExternalData(file_name=WANTED.name, data=self._wanted, fmt="TabSeparated", structure=WANTED_STRUCTURE)
        return {"external_data": wanted}

    def _marked(self) -> dict[str, Any]:
        # The server knows the token again, also where the answer to the first try was lost.
        return {"insert_deduplication_token": uuid4().hex}


class Readers:
    """Reads of any event loop, at most `pool` at the same time in each. A cancelled read is ended by the server."""

    def __init__(self, address: Address, limits: Limits, pool: int, on_statement: OnStatement | None = None) -> None:
        self._address = address
        self._limits = limits
        self._pool = pool
        self._on_statement = on_statement
        self._clients: dict[asyncio.AbstractEventLoop, asyncio.Task[AsyncClient]] = {}
        self._closed = False

    async def query(self, statement: Statement, as_bytes: Sequence[str] = ()) -> Records:
        """The rows that answer a statement. Raises StoreTimeout, StoreUnavailable, TooComplex."""
        began = perf_counter()
        formats: dict[str, str | dict[str, str]] = dict.fromkeys(as_bytes, "bytes")
        with as_gateway_errors(statement.name, (aiohttp.ClientError,)):
            async with asyncio.timeout(self._limits.seconds + GRACE_S):
                client = await self._client()
                result = await client.query(statement.sql, parameters=dict(statement.values), column_formats=formats)
                rows: Records = result.result_rows  # type: ignore[assignment]
        if self._on_statement is not None:
            self._on_statement(statement.name, perf_counter() - began, len(rows))
        return rows

    async def close(self) -> None:
        """Let go of every connection."""
        self._closed = True
        while self._clients:
            _, opening = self._clients.popitem()
            if opening.done() and not opening.cancelled() and opening.exception() is None:
                await opening.result().close()

    async def _client(self) -> AsyncClient:
        if self._closed:
            raise StoreUnavailable("the store is closed.")
        loop = asyncio.get_running_loop()
        opening = self._clients.get(loop)
        if opening is None or (opening.done() and (opening.cancelled() or opening.exception() is not None)):
            # Reads that come meanwhile wait for the same connection.
            opening = self._clients[loop] = loop.create_task(self._connect())
        return await asyncio.shield(opening)

    async def _connect(self) -> AsyncClient:
        client = await clickhouse_connect.get_async_client(
            **_connection(self._address),
            connector_limit=self._pool,
            connector_limit_per_host=self._pool,
            send_receive_timeout=self._limits.seconds + GRACE_S,
        )
        client.database = self._address.database
        beside = CLUSTERED if self._address.cluster else {}
        return _set(client, {**beside, **reading(self._limits)})


def _renewing(address: Address) -> ServerHandle:
    with as_gateway_errors("connect"):
        client = _writing(address)
    client.database = address.database
    return ServerHandle(client, Patience(0))


def _writing(address: Address) -> Client:
    client = clickhouse_connect.get_client(**_connection(address), send_receive_timeout=WRITE_S, dedicated_pool=True)
    return _set(client, {**WRITING, **CLUSTER_WRITING} if address.cluster else WRITING)


def _connection(address: Address) -> dict[str, Any]:
    return {
        "host": address.host,
        "port": address.port,
        "interface": "https" if address.secure else "http",
        "username": address.user,
        "password": address.password,
        "ca_cert": str(address.ca) if address.ca else None,
        "connect_timeout": CONNECT_S,
        # Statements of one connection run side by side, and none needs another's state.
        "autogenerate_session_id": False,
    }


def _set(client: C, settings: Mapping[str, object]) -> C:
    for name, value in settings.items():
        if name in client.server_settings:
            client.set_client_setting(name, value)
        elif name not in EXACT:  # which mends what only younger servers do wrong
            raise StoreUnavailable(f"the ClickHouse server is too old: it has no setting {name}.")
    return client
