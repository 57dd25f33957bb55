"""Metrics: what a number is called, how it is computed, in which unit, and what is good."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum

from metrics.formula import Formula, Inputs, Number, deviation, mean, of
from metrics.histogram import percentile
from metrics.measure import Aggregate, Column, Measure


class Direction(StrEnum):
    """Which way is better."""

    HIGHER = "HIGHER"
    LOWER = "LOWER"
    NEITHER = "NEITHER"


class Statistic(Enum):
    """What a metric can tell; the value is the name of the field."""

    VALUE = "value"
    P50 = "p50"
    P95 = "p95"
    P99 = "p99"
    MIN = "min"
    MAX = "max"
    STDDEV = "stddev"
    SAMPLES = "samples"


PERCENTILES = {Statistic.P50: 50, Statistic.P95: 95, Statistic.P99: 99}


@dataclass(frozen=True, slots=True)
class Target:
    """What a value is held against: one number for everybody, or the workflow's own (a name in its row of targets)."""

    fixed: float | None = None
    of_workflow: str | None = None
    strict: bool = False  # to equal the target is not to meet it

    def met(self, value: float, target: float, direction: Direction) -> bool:
        """Does the value meet this target?"""
        if value == target:
            return not self.strict
        return (value < target) is (direction is Direction.LOWER)


NO_TARGET = Target()


@dataclass(frozen=True, slots=True)
class Metric:
    """One number that can be asked for: a formula over measures, with the evidence it rests on."""

    name: str
    formula: Formula
    evidence: Formula
    unit: str
    doc: str
    source: str
    direction: Direction = Direction.NEITHER
    target: Target = NO_TARGET
    # Set where the metric is a distribution of one observed column.
    column: Column | None = None
    # A plain count is never null and has no statistics of its own.
    is_count: bool = False
    # A count that outgrows 32 bits.
    is_large: bool = False
    # What the number does not tell, or where it misleads.
    caveats: str = ""

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """What can be told of this metric."""
        if self.is_count:
            return (Statistic.VALUE,)
        return tuple(Statistic) if self.column else (Statistic.VALUE, Statistic.SAMPLES)

    def reads(self, statistic: Statistic = Statistic.VALUE) -> frozenset[Measure]:
        """The measures that this statistic needs."""
        if statistic is Statistic.VALUE:
            return self.formula.reads()
        if statistic is Statistic.SAMPLES:
            return self.evidence.reads()
        return self._of_column(statistic)

    def value(self, inputs: Inputs, statistic: Statistic = Statistic.VALUE) -> Number | None:
        """The number for these sums (measure name → integer, or histogram); None without evidence."""
        if statistic is Statistic.VALUE:
            return self.formula.value(inputs)
        if statistic is Statistic.SAMPLES:
            return self.evidence.value(inputs) or 0
        assert self.column is not None, f"{self.name} has no {statistic.value}"
        if statistic is Statistic.STDDEV:
            return _deviation(self.column).value(inputs)
        low, high = (_integer(inputs, self.column, edge) for edge in (Aggregate.MIN, Aggregate.MAX))
        if statistic in PERCENTILES:
            histogram = inputs.get(self.column.measure(Aggregate.HISTOGRAM).name)
            if not isinstance(histogram, Mapping) or low is None or high is None:
                return None
            ranked = percentile(histogram, PERCENTILES[statistic], low, high)
        else:
            ranked = low if statistic is Statistic.MIN else high
        return None if ranked is None else ranked / self.column.scale

    def _of_column(self, statistic: Statistic) -> frozenset[Measure]:
        assert self.column is not None, f"{self.name} has no {statistic.value}"
        if statistic is Statistic.STDDEV:
            return _deviation(self.column).reads()
        edges = {self.column.measure(Aggregate.MIN), self.column.measure(Aggregate.MAX)}
        if statistic in PERCENTILES:
            return frozenset(edges | {self.column.measure(Aggregate.HISTOGRAM)})
        return frozenset(edges)


def _integer(inputs: Inputs, column: Column, aggregate: Aggregate) -> int | None:
    found = inputs.get(column.measure(aggregate).name)
    return found if isinstance(found, int) else None


def _deviation(column: Column) -> Formula:
    return deviation(
        column.measure(Aggregate.COUNT),
        column.measure(Aggregate.SUM),
        column.measure(Aggregate.SUMSQ),
        column.scale,
    )


def count(
    name: str,
    column: Column,
    doc: str,
    source: str,
    direction: Direction = Direction.NEITHER,
    is_large: bool = False,
    caveats: str = "",
) -> Metric:
    """A metric that is one sum: 0 where nothing was counted."""
    measure = column.measures[0]
    return Metric(
        name, measure, measure, "count", doc, source, direction, is_count=True, is_large=is_large, caveats=caveats
    )


def distribution(
    name: str,
    column: Column,
    unit: str,
    doc: str,
    source: str,
    direction: Direction = Direction.NEITHER,
    target: Target = NO_TARGET,
    caveats: str = "",
) -> Metric:
    """A metric whose mean, deviation, extremes and percentiles can be told."""
    total, number = column.measure(Aggregate.SUM), column.measure(Aggregate.COUNT)
    value = mean(total, number, column.scale)
    return Metric(name, value, number, unit, doc, source, direction, target, column, caveats=caveats)


def share_pct(part: Formula, whole: Formula) -> Formula:
    """A percentage: 100 × part / whole."""
    return of(100) * part / whole
