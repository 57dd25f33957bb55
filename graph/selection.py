"""What a query selects below a field, fragments, @include and @skip considered, so that only that is read."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar, cast

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionNode,
    VariableNode,
)
from strawberry.types import Info

from resolvers.context import Context

T = TypeVar("T")

Variables = Mapping[str, Any]
Fragments = Mapping[str, FragmentDefinitionNode]


class Selection:
    """The fields selected on a value, by name; what several aliases select of one field is united."""

    __slots__ = ("_below", "_derived", "_fields", "_fragments", "_nodes", "_variables")

    def __init__(self, nodes: Sequence[FieldNode], fragments: Fragments, variables: Variables) -> None:
        self._nodes = nodes
        self._fragments = fragments
        self._variables = variables
        self._below: dict[str, Selection] = {}
        self._derived: dict[object, object] = {}
        self._fields: dict[str, list[FieldNode]] = defaultdict(list)
        for node in nodes:
            for field in self._flat(node.selection_set.selections if node.selection_set else (), set()):
                self._fields[field.name.value].append(field)

    @property
    def names(self) -> frozenset[str]:
        """The names of the selected fields, as the schema writes them."""
        return frozenset(self._fields)

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def below(self, name: str) -> "Selection":
        """What is selected below a field."""
        if name not in self._below:
            self._below[name] = Selection(self._fields.get(name, ()), self._fragments, self._variables)
        return self._below[name]

    def of_nodes(self) -> frozenset[str]:
        """The names selected on the nodes of a connection, under `nodes` or `edges { node }`."""
        return self.below("nodes").names | self.below("edges").below("node").names

    def derived(self, derive: "Callable[[Selection], T]") -> T:
        """What a function makes of this selection; made once for all the parents that it is selected on."""
        if derive not in self._derived:
            self._derived[derive] = derive(self)
        return cast(T, self._derived[derive])

    def _flat(self, selections: Sequence[SelectionNode], spread: set[str]) -> Iterator[FieldNode]:
        """The fields, those of each fragment once, however often it is spread."""
        for node in selections:
            if not included(node, self._variables):
                continue
            if isinstance(node, FieldNode):
                yield node
            elif isinstance(node, InlineFragmentNode):
                yield from self._flat(node.selection_set.selections, spread)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in spread:
                spread.add(node.name.value)
                yield from self._flat(self._fragments[node.name.value].selection_set.selections, spread)


def included(node: SelectionNode, variables: Variables) -> bool:
    """Do @include and @skip let it in?"""
    for directive in node.directives or ():
        if directive.name.value in ("include", "skip"):
            value = cast(Any, directive.arguments)[0].value
            flag = variables.get(value.name.value) if isinstance(value, VariableNode) else value.value
            if bool(flag) is (directive.name.value == "skip"):
                return False
    return True


def selected(info: "Info[Context, None]") -> Selection:
    """What is selected below the field being resolved; worked out once for all its parents."""
    raw = info._raw_info
    notes = info.context.notes
    # By the variables too: a batch may execute one document several times. The selection holds both, so that their ids
    # stand for them as long as it is noted.
    key = ("selection", id(raw.variable_values), *map(id, raw.field_nodes))
    found = notes.get(key)
    if not isinstance(found, Selection):
        fragments = cast(Fragments, raw.fragments)
        found = notes[key] = Selection(raw.field_nodes, fragments, cast(Variables, raw.variable_values))
    return found
