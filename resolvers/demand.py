"""Demand: what was asked of a scope and what it earned."""

from asyncio import gather
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from metrics import columns as c
from metrics.buckets import Buckets
from metrics.catalogue import SUPPLY
from metrics.dimension import Dimension
from metrics.exact import decimal_text
from metrics.fold import add
from metrics.measure import Column, Measure
from metrics.row import Row, Sum
from metrics.supply import BUSY_MS, GPU_MS
from metrics.window import MINUTE_MS, Window, from_ms
from resolvers.context import Context
from resolvers.figures import small
from resolvers.measured import Fill, Measures, is_partial, read, read_buckets
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
# What a column may be of: every number.
COLUMNS = (
    "streams", "sessions", "unserved", "inference_minutes", "capacity_rate_pct", "fees_wei", "fees_eth",
    "fees_wei_per_minute", "face_value_wei", "tickets", "stake_lpt",
)  # fmt: skip
# It is read with every column, so that all of them have the same buckets.
ALWAYS = "inference_minutes"
LEAST = NEEDS["sessions"]
CAPACITY = SUPPLY["capacity_rate_pct"]
# The fields that need to know of supply.
OF_SUPPLY = frozenset(("capacity_rate_pct", "by_gpu_model"))
_SUPPLY = Measures(sorted(CAPACITY.formula.reads()))


@dataclass(frozen=True, slots=True)
class DemandAsked:
    """The measures that a selection needs, those of supply apart, whether by GPU model, and stake."""

    measures: Measures
    by_gpu_model: bool = False
    stake: bool = False
    supply: Measures = Measures()


def demand_asked(fields: Iterable[str]) -> DemandAsked:
    """What these fields of a demand need."""
    names = frozenset(fields)
    read = names.union(*(RATIOS[name] for name in names & RATIOS.keys()))
    measures = {NEEDS[name] for name in read if name in NEEDS} or {LEAST}
    supply = _SUPPLY if names & OF_SUPPLY else Measures()
    return DemandAsked(Measures(sorted(measures)), "by_gpu_model" in names, "stake_lpt" in names, supply)


class GpuModelDemand:
    """The minutes of one GPU model, and its busy share. What is busy of an unknown model has no share of anything."""

    __slots__ = ("capacity_rate_pct", "gpu_model", "inference_minutes")

    def __init__(self, gpu_model: str | None, inference_ms: int, supply: Mapping[str, Sum]) -> None:
        self.gpu_model = gpu_model
        self.inference_minutes = inference_ms / MINUTE_MS
        self.capacity_rate_pct = None if gpu_model is None else CAPACITY.value(supply)


class Demand:
    """The demand of one window, from its rows by GPU model (or from one row in all), and those of supply."""

    __slots__ = ("_rows", "_supply", "stake_lpt", "window")

    def __init__(
        self, window: Window, rows: Sequence[Row], stake_lpt: str | None = None, supply: Sequence[Row] = ()
    ) -> None:
        self.window = window
        self._rows = rows
        self.stake_lpt = stake_lpt
        self._supply = supply

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
        """Every GPU model that was used or advertised, by name, the unknown one last."""
        name = NEEDS["by_gpu_model"].name
        spent = {row.by[0]: _integer(row.sums.get(name)) for row in self._rows}
        supply = {row.by[0]: row.sums for row in self._supply}
        advertised = {model for model, sums in supply.items() if model and sums[GPU_MS.name]}
        models = {model for model, ms in spent.items() if ms} | advertised
        ordered = sorted(models, key=lambda model: (model is None, model or ""))
        return [GpuModelDemand(model, spent.get(model, 0), supply.get(model, {})) for model in ordered]

    @property
    def capacity_rate_pct(self) -> float | None:
        """Busy share of the advertised GPU time; None where nothing was advertised, or supply does not belong to it."""
        sums = {
            column.name: sum(_integer(row.sums.get(column.name)) for row in self._supply)
            for column in (GPU_MS, BUSY_MS)
        }
        return CAPACITY.value(sums)

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
    cut: Buckets
    fill: Fill

    async def starts(self) -> list[datetime]:
        """Where the buckets begin."""
        return [one.start for one in await self._buckets(demand_asked((ALWAYS,)), False, as_column=True)]

    async def values(self, field: str) -> list[float | None]:
        """One number of COLUMNS, bucket by bucket."""
        found = await self._buckets(demand_asked((field, ALWAYS)), False, as_column=True)
        numbers = (getattr(one.demand, field) for one in found)
        return [None if number is None else float(number) for number in numbers]

    async def buckets(self, asked: DemandAsked, partial: bool = True) -> list[DemandBucket]:
        """Every bucket with its demand."""
        return await self._buckets(asked, partial)

    async def _buckets(self, asked: DemandAsked, partial: bool, as_column: bool = False) -> list[DemandBucket]:
        self.context.spend_points(self.cut.count(self.window), as_column)
        rows, supply = await _read(self.context, self.scope, self.window, asked, self.cut)
        found: dict[int, tuple[list[Row], list[Row]]] = defaultdict(lambda: ([], []))
        for of_kind, some in enumerate((rows, supply)):
            for row in some:
                found[row.start_ms or 0][of_kind].append(row)
        reach = (await self.context.held()).latest_ms if partial else None
        # Of every column the same: not those in which GPUs only waited.
        told = {row.start_ms or 0 for row in rows} if as_column else found.keys()
        starts = sorted(told) if self.fill is Fill.NONE else self.cut.starts(self.window)
        ends = {start: min(self.cut.end_of(start, self.window), self.window.end_ms) for start in starts}
        staked = await stakes(self.context, self.scope, [*ends.values()] if asked.stake else [])
        nothing: tuple[list[Row], list[Row]] = ([], [])
        made, kept = [], nothing
        for start, end in ends.items():
            kept = found.get(start, kept if self.fill is Fill.PREVIOUS else nothing)
            span = Window.of_ms(max(start, self.window.start_ms), end)
            made.append(self._bucket(start, Demand(span, kept[0], staked.get(end), kept[1]), reach))
        return made

    def _bucket(self, start: int, demand: Demand, reach: int | None) -> DemandBucket:
        end = self.cut.end_of(start, self.window)
        return DemandBucket(from_ms(start), from_ms(end), is_partial(start, end, self.window, reach), demand)


async def demand(context: Context, scope: Scope, window: Window, asked: DemandAsked) -> Demand:
    """The demand of a scope in a window."""
    end_ms = window.end_ms
    (rows, supply), staked = await gather(
        _read(context, scope, window, asked, None), stakes(context, scope, [end_ms] if asked.stake else [])
    )
    return Demand(window, rows, staked.get(end_ms), supply)


async def _read(
    context: Context, scope: Scope, window: Window, asked: DemandAsked, cut: Buckets | None
) -> tuple[Sequence[Row], Sequence[Row]]:
    """What was measured, and what was supplied: an hour in which GPUs only waited is told where supply is asked."""
    by = (Dimension.GPU_MODEL,) if asked.by_gpu_model else ()
    if cut is None:
        return await gather(
            read(context, scope, window, asked.measures, by=by), read(context, scope, window, asked.supply, by=by)
        )
    return await gather(
        read_buckets(context, scope, window, asked.measures, cut, by),
        read_buckets(context, scope, window, asked.supply, cut, by),
    )


def _integer(total: Sum) -> int:
    return total if isinstance(total, int) else 0
