"""The tables as ClickHouse creates them: embedded, on a server, or spread over a cluster.

On a cluster each table is two: `name_local` on every node, replicated within a shard, and the `Distributed` table
`name` that every statement reads and writes (docs/decisions/0091).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from backends.tables import (
    CONFLICTS,
    DELETED,
    IDS,
    OFFERS,
    PATHS,
    PAYMENTS,
    RAW,
    REJECTED,
    TABLES,
    VER,
    WANTED,
    Field,
    Kind,
    Table,
)

TYPES = {
    Kind.TEXT: "String",
    Kind.TAG: "LowCardinality(String)",
    Kind.INT: "Int64",
    Kind.COUNT: "UInt64",
    Kind.WIDE: "Int128",
    Kind.HUGE: "Int256",
    Kind.FLAG: "UInt8",
    Kind.DIGEST: "FixedString(32)",
    Kind.BLOB: "String",
    Kind.TEXTS: "Array(String)",
    Kind.INTS: "Array(Int64)",
    Kind.HISTOGRAM: "Map(UInt32, UInt64)",
}
# Small parts keep all columns in one file. Many columns in a file each are slow to write; few read faster.
MANY_COLUMNS, COMPACT_BYTES = 20, 256 * 1024 * 1024
# How many inserts a table remembers, so that one that is sent again after a lost answer is not kept twice.
REMEMBERED = 1000
LOCAL = "_local"
# What decides a row's shard, where it is not the whole key: a part of the key, so that a replacement always meets what
# it replaces, and of facts the owner, so that a session lies in one place. Events of no session are spread by id.
SHARDED_BY: Mapping[str, str] = {
    RAW.name: "if(owner = '', id, owner)",
    IDS.name: "hash",
    CONFLICTS.name: "id",
    REJECTED.name: "sha",
    PATHS.name: "value",
    OFFERS.name: "uri",
    PAYMENTS.name: "id",
    "facts": "owner",
    "sightings": "owner",
    "sessions": "owner",
    "supply": "owner",
    "claims": "place",
    "stakes": "orchestrator",
}


@dataclass(frozen=True, slots=True)
class Layout:
    """Where tables are: in this process, on a server, or on every node of a cluster."""

    server: bool = False
    cluster: str | None = None
    database: str = ""  # needed with a cluster, where each node must find its own tables


EMBEDDED = Layout()


def type_of(field: Field) -> str:
    """The ClickHouse type of a column."""
    plain = TYPES[field.kind]
    return f"Nullable({plain})" if field.nullable else plain


def create(table: Table, layout: Layout = EMBEDDED) -> list[str]:
    """The statements that create a table where it is missing."""
    if table is WANTED:
        # A server is sent the keys with the statement that looks them up.
        return [] if layout.server else [f"{_body(table, layout, '')} ENGINE = Memory"]
    settings = [f"index_granularity = {table.granule}"]
    if len(table.every) > MANY_COLUMNS:
        settings.append(f"min_bytes_for_wide_part = {COMPACT_BYTES}")
    if layout.server and not layout.cluster:
        settings.append(f"non_replicated_deduplication_window = {REMEMBERED}")
    engine = f"ReplacingMergeTree({VER.name}, {DELETED.name})" if table.versioned else "ReplacingMergeTree"
    if layout.cluster:
        engine = f"Replicated{engine}"  # at the server's default path in Keeper
    kept = (
        f"{_body(table, layout, LOCAL if layout.cluster else '')} ENGINE = {engine} "
        f"ORDER BY ({', '.join(f'`{name}`' for name in table.key)}) SETTINGS {', '.join(settings)}"
    )
    return [kept, _distributed(table, layout)] if layout.cluster else [kept]


def create_all(layout: Layout = EMBEDDED) -> list[str]:
    """The statements that create every table."""
    return [statement for table in TABLES for statement in create(table, layout)]


def add_missing(present: Collection[tuple[str, str]], layout: Layout = EMBEDDED) -> list[str]:
    """The statements that give older tables the columns declared since; `present` names (table, column)."""
    return [
        f"ALTER TABLE `{name}`{_on(layout)} ADD COLUMN IF NOT EXISTS `{field.name}` {type_of(field)}{_codec(field)}"
        for table in TABLES
        if not (layout.server and table is WANTED)
        for name in ([f"{table.name}{LOCAL}", table.name] if layout.cluster else [table.name])
        for field in table.every
        if (name, field.name) not in present
    ]


def create_database(layout: Layout) -> str:
    """The statement that creates the database where it is missing."""
    return f"CREATE DATABASE IF NOT EXISTS {quoted(layout.database)}{_on(layout)} ENGINE = Atomic"


def drop_database(layout: Layout) -> str:
    """The statement that drops the database with all that is in it."""
    return f"DROP DATABASE IF EXISTS {quoted(layout.database)}{_on(layout)} SYNC"


def quoted(name: str) -> str:
    """A name within SQL."""
    return f"`{name.replace(chr(92), chr(92) * 2).replace('`', chr(92) + '`')}`"


def _body(table: Table, layout: Layout, suffix: str) -> str:
    columns = [f"`{field.name}` {type_of(field)}{_codec(field)}" for field in table.every]
    columns += [f"INDEX `{name}_range` `{name}` TYPE minmax GRANULARITY 1" for name in table.ranges]
    return f"CREATE TABLE IF NOT EXISTS `{table.name}{suffix}`{_on(layout)} ({', '.join(columns)})"


def _distributed(table: Table, layout: Layout) -> str:
    assert layout.cluster
    local = f"`{table.name}{LOCAL}`"
    by = SHARDED_BY.get(table.name) or ", ".join(f"`{name}`" for name in table.key)
    place = f"{quoted(layout.cluster)}, {quoted(layout.database)}, {local}"
    return (
        f"CREATE TABLE IF NOT EXISTS `{table.name}`{_on(layout)} AS {local} "
        f"ENGINE = Distributed({place}, cityHash64({by}))"
    )


def _on(layout: Layout) -> str:
    return f" ON CLUSTER {quoted(layout.cluster)}" if layout.cluster else ""


def _codec(field: Field) -> str:
    return " CODEC(ZSTD(1))" if field.kind is Kind.BLOB else ""
