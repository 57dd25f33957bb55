"""What an operation costs, worked out from its document before anything is read, and from its answer afterwards.

An operation is compiled once into `Part`s; a request only puts its variables in.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from math import isfinite
from typing import Any, cast

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_leaf_type,
    is_list_type,
    value_from_ast_untyped,
)
from strawberry.federation.schema_directives import Cost, ListSize

from auth.account import READ, Price
from graph.cost import MANY, SERIES
from graph.limits import is_kept
from graph.scalars import read_datetime, read_duration
from metrics.buckets import Buckets, zone_of
from metrics.errors import BadRequest
from metrics.window import Grain
from resolvers.arguments import grain_of, window_of
from resolvers.context import Limits

# Operations whose parts are kept.
KEPT = 200
# The schema describes itself: much text, whatever is asked of it.
INTROSPECTION = {"__schema": 1_000, "__type": 50, "_service": 1_000}
# What takes one of these asks the store, whether it is given or not: in the graph, and in the dashboard's.
READING = frozenset({"window", "filter", "timeframe", "period", "days"})
# At the root, what no store is asked for by itself.
KNOWN = frozenset({"network", "viewer", "dataset", "datasets", "metricCatalogue", "scoringVersions", "_service"})
# So many plain values cost 1, where that is more than what else is asked: some are free, and no more than some.
VALUES = 4
# Arguments that give a list its items one by one.
LISTED = ("ids", "representations")
# The arguments that cut a series, and what they are in JSON.
POINTS: Mapping[str, Any] = {"window": dict, "interval": str, "maxPoints": (int, float), "timeZone": str}

Variables = Mapping[str, Any]
# A condition is a variable's name, or what is written, and what it must be.
Condition = tuple[str | bool, bool]


@dataclass(frozen=True, slots=True)
class Asked:
    """What sizes depend on beside the document."""

    variables: Variables
    now: datetime
    limits: Limits


@dataclass(frozen=True, slots=True)
class Part:
    """A field and what is below it. `size` is the field whose arguments say how many there are; None: one."""

    name: str
    weight: int
    size: "Size | None" = None
    parts: "tuple[Part, ...]" = ()
    # Any of these, all of its conditions; always where there are none.
    when: tuple[tuple[Condition, ...], ...] = ()
    # Does it ask the store? For all of its items at once.
    reads: bool = False
    # What one of it costs where that depends on nothing else.
    flat: int | None = field(init=False)

    def __post_init__(self) -> None:
        fixed = all(part.flat is not None and part.size is None and not part.when for part in self.parts)
        unit = self.weight + sum(cast(int, part.flat) for part in self.parts) if fixed else None
        object.__setattr__(self, "flat", unit)

    def cost(self, asked: Asked) -> int:
        """What it costs at most, as far as sizes are known."""
        if self.when and not included(self.when, asked.variables):
            return 0
        return (1 if self.size is None else self.size.of(asked)) * self.each(asked)

    def each(self, asked: Asked) -> int:
        """What one of its items costs."""
        return self.flat if self.flat is not None else self.weight + sum(part.cost(asked) for part in self.parts)

    def reading(self, asked: Asked) -> int:
        """What it costs to ask the store here and below, once for each place of the document."""
        if self.when and not included(self.when, asked.variables):
            return 0
        return READ * self.reads + sum(part.reading(asked) for part in self.parts)

    def actual(self, value: Any) -> int:
        """What the answer was worth, beside reading it."""
        if isinstance(value, list):
            return len(value) * self.flat if self.flat is not None else sum(map(self.actual, value))
        if self.flat is not None or not isinstance(value, dict):
            return self.weight if value is None or self.flat is None else self.flat
        return self.weight + sum(part.actual(value[part.name]) for part in self.parts if part.name in value)


@dataclass(frozen=True, slots=True)
class Priced:
    """An operation by what it costs, and by how many plain values it may answer, which are not free without end."""

    weights: Part
    values: Part

    def cost(self, asked: Asked) -> int:
        """What it costs at most, beside reading."""
        return max(self.weights.cost(asked), self.values.cost(asked) // VALUES)

    def reading(self, asked: Asked) -> int:
        """What it costs to ask the store."""
        return self.weights.reading(asked)

    def actual(self, data: Any) -> int:
        """What the answer was worth, beside reading it."""
        return max(self.weights.actual(data), self.values.actual(data) // VALUES)


@dataclass(frozen=True, slots=True)
class Size:
    """How many there are: as many as an argument says, as buckets lie in a window, or as are assumed."""

    assumed: int
    # The first that is given as a whole number, or as a list of so many, counts.
    slicing: tuple[tuple[str, ValueNode], ...] = ()
    defaults: tuple[tuple[str, Any], ...] = ()
    # The narrowest bucket of a series, and what its arguments say.
    least: Grain | None = None
    span: tuple[tuple[str, ValueNode], ...] = ()

    def of(self, asked: Asked) -> int:
        """The number, which is never below nothing."""
        variables = {**dict(self.defaults), **asked.variables} if self.defaults else asked.variables
        if self.least is not None:
            return self._points(asked, variables)
        for _, node in self.slicing:
            value = _value(node, variables)
            if isinstance(value, list):
                return len(value)
            # A variable may say a whole number as 500.0.
            if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value):
                return max(0, int(value))
        return self.assumed

    def _points(self, asked: Asked, variables: Variables) -> int:
        read = ((name, _value(node, variables)) for name, node in self.span if name in POINTS)
        said = {name: value for name, value in read if value is not None}
        # Variables are as they were sent: nothing has compared them with their types yet.
        if self.least is None or not all(isinstance(value, POINTS[name]) for name, value in said.items()):
            return self.assumed
        given, interval = said.get("window", {}), said.get("interval")
        if interval is not None and interval not in Grain.__members__:
            return self.assumed
        try:
            window = window_of(
                lambda: asked.now,
                _read(read_duration, given.get("last")),
                _read(read_datetime, given.get("start")),
                _read(read_datetime, given.get("end")),
            )
            zone = zone_of(said.get("timeZone"))
            grain = None if interval is None else Grain[interval]
            return Buckets(grain_of(window, grain, said.get("maxPoints"), asked.limits, self.least, zone), zone).count(
                window
            )
        except BadRequest:
            return self.assumed  # the field itself says what is wrong


def _value(node: ValueNode, variables: Variables) -> Any:
    try:
        return value_from_ast_untyped(node, dict(variables))
    except ValueError:  # a number of too many digits: refused where it is read
        return None


def _read(read: Any, value: Any) -> Any:
    return None if value is None else read(value)


def included(when: tuple[tuple[Condition, ...], ...], variables: Variables) -> bool:
    """Whether @skip and @include let a field in; a variable that is not given lets it in."""
    return any(
        all((variables.get(one, wanted) if isinstance(one, str) else one) is wanted for one, wanted in conditions)
        for conditions in when
    )


def price(operation: Priced, asked: Asked) -> Price:
    """What the operation costs, and how it would fit into less."""
    reading = operation.reading(asked)
    cost = operation.cost(asked) + reading

    def hint(most: int) -> str:
        values = operation.values.cost(asked)
        if values // VALUES > operation.weights.cost(asked):
            return f"It may answer {values:,} plain values, of which {VALUES} cost 1. Ask for fewer of them at a time."
        return cheaper(operation.weights, asked, cost, most)

    return Price(cost, hint, reading)


def cheaper(operation: Part, asked: Asked, cost: int, most: int) -> str:
    """In words: the dearest list on the dearest way down, and how many of it `most` would pay for."""
    part, path = operation, list[str]()
    while part.parts:
        part = max(part.parts, key=lambda one: one.cost(asked))
        path.append(part.name)
        if part.size is None:
            continue
        count, each = part.size.of(asked), part.each(asked)
        dearest = f"Dearest: {count:,} × {'.'.join(path)} at {each:,} each."
        if part.size.least is not None:
            return f"{dearest} Use a wider interval, maxPoints or a shorter window."
        fits = (most - (cost - count * each)) // each if each else 0
        return f"{dearest} {f'first: {fits} would fit' if 0 < fits < count else 'Ask for fewer at a time'}."
    return "Ask for fewer fields at a time."


def compiled(schema: GraphQLSchema, document: DocumentNode, name: str | None) -> Priced:
    """The parts of a valid operation."""
    return (_compiled if is_kept(document) else _compiled.__wrapped__)(schema, document, name)


@lru_cache(KEPT)
def _compiled(schema: GraphQLSchema, document: DocumentNode, name: str | None) -> Priced:
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    operation = next(one for one in operations if name is None or (one.name and one.name.value == name))
    defaults = tuple(
        (one.variable.name.value, value_from_ast_untyped(one.default_value))
        for one in operation.variable_definitions or ()
        if one.default_value is not None
    )
    root = cast(GraphQLObjectType, schema.get_root_type(operation.operation))
    sets = [(operation.selection_set, root, ())]
    weights, values = (
        Part("", 0, None, _Compiler(schema, fragments, defaults, of_values).parts(sets, None))
        for of_values in (False, True)
    )
    return Priced(weights, values)


Selected = tuple[SelectionSetNode, Any, tuple[Condition, ...]]
Found = tuple[FieldNode, Any, tuple[Condition, ...]]


@dataclass(frozen=True, slots=True)
class _Compiler:
    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    defaults: tuple[tuple[str, Any], ...]
    # Is every plain value to be counted, and nothing else?
    of_values: bool

    def parts(self, sets: Sequence[Selected], sized: "tuple[Size, frozenset[str]] | None") -> tuple[Part, ...]:
        """The fields of selection sets, those of one name and type as one; `sized` are lists that the parent sizes."""
        merged: dict[tuple[str, str], list[Found]] = defaultdict(list)
        for found in self._fields(sets):
            node, parent, _ = found
            merged[((node.alias or node.name).value, parent.name)].append(found)
        return tuple(part for (name, _), found in merged.items() if (part := self._part(name, found, sized)))

    def _part(self, name: str, found: list[Found], sized: "tuple[Size, frozenset[str]] | None") -> Part | None:
        node, parent, _ = found[0]
        when = () if any(not conditions for *_, conditions in found) else tuple(c for *_, c in found)
        if node.name.value in INTROSPECTION:
            return Part(name, INTROSPECTION[node.name.value], None, (), when)
        definition = getattr(parent, "fields", {}).get(node.name.value)
        if definition is None:  # __typename
            return None
        below = get_named_type(definition.type)
        weight, listed = _directives(definition)
        if listed is None and is_list_type(get_nullable_type(definition.type)) and is_composite_type(below):
            # Such as the entities of a federated query.
            listed = ListSize(
                assumed_size=MANY, slicing_arguments=None, sized_fields=None, require_one_slicing_argument=None
            )
        size = self._size(node, listed, SERIES.get(below.name))
        own, passed = size, None
        if listed is not None and listed.sized_fields and size is not None:
            own, passed = None, (size, frozenset(listed.sized_fields))
        if sized is not None and node.name.value in sized[1]:
            own = sized[0]
        sets = [(one.selection_set, below, ()) for one, *_ in found if one.selection_set]
        if weight is None:
            weight = 0 if is_leaf_type(below) else 1
        if self.of_values:
            weight = int(is_leaf_type(below))
        reads = self._reads(parent, definition, node)
        return Part(name, weight, own, self.parts(sets, passed), when, reads)

    def _reads(self, parent: Any, definition: GraphQLField, node: FieldNode) -> bool:
        """Is the store asked for it? At the root for whatever is not known without, but for what is only on the way."""
        if not READING.isdisjoint(definition.args):
            return True
        if parent in (self.schema.query_type, self.schema.subscription_type):
            return node.name.value not in KNOWN
        return parent.name == "Network" and is_leaf_type(get_named_type(definition.type))

    def _size(self, node: FieldNode, listed: ListSize | None, least: Grain | None) -> Size | None:
        if listed is None:
            return None
        given = {one.name.value: one.value for one in node.arguments or ()}
        if least is not None:
            return Size(int(listed.assumed_size or 1), (), self.defaults, least, tuple(given.items()))
        slicing = tuple((one, given[one]) for one in (*(listed.slicing_arguments or ()), *LISTED) if one in given)
        return Size(int(listed.assumed_size or 1), slicing, self.defaults)

    def _fields(self, sets: Sequence[Selected]) -> Iterator[Found]:
        # A fragment is put in once, however often it is spread: what is in it is merged anyway.
        spread: set[tuple[str, tuple[Condition, ...]]] = set()
        waiting = [*sets]
        while waiting:
            selection_set, parent, conditions = waiting.pop(0)
            for node in selection_set.selections:
                told = conditions + _conditions(node)
                if isinstance(node, FieldNode):
                    yield node, parent, told
                elif isinstance(node, FragmentSpreadNode):
                    if (node.name.value, told) not in spread:
                        spread.add((node.name.value, told))
                        fragment = self.fragments[node.name.value]
                        below = self.schema.type_map[fragment.type_condition.name.value]
                        waiting.append((fragment.selection_set, below, told))
                elif isinstance(node, InlineFragmentNode):
                    named = node.type_condition
                    below = self.schema.type_map[named.name.value] if named else parent
                    waiting.append((node.selection_set, below, told))


def _conditions(node: Any) -> tuple[Condition, ...]:
    found = []
    for directive in node.directives or ():
        if directive.name.value in ("include", "skip"):
            value = directive.arguments[0].value
            flag = value.name.value if isinstance(value, VariableNode) else value.value
            found.append((flag, directive.name.value == "include"))
    return tuple(found)


def _directives(definition: GraphQLField) -> tuple[int | None, ListSize | None]:
    declared = definition.extensions.get("strawberry-definition")
    directives = getattr(declared, "directives", ())
    weight = next((one.weight for one in directives if isinstance(one, Cost)), None)
    return weight, next((one for one in directives if isinstance(one, ListSize)), None)
