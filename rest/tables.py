"""Lists as tables: the item's own names, nested ones joined with dots; what has no fixed columns is one cell.

The columns are those of the item's schema, so that every page has the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from resolvers import media
from resolvers.tables.column import Column, Kind, ListOf, MapOf, Record, Row, Type
from resolvers.tables.forms import FORMS
from rest.schema import Schema, is_record

# What `format` may be.
JSON_NAME = "json"
MEDIA_TYPES: Mapping[str, str] = {JSON_NAME: media.JSON} | {form.name: form.media_type for form in FORMS}
KINDS = {"string": Kind.TEXT, "number": Kind.NUMBER, "integer": Kind.INTEGER, "boolean": Kind.BOOLEAN}


def columns(item: Schema) -> list[Column]:
    """The columns of a list of such items."""
    return [Column(".".join(path), _type(_leaf(item, path))) for path in paths(item)]


def rows(items: Sequence[Any], item: Schema) -> list[Row]:
    """A row of each item."""
    wanted = [*paths(item)]
    return [[at(one, path) for path in wanted] for one in items]


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


def _leaf(item: Schema, path: Sequence[str]) -> Schema:
    for name in path:
        item = item["properties"][name]
    return item


def _type(schema: Schema) -> Type:
    if is_record(schema):
        return Record({name: _type(each) for name, each in schema["properties"].items()})
    said: str | list[str] = schema["type"]
    kind = said if isinstance(said, str) else said[0]
    if kind == "array":
        return ListOf(_type(schema["items"]))
    if kind == "object":
        return MapOf(_type(schema["additionalProperties"]))
    return Kind.INSTANT if schema.get("format") == "date-time" else KINDS[kind]
