"""Writing: one psycopg connection, one writer, and steps that are all or nothing whatever becomes of the server.

Each step is a transaction with a version of its own, which it leaves behind in `marks`. Where the server goes away the
step is done again; one whose commit had come through just before finds its version there and is not done twice.
"""

import logging
import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import perf_counter
from typing import Any, TypeVar

import psycopg
from psycopg.adapt import Buffer, Loader
from psycopg.types.string import StrDumper

from backends.postgres.errors import DRIVERS, is_passing, translated
from backends.postgres.options import OnStatement, Options
from backends.postgres.tables import SCHEMA
from backends.postgres.text import escaped, unescaped
from metrics.errors import StoreInUse, StoreUnavailable

log = logging.getLogger("naap.store")
WRITER_LOCK = 0x6E616170  # "naap"; with the database it names the one writer
PAUSE_S, LONGEST_PAUSE_S = 0.05, 2.0
WRITER, VERSION = "writer", "version"
SUPERSEDED = "another process wrote to this store while this one had lost it. Load again."
T = TypeVar("T")
Values = Mapping[str, object]
Row = tuple[Any, ...]


class TextDumper(StrDumper):
    """Text on its way in."""

    def dump(self, obj: str) -> Buffer | None:
        return super().dump(escaped(obj))


class TextLoader(Loader):
    """Text on its way out."""

    def load(self, data: Buffer) -> str:
        return unescaped(bytes(data).decode())


class IntLoader(Loader):
    """A numeric, which is always a whole number here."""

    def load(self, data: Buffer) -> int:
        return int(bytes(data))


class Session:
    """The statements of one step."""

    def __init__(self, connection: "psycopg.Connection[Row]", report: OnStatement) -> None:
        self._connection = connection
        self._report = report

    def query(self, name: str, sql: str, values: Values | None = None) -> Sequence[Row]:
        """The rows that a statement answers."""
        began = perf_counter()
        rows = self._connection.execute(sql, values).fetchall()
        self._report(name, perf_counter() - began, len(rows))
        return rows

    def run(self, name: str, sql: str, values: Values | None = None) -> None:
        """Run a statement that answers nothing."""
        began = perf_counter()
        found = self._connection.execute(sql, values)
        self._report(name, perf_counter() - began, max(0, found.rowcount))

    def copy(self, table: str, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Append rows."""
        began, count = perf_counter(), 0
        with self._connection.cursor() as cursor, cursor.copy(f"COPY {table} ({', '.join(names)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
                count += 1
        self._report(f"insert {table}", perf_counter() - began, count)


class Handle:
    """The writer's connection, made when it is first needed and again when it is lost. Used by one thread at a time."""

    def __init__(self, url: str, options: Options, on_statement: OnStatement | None = None) -> None:
        self._url = url
        self._options = options
        self._on_statement = on_statement
        self._connection: psycopg.Connection[Row] | None = None
        self._token = random.getrandbits(62)
        self._claimed = False
        self._superseded = False
        self._version = 0
        self._closed = False
        # Are rollups continuous aggregates? Known once connected.
        self._aggregates: bool | None = None

    def read(self, name: str, work: Callable[[Session], T]) -> T:
        """What statements answer. Done again where the server is lost."""
        return self._persevere(name, lambda connection: work(Session(connection, self._report)))

    def query(self, name: str, sql: str, values: Values | None = None) -> Sequence[Row]:
        """The rows that one statement answers."""
        return self.read(name, lambda session: session.query(name, sql, values))

    def write(self, name: str, work: Callable[[Session, int], None]) -> None:
        """A step: what it writes, at its version, is seen all at once or not at all, and once."""
        version = 0

        def attempt(connection: "psycopg.Connection[Row]") -> None:
            nonlocal version
            version = version or self._next()
            with connection.transaction():
                session = Session(connection, self._report)
                if session.query("version", "SELECT value FROM marks WHERE name = 'version'") != [(version,)]:
                    work(session, version)
                    session.run("insert marks", MARK, {"name": VERSION, "value": version})

        self._persevere(name, attempt)

    def claim(self) -> None:
        """Begin anew: what another writer did in between, if there was one, is taken as it is."""
        if self._superseded:
            self._claimed = self._superseded = False
            self._drop()

    @property
    def aggregates(self) -> bool:
        """Are the rollups continuous aggregates, which TimescaleDB keeps?"""
        if self._aggregates is None:
            self._aggregates = bool(self.query("layout", LAYOUT))
        return self._aggregates

    def close(self) -> None:
        """Let go of the connection."""
        self._closed = True
        self._drop()

    def _next(self) -> int:
        """A version higher than any before, also before a restart and a clock set back."""
        self._version = max(self._version + 1, time.time_ns())
        return self._version

    def _persevere(self, name: str, attempt: Callable[["psycopg.Connection[Row]"], T]) -> T:
        if self._closed:
            raise StoreUnavailable("the store is closed.")
        if self._superseded:
            raise StoreInUse(SUPERSEDED)
        until, pause = time.monotonic() + self._options.retry_s, PAUSE_S
        while True:
            try:
                return attempt(self._connected())
            except StoreInUse:
                # After a lost connection the server may still hold the lock for it.
                if not self._claimed or self._superseded or time.monotonic() + pause > until:
                    raise
            except DRIVERS as error:
                if self._connection is not None and self._connection.closed:
                    self._drop()
                if not is_passing(error) or time.monotonic() + pause > until:
                    raise translated(name, error) from error
                log.warning("%s: the store is gone, trying again in %.1f s: %s", name, pause, type(error).__name__)
            time.sleep(pause * random.uniform(0.5, 1))  # noqa: S311  # no secret: so that not all come at once
            pause = min(2 * pause, LONGEST_PAUSE_S)

    def _connected(self) -> "psycopg.Connection[Row]":
        if self._connection is None:
            connection = connect(self._url, self._options)
            try:
                self._take(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _take(self, connection: "psycopg.Connection[Row]") -> None:
        """Become the one writer."""
        locked = connection.execute("SELECT pg_try_advisory_lock(%s)", (WRITER_LOCK,)).fetchone()
        if locked != (True,):
            raise StoreInUse("another process writes to this store: one gateway does, the others read.")
        marks: dict[str, int] = dict(connection.execute("SELECT name, value FROM marks").fetchall())
        if self._claimed and marks.get(WRITER) != self._token:
            self._superseded = True
            raise StoreInUse(SUPERSEDED)
        self._version = max(self._version, marks.get(VERSION, 0))
        connection.execute(MARK, {"name": WRITER, "value": self._token})
        self._claimed = True

    def _drop(self) -> None:
        self._aggregates = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _report(self, name: str, seconds: float, rows: int) -> None:
        if self._on_statement is not None:
            self._on_statement(name, seconds, rows)


MARK = (
    "WITH changed AS (UPDATE marks SET value = %(value)s WHERE name = %(name)s RETURNING 1) INSERT INTO marks "
    "SELECT %(name)s::text, %(value)s::bigint WHERE NOT EXISTS (SELECT FROM changed)"
)
LAYOUT = f"SELECT 1 FROM pg_class WHERE oid = to_regclass('{SCHEMA}.facts_minute') AND relkind = 'v'"


def connect(url: str, options: Options) -> "psycopg.Connection[Row]":
    """A connection that writes; each statement is a transaction where none is begun."""
    connection: psycopg.Connection[Row] = psycopg.connect(
        url,
        autocommit=True,
        connect_timeout=max(1, round(options.connect_s)),
        application_name="naap-gateway writer",
        # A server that vanished without a word is noticed within half a minute.
        keepalives=1,
        keepalives_idle=10,
        keepalives_interval=5,
        keepalives_count=3,
        prepare_threshold=3,
    )
    # Joins of this connection look a few keys up in large tables.
    for name, value in (
        ("search_path", f"{SCHEMA}, public"),
        ("TimeZone", "UTC"),
        *(("jit", "off"), ("enable_hashjoin", "off"), ("enable_mergejoin", "off"), ("statement_timeout", "0")),
    ):
        connection.execute("SELECT set_config(%s, %s, false)", (name, value))
    connection.adapters.register_dumper(str, TextDumper)
    connection.adapters.register_loader("text", TextLoader)
    connection.adapters.register_loader("numeric", IntLoader)
    return connection
