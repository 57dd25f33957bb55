"""The executor, with a short way through objects of plain numbers.

A page of metrics is thousands of small objects whose fields are attributes. Those are completed in one loop; whatever
is unusual about one (an error, a null that must not be) is left to the ordinary way, so that answers are the same.
"""

from collections.abc import Callable
from typing import Any

from graphql import GraphQLLeafType, GraphQLNonNull, GraphQLObjectType, is_leaf_type
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types.field import StrawberryField

PLAIN = frozenset({"Distribution", "Measurement", "Outcomes"})

Write = Callable[[Any], Any]
Readers = dict[str, tuple[str, Write, bool]]


class Unusual(Exception):
    """The short way does not lead here."""


class Executor(StrawberryGraphQLCoreExecutionContext):
    """Strawberry's executor with the short way."""

    def complete_object_value(
        self,
        return_type: GraphQLObjectType,
        field_details_list: Any,
        info: Any,
        path: Any,
        result: Any,
        position_context: Any,
    ) -> Any:
        """An object's fields, completed."""
        if return_type.name in PLAIN:
            try:
                fields = self.collect_subfields(return_type, field_details_list).grouped_field_set
                return plain(readers(return_type), fields, result)
            except Exception:  # noqa: S110  # the ordinary way finds the error again, and says where
                pass
        return super().complete_object_value(return_type, field_details_list, info, path, result, position_context)


def plain(read: Readers, fields: Any, value: Any) -> dict[str, Any]:
    """The selected attributes of a value, as they are written."""
    written = {}
    for response_name, details in fields.items():
        attribute, write, nullable = read[details[0].node.name.value]
        found = getattr(value, attribute)
        if found is not None:
            written[response_name] = write(found)
        elif nullable:
            written[response_name] = None
        else:
            raise Unusual
    return written


def readers(type_: GraphQLObjectType) -> Readers:
    """How to read each field of a type; worked out once for each type."""
    known: Readers | None = type_.extensions.get("naap-readers")
    if known is None:
        known = type_.extensions["naap-readers"] = dict(_readers(type_))
    return known


def _readers(type_: GraphQLObjectType) -> list[tuple[str, tuple[str, Write, bool]]]:
    found = []
    for name, field in type_.fields.items():
        nullable = not isinstance(field.type, GraphQLNonNull)
        leaf: Any = field.type if nullable else field.type.of_type
        definition: Any = field.extensions.get("strawberry-definition")
        # Only attributes of plain types have a short way; `__typename` and others are no key here.
        if is_leaf_type(leaf) and isinstance(definition, StrawberryField) and definition.is_basic_field:
            found.append((name, (definition.python_name, _write(leaf), nullable)))
    return found


def _write(leaf: GraphQLLeafType) -> Write:
    return leaf.coerce_output_value
