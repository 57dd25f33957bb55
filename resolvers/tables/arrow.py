"""Tables as Arrow and Parquet: the columns of CSV with types of their own. Amounts of any size stay text, exactly.

Made where pyarrow is installed (the extra `arrow`); it is read when the first such answer is asked for.
"""

import io
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from resolvers.tables.column import Column, Kind, ListOf, MapOf, Record, Row, Type

if TYPE_CHECKING:
    import pyarrow

STREAM, PARQUET = "application/vnd.apache.arrow.stream", "application/vnd.apache.parquet"


@cache
def is_here() -> bool:
    """Is pyarrow installed?"""
    return find_spec("pyarrow") is not None


def stream(columns: Sequence[Column], rows: Sequence[Row]) -> bytes:
    """The table as an Arrow IPC stream."""
    import pyarrow

    found = _table(columns, rows)
    sink = io.BytesIO()
    with pyarrow.ipc.new_stream(sink, found.schema) as writer:
        writer.write_table(found)
    return sink.getvalue()


def parquet(columns: Sequence[Column], rows: Sequence[Row]) -> bytes:
    """The table as a Parquet file."""
    from pyarrow.parquet import write_table

    sink = io.BytesIO()
    write_table(_table(columns, rows), sink, compression="zstd")
    return sink.getvalue()


def _table(columns: Sequence[Column], rows: Sequence[Row]) -> "pyarrow.Table":
    import pyarrow

    fields = [pyarrow.field(column.name, _type(column.type)) for column in columns]
    arrays = [
        pyarrow.array([_value(row[at], column.type) for row in rows], field.type)
        for at, (column, field) in enumerate(zip(columns, fields, strict=True))
    ]
    return pyarrow.table(arrays, pyarrow.schema(fields))


def _type(type_: Type) -> Any:
    import pyarrow

    match type_:
        case Record(of):
            return pyarrow.struct([pyarrow.field(name, _type(each)) for name, each in of.items()])
        case ListOf(of):
            return pyarrow.list_(_type(of))
        case MapOf(of):
            return pyarrow.map_(pyarrow.string(), _type(of))
        case Kind.INTEGER:
            return pyarrow.int64()
        case Kind.NUMBER:
            return pyarrow.float64()
        case Kind.BOOLEAN:
            return pyarrow.bool_()
        case Kind.INSTANT:
            return pyarrow.timestamp("ms", "UTC")
        case Kind.TEXT:
            return pyarrow.string()


def _value(value: Any, type_: Type) -> Any:
    """A value as pyarrow takes it."""
    if value is None:
        return None
    match type_:
        case Record(of):
            return {name: _value(value[name], inner) for name, inner in of.items()}
        case ListOf(of):
            return [_value(one, of) for one in value]
        case MapOf(of):
            return [(name, _value(inner, of)) for name, inner in value.items()]
        case Kind.INSTANT:
            return datetime.fromisoformat(value)
    return value
