"""Figures: the numbers of one row, computed when they are looked at. Their attributes carry the catalogue's names."""

from collections.abc import Awaitable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from metrics.catalogue import BY_NAME, OUTCOMES
from metrics.columns import JOBS_BY_KIND, SWAPS_BY_REASON, JobKind, SwapReason
from metrics.efficiency import CONFIDENCE, EFFICIENCY, Confidence, Tier, tier_of
from metrics.errors import TooComplex
from metrics.formula import Number
from metrics.measure import Column
from metrics.metric import Metric, Statistic
from metrics.row import Sum
from metrics.targets import WorkflowTargets
from metrics.window import Window
from resolvers.context import Context
from resolvers.freshness import Freshness, freshness

K = TypeVar("K")
Sums = Mapping[str, Sum]

NOTHING: Sums = {}
MAX_INT = 2**31 - 1


class Figures:
    """What the metrics of one row say; an attribute for each metric of the catalogue."""

    __slots__ = ("__dict__", "compared", "context", "sums", "targets", "window")

    def __init__(
        self,
        context: Context,
        window: Window,
        sums: Sums,
        compared: Sums | None = None,
        targets: WorkflowTargets | None = None,
    ) -> None:
        self.context = context
        self.window = window
        self.sums = sums
        self.compared = compared
        # Of the workflow, where the row is about one.
        self.targets = targets

    def __getattr__(self, name: str) -> "Figure | Number":
        metric = BY_NAME.get(name)
        if metric is None:
            raise AttributeError(name)
        made = self.counted(metric) if metric.is_count else _figure(self, metric)
        self.__dict__[name] = made
        return made

    def number(self, metric: Metric, statistic: Statistic) -> Number | None:
        """One statistic of one metric; None without evidence."""
        return metric.value(self.sums, statistic)

    def counted(self, metric: Metric) -> Number:
        """A count: 0 where nothing was counted."""
        number = metric.value(self.sums) or 0
        return float(number) if metric.is_large else small(metric.name, number)

    @property
    def freshness(self) -> Awaitable[Freshness]:
        """How far the data reaches."""
        return freshness(self.context, self.window)

    @property
    def outcomes(self) -> "Outcomes":
        """How the sessions ended."""
        return Outcomes(self.sums)

    @property
    def swap_reasons(self) -> list["SwapReasonCount"]:
        """Stays left by a swap, by reason; reasons that did not occur are left out."""
        return [SwapReasonCount(reason, count) for reason, count in self._told("swapReasons", SWAPS_BY_REASON)]

    @property
    def by_kind(self) -> list["JobKindCount"]:
        """Jobs by kind; kinds that did not occur are left out."""
        return [JobKindCount(kind, count) for kind, count in self._told("byKind", JOBS_BY_KIND)]

    def _told(self, name: str, columns: Mapping[K, Column]) -> Iterator[tuple[K, int]]:
        for key, column in columns.items():
            count = self.sums.get(column.name)
            if isinstance(count, int) and count:
                yield key, small(name, count)


@dataclass(frozen=True, slots=True)
class SwapReasonCount:
    """How many stays a reason ended."""

    reason: SwapReason
    count: int


@dataclass(frozen=True, slots=True)
class JobKindCount:
    """How many jobs of a kind there were."""

    kind: JobKind
    count: int


class Figure:
    """One metric of one row."""

    __slots__ = ("figures", "metric")

    def __init__(self, figures: Figures, metric: Metric) -> None:
        self.figures = figures
        self.metric = metric

    @property
    def samples(self) -> int:
        """How much evidence there is."""
        return small(f"{self.metric.name}.samples", self.figures.number(self.metric, Statistic.SAMPLES) or 0)

    @property
    def target(self) -> float | None:
        """What the value is held against: one number for everybody, or what the one workflow should reach."""
        named, targets = self.metric.target.of_workflow, self.figures.targets
        if named is None:
            return self.metric.target.fixed
        return None if targets is None else targets.number(named)

    @property
    def met(self) -> bool | None:
        """Is the value on the right side of its target?"""
        value, target = self.figures.number(self.metric, Statistic.VALUE), self.target
        if value is None or target is None:
            return None
        return self.metric.target.met(value, target, self.metric.direction)

    @property
    def compared_to(self) -> Number | None:
        """The value of what this is compared with."""
        compared = self.figures.compared
        return None if compared is None else self.metric.value(compared)


class EfficiencyFigure(Figure):
    """An efficiency, which also tells what it rests on."""

    __slots__ = ()

    @property
    def tier(self) -> Tier | None:
        """What answers: stated FLOPS wherever there are, else frames; None without a value."""
        return tier_of(self.figures.sums)

    @property
    def confidence(self) -> Confidence | None:
        """How far that can be trusted."""
        return None if self.tier is None else CONFIDENCE[self.tier]


def _figure(figures: Figures, metric: Metric) -> Figure:
    return EfficiencyFigure(figures, metric) if metric is EFFICIENCY else Figure(figures, metric)


def _statistic(statistic: Statistic) -> Any:
    def read(figure: Figure) -> Number | None:
        return figure.figures.number(figure.metric, statistic)

    return property(read, doc=f"The statistic {statistic.value}.")


for _each in Statistic:
    if _each is not Statistic.SAMPLES:
        setattr(Figure, _each.value, _statistic(_each))


class Outcomes:
    """How many sessions ended how; an attribute for each entry of the catalogue's OUTCOMES."""

    __slots__ = ("_sums",)

    def __init__(self, sums: Sums) -> None:
        self._sums = sums

    def __getattr__(self, name: str) -> int:
        formula = OUTCOMES.get(name)
        if formula is None:
            raise AttributeError(name)
        return small(name, formula.value(self._sums) or 0)


def small(name: str, count: Number) -> int:
    """The count, where it fits GraphQL's Int. Raises TooComplex where it does not: a count is never cut."""
    if count > MAX_INT:
        raise TooComplex(f"{name} is {count:,}, more than GraphQL's Int can carry. Use a shorter window.", "window")
    return int(count)
