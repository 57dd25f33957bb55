"""An answer as a table: a row of each item of its innermost list, a column of each plain value on the way down to it.

Columns come from the document and the schema, not from the data, so that an empty answer has those of a full one. They
are called as in the answer, joined with dots: what lies in the outermost list by the way from its item, what stands
around that by the way from the root. The columns of a series go side by side; other lists of plain values are cells.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from graphql import (
    BooleanValueNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    get_named_type,
    get_nullable_type,
    get_operation_ast,
    is_leaf_type,
    is_list_type,
    parse,
    validate,
)

from graph.cost import COLUMNS, SERIES
from graph.limits import refusals
from graph.operation import Operation
from graph.selection import Variables, included
from metrics.errors import BadRequest, TooComplex
from resolvers import media
from resolvers.context import LIMITS
from resolvers.tables.column import Column, Kind, ListOf, Row, Type

# Scalars that are no texts.
KINDS = {"Int": Kind.INTEGER, "Float": Kind.NUMBER, "Boolean": Kind.BOOLEAN, "DateTime": Kind.INSTANT}
# What is told around a list is told again in each row: how much that may come to.
MOST_REPEATED_BYTES = 32 * 2**20
CELL_BYTES = 8
# Documents that are kept parsed, if they are no longer than this.
KEPT, KEPT_LENGTH = 100, 4096

Path = tuple[str | int, ...]
Names = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Level:
    """What is told of one thing: its own columns, and a row of each item of the list below it.

    An item is a tuple: of several lists that go side by side it has one of each. Paths begin at the thing.
    """

    columns: tuple[Column, ...]
    paths: tuple[Path, ...]
    lists: tuple[Path, ...] = ()
    below: "Level | None" = None

    def all_columns(self) -> list[Column]:
        """Its columns and those below."""
        return [*self.columns, *(self.below.all_columns() if self.below else ())]

    def rows(self, thing: Any, room: "Room") -> list[Row]:
        """The rows of one thing. Where nothing is listed, what stands around the list has a row of its own."""
        own = tuple(_at(thing, path) for path in self.paths)
        if self.below is None:
            return [own]
        found = [row for item in self._items(thing) for row in self.below.rows(item, room)]
        if not found and any(cell is not None for cell in own):
            found = [(None,) * len(self.below.all_columns())]
        room.take(own, len(found) - 1)
        return [(*own, *row) for row in found]

    def _items(self, thing: Any) -> Iterator[tuple[Any, ...]]:
        lists = [_at(thing, path) for path in self.lists]
        length = max((len(one) for one in lists if one is not None), default=0)
        # A list that is not there, for its thing is of another type, is one of nulls.
        return zip(*((None,) * length if one is None else one for one in lists), strict=True)


@dataclass(slots=True)
class Room:
    """How much may still be repeated, in bytes."""

    left: int = MOST_REPEATED_BYTES

    def take(self, cells: Sequence[Any], times: int) -> None:
        """Repeat these cells so often. Raises TooComplex."""
        if times > 0:
            self.left -= times * sum(map(_size, cells))
        if self.left < 0:
            raise TooComplex(
                f"what stands around the rows would come to more than {MOST_REPEATED_BYTES // 2**20} MiB, told again "
                "in each of them. Ask for fewer columns or rows, or accept application/json."
            )


@dataclass(frozen=True, slots=True)
class Layout:
    """How the answer to one operation becomes a table of this name."""

    name: str
    level: Level
    columns: Sequence[Column]

    def rows(self, data: Mapping[str, Any]) -> list[Row]:
        """The rows of an answer's `data`. Raises TooComplex."""
        return self.level.rows(data, Room())


def layout(schema: GraphQLSchema, text: str, asked: Operation) -> Layout | None:
    """How the answer becomes a table; None for a document that its execution refuses.

    Raises NotAcceptable for what is no query, and BadRequest for a query whose answer is not one table.
    """
    document = (_valid if len(text) <= KEPT_LENGTH else _valid.__wrapped__)(schema, text, asked.name)
    operation = get_operation_ast(document, asked.name) if document else None
    if document is None or operation is None:
        return None
    if operation.operation is not OperationType.QUERY:
        instead = "text/event-stream" if operation.operation is OperationType.SUBSCRIPTION else media.JSON
        raise media.NotAcceptable(
            f"a {operation.operation.value} has no table, only a query has: accept {instead}.", "Accept"
        )
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    reader = _Reader(schema, fragments, {**_defaults(operation), **(asked.variables or {})})
    root = _Thing(schema.query_type, [(operation, schema.query_type)], _Place((), (), ()))
    level = reader.level([root], is_outside=True)
    columns = level.all_columns()
    if not columns:
        raise BadRequest("nothing is left in the query to make a column of: select a plain value.", "query")
    name, count = Counter(column.name for column in columns).most_common(1)[0]
    if count > 1:
        raise BadRequest(f"two columns would be called `{name}`: give one of these fields an alias.", "query")
    return Layout(operation.name.value[:64] if operation.name else "answer", level, columns)


@lru_cache(KEPT)
def _valid(schema: GraphQLSchema, text: str, name: str | None) -> DocumentNode | None:
    """The document, if it is one that is executed."""
    try:
        document = parse(text, max_tokens=LIMITS.max_tokens)
        is_refused = refusals(document, LIMITS, name is not None) or validate(schema, document)
    except (GraphQLError, RecursionError, ValueError):  # the latter: a number of too many digits
        return None
    return None if is_refused else document


def _defaults(operation: OperationDefinitionNode) -> dict[str, Any]:
    """The defaults that @include and @skip may look at."""
    return {
        one.variable.name.value: one.default_value.value
        for one in operation.variable_definitions or ()
        if isinstance(one.default_value, BooleanValueNode)
    }


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value stands: from the thing that a level is of, in the names of columns, and in the whole answer."""

    path: Path
    names: Names
    where: Names

    def at(self, key: str) -> "_Place":
        return _Place((*self.path, key), (*self.names, key), (*self.where, key))


@dataclass(frozen=True, slots=True)
class _Thing:
    """Values, the nodes that select of them, and where they stand.

    Of different types one name may be of different types: each node has its own. All have the shape of `type`.
    """

    type: Any
    nodes: Sequence[tuple[Any, Any]]
    place: _Place


@dataclass(slots=True)
class _Found:
    columns: list[Column] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)
    # Those that go side by side, by where they stand.
    lists: dict[Names, list[_Thing]] = field(default_factory=lambda: defaultdict(list))


@dataclass(frozen=True, slots=True)
class _Reader:
    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Variables

    def level(self, things: Sequence[_Thing], is_outside: bool = False) -> Level:
        """The level of these things; `is_outside`: it lies in no list."""
        found = _Found()
        for thing in things:
            self._walk(thing, found)
        columns, paths = tuple(found.columns), tuple(found.paths)
        if not found.lists:
            return Level(columns, paths)
        listed, *others = found.lists.values()
        if others:
            first, second = (".".join(some[0].place.where) for some in (listed, others[0]))
            raise BadRequest(
                f"`{first}` and `{second}` are two lists side by side, and a row is an item of one. Ask for one of "
                "them at a time, or accept application/json.",
                "query",
            )
        below = []
        for index, one in enumerate(listed):
            type_, names = get_nullable_type(one.type).of_type, one.place.names
            if is_outside:
                names = names[-1:] if is_leaf_type(get_nullable_type(type_)) else ()
            below.append(_Thing(type_, one.nodes, _Place((index,), names, one.place.where)))
        return Level(columns, paths, tuple(one.place.path for one in listed), self.level(below))

    def _walk(self, thing: _Thing, found: _Found) -> None:
        type_, place = get_nullable_type(thing.type), thing.place
        if is_leaf_type(get_named_type(type_)):
            found.columns.append(Column(".".join(place.names), _type(type_)))
            found.paths.append(place.path)
        elif is_list_type(type_):
            found.lists[place.where].append(thing)
        else:
            for key, selected in self._merged(thing).items():
                types = [self._type_of(node, parent) for node, parent in selected]
                nodes = [(node, get_named_type(one)) for (node, _), one in zip(selected, types, strict=True)]
                below = _Thing(types[0], nodes, place.at(key))
                if any(parent.name in SERIES and node.name.value in COLUMNS for node, parent in selected):
                    found.lists[place.where].append(below)
                else:
                    self._walk(below, found)

    def _type_of(self, node: FieldNode, parent: Any) -> Any:
        definition = self.schema.get_field(parent, node.name.value)
        assert definition is not None  # the document is valid
        return definition.type

    def _merged(self, thing: _Thing) -> dict[str, list[tuple[FieldNode, Any]]]:
        """What is selected, with the type that it is selected on, by the names in the answer and in its order."""
        found: dict[str, list[tuple[FieldNode, Any]]] = defaultdict(list)
        waiting: list[tuple[SelectionNode, Any]] = []
        for node, type_ in reversed(thing.nodes):
            waiting += [(one, type_) for one in reversed(node.selection_set.selections)]
        spread: set[str] = set()
        while waiting:
            node, parent = waiting.pop()
            if not included(node, self.variables):
                continue
            if isinstance(node, FieldNode):
                found[(node.alias or node.name).value].append((node, parent))
                continue
            inner: Any = node
            if isinstance(node, FragmentSpreadNode):
                if node.name.value in spread:
                    continue
                spread.add(node.name.value)
                inner = self.fragments[node.name.value]
            else:
                assert isinstance(node, InlineFragmentNode)
            on = self.schema.get_type(inner.type_condition.name.value) if inner.type_condition else parent
            waiting += [(one, on) for one in reversed(inner.selection_set.selections)]
        return found


def _type(type_: Any) -> Type:
    plain = get_nullable_type(type_)
    return ListOf(_type(plain.of_type)) if is_list_type(plain) else KINDS.get(plain.name, Kind.TEXT)


def _at(value: Any, path: Path) -> Any:
    """The value at a path; None where something on the way is null or, of another type, not there."""
    for key in path:
        if value is None:
            return None
        value = value[key] if isinstance(key, int) else value.get(key)
    return value


def _size(cell: Any) -> int:
    if isinstance(cell, list):
        return CELL_BYTES + sum(map(_size, cell))
    return CELL_BYTES + (len(cell) if isinstance(cell, str) else 0)
