"""How tables are kept where TimescaleDB is present: hypertables, and rollups as continuous aggregates.

The aggregates have the names and columns of the plain rollups, so that whoever reads sees no difference. They are
real-time: behind the last bucket that was computed (the watermark) an answer is made from the facts themselves. What
late facts touched below it is computed again by backends.postgres.aggregates (docs/decisions/0082).
"""

from sqlalchemy import Connection, text

from backends.postgres.partitions import inner, month_of, outer
from backends.postgres.refresh import REFRESHES
from backends.postgres.tables import METADATA, PARTITIONED, SCHEMA, hashed
from backends.stale import Stale
from metrics.window import DAY_MS

HYPERTABLES = {"raw": "at_ms", "facts": "slot"}
ROLLUPS = (Stale.MINUTES, Stale.HOURS, Stale.DAYS)
NOW = (
    f"CREATE FUNCTION {SCHEMA}.now_ms() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE "
    "AS 'SELECT (extract(epoch FROM now()) * 1000)::bigint'"
)


def to_hypertable(connection: Connection, name: str) -> None:
    """Keep a table's rows in chunks of a day."""
    table = METADATA.tables[f"{SCHEMA}.{name}"]
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    run = connection.exec_driver_sql
    run(f"ALTER TABLE {SCHEMA}.{name} RENAME TO {name}_plain")
    run(f"CREATE TABLE {SCHEMA}.{name} (LIKE {SCHEMA}.{name}_plain INCLUDING DEFAULTS)")
    connection.execute(
        text("SELECT create_hypertable(:table, by_range(:time, :width), create_default_indexes => false)"),
        {"table": f"{SCHEMA}.{name}", "time": HYPERTABLES[name], "width": DAY_MS},
    )
    run(f"SELECT set_integer_now_func('{SCHEMA}.{name}', '{SCHEMA}.now_ms')")
    run(f"INSERT INTO {SCHEMA}.{name} ({columns}) SELECT {columns} FROM {SCHEMA}.{name}_plain")
    run(f"DROP TABLE {SCHEMA}.{name}_plain")
    for index in table.indexes:
        index.create(connection)


def to_partitions(connection: Connection, name: str) -> None:
    """Keep a hypertable's rows in partitions of a month again."""
    table = METADATA.tables[f"{SCHEMA}.{name}"]
    columns, time = ", ".join(f'"{column.name}"' for column in table.columns), HYPERTABLES[name]
    run = connection.exec_driver_sql
    run(f"ALTER TABLE {SCHEMA}.{name} RENAME TO {name}_hyper")
    for index in table.indexes:
        index.drop(connection)
    table.create(connection)
    for statement in (*outer(name), *(inner(name, month) for month in _months(connection, f"{name}_hyper", time))):
        run(statement)
    run(f"INSERT INTO {SCHEMA}.{name} ({columns}) SELECT {columns} FROM {SCHEMA}.{name}_hyper")
    run(f"DROP TABLE {SCHEMA}.{name}_hyper")


def plain_rollups(connection: Connection) -> None:
    """The three rollups as tables, computed from the facts that there are."""
    run = connection.exec_driver_sql
    for kind in ROLLUPS:
        how = REFRESHES[kind]
        METADATA.tables[f"{SCHEMA}.{how.table}"].create(connection)
        if how.table in PARTITIONED:
            months = _months(connection, "facts", "slot")
            for statement in (*outer(how.table), *(inner(how.table, month) for month in months)):
                run(statement)
        run(f"INSERT INTO {SCHEMA}.{how.table} ({how.names}) {how.select('')}")


def _months(connection: Connection, table: str, time: str) -> list[str]:
    days = connection.exec_driver_sql(f"SELECT DISTINCT {time} / {DAY_MS} * {DAY_MS} FROM {SCHEMA}.{table}")
    return sorted({month for (at_ms,) in days if (month := month_of(at_ms)) is not None})


def create_rollups(connection: Connection) -> None:
    """The three rollups as continuous aggregates, each on the finer one. Nothing is computed yet, all is answered."""
    for kind in ROLLUPS:
        how = REFRESHES[kind]
        bucket = f"time_bucket({how.width_ms}::bigint, {how.time})"
        connection.exec_driver_sql(
            f"CREATE MATERIALIZED VIEW {SCHEMA}.{how.table} WITH (timescaledb.continuous, "
            "timescaledb.materialized_only = false, timescaledb.create_group_indexes = false) AS "
            f"{how.select('', bucket)} WITH NO DATA"
        )
        for over in ("bucket_ms", f"{hashed('orchestrator')}, bucket_ms"):
            connection.exec_driver_sql(f"CREATE INDEX ON {SCHEMA}.{how.table} ({over})")


def drop_rollups(connection: Connection) -> None:
    """Take the continuous aggregates away, the coarsest first."""
    for kind in reversed(ROLLUPS):
        connection.exec_driver_sql(f"DROP MATERIALIZED VIEW {SCHEMA}.{REFRESHES[kind].table}")


def follow(connection: Connection, compress_days: int | None, retain_days: int | None) -> None:
    """Compress and drop what is older than so many days; None: never."""
    run = connection.exec_driver_sql
    for name in HYPERTABLES:
        run(f"SELECT remove_compression_policy('{SCHEMA}.{name}', if_exists => true)")
        if compress_days is not None:
            orders = {"raw": "owner, at_ms", "facts": "owner, slot"}
            segments = {"raw": "type", "facts": "orchestrator"}
            run(
                f"ALTER TABLE {SCHEMA}.{name} SET (timescaledb.compress, timescaledb.compress_segmentby = "
                f"'{segments[name]}', timescaledb.compress_orderby = '{orders[name]}')"
            )
            run(f"SELECT add_compression_policy('{SCHEMA}.{name}', compress_after => {compress_days * DAY_MS}::bigint)")
    for name in (*HYPERTABLES, *(REFRESHES[kind].table for kind in ROLLUPS)):
        run(f"SELECT remove_retention_policy('{SCHEMA}.{name}', if_exists => true)")
        if retain_days is not None:
            run(f"SELECT add_retention_policy('{SCHEMA}.{name}', drop_after => {retain_days * DAY_MS}::bigint)")
