"""One connection to a ClickHouse, in our words. Used by one thread at a time."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from time import perf_counter
from typing import Any, TypeVar

from clickhouse_connect.driver.client import Client

from backends.clickhouse.ddl import type_of
from backends.clickhouse.errors import as_gateway_errors
from backends.tables import WANTED, Table

# Called after every statement with its name, its seconds and the rows it answered or wrote.
OnStatement = Callable[[str, float, int], None]
Values = Mapping[str, object]
Records = Sequence[tuple[Any, ...]]
T = TypeVar("T")


class Handle:
    """Runs statements whose values are bound, never written into the text."""

    def __init__(self, client: Client, on_statement: OnStatement | None = None) -> None:
        self._client = client
        self._on_statement = on_statement

    def query(self, name: str, sql: str, values: Values | None = None, as_bytes: Sequence[str] = ()) -> Records:
        """The rows of a SELECT. Columns named in `as_bytes` come as bytes, other texts as str."""
        began = perf_counter()
        formats: dict[str, str | dict[str, str]] = dict.fromkeys(as_bytes, "bytes")

        def ask() -> Records:
            beside = self._sent_with(sql)
            result = self._client.query(sql, parameters=dict(values or {}), column_formats=formats, **beside)
            return result.result_rows  # type: ignore[return-value]

        rows = self._run(name, ask)
        self._report(name, began, len(rows))
        return rows

    def command(self, name: str, sql: str, values: Values | None = None) -> None:
        """Run a statement that answers nothing."""
        began = perf_counter()
        self._run(name, lambda: self._client.command(sql, parameters=dict(values or {})))
        self._report(name, began, 0)

    def insert(self, table: Table, columns: Mapping[str, Sequence[Any]]) -> None:
        """Append rows, given by column; columns left out take their default. All or nothing."""
        names = list(columns)
        count = len(columns[names[0]]) if names else 0
        if not count:
            return
        began = perf_counter()
        data = [columns[name] for name in names]
        insert = partial(
            self._client.insert,
            table.name,
            data,
            column_names=names,
            column_type_names=[type_of(table.field(name)) for name in names],
            column_oriented=True,
            settings=self._marked(),
        )
        self._run(f"insert {table.name}", insert)
        # The driver keeps this list in a cycle; emptied, its columns are free now and not when garbage is looked for.
        data.clear()
        self._report(f"insert {table.name}", began, count)

    def want(self, **columns: Sequence[Any]) -> None:
        """Fill the table of wanted keys (texts `a` and `b`, numbers `n`), for statements that look up many."""
        self.command("forget wanted", f"TRUNCATE TABLE {WANTED.name}")
        self.insert(WANTED, columns)

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def _run(self, name: str, call: Callable[[], T]) -> T:
        """What a call of the client returns. Raises our errors."""
        with as_gateway_errors(name):
            return call()

    def _sent_with(self, sql: str) -> Mapping[str, Any]:
        """What else the client is given with a query."""
        return {}

    def _marked(self) -> dict[str, Any]:
        """The settings of one insert."""
        return {}

    def _report(self, name: str, began: float, rows: int) -> None:
        if self._on_statement is not None:
            self._on_statement(name, perf_counter() - began, rows)
