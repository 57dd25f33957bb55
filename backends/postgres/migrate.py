"""The tables' shape: alembic's migrations, run from wherever this is installed, and the columns declared since."""

from contextlib import closing
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine, inspect, text
from sqlalchemy.pool import NullPool
from sqlalchemy.types import ARRAY, LargeBinary, Text

from backends.postgres.address import checked
from backends.postgres.aggregates import compute_all
from backends.postgres.errors import as_gateway_errors
from backends.postgres.handle import LAYOUT, WRITER_LOCK, Handle
from backends.postgres.options import Options
from backends.postgres.tables import METADATA, SCHEMA
from backends.postgres.timescale import create_rollups, drop_rollups, follow
from metrics.errors import StoreInUse, StoreUnavailable

MIGRATION_LOCK = 0x6E61_6172
MAIN, TIMESCALE = "main@head", "timescale@head"


def migrate(url: str, options: Options, revision: str = MAIN, whole: bool = False) -> list[str]:
    """Bring the tables to a revision, up or down; what was done, a line each. Others that migrate meanwhile wait.

    An empty database with the TimescaleDB extension is laid out for it; one with data is moved where `whole` says so,
    which takes as long as writing all of it again. Then policies are set anew, too. Raises StoreInUse where a gateway
    writes that would have to stop.
    """
    checked(url)
    with as_gateway_errors("migrate"):
        engine = create_engine(
            "postgresql+psycopg://",
            poolclass=NullPool,
            creator=lambda: psycopg.connect(url, connect_timeout=max(1, round(options.connect_s))),
        )
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
            if (encoding := connection.scalar(text("SHOW server_encoding"))) != "UTF8":
                raise StoreUnavailable(
                    f"the database has the encoding {encoding}, which cannot hold every text. Make one that can: "
                    "createdb --encoding=UTF8 --template=template0 NAME."
                )
            if not inspect(connection).has_schema(SCHEMA):
                connection.execute(text(f"CREATE SCHEMA {SCHEMA}"))
            connection.execute(text(f"SET LOCAL search_path = {SCHEMA}, public"))
            told = _migrated(connection, revision)
            moved = revision == MAIN and _may_move(connection, whole)
            if moved:
                told += _migrated(connection, TIMESCALE)
            if whole or moved:
                told += _followed(connection, options)
        if whole and moved:
            with closing(Handle(url, options)) as handle:
                compute_all(handle)
        return told


def layout(url: str, options: Options) -> str:
    """How the tables are kept, in words."""
    with as_gateway_errors("layout"), psycopg.connect(url, connect_timeout=max(1, round(options.connect_s))) as one:
        version = one.execute("SHOW server_version").fetchone()
        extension = one.execute(EXTENSION).fetchone()
        kept = one.execute(LAYOUT).fetchone()
    server = f"PostgreSQL {str((version or ('',))[0]).partition(' ')[0]}"
    if kept:
        return f"{server} with TimescaleDB {(extension or ('',))[0]}: hypertables and continuous aggregates"
    without = "TimescaleDB is there and not used yet" if extension else "without TimescaleDB"
    return f"{server} {without}: partitions by month, rollups kept by the gateway"


def scripts() -> Path:
    """Where the migrations are: beside this module once installed, in the repository otherwise."""
    packaged = Path(__file__).parent / "migrations"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "alembic"


def _migrated(connection: Connection, revision: str) -> list[str]:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(scripts()).replace("%", "%%"))
    script = ScriptDirectory.from_config(config)
    before = _heads(connection)
    wanted = script.get_revision(revision)
    try:
        known = {one.revision for head in before for one in script.iterate_revisions(head, "base")}
    except (CommandError, RevisionError) as error:
        raise StoreUnavailable(
            "these tables were made by a newer release. Use that one, or one newer still."
        ) from error
    down = wanted is None or wanted.revision in known - set(before)
    if down and not revision.startswith("timescale") and connection.execute(text(LAYOUT)).first() is not None:
        return [*_migrated(connection, "timescale@base"), *_migrated(connection, revision)]
    (command.downgrade if down else command.upgrade)(config, revision)
    after = _heads(connection)
    passed = {one.revision: one for head in after for one in script.iterate_revisions(head, "base")}
    told = [f"{name}: {script.get_revision(name).doc}" for name in sorted(passed.keys() - known)]
    told += [f"{name} undone" for name in sorted(known - passed.keys(), reverse=True)]
    return told + _add_missing(connection)


def _may_move(connection: Connection, whole: bool) -> bool:
    if connection.execute(text(EXTENSION)).first() is None or connection.execute(text(LAYOUT)).first() is not None:
        return False
    if not whole:
        return connection.execute(text(f"SELECT 1 FROM {SCHEMA}.ids LIMIT 1")).first() is None
    if not connection.scalar(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": WRITER_LOCK}):
        raise StoreInUse("a gateway writes to this store. Stop it, then migrate to TimescaleDB.")
    return True


def _followed(connection: Connection, options: Options) -> list[str]:
    if connection.execute(text(LAYOUT)).first() is None:
        return []
    follow(connection, options.compress_days, options.retain_days)
    days = {"compressed": options.compress_days, "dropped": options.retain_days}
    return [
        f"chunks are {what} after {count} days" if count is not None else f"chunks are never {what}"
        for what, count in days.items()
    ]


EXTENSION = "SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'"


def _heads(connection: Connection) -> tuple[str, ...]:
    return MigrationContext.configure(connection, opts={"version_table_schema": SCHEMA}).get_current_heads()


def _add_missing(connection: Connection) -> list[str]:
    """Give tables the columns declared since they were made: a new kind of fact is a line in metrics.columns."""
    told, inspector = [], inspect(connection)
    present = set(inspector.get_table_names(SCHEMA))
    for table in METADATA.sorted_tables:
        if table.name not in present:
            continue
        names = {column["name"] for column in inspector.get_columns(table.name, SCHEMA)}
        for column in table.columns:
            if column.name not in names:
                kind = column.type.compile(connection.dialect)
                empty = "{}" if isinstance(column.type, ARRAY) else "0"
                empty = "" if isinstance(column.type, Text | LargeBinary) else empty
                rest = "" if column.nullable else f" NOT NULL DEFAULT '{empty}'"
                connection.execute(text(f'ALTER TABLE {SCHEMA}.{table.name} ADD COLUMN "{column.name}" {kind}{rest}'))
                told.append(f"{table.name} has a new column: {column.name}")
    return told + _renew_rollups(connection)


def _renew_rollups(connection: Connection) -> list[str]:
    """Continuous aggregates cannot gain columns: where one lacks any, they are made anew from the facts."""
    if connection.execute(text(LAYOUT)).first() is None:
        return []
    names = {column["name"] for column in inspect(connection).get_columns("facts_minute", SCHEMA)}
    if names >= set(METADATA.tables[f"{SCHEMA}.facts_minute"].columns.keys()):
        return []
    drop_rollups(connection)
    create_rollups(connection)
    return ["the continuous aggregates were made anew, with new columns"]
