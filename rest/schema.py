"""JSON Schema, as much of it as the answers here need. Every property is always there; what may be null says so."""

from collections.abc import Mapping, Sequence
from typing import Any

Schema = Mapping[str, Any]


def text(doc: str, *, nullable: bool = False, **more: Any) -> Schema:
    """A text."""
    return _typed("string", doc, nullable, more)


def number(doc: str, *, nullable: bool = False, **more: Any) -> Schema:
    """A number, in the unit that its description says."""
    return _typed("number", doc, nullable, more)


def whole(doc: str, *, nullable: bool = False, **more: Any) -> Schema:
    """A whole number."""
    return _typed("integer", doc, nullable, more)


def boolean(doc: str) -> Schema:
    """True or false."""
    return _typed("boolean", doc, False, {})


def instant(doc: str, *, nullable: bool = False) -> Schema:
    """A time, RFC 3339 in UTC."""
    return text(doc, nullable=nullable, format="date-time")


def share(doc: str, *, nullable: bool = True) -> Schema:
    """A percentage."""
    return number(doc, nullable=nullable, minimum=0, maximum=100)


def integer_text(doc: str, *, nullable: bool = False) -> Schema:
    """An exact whole number of any size, as decimal text."""
    return text(doc, nullable=nullable, pattern="^(0|[1-9][0-9]*)$")


def decimal_text(doc: str, *, nullable: bool = False) -> Schema:
    """An exact decimal number, as text."""
    return text(doc, nullable=nullable, pattern=r"^(0|[1-9][0-9]*)(\.[0-9]+)?$")


def listing(item: Schema, doc: str) -> Schema:
    """A list."""
    return {"type": "array", "items": item, "description": doc}


def mapping(value: Schema, doc: str) -> Schema:
    """An object with any keys and values of one kind."""
    return {"type": "object", "additionalProperties": value, "description": doc}


def record(properties: Mapping[str, Schema], doc: str, optional: Sequence[str] = ()) -> Schema:
    """An object with these properties."""
    needed = [name for name in properties if name not in optional]
    return {"type": "object", "description": doc, "properties": dict(properties), "required": needed}


def is_record(schema: Schema) -> bool:
    """Has it properties of known names?"""
    return "properties" in schema


def _typed(kind: str, doc: str, nullable: bool, more: Mapping[str, Any]) -> Schema:
    return {"type": [kind, "null"] if nullable else kind, "description": doc, **more}
