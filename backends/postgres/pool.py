"""Reading: a pool of asyncpg connections, kept by SQLAlchemy, in an event loop of its own.

A connection belongs to the loop that made it. A store is asked from several (a command's, the server's, a test's), so
the pool has a thread with a loop for itself, and whoever asks awaits that.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from time import perf_counter
from typing import Any, TypeVar

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from backends.postgres.compile import Statement
from backends.postgres.errors import as_gateway_errors, is_passing
from backends.postgres.options import OnStatement, Options
from backends.postgres.tables import SCHEMA
from backends.postgres.text import unescaped
from metrics.errors import StoreUnavailable, TooComplex

Records = Sequence[Sequence[Any]]
T = TypeVar("T")


class ReadPool:
    """Connections that can only read. Every method may be called from any event loop."""

    def __init__(self, url: str, options: Options, on_statement: OnStatement | None = None) -> None:
        self._url = url
        self._options = options
        self._on_statement = on_statement
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="postgres-read", daemon=True)
        self._thread.start()
        self._engine: AsyncEngine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=self._connect,
            pool_size=options.pool,
            max_overflow=0,
            pool_timeout=options.connect_s,
            isolation_level="AUTOCOMMIT",
        )
        self._whole = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._closed = False

    async def query(self, statement: Statement) -> Records:
        """The rows that answer a statement."""

        async def ask() -> Records:
            async with self._engine.connect() as connection:
                return await self._ask(connection, statement)

        return await self._run(statement.name, ask)

    async def query_after(self, first: Statement, then: Callable[[Records], Statement]) -> Records:
        """The rows that answer the statement which the rows of the first one lead to; both see one state."""

        async def ask() -> Records:
            async with self._whole.connect() as connection:
                return await self._ask(connection, then(await self._ask(connection, first)))

        return await self._run(first.name, ask)

    def close(self) -> None:
        """Let go of every connection. Closing again does nothing."""
        if self._closed:
            return
        self._closed = True
        asyncio.run_coroutine_threadsafe(self._engine.dispose(), self._loop).result(self._options.connect_s * 2)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _run(self, name: str, ask: Callable[[], Coroutine[Any, Any, T]]) -> T:
        if self._closed:
            raise StoreUnavailable("the store is closed.")
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._translated(name, ask), self._loop))

    async def _translated(self, name: str, ask: Callable[[], Awaitable[T]]) -> T:
        with as_gateway_errors(name):
            try:
                return await ask()
            except Exception as error:
                # A connection that waited in the pool while the server was started again; SQLAlchemy drops all of them.
                if not is_passing(error) or isinstance(error, OSError):
                    raise
                return await ask()

    async def _ask(self, connection: AsyncConnection, statement: Statement) -> Records:
        began = perf_counter()
        rows = (await connection.exec_driver_sql(statement.sql, tuple(statement.values))).fetchall()
        if self._on_statement is not None:
            self._on_statement(statement.name, perf_counter() - began, len(rows))
        if len(rows) > self._options.rows:
            raise TooComplex(
                f"the answer has more than {self._options.rows:,} rows ({statement.name}). "
                "Ask for a shorter window or fewer dimensions."
            )
        return rows

    async def _connect(self) -> Any:
        seconds = self._options.statement_s
        connection = await asyncpg.connect(
            self._url,
            timeout=self._options.connect_s,
            # Should the server not keep its own limit, because it is gone: this one ends the wait.
            command_timeout=seconds + 5,
            server_settings={
                "application_name": "naap-gateway",
                "search_path": f"{SCHEMA},public",
                "default_transaction_read_only": "on",
                "statement_timeout": str(round(seconds * 1000)),
                "TimeZone": "UTC",
                "jit": "off",  # costs more than it gains for statements of milliseconds
            },
        )
        # Texts on their way in are escaped where they are bound: a codec does not reach into arrays.
        await connection.set_type_codec("text", encoder=str, decoder=unescaped, schema="pg_catalog", format="text")
        await connection.set_type_codec("numeric", encoder=str, decoder=int, schema="pg_catalog", format="text")
        return connection
