"""Orders: by a field, or by a metric in a window. Nulls come last, ties go by key."""

from asyncio import gather
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from metrics.formula import Number
from metrics.metric import Metric, Statistic
from metrics.question import Question
from metrics.sighting import Trait
from metrics.window import Window
from resolvers.context import Context
from resolvers.entities import Entity, Kind
from resolvers.measured import Comparison
from resolvers.scope import Scope, is_empty
from resolvers.stake import each

Rankable = int | float | str | None
Rank = tuple[bool, object, str]


@dataclass(frozen=True, slots=True)
class Order:
    """What entities are ordered by: a metric's statistic in a window, a time, a trait, stake, or else the key."""

    descending: bool = False
    metric: Metric | None = None
    statistic: Statistic = Statistic.VALUE
    window: Window | None = None
    # By the change since the window before. Whatever is held against the network stays in the order of its values.
    comparison: Comparison | None = None
    time: str | None = None  # "first_ms" or "last_ms"
    trait: Trait | None = None
    stake: bool = False
    # The window as it was written: `last` means another one on every page.
    said: str = ""

    def __str__(self) -> str:
        name = f"{self.metric.name}.{self.statistic.value}" if self.metric else self.time or self.trait
        name = name or ("stake" if self.stake else "key")
        name = f"{name} against {self.comparison.name}" if self.comparison else name
        return " ".join(filter(None, (name, self.said, "desc" if self.descending else "asc")))

    @property
    def is_by_key(self) -> bool:
        """Is it an order that does not move?"""
        return self == Order(self.descending)

    @property
    def traits(self) -> frozenset[Trait]:
        """What must be known of an entity to order it."""
        return frozenset((self.trait,)) if self.trait else frozenset()


BY_KEY = Order()
NEWEST = Order(descending=True, time="last_ms")


async def values(
    context: Context, kind: Kind, found: Sequence[Entity], order: Order, scope: Scope
) -> Mapping[str, Rankable]:
    """What each entity is ordered by, key → value."""
    if order.metric is not None and order.window is not None:
        return await _of_metric(context, kind, order, scope) if found else {}
    if order.stake:
        return await each(context, (one.key for one in found))
    if order.time is not None:
        return {entity.key: getattr(entity, order.time) for entity in found}
    if order.trait is not None:
        return {entity.key: _number(entity.latest(order.trait)) for entity in found}
    return {entity.key: entity.key for entity in found}


async def _of_metric(context: Context, kind: Kind, order: Order, scope: Scope) -> Mapping[str, Rankable]:
    assert order.window is not None
    if order.comparison is not Comparison.PREVIOUS_WINDOW:
        return await _in_window(context, kind, order, order.window, scope)
    now, before = await gather(
        *(_in_window(context, kind, order, window, scope) for window in (order.window, order.window.before()))
    )
    return {key: _change(value, before.get(key)) for key, value in now.items()}


async def _in_window(
    context: Context, kind: Kind, order: Order, window: Window, scope: Scope
) -> Mapping[str, Number | None]:
    assert order.metric is not None
    if is_empty(scope):
        return {}
    measures = order.metric.reads(order.statistic)
    rows = await context.load(Question.of(measures, window, by=(kind.dimension,), where=scope))
    return {row.by[0]: order.metric.value(row.sums, order.statistic) for row in rows if row.by[0] is not None}


def _change(value: Number | None, before: Number | None) -> Number | None:
    return None if value is None or before is None else value - before


def rank(value: Rankable, key: str, descending: bool) -> Rank:
    """What Python may compare to put entities in order."""
    if value is None:
        return (True, 0, key)
    return (False, _turned(value) if descending else value, key)


def _turned(value: int | float | str) -> object:
    if isinstance(value, str):
        # Greater than any turned character, so that a text comes after those that it begins.
        return (*(-ord(character) for character in value), 1)
    return -value


def _number(text: str | None) -> Rankable:
    """Numbers are ordered as numbers."""
    return int(text) if text is not None and text.isdecimal() else text
