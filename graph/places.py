"""Where the values of a document stand: which argument is meant by an error of a literal or a variable."""

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from graphql import (
    ArgumentNode,
    GraphQLError,
    ListValueNode,
    ObjectValueNode,
    ValueNode,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    parse,
    visit,
)

# The library tells the place within a variable's value only in words.
_WITHIN = re.compile(r"Variable '\$\w+' has invalid (?:default )?value at ((?:\.\w+|\[\d+\])+): ")

Span = tuple[int, int]


class Places:
    """The places of one document's values; it is read when the first of them is asked for."""

    def __init__(self, text: str) -> None:
        self._text = text

    def argument(self, error: GraphQLError) -> str | None:
        """The argument that the error is about, as in `window.last`; None where it is about none."""
        node = error.nodes[0] if error.nodes else None
        if isinstance(node, VariableDefinitionNode):
            used = self._found.variables.get(node.variable.name.value)
            within = _WITHIN.match(error.message)
            return used and used + (within[1] if within else "")
        return self._found.values.get(_span(node)) if isinstance(node, ValueNode) else None

    @cached_property
    def _found(self) -> "_Found":
        found = _Found()
        visit(parse(self._text), found)
        for node in found.defined:
            # A variable's default is meant for the argument that the variable is first used in.
            used = found.variables.get(node.variable.name.value)
            if used is not None and node.default_value is not None:
                found.keep(used, node.default_value)
        return found


class _Found(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.values: dict[Span, str] = {}
        self.variables: dict[str, str] = {}
        self.defined: list[VariableDefinitionNode] = []

    def enter_variable_definition(self, node: VariableDefinitionNode, *_: Any) -> None:
        self.defined.append(node)

    def enter_argument(self, node: ArgumentNode, *_: Any) -> None:
        self.keep(node.name.value, node.value)

    def keep(self, argument: str, value: ValueNode) -> None:
        """Note the value of an argument and all that is within it."""
        for path, each in _within(argument, value):
            self.values[_span(each)] = path
            if isinstance(each, VariableNode):
                self.variables.setdefault(each.name.value, path)


def _within(path: str, value: ValueNode) -> Iterator[tuple[str, ValueNode]]:
    yield path, value
    if isinstance(value, ObjectValueNode):
        for field in value.fields:
            yield from _within(f"{path}.{field.name.value}", field.value)
    elif isinstance(value, ListValueNode):
        for index, item in enumerate(value.values):
            yield from _within(f"{path}[{index}]", item)


def _span(node: ValueNode) -> Span:
    return (node.loc.start, node.loc.end) if node.loc else (-1, -1)
