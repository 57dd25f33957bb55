"""The tables as ClickHouse creates them."""

from collections.abc import Collection

from backends.tables import DELETED, TABLES, VER, WANTED, Field, Kind, Table

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


def type_of(field: Field) -> str:
    """The ClickHouse type of a column."""
    plain = TYPES[field.kind]
    return f"Nullable({plain})" if field.nullable else plain


def create(table: Table) -> str:
    """The statement that creates a table where it is missing."""
    columns = [f"`{field.name}` {type_of(field)}{_codec(field)}" for field in table.every]
    columns += [f"INDEX `{name}_range` `{name}` TYPE minmax GRANULARITY 1" for name in table.ranges]
    body = f"CREATE TABLE IF NOT EXISTS `{table.name}` ({', '.join(columns)})"
    if table is WANTED:
        return f"{body} ENGINE = Memory"
    engine = f"ReplacingMergeTree({VER.name}, {DELETED.name})" if table.versioned else "ReplacingMergeTree"
    return (
        f"{body} ENGINE = {engine} ORDER BY ({', '.join(f'`{name}`' for name in table.key)}) "
        f"SETTINGS index_granularity = {table.granule}"
        + (f", min_bytes_for_wide_part = {COMPACT_BYTES}" if len(table.every) > MANY_COLUMNS else "")
    )


def create_all() -> list[str]:
    """The statements that create every table."""
    return [create(table) for table in TABLES]


def add_missing(present: Collection[tuple[str, str]]) -> list[str]:
    """The statements that give older tables the columns declared since; `present` names (table, column)."""
    return [
        f"ALTER TABLE `{table.name}` ADD COLUMN `{field.name}` {type_of(field)}{_codec(field)}"
        for table in TABLES
        for field in table.every
        if (table.name, field.name) not in present
    ]


def _codec(field: Field) -> str:
    return " CODEC(ZSTD(1))" if field.kind is Kind.BLOB else ""
