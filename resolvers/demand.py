"""Demand: what was asked of a scope and what it earned."""

from asyncio import gather
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from metrics import columns as c
from metrics.dimension import Dimension
from metrics.exact import decimal_text
from metrics.fold import add
from metrics.measure import Column, Measure
from metrics.row import Row, Sum
from metrics.window import MINUTE_MS, Grain, Window, from_ms
from resolvers.context import Context
from resolvers.figures import small
from resolvers.measured import Fill, Measures, is_partial, read
from resolvers.scope import Scope
from resolvers.stake import stakes


def _only(column: Column) -> Measure:
    return column.measures[0]


# Field → the column that it needs.
NEEDS = {
    "streams": _only(c.STREAMS),
    "sessions": _only(c.SESSIONS),
    "unserved": _only(c.UNSERVED),
    "inference_minutes": _only(c.INFERENCE_MS),
    "by_gpu_model": _only(c.INFERENCE_MS),
    "fees_wei": _only(c.FEES_WEI),
    "fees_eth": _only(c.FEES_WEI),
    "face_value_wei": _only(c.FACE_VALUE_WEI),
    "tickets": _only(c.TICKETS),
}
# What is worked out of two of them.
RATIOS = {"fees_wei_per_minute": ("fees_wei", "inference_minutes")}
LEAST = NEEDS["sessions"]


@dataclass(frozen=True, slots=True)
class DemandAsked:
    """The measures that a selection needs, and whether it wants them by GPU model, and stake."""

    measures: Measures
    by_gpu_model: bool = False
    stake: bool = False


def demand_asked(fields: Iterable[str]) -> DemandAsked:
    """What these fields of a demand need."""
    names = frozenset(fields)
    read = names.union(*(RATIOS[name] for name in names & RATIOS.keys()))
    measures = {NEEDS[name] for name in read if name in NEEDS} or {LEAST}
    return DemandAsked(Measures(sorted(measures)), "by_gpu_model" in names, "stake_lpt" in names)


class GpuModelDemand:
    """The minutes of one GPU model."""

    __slots__ = ("gpu_model", "inference_minutes")

    capacity_rate_pct: float | None = None

    def __init__(self, gpu_model: str | None, inference_ms: int) -> None:
        self.gpu_model = gpu_model
        self.inference_minutes = inference_ms / MINUTE_MS


class Demand:
    """The demand of one window, from its rows by GPU model (or from one row in all)."""

    __slots__ = ("_rows", "stake_lpt", "window")

    # Needs the tables that come with slots.
    capacity_rate_pct: float | None = None

    def __init__(self, window: Window, rows: Sequence[Row], stake_lpt: str | None = None) -> None:
        self.window = window
        self._rows = rows
        self.stake_lpt = stake_lpt

    @property
    def streams(self) -> int:
        """Streams, each counted with its first session."""
        return small("streams", self._sum("streams"))

    @property
    def sessions(self) -> int:
        """Sessions requested."""
        return small("sessions", self._sum("sessions"))

    @property
    def unserved(self) -> int:
        """Sessions for which no orchestrator was available."""
        return small("unserved", self._sum("unserved"))

    @property
    def inference_minutes(self) -> float:
        """Minutes of inference within the window."""
        return self._sum("inference_minutes") / MINUTE_MS

    @property
    def by_gpu_model(self) -> list[GpuModelDemand]:
        """The minutes by GPU model, the unknown one last."""
        name = NEEDS["by_gpu_model"].name
        told = ((row.by[0], row.sums.get(name)) for row in self._rows)
        return [GpuModelDemand(model, spent) for model, spent in told if isinstance(spent, int) and spent]

    @property
    def fees_wei(self) -> int:
        """Expected value of the tickets, in wei."""
        return self._sum("fees_wei")

    @property
    def fees_eth(self) -> str:
        """The same in ETH, exactly."""
        return decimal_text(self._sum("fees_eth"))

    @property
    def fees_wei_per_minute(self) -> float | None:
        """Fees per minute of inference, in wei; None without a minute."""
        spent_ms = self._sum("inference_minutes")
        return self._sum("fees_wei") * MINUTE_MS / spent_ms if spent_ms else None

    @property
    def face_value_wei(self) -> int:
        """Face value of the tickets, in wei."""
        return self._sum("face_value_wei")

    @property
    def tickets(self) -> int:
        """Tickets sent."""
        return small("tickets", self._sum("tickets"))

    def _sum(self, field: str) -> int:
        measure, total = NEEDS[field], 0
        for row in self._rows:
            total = _integer(add(measure, total, row.sums.get(measure.name)))
        return total


@dataclass(slots=True)
class DemandBucket:
    """One bucket of a demand series."""

    start: datetime
    end: datetime
    partial: bool
    demand: Demand


@dataclass(frozen=True, slots=True)
class DemandSeries:
    """A scope's demand bucket by bucket."""

    context: Context
    scope: Scope
    window: Window
    interval: Grain
    fill: Fill

    async def buckets(self, asked: DemandAsked, partial: bool = True) -> list[DemandBucket]:
        """Every bucket with its demand."""
        self.context.spend_points(self.window.count(self.interval))
        found: dict[int, list[Row]] = defaultdict(list)
        for row in await _read(self.context, self.scope, self.window, asked, self.interval):
            found[row.start_ms or 0].append(row)
        reach = (await self.context.holds()).latest_ms if partial else None
        starts = sorted(found) if self.fill is Fill.NONE else list(self.window.buckets(self.interval))
        ends = {start: min(start + self.interval.value, self.window.end_ms) for start in starts}
        staked = await stakes(self.context, self.scope, [*ends.values()] if asked.stake else [])
        made, rows = [], list[Row]()
        for start, end in ends.items():
            rows = found.get(start, rows if self.fill is Fill.PREVIOUS else [])
            span = Window.of_ms(max(start, self.window.start_ms), end)
            made.append(self._bucket(start, Demand(span, rows, staked.get(end)), reach))
        return made

    def _bucket(self, start: int, demand: Demand, reach: int | None) -> DemandBucket:
        partial = is_partial(start, self.interval, self.window, reach)
        return DemandBucket(from_ms(start), from_ms(start + self.interval.value), partial, demand)


async def demand(context: Context, scope: Scope, window: Window, asked: DemandAsked) -> Demand:
    """The demand of a scope in a window."""
    end_ms = window.end_ms
    rows, staked = await gather(
        _read(context, scope, window, asked, None), stakes(context, scope, [end_ms] if asked.stake else [])
    )
    return Demand(window, rows, staked.get(end_ms))


async def _read(
    context: Context, scope: Scope, window: Window, asked: DemandAsked, grain: Grain | None
) -> Sequence[Row]:
    by = (Dimension.GPU_MODEL,) if asked.by_gpu_model else ()
    return await read(context, scope, window, asked.measures, grain, by)


def _integer(total: Sum) -> int:
    return total if isinstance(total, int) else 0
