"""Bounds on what one document may be: depth, aliases, fields after fragments, tokens."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    OperationDefinitionNode,
    SelectionSetNode,
)
from graphql.validation import ValidationRule
from strawberry.extensions import SchemaExtension

from metrics.errors import TooComplex
from resolvers.context import LIMITS, Limits


class Bounds(SchemaExtension):
    """Refuses documents that are too large before they are validated in full."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.limits = limits

    def on_operation(self) -> Iterator[None]:
        asked = self.execution_context
        asked.parse_options["max_tokens"] = self.limits.max_tokens
        # The operation's name is not part of the document, so a rule cannot see whether it was given.
        is_named = asked._provided_operation_name is not None
        asked.validation_rules = (_rule(self.limits, is_named), *asked.validation_rules)
        yield


class Size:
    """How large a selection is once its fragments are put in: its depth, and its fields and aliases in all."""

    __slots__ = ("aliases", "depth", "fields")

    def __init__(self, depth: int = 0, fields: int = 0, aliases: int = 0) -> None:
        self.depth = depth
        self.fields = fields
        self.aliases = aliases


def size(selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode], known: dict[str, Size]) -> Size:
    """The size of a selection set. Each fragment is measured once; one within itself counts nothing: it is refused."""
    total = Size()
    for node in selections.selections:
        if isinstance(node, FragmentSpreadNode):
            part = _of_fragment(node.name.value, fragments, known)
        else:
            below: SelectionSetNode | None = getattr(node, "selection_set", None)
            part = size(below, fragments, known) if below else Size()
            if isinstance(node, FieldNode):
                part = Size(part.depth + 1, part.fields + 1, part.aliases + (node.alias is not None))
        total.depth = max(total.depth, part.depth)
        total.fields += part.fields
        total.aliases += part.aliases
    return total


def _of_fragment(name: str, fragments: Mapping[str, FragmentDefinitionNode], known: dict[str, Size]) -> Size:
    if name not in known:
        known[name] = Size()
        if name in fragments:
            known[name] = size(fragments[name].selection_set, fragments, known)
    return known[name]


@cache
def _rule(limits: Limits, is_named: bool) -> type[ValidationRule]:
    class WithinBounds(ValidationRule):
        """No operation is larger than the limits."""

        def enter_document(self, node: DocumentNode, *_: Any) -> None:
            fragments = {one.name.value: one for one in node.definitions if isinstance(one, FragmentDefinitionNode)}
            known: dict[str, Size] = {}
            operations = [one for one in node.definitions if isinstance(one, OperationDefinitionNode)]
            for one in operations:
                self._check(one, size(one.selection_set, fragments, known))
            if len(operations) > 1 and not is_named:
                self.report_error(
                    GraphQLError("the document has several operations: say which in operationName.", node)
                )

        def _check(self, operation: OperationDefinitionNode, found: Size) -> None:
            for name, count, most in (
                ("levels deep", found.depth, limits.max_depth),
                ("fields", found.fields, limits.max_fields),
                ("aliases", found.aliases, limits.max_aliases),
            ):
                if count > most:
                    message = f"the query has {count:,} {name}; at most {most:,}. Ask for less at a time."
                    cause = TooComplex(message)
                    self.report_error(GraphQLError(message, operation, original_error=cause))

    return WithinBounds
