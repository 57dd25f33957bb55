"""Lists as Arrow and Parquet: the columns of CSV with types of their own. Amounts of any size stay text, exactly.

Made where pyarrow is installed (the extra `arrow`); it is read when the first such answer is asked for.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from rest.csv import at, paths
from rest.schema import Schema, is_record

if TYPE_CHECKING:
    import pyarrow

STREAM, PARQUET = "application/vnd.apache.arrow.stream", "application/vnd.apache.parquet"


@cache
def is_here() -> bool:
    """Is pyarrow installed?"""
    return find_spec("pyarrow") is not None


def stream(items: Sequence[Any], item: Schema) -> bytes:
    """The items as an Arrow IPC stream."""
    import pyarrow

    found = _table(items, item)
    sink = io.BytesIO()
    with pyarrow.ipc.new_stream(sink, found.schema) as writer:
        writer.write_table(found)
    return sink.getvalue()


def parquet(items: Sequence[Any], item: Schema) -> bytes:
    """The items as a Parquet file."""
    from pyarrow.parquet import write_table

    sink = io.BytesIO()
    write_table(_table(items, item), sink, compression="zstd")
    return sink.getvalue()


def _table(items: Sequence[Any], item: Schema) -> "pyarrow.Table":
    import pyarrow

    columns = [(path, _leaf(item, path)) for path in paths(item)]
    fields = [pyarrow.field(".".join(path), _type(leaf)) for path, leaf in columns]
    values = [[_value(at(one, path), leaf) for one in items] for path, leaf in columns]
    arrays = [pyarrow.array(some, field.type) for some, field in zip(values, fields, strict=True)]
    return pyarrow.table(arrays, pyarrow.schema(fields))


def _leaf(item: Schema, path: Sequence[str]) -> Schema:
    for name in path:
        item = item["properties"][name]
    return item


def _type(schema: Schema) -> Any:
    import pyarrow

    if is_record(schema):
        inner = schema["properties"].items()
        return pyarrow.struct([pyarrow.field(name, _type(each)) for name, each in inner])
    makes: Mapping[str, Callable[[], Any]] = {
        "string": lambda: pyarrow.timestamp("ms", "UTC") if _is_instant(schema) else pyarrow.string(),
        "number": pyarrow.float64,
        "integer": pyarrow.int64,
        "boolean": pyarrow.bool_,
        "array": lambda: pyarrow.list_(_type(schema["items"])),
        "object": lambda: pyarrow.map_(pyarrow.string(), _type(schema["additionalProperties"])),
    }
    return makes[_kind(schema)]()


def _value(value: Any, schema: Schema) -> Any:
    """A value as pyarrow takes it."""
    if value is None:
        return None
    if is_record(schema):
        return {name: _value(value[name], inner) for name, inner in schema["properties"].items()}
    if _kind(schema) == "array":
        return [_value(one, schema["items"]) for one in value]
    if _kind(schema) == "object":
        return [(name, _value(inner, schema["additionalProperties"])) for name, inner in value.items()]
    return datetime.fromisoformat(value) if _is_instant(schema) else value


def _kind(schema: Schema) -> str:
    kind: str | list[str] = schema["type"]
    return kind if isinstance(kind, str) else kind[0]


def _is_instant(schema: Schema) -> bool:
    return schema.get("format") == "date-time"
