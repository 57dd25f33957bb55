"""The tables as PostgreSQL has them: the columns of backends.tables, without versions, in a schema of their own.

What withdraws a row there deletes it here, inside a transaction. Texts come from events and may be of any length, which
a B-tree cannot hold: indexes are over 64 bits of them (or their beginning), and every lookup tests the text itself too.
Keys are unique because the one writer keeps them so.
"""

from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    Index,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
    literal_column,
)
from sqlalchemy.types import TypeEngine

from backends import tables as declared
from backends.postgres.histogram import COUNT_BITS, COUNTS
from backends.tables import Field, Kind

SCHEMA = "naap"
TEXT = Text(collation="C")  # the order of every other store: by code point
TYPES: dict[Kind, TypeEngine[Any]] = {
    Kind.TEXT: TEXT,
    Kind.TAG: TEXT,
    Kind.INT: BigInteger(),
    Kind.COUNT: BigInteger(),
    Kind.WIDE: Numeric(),
    Kind.HUGE: Numeric(),
    Kind.FLAG: SmallInteger(),
    Kind.DIGEST: LargeBinary(),
    Kind.BLOB: LargeBinary(),
    Kind.TEXTS: ARRAY(TEXT),
    Kind.INTS: ARRAY(BigInteger()),
    Kind.HISTOGRAM: ARRAY(BigInteger()),  # see backends.postgres.histogram
}
# What is kept in stretches of time: the table, and the column (Unix ms) that says which.
PARTITIONED = {"raw": "at_ms", "facts": "slot", "facts_minute": "bucket_ms"}
# Rollups leave out what a group says nothing of: a null takes no room.
ROLLUPS = (declared.FACTS_MINUTE, declared.FACTS_HOUR, declared.FACTS_DAY)
VER = Field("ver", Kind.INT)
METADATA = MetaData(schema=SCHEMA)


def hashed(column: str) -> str:
    """64 bits of a text, for an index."""
    return f"hashtextextended({column}, 0)"


def among(column: str, values: str) -> str:
    """The test that a text is one of an array's, by the index over its 64 bits."""
    return (
        f"{hashed(column)} = ANY (ARRAY(SELECT {hashed('one')} FROM unnest({values}) AS one)) "
        f"AND {column} = ANY ({values})"
    )


def beginning(column: str) -> str:
    """So much of a text that few differ only behind it: in an index that also keeps their order."""
    return f"left({column}, 64)"


def _table(table: declared.Table, *more: Field, indexes: dict[str, tuple[str, ...]]) -> Table:
    nullable = table in ROLLUPS
    columns = [
        Column(field.name, TYPES[field.kind], nullable=field.nullable or (nullable and _sums(field)))
        for field in (*table.fields, *more)
    ]
    by = PARTITIONED.get(table.name)
    made = Table(
        table.name, METADATA, *columns, postgresql_partition_by=None if by is None else f"RANGE ({by})"
    )  # fmt: skip
    for name, expressions in indexes.items():
        inverted = {"postgresql_using": "gin"} if name == "places" else {}
        over = [made.c[one] if one in made.c else literal_column(one) for one in expressions]
        Index(f"{table.name}_{name}", *over, _table=made, **inverted)  # type: ignore[arg-type]
    return made


def _sums(field: Field) -> bool:
    return field.name != "bucket_ms" and field not in declared.DIMS


def _by(name: str, *more: str) -> dict[str, tuple[str, ...]]:
    return {name: (hashed(name), *more)}


RAW = _table(
    declared.RAW,
    VER,
    indexes={"owner": (beginning("owner"), "at_ms"), "at_ms": ("at_ms",), "ver": ("ver",)},
)
IDS = _table(declared.IDS, indexes={"hash": ("hash",)})
CONFLICTS = _table(declared.CONFLICTS, VER, indexes={**_by("id"), "ver": ("ver",)})
REJECTED = _table(declared.REJECTED, indexes={"sha": ("sha",)})
MARKS = _table(declared.MARKS, indexes={"name": ("name",)})
STALE = _table(declared.STALE, indexes={"bucket": ("kind", "bucket_ms")})
# How far each source reaches, over the events that count.
REACH = _table(
    declared.Table("reach", (Field("source", Kind.TAG), Field("first_ms", Kind.INT), Field("last_ms", Kind.INT)), ()),
    indexes={},
)
FACTS = _table(declared.FACTS, indexes={"slot": ("slot",), **_by("owner")})
SUPPLY = _table(declared.SUPPLY, indexes={"slot": ("slot",)})
for _rollup in ROLLUPS:
    _table(_rollup, indexes={"bucket": ("bucket_ms",), **_by("orchestrator", "bucket_ms")})
SIGHTINGS = _table(declared.SIGHTINGS, indexes={"slot": ("slot",), **_by("owner")})
for _rollup in (declared.SIGHTINGS_HOUR, declared.SIGHTINGS_DAY):
    _table(_rollup, indexes={"bucket": ("bucket_ms",)})
SESSIONS = _table(
    declared.SESSIONS,
    indexes={
        **_by("owner"),
        **_by("stream_id"),
        **_by("request_id"),
        **_by("gateway_name"),
        "requested": ("requested_ms",),
        "last": ("last_ms",),
        "places": ("naap.hashes(places)",),
    },
)
CLAIMS = _table(declared.CLAIMS, indexes={**_by("place", "at_ms"), **_by("id")})
OFFERS = _table(declared.OFFERS, indexes={**_by("uri", "at_ms"), **_by("id")})
PAYMENTS = _table(declared.PAYMENTS, indexes={**_by("request_id"), **_by("session_id"), **_by("id")})
STAKES = _table(declared.STAKES, indexes={**_by("orchestrator", "at_ms"), **_by("id")})

# Made before any table. None of them names anything outside of pg_catalog, so that no search path matters.
FUNCTIONS = (
    f"CREATE FUNCTION {SCHEMA}.hashes(texts text[]) RETURNS bigint[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE "
    "AS 'SELECT ARRAY(SELECT hashtextextended(one, 0) FROM unnest(texts) AS one)'",
    # The entry that one value makes: metrics.histogram.bucket_of, bit by bit, and the count 1.
    f"CREATE FUNCTION {SCHEMA}.entry(value bigint) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$"
    "SELECT (((get_byte(float8send(value::float8), 0)::bigint << 10) + (get_byte(float8send(value::float8), 1) << 2) "
    f"+ (get_byte(float8send(value::float8), 2) >> 6)) << {COUNT_BITS}) + 1$$",
    f"CREATE FUNCTION {SCHEMA}.compact(entries bigint[]) RETURNS bigint[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE "
    f"AS $$SELECT array_agg(entry ORDER BY entry) FROM (SELECT ((one >> {COUNT_BITS}) << {COUNT_BITS}) "
    f"+ sum(one & {COUNTS})::bigint AS entry FROM unnest(entries) AS one GROUP BY one >> {COUNT_BITS}) AS summed$$",
    f"CREATE AGGREGATE {SCHEMA}.histogram(bigint) "
    f"(SFUNC = array_append, STYPE = bigint[], FINALFUNC = {SCHEMA}.compact, PARALLEL = SAFE)",
    f"CREATE AGGREGATE {SCHEMA}.merged(bigint[]) "
    f"(SFUNC = array_cat, STYPE = bigint[], FINALFUNC = {SCHEMA}.compact, PARALLEL = SAFE)",
)
