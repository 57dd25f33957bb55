"""The tables' shape: alembic's migrations, run from wherever this is installed, and the columns declared since."""

from pathlib import Path

import psycopg
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, inspect, text
from sqlalchemy.pool import NullPool
from sqlalchemy.types import ARRAY, LargeBinary, Text

from alembic import command
from backends.postgres.errors import as_gateway_errors
from backends.postgres.options import Options
from backends.postgres.tables import METADATA, SCHEMA

MIGRATION_LOCK = 0x6E61_6172
MAIN = "main@head"


def migrate(url: str, options: Options, revision: str = MAIN) -> list[str]:
    """Bring the tables to a revision, up or down; what was done, a line each. Others that migrate meanwhile wait."""
    with as_gateway_errors("migrate"):
        engine = create_engine(
            "postgresql+psycopg://",
            poolclass=NullPool,
            creator=lambda: psycopg.connect(url, connect_timeout=max(1, round(options.connect_s))),
        )
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
            if not inspect(connection).has_schema(SCHEMA):
                connection.execute(text(f"CREATE SCHEMA {SCHEMA}"))
            connection.execute(text(f"SET LOCAL search_path = {SCHEMA}, public"))
            return _migrated(connection, revision)


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
    assert wanted is not None, revision
    known = {one.revision for head in before for one in script.iterate_revisions(head, "base")}
    (command.downgrade if wanted.revision in known - set(before) else command.upgrade)(config, revision)
    after = _heads(connection)
    passed = {one.revision: one for head in after for one in script.iterate_revisions(head, "base")}
    told = [f"{name}: {script.get_revision(name).doc}" for name in sorted(passed.keys() - known)]
    told += [f"{name} undone" for name in sorted(known - passed.keys(), reverse=True)]
    return told + _add_missing(connection)


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
    return told
