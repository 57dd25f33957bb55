"""Bounds on what one document may be: depth, aliases, fields after fragments, repetitions, tokens."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    Node,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    SelectionSetNode,
    ValidationRule,
)
from strawberry.extensions import ParserCache, SchemaExtension, ValidationCache

from metrics.errors import TooComplex
from resolvers.context import LIMITS, Limits

# Documents whose bounds are kept, if they are no longer than this: a few hundred of the longest would take 2 GB.
KEPT, KEPT_CHARACTERS = 100, 8_192
DEEP = "levels deep"

Definition: TypeAlias = OperationDefinitionNode | FragmentDefinitionNode


class Bounds(SchemaExtension):
    """Refuses documents of too many tokens while they are read, and introspection where it is switched off."""

    def __init__(self, limits: Limits = LIMITS, introspection: bool = True) -> None:
        self.limits = limits
        self.introspection = introspection

    def on_operation(self) -> Iterator[None]:
        asked = self.execution_context
        asked.parse_options["max_tokens"] = self.limits.max_tokens
        if not self.introspection:
            asked.validation_rules = (*asked.validation_rules, NoSchemaIntrospectionCustomRule, NoServiceRule)
        yield


class NoServiceRule(ValidationRule):
    """Federation's own way to the schema's text is introspection too."""

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        """Refuse `_service`."""
        if node.name.value == "_service":
            self.report_error(GraphQLError("introspection is switched off here, and `_service` with it.", node))


def is_kept(document: DocumentNode) -> bool:
    """May what was found out about a document be kept?"""
    return document.loc is None or document.loc.end <= KEPT_CHARACTERS


class Parsing(ParserCache):
    """Keeps documents as they were parsed, but for long ones."""

    def on_parse(self) -> Iterator[None]:
        if len(self.execution_context.query or "") <= KEPT_CHARACTERS:
            yield from super().on_parse()
        else:
            yield


class Validation(ValidationCache):
    """The standard rules, for documents within bounds only: on some small texts they take very long."""

    def __init__(self, limits: Limits = LIMITS, maxsize: int = KEPT) -> None:
        super().__init__(maxsize)
        self.limits = limits

    def on_validate(self) -> Iterator[None]:
        asked = self.execution_context
        # The operation's name is not part of the document, so what is kept depends on whether it was given.
        is_named = asked._provided_operation_name is not None
        document = asked.graphql_document
        found = refusals(document, self.limits, is_named) if document else ()
        if found:
            asked.pre_execution_errors = [*found]
        if document and not found and is_kept(document):
            yield from super().on_validate()
        else:
            yield


class Size:
    """How large a selection is once its fragments are put in: its depth, and its fields, aliases and directives."""

    __slots__ = ("aliases", "depth", "directives", "fields")

    def __init__(self, depth: int = 0, fields: int = 0, aliases: int = 0, directives: int = 0) -> None:
        self.depth = depth
        self.fields = fields
        self.aliases = aliases
        self.directives = directives


class Circular(Exception):
    """A fragment is within itself."""


class Empty(Exception):
    """Braces with nothing between them, which the parser lets pass: what costs nothing to count takes time to walk."""


# Fragments by name; None while one is being measured.
Known: TypeAlias = dict[str, Size | None]


def size(selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode], known: Known) -> Size:
    """The size of a selection set, in which a spread counts like a field. Each fragment is measured once.

    Raises Circular, Empty.
    """
    if not selections.selections:
        raise Empty
    total = Size()
    for node in selections.selections:
        if isinstance(node, FragmentSpreadNode):
            found = _of_fragment(node.name.value, fragments, known)
            part = Size(found.depth, found.fields + 1, found.aliases, found.directives)
        else:
            below: SelectionSetNode | None = getattr(node, "selection_set", None)
            part = size(below, fragments, known) if below else Size()
            if isinstance(node, FieldNode):
                part = Size(part.depth + 1, part.fields + 1, part.aliases + (node.alias is not None), part.directives)
        total.depth = max(total.depth, part.depth)
        total.fields += part.fields
        total.aliases += part.aliases
        total.directives += part.directives + len(node.directives or ())
    return total


def _of_fragment(name: str, fragments: Mapping[str, FragmentDefinitionNode], known: Known) -> Size:
    if name not in known:
        known[name] = None
        known[name] = size(fragments[name].selection_set, fragments, known) if name in fragments else Size()
    found = known[name]
    if found is None:
        raise Circular(name)
    return found


def refusals(document: DocumentNode, limits: Limits, is_named: bool) -> tuple[GraphQLError, ...]:
    """Why the document may not be executed, whatever the schema says; nothing where it is small enough."""
    return (_refusals if is_kept(document) else _refusals.__wrapped__)(document, limits, is_named)


@lru_cache(KEPT)
def _refusals(document: DocumentNode, limits: Limits, is_named: bool) -> tuple[GraphQLError, ...]:
    written = [one for one in document.definitions if isinstance(one, FragmentDefinitionNode)]
    fragments = {one.name.value: one for one in written}
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    definitions: list[Definition] = [*operations, *written]
    # Definitions of one name are refused later, and cost as much as others until then.
    if len(written) > limits.max_fragments:
        return (_too_much(document, len(written), "fragments", limits.max_fragments),)
    try:
        known: Known = {}
        found = [
            error
            for one in definitions
            for error in _of_definition(one, size(one.selection_set, fragments, known), limits)
        ]
        # Only what is small in all may be walked field by field.
        if not found:
            found = [error for one in definitions for error in _crowded(one, fragments, limits)]
    except Circular as error:
        # Whoever walks it field by field comes to no end.
        return (GraphQLError(f"Cannot spread fragment '{error}' within itself.", fragments[str(error)]),)
    except Empty:
        return (GraphQLError("there is nothing between `{` and `}`: select at least one field.", document),)
    except RecursionError:
        message = f"the query is nested too deeply; at most {limits.max_depth:,} levels. Ask for less at a time."
        return (GraphQLError(message, original_error=TooComplex(message)),)
    if len(operations) > 1 and not is_named:
        found.append(GraphQLError("the document has several operations: say which in operationName.", document))
    return tuple(found)


def _of_definition(node: Definition, found: Size, limits: Limits) -> Iterator[GraphQLError]:
    for name, count, most in (
        (DEEP, found.depth, limits.max_depth),
        ("fields", found.fields, limits.max_fields),
        ("aliases", found.aliases, limits.max_aliases),
        ("directives", found.directives + _of_its_own(node), limits.max_directives),
    ):
        if count > most:
            yield _too_much(node, count, name, most)


def _of_its_own(node: Definition) -> int:
    """The directives of a definition and of its variables."""
    variables = node.variable_definitions or ()
    return len(node.directives or ()) + sum(len(one.directives or ()) for one in variables)


def _crowded(
    node: Definition, fragments: Mapping[str, FragmentDefinitionNode], limits: Limits
) -> Iterator[GraphQLError]:
    """The fields of a definition as they are merged: how many stand at the root, and how often one is repeated."""
    root = _merged([node.selection_set], fragments)
    count = sum(map(len, root.values()))
    if isinstance(node, OperationDefinitionNode) and count > limits.max_root_fields:
        yield _too_much(node, count, "root fields", limits.max_root_fields)
        return
    waiting = [root]
    while waiting:
        merged = waiting.pop()
        for name, fields in merged.items():
            if len(fields) > limits.max_repeats:
                yield _too_much(node, len(fields), f"times {name} at one place", limits.max_repeats)
                return
            below = [one.selection_set for one in fields if one.selection_set]
            if below:
                waiting.append(_merged(below, fragments))


def _merged(
    sets: Sequence[SelectionSetNode], fragments: Mapping[str, FragmentDefinitionNode]
) -> dict[str, list[FieldNode]]:
    """The fields of selection sets by the names that they are answered under; each fragment is put in once."""
    found: dict[str, list[FieldNode]] = defaultdict(list)
    spread: set[str] = set()
    waiting = [*sets]
    while waiting:
        for node in waiting.pop().selections:
            if isinstance(node, FieldNode):
                found[(node.alias or node.name).value].append(node)
            elif isinstance(node, FragmentSpreadNode):
                name = node.name.value
                if name in fragments and name not in spread:
                    spread.add(name)
                    waiting.append(fragments[name].selection_set)
            elif isinstance(node, InlineFragmentNode):
                waiting.append(node.selection_set)
    return found


def _too_much(node: Node, count: int, name: str, most: int) -> GraphQLError:
    verb = "is" if name == DEEP else "has"
    message = f"the query {verb} {count:,} {name}; at most {most:,}. Ask for less at a time."
    return GraphQLError(message, node, original_error=TooComplex(message))
