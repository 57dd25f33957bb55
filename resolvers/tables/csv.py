"""Tables as CSV: a header, null as an empty cell; what is no plain value is a cell of JSON."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from resolvers.tables.column import Column, Row

# What a spreadsheet takes for the beginning of a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def table(columns: Sequence[Column], rows: Sequence[Row]) -> bytes:
    """The table (RFC 4180), its header first."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([column.name for column in columns])
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        # A quote in front keeps a spreadsheet from running what somebody named a workflow.
        return f"'{value}" if value.startswith(FORMULA) else value
    if isinstance(value, Mapping | list | tuple | bool):
        return orjson.dumps(value).decode()
    return repr(value)
