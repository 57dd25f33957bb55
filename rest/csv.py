"""Lists as CSV: the item's own names, nested ones joined with dots; what has no fixed columns is a cell of JSON.

The columns are those of the item's schema, so that every page has the same. Null is an empty cell.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rest.json import encoded
from rest.schema import Schema, is_record

# What a spreadsheet takes for the beginning of a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def table(items: Sequence[Any], item: Schema) -> bytes:
    """The items as a table (RFC 4180), its header first."""
    columns = [*paths(item)]
    text = io.StringIO()
    write = csv.writer(text).writerow
    write([".".join(column) for column in columns])
    for one in items:
        write([_cell(at(one, column)) for column in columns])
    return text.getvalue().encode()


def paths(item: Schema) -> Iterator[tuple[str, ...]]:
    """Where each column's value lies in an item."""
    for name, schema in item["properties"].items():
        if is_record(schema):
            yield from ((name, *rest) for rest in paths(schema))
        else:
            yield (name,)


def at(item: Any, path: Sequence[str]) -> Any:
    """The value of a column in an item."""
    for name in path:
        item = item[name]
    return item


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        # A quote in front keeps a spreadsheet from running what somebody named a workflow.
        return f"'{value}" if value.startswith(FORMULA) else value
    if isinstance(value, Mapping | list | tuple | bool):
        return encoded(value).decode()
    return repr(value)
