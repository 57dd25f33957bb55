"""What a field costs: the directives `@cost` and `@listSize` (IBM's cost specification, as Apollo writes them).

An object costs 1, a metric costs 1, anything else that is a plain value costs nothing; a list costs what its items cost
together. So a query costs about points × metrics × entities. `priced` puts the directives on the fields.
"""

from collections.abc import Iterator, Sequence

from strawberry import UNSET
from strawberry.federation.schema_directives import Cost, ListSize
from strawberry.types import get_object_definition
from strawberry.types.base import StrawberryContainer, StrawberryObjectDefinition
from strawberry.types.field import StrawberryField
from strawberry.types.lazy_type import LazyType
from strawberry.utils.str_converters import to_camel_case

from metrics.window import Grain
from resolvers.arguments import DEFAULT_POINTS
from resolvers.context import LIMITS
from resolvers.live import INCIDENTS, WATCHED

# Every field of these is a metric, or is read like one.
METRICS = ("SlaMetrics", "JobMetrics", "Demand")
# Fields behind which more is read than is answered.
WEIGHTS = {"slaScore": 10, "ceiPct": 5, "standing": 50, "leaderboard": 10}
# How long lists are that no argument cuts, by their field (of that type, where it is named); others are taken to have
# MANY items.
MANY = 20
ASSUMED = {
    "orchestrators": 5,
    "supply": 100,
    "timeline": 100,
    "sessions": 2,
    "metricCatalogue": 50,
    "scoringVersions": 3,
    "subscores": 8,
    "inputs": 4,
    "swapReasons": 8,
    "byKind": 3,
    # What an update tells at most, but for one who comes back from far.
    "MetricsUpdate.buckets": WATCHED,
    "IncidentsUpdate.incidents": INCIDENTS,
}
SLICING = ("first", "last", "maxPoints")
# Series, and the narrowest bucket that they have.
SERIES = {"SlaSeries": Grain.MINUTE, "DemandSeries": Grain.HOUR}
COLUMNS = ("starts", "values")
PAGES = ("edges", "nodes")


def priced(*types: type) -> None:
    """Put the directives on every field that can be reached from these types. Doing it again changes nothing."""
    for definition in _reachable(types):
        for field in definition.fields:
            if not any(isinstance(one, Cost | ListSize) for one in field.directives):
                field.directives = [*field.directives, *_directives(definition.name, field)]


def _directives(type_name: str, field: StrawberryField) -> Iterator[Cost | ListSize]:
    name = field.graphql_name or to_camel_case(field.python_name)
    weight = 1 if type_name in METRICS or name in COLUMNS else WEIGHTS.get(name)
    if weight is not None:
        yield Cost(weight=weight)
    below, is_list = _unwrapped(field.type)
    if below is None:
        return
    arguments = {to_camel_case(one.python_name) for one in field.arguments}
    slicing = [one for one in SLICING if one in arguments]
    if is_list and type_name != "Connection" and type_name not in SERIES:
        assumed = LIMITS.page if slicing else ASSUMED.get(f"{type_name}.{name}", ASSUMED.get(name, MANY))
        yield ListSize(
            assumed_size=assumed,
            slicing_arguments=slicing or UNSET,
            sized_fields=UNSET,
            require_one_slicing_argument=False if slicing else UNSET,
        )
    elif below.name == "Connection":
        yield _sized(LIMITS.page, slicing, PAGES)
    elif below.name in SERIES:
        fields = {to_camel_case(one.python_name) for one in below.fields}
        yield _sized(DEFAULT_POINTS, slicing, [one for one in ("buckets", *COLUMNS) if one in fields])


def _sized(assumed: int, slicing: list[str], fields: Sequence[str]) -> ListSize:
    return ListSize(
        assumed_size=assumed, slicing_arguments=slicing, sized_fields=[*fields], require_one_slicing_argument=False
    )


def _reachable(types: tuple[type, ...]) -> Iterator[StrawberryObjectDefinition]:
    seen: set[type] = set()
    waiting = [*types]
    while waiting:
        cls = waiting.pop()
        definition = get_object_definition(cls)
        if definition is None or cls in seen:
            continue
        seen.add(cls)
        yield definition
        waiting += [one.origin for one in definition.interfaces]
        waiting += [below.origin for field in definition.fields if (below := _unwrapped(field.type)[0])]


def _unwrapped(kind: object) -> tuple[StrawberryObjectDefinition | None, bool]:
    """The object type within a field's type, and whether there are many of it."""
    is_list = False
    while True:
        if isinstance(kind, LazyType):
            kind = kind.resolve_type()
        elif isinstance(kind, StrawberryContainer):
            is_list = is_list or type(kind).__name__ == "StrawberryList"
            kind = kind.of_type
        else:
            return (get_object_definition(kind) if isinstance(kind, type) else None), is_list
