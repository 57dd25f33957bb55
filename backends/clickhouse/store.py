"""A store on a ClickHouse engine: its reads and its log, whatever the connection."""

from typing import Protocol

from backends.clickhouse.contents import Contents
from backends.clickhouse.ddl import EMBEDDED, Layout, add_missing, create_all
from backends.clickhouse.fact_log import FactLog
from backends.clickhouse.handle import Handle
from backends.clickhouse.raw_log import RawLog
from backends.clickhouse.reads import Reader, Reads
from backends.clickhouse.session_log import SessionLog
from backends.clickhouse.statement_log import StatementLog
from backends.clickhouse.tide import Tide
from backends.tables import TABLES


class Pool(Reader, Protocol):
    """A reader that can be closed."""

    async def close(self) -> None:
        """Let go of everything held."""


class ClickHouseStore(Reads, RawLog, StatementLog, SessionLog, FactLog, Contents):
    """A `Backend` and a `Log`. Creates what is missing and repairs what a crash left, when it opens."""

    def __init__(
        self, name: str, writer: Handle, pool: Pool, layout: Layout = EMBEDDED, on_close: str | None = None
    ) -> None:
        tide = Tide()
        Reads.__init__(self, pool, tide)
        RawLog.__init__(self, writer, tide)
        StatementLog.__init__(self, writer, tide)
        SessionLog.__init__(self, writer)
        FactLog.__init__(self, writer, tide)
        Contents.__init__(self, writer)
        self.name = name
        self._pool = pool
        self._on_close = on_close
        self._closed = False
        for statement in create_all(layout):
            writer.command("create", statement)
        present = writer.query("columns", "SELECT table, name FROM system.columns WHERE database = currentDatabase()")
        for statement in add_missing(frozenset(present), layout):
            writer.command("add column", statement)
        tide.ver = self._highest()
        self.repair()
        self.recall()
        self.recall_stale()

    async def close(self) -> None:
        """Let go of every handle; a store in memory is gone then. Closing again does nothing."""
        if self._closed:
            return
        self._closed = True
        await self._pool.close()
        if self._on_close:
            self._handle.command("close", self._on_close)
        self._handle.close()

    def _highest(self) -> int:
        parts = [f"SELECT max(ver) AS ver FROM {table.name}" for table in TABLES if table.versioned]
        return int(self._handle.query("highest version", f"SELECT max(ver) FROM ({' UNION ALL '.join(parts)})")[0][0])
