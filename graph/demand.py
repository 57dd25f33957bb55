"""Demand as it is answered: what was asked of a scope and what it earned, hourly and coarser."""

from datetime import datetime
from typing import Annotated, cast

import strawberry
from strawberry.types import Info
from strawberry.utils.str_converters import to_camel_case, to_snake_case

from graph.fields import field
from graph.scalars import Decimal, Wei
from graph.selection import Selection, selected
from graph.window import Freshness, TimeWindow
from metrics.buckets import UTC_NAME
from metrics.errors import BadRequest
from metrics.window import Grain
from resolvers import demand as reading
from resolvers.context import Context
from resolvers.freshness import freshness


@strawberry.type(description="The minutes of one GPU model that was used or advertised.")
class GpuModelDemand:
    """`resolvers.demand.GpuModelDemand` as it is answered."""

    gpu_model: str | None = strawberry.field(description="The model; null where the GPU is unknown.")
    inference_minutes: float = strawberry.field(description="Minutes of inference on it.")
    capacity_rate_pct: float | None = strawberry.field(
        description="Busy share of the time for which GPUs of the model were advertised; null where none were."
    )


@strawberry.type(description="What was asked of a scope in a window, and what it earned. Amounts are exact.")
class Demand:
    """`resolvers.demand.Demand` as it is answered."""

    window: TimeWindow = strawberry.field(description="What the demand is over.")
    streams: int = strawberry.field(description="Streams requested, each counted once, with its first session.")
    sessions: int = strawberry.field(description="Sessions requested.")
    unserved: int = strawberry.field(description="Sessions for which no orchestrator was available.")
    inference_minutes: float = strawberry.field(
        description="Minutes from request to last event, within the window; refused and abandoned sessions left out."
    )
    by_gpu_model: list[GpuModelDemand] = strawberry.field(description="The minutes by GPU model.")
    capacity_rate_pct: float | None = strawberry.field(
        description="Busy share of the advertised GPU time: at any instant a service URI's busy GPUs are its "
        "sessions, at most its GPUs. Null where nothing was advertised, and of gateways: supply belongs to none."
    )
    fees_wei: Wei = strawberry.field(
        description="Expected value of the tickets: face value × win probability × tickets."
    )
    fees_eth: Decimal = strawberry.field(description="The same in ETH, exactly.")
    fees_wei_per_minute: float | None = strawberry.field(
        description="What a minute of inference earned: feesWei / inferenceMinutes. Null without a minute. The ticket "
        "of a minute may come in the next window."
    )
    face_value_wei: Wei = strawberry.field(description="Face value × tickets.")
    tickets: int = strawberry.field(description="Tickets sent.")
    stake_lpt: Decimal | None = strawberry.field(
        description="What the orchestrator had staked at the window's end, or all of the network together; null "
        "without a statement by then, and for a workflow, gateway, region or GPU without an orchestrator."
    )


@strawberry.type(description="One bucket of a demand series.")
class DemandBucket:
    """`resolvers.demand.DemandBucket` as it is answered."""

    start: datetime = strawberry.field(description="When the bucket starts, included.")
    end: datetime = strawberry.field(description="When it ends, excluded.")
    partial: bool = strawberry.field(description="Does the window cut it, or do the data end in it?")
    demand: Demand = strawberry.field(description="The demand within it.")


@strawberry.type(description="Demand bucket by bucket.")
class DemandSeries:
    """`resolvers.demand.DemandSeries` as it is answered."""

    series: strawberry.Private[reading.DemandSeries]

    @field("What the series is over.")
    def window(self) -> TimeWindow:
        return cast(TimeWindow, self.series.window)

    @field("The width of its buckets.")
    def interval(self) -> Grain:
        return self.series.cut.grain

    @field("The time zone that its days and weeks begin in.")
    def time_zone(self) -> str:
        return self.series.cut.zone or UTC_NAME

    @field("Where the buckets with any demand start (all, with a fill): the column beside `values`.")
    async def starts(self) -> list[datetime]:
        return await self.series.starts()

    @field("One number of each bucket: a column for charts. Amounts of money lose digits beyond a Float's.")
    async def values(
        self, metric: Annotated[str, strawberry.argument(description="A number of Demand, for example sessions.")]
    ) -> list[float | None]:
        name = to_snake_case(metric)
        if name not in reading.COLUMNS:
            known = ", ".join(map(to_camel_case, reading.COLUMNS))
            raise BadRequest(f"{metric[:80]!r} is no number of a demand. There are: {known}.", "metric")
        return await self.series.values(name)

    @field("How far the data reaches.")
    async def freshness(self) -> Freshness:
        return cast(Freshness, await freshness(self.series.context, self.series.window))

    @field("The buckets in order of time.")
    async def buckets(self, info: Info[Context, None]) -> list[DemandBucket]:
        selection = selected(info)
        wanted = selection.below("demand").derived(demand_asked)
        return cast(list[DemandBucket], await self.series.buckets(wanted, "partial" in selection))


def demand_asked(selection: Selection) -> reading.DemandAsked:
    """What a selection on Demand needs."""
    return reading.demand_asked(to_snake_case(name) for name in selection.names)
