"""What was measured: the metrics of a scope in a window, in all or bucket by bucket."""

from asyncio import gather
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from metrics.buckets import Buckets
from metrics.catalogue import BY_NAME
from metrics.dimension import INDEX, Dimension
from metrics.errors import BadRequest
from metrics.formula import Number
from metrics.measure import Measure
from metrics.metric import Metric, Statistic
from metrics.question import Question
from metrics.row import Row
from metrics.targets import WorkflowTargets
from metrics.window import Grain, Window, from_ms
from resolvers.context import Context
from resolvers.figures import NOTHING, Figures, Sums
from resolvers.scope import Scope, is_empty


class Measures(tuple[Measure, ...]):
    """Sorted measures without doubles. Hashed once: one selection asks the same of very many parents."""

    _hash: int | None = None

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = super().__hash__()
        return self._hash


# Which buckets there are does not depend on what is asked of them, so the cheapest thing will do.
_LEAST = Measures(sorted(BY_NAME["sessions"].reads()))


class Comparison(Enum):
    """What a value can be compared with."""

    PREVIOUS_WINDOW = "PREVIOUS_WINDOW"
    NETWORK = "NETWORK"


class Fill(Enum):
    """What stands in buckets without evidence."""

    NONE = "NONE"
    NULL = "NULL"
    ZERO = "ZERO"
    PREVIOUS = "PREVIOUS"


@dataclass(frozen=True, slots=True)
class Asked:
    """The measures that a selection needs, and those that its comparisons need."""

    measures: Measures
    compared: Measures = Measures()


async def read(
    context: Context,
    scope: Scope,
    window: Window,
    measures: Measures,
    grain: Grain | None = None,
    by: tuple[Dimension, ...] = (),
) -> list[Row]:
    """The rows of a scope; none where nothing is asked or nothing can belong to the scope."""
    if not measures or is_empty(scope):
        return []
    # `scope` keeps its dimensions in any order; a question has one form.
    where = tuple((dimension, scope[dimension]) for dimension in sorted(scope, key=INDEX.__getitem__))
    return await context.load(Question(window, grain, measures, by, where))


async def read_buckets(
    context: Context,
    scope: Scope,
    window: Window,
    measures: Measures,
    buckets: Buckets,
    by: tuple[Dimension, ...] = (),
) -> Sequence[Row]:
    """The rows of a scope, bucket by bucket."""
    grain = buckets.read(window)
    if grain.value < Grain.HOUR.value < buckets.grain.value and any(one.column.hourly for one in measures):
        raise BadRequest(
            f"supply is known by the hour of UTC, and the days of {buckets.zone} do not begin with one: leave out the "
            "capacity and the efficiency, or use another timeZone.",
            "timeZone",
        )
    return buckets.gathered(await read(context, scope, window, measures, grain, by), window, measures)


async def metrics(
    context: Context,
    scope: Scope,
    window: Window,
    asked: Asked,
    comparison: Comparison | None = None,
    everyone: Scope | None = None,
) -> Figures:
    """The metrics of a scope; compared with the window before, or with `everyone` in the same one."""
    reading = read(context, scope, window, asked.measures)
    targets = targets_of(context, scope)
    if comparison is None:
        return Figures(context, window, _only(await reading), targets=targets)
    other = (scope, window.before()) if comparison is Comparison.PREVIOUS_WINDOW else (everyone or {}, window)
    rows, compared = await gather(reading, read(context, *other, asked.compared))
    return Figures(context, window, _only(rows), _only(compared), targets)


def targets_of(context: Context, scope: Scope) -> WorkflowTargets | None:
    """What the workflow of the scope should reach, where it is one."""
    held = scope.get(Dimension.WORKFLOW, ())
    return context.targets.of(held[0]) if len(held) == 1 else None


def _only(rows: Sequence[Row]) -> Sums:
    return rows[0].sums if rows else NOTHING


@dataclass(slots=True)
class Bucket:
    """One bucket of a series."""

    start: datetime
    end: datetime
    partial: bool
    metrics: Figures


@dataclass(slots=True)
class Columns:
    """A series by columns: one for each metric and statistic that is looked at, filled as asked."""

    sums: Sequence[Sums]
    fill: Fill
    targets: WorkflowTargets | None = None
    _made: dict[tuple[str, Statistic], list[Number | None]] = field(default_factory=dict)

    def column(self, metric: Metric, statistic: Statistic) -> list[Number | None]:
        """The statistic in each bucket."""
        key = (metric.name, statistic)
        if key not in self._made:
            self._made[key] = self._filled([metric.value(sums, statistic) for sums in self.sums])
        return self._made[key]

    def _filled(self, values: list[Number | None]) -> list[Number | None]:
        if self.fill is Fill.ZERO:
            return [0 if value is None else value for value in values]
        if self.fill is Fill.PREVIOUS:
            for index in range(1, len(values)):
                if values[index] is None:
                    values[index] = values[index - 1]
        return values


class Filled(Figures):
    """The figures of one bucket, filled from its neighbours."""

    __slots__ = ("_columns", "_index")

    def __init__(self, context: Context, window: Window, columns: Columns, index: int) -> None:
        super().__init__(context, window, columns.sums[index], targets=columns.targets)
        self._columns = columns
        self._index = index

    def number(self, metric: Metric, statistic: Statistic) -> Number | None:
        return self._columns.column(metric, statistic)[self._index]


@dataclass(frozen=True, slots=True)
class Series:
    """A scope's metrics bucket by bucket, read when a part of it is looked at."""

    context: Context
    scope: Scope
    window: Window
    cut: Buckets
    fill: Fill

    async def starts(self) -> list[datetime]:
        """Where the buckets begin."""
        self._spend(as_column=True)
        rows = await self._rows(_LEAST)
        return [from_ms(start) for start, _ in rows]

    async def values(self, metric: Metric, statistic: Statistic) -> list[Number | None]:
        """One figure, bucket by bucket."""
        self._spend(as_column=True)
        rows = await self._rows(Measures(sorted(metric.reads(statistic))))
        return Columns([sums for _, sums in rows], self.fill).column(metric, statistic)

    async def buckets(self, asked: Asked, partial: bool = True) -> list[Bucket]:
        """Every bucket with its metrics."""
        self._spend()
        rows = await self._rows(asked.measures or _LEAST)
        reach = (await self.context.held()).latest_ms if partial else None
        columns = Columns([sums for _, sums in rows], self.fill, targets_of(self.context, self.scope))
        return [self._bucket(start, index, columns, reach) for index, (start, _) in enumerate(rows)]

    def _spend(self, as_column: bool = False) -> None:
        self.context.spend_points(self.cut.count(self.window), as_column)

    def _bucket(self, start: int, index: int, columns: Columns, reach: int | None) -> Bucket:
        end = self.cut.end_of(start, self.window)
        figures = Filled(self.context, clipped(start, end, self.window), columns, index)
        return Bucket(from_ms(start), from_ms(end), is_partial(start, end, self.window, reach), figures)

    async def _rows(self, measures: Measures) -> list[tuple[int, Sums]]:
        rows = await read_buckets(self.context, self.scope, self.window, measures, self.cut)
        found = {row.start_ms: row.sums for row in rows if row.start_ms is not None}
        if self.fill is Fill.NONE:
            return list(found.items())
        return [(start, found.get(start, NOTHING)) for start in self.cut.starts(self.window)]


def clipped(start_ms: int, end_ms: int, window: Window) -> Window:
    """The part of a bucket that lies in the window."""
    return Window.of_ms(max(start_ms, window.start_ms), min(end_ms, window.end_ms))


def is_partial(start_ms: int, end_ms: int, window: Window, reach_ms: int | None) -> bool:
    """Does the window cut the bucket, or do the data end in it?"""
    return start_ms < window.start_ms or end_ms > window.end_ms or reach_ms is None or reach_ms < end_ms - 1
