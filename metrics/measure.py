"""Measures: the stored numbers that may be added, and the fact columns they are made of."""

from dataclasses import dataclass, field
from enum import Enum
from functools import cache

from metrics.formula import Formula, Inputs, Number


class Aggregate(Enum):
    """How the values of a fact column come together. Each can be merged with its like, in any order."""

    COUNT = "n"
    SUM = "sum"
    SUMSQ = "sumsq"
    MIN = "min"
    MAX = "max"
    HISTOGRAM = "hist"
    # A duration in ms that begins at its fact's time and never crosses a minute (where the column is `hourly`: an
    # hour), or a level that is held for so long and counts level × ms: clipped to the window.
    SPAN = "span"


class Width(Enum):
    """How large a column's values and their sums grow."""

    INT64 = 64
    INT256 = 256  # wei


@dataclass(frozen=True, slots=True)
class Column:
    """A value column of facts: an integer in fixed point, null where the fact says nothing of it."""

    name: str
    aggregates: tuple[Aggregate, ...]
    scale: int = 1  # stored integer = value × scale
    width: Width = Width.INT64
    # Of facts whose spans may last an hour. They are kept apart, and no question to a store mixes the two.
    hourly: bool = False
    # Where this is a level: the column that says for how long it is held.
    held: "Column | None" = None

    def measure(self, aggregate: Aggregate) -> "Measure":
        """The measure of this column."""
        return _measure(self, aggregate)

    @property
    def measures(self) -> tuple["Measure", ...]:
        """All measures kept of this column."""
        return tuple(self.measure(aggregate) for aggregate in self.aggregates)


@dataclass(frozen=True, slots=True, eq=False)
class Measure(Formula):
    """A stored number that may be added: one aggregate of one fact column. Compared by name."""

    column: Column
    aggregate: Aggregate
    # The rollup column: the fact column's own name for a plain sum, else with the aggregate behind it.
    name: str = field(init=False)

    def __post_init__(self) -> None:
        plain = self.aggregate in (Aggregate.SUM, Aggregate.SPAN) and len(self.column.aggregates) == 1
        object.__setattr__(self, "name", self.column.name if plain else f"{self.column.name}_{self.aggregate.value}")

    @property
    def span(self) -> str | None:
        """The column that says how long the fact lasts, where this counts a duration or a level held."""
        return (self.column.held or self.column).name if self.aggregate is Aggregate.SPAN else None

    def reads(self) -> frozenset["Measure"]:
        return frozenset((self,))

    def value(self, inputs: Inputs) -> Number | None:
        return inputs.get(self.name)  # type: ignore[return-value]  # histograms never stand in formulas

    def __str__(self) -> str:
        return self.name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Measure) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __lt__(self, other: "Measure") -> bool:
        return self.name < other.name


@cache
def _measure(column: Column, aggregate: Aggregate) -> Measure:
    return Measure(column, aggregate)


def counter(name: str, width: Width = Width.INT64) -> Column:
    """A column that is only ever summed."""
    return Column(name, (Aggregate.SUM,), width=width)


def averaged(name: str, scale: int, deviation: bool = False) -> Column:
    """A column of which only the mean (and the deviation) is ever told."""
    squares = (Aggregate.SUMSQ,) if deviation else ()
    return Column(name, (Aggregate.COUNT, Aggregate.SUM, *squares), scale=scale)


def observed(name: str, scale: int) -> Column:
    """A column of observations: mean, deviation, extremes and percentiles can be told."""
    kept = (Aggregate.COUNT, Aggregate.SUM, Aggregate.SUMSQ, Aggregate.MIN, Aggregate.MAX, Aggregate.HISTOGRAM)
    return Column(name, kept, scale=scale)
