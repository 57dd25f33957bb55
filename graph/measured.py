"""What everything that can be measured offers: metrics, series, demand, demandSeries, jobs."""

from datetime import datetime
from typing import Annotated, cast

import strawberry
from strawberry.types import Info

import graph.enums  # noqa: F401  # marks the enums of the numbers, whoever comes first
from graph.demand import Demand, DemandSeries, demand_asked
from graph.fields import field
from graph.jobs import JobMetrics, jobs_asked
from graph.selection import selected
from graph.sla import SlaMetrics, asked, checked, metric_named
from graph.window import Freshness, TimeWindow, WindowArgument, window_from
from metrics.buckets import UTC_NAME, Buckets, zone_of
from metrics.metric import Statistic
from metrics.window import Grain
from resolvers import demand as demand_reading
from resolvers import measured as reading
from resolvers.arguments import grain_of
from resolvers.context import Context
from resolvers.freshness import freshness
from resolvers.measured import Comparison, Fill
from resolvers.scope import EVERYWHERE, Scope, filtered

WorkflowArgument = Annotated[str | None, strawberry.argument(description="Count only this workflow (a model id).")]
RegionArgument = Annotated[strawberry.ID | None, strawberry.argument(description="Count only this region.")]
GatewayArgument = Annotated[
    strawberry.ID | None, strawberry.argument(description="Count only this gateway (its wallet, else its name).")
]
SyntheticArgument = Annotated[
    bool | None,
    strawberry.argument(description="Count only synthetic test streams, or only real ones; both by default."),
]
IntervalArgument = Annotated[Grain | None, strawberry.argument(description="The width of a bucket; or give maxPoints.")]
PointsArgument = Annotated[
    int | None,
    strawberry.argument(description="At most so many buckets: the gateway picks the interval, 500 by default."),
]
FillArgument = Annotated[
    Fill | None, strawberry.argument(description="What stands in buckets without evidence; NONE by default.")
]
TimeZoneArgument = Annotated[
    str | None,
    strawberry.argument(
        description="By whose clocks days and weeks begin: Europe/Berlin, for example. UTC by default."
    ),
]
CompareArgument = Annotated[Comparison | None, strawberry.argument(description="What comparedTo is the value of.")]


@strawberry.type(description="One bucket of a series.")
class SlaBucket:
    """`resolvers.measured.Bucket` as it is answered."""

    start: datetime = strawberry.field(description="When the bucket starts, included.")
    end: datetime = strawberry.field(description="When it ends, excluded.")
    partial: bool = strawberry.field(description="Does the window cut it, or do the data end in it?")
    metrics: SlaMetrics = strawberry.field(description="The metrics within it.")


@strawberry.type(description="Metrics bucket by bucket: as buckets, or as columns for charts.")
class SlaSeries:
    """`resolvers.measured.Series` as it is answered."""

    series: strawberry.Private[reading.Series]

    @field("What the series is over.")
    def window(self) -> TimeWindow:
        return cast(TimeWindow, self.series.window)

    @field("The width of its buckets.")
    def interval(self) -> Grain:
        return self.series.cut.grain

    @field("The time zone that its days and weeks begin in.")
    def time_zone(self) -> str:
        return self.series.cut.zone or UTC_NAME

    @field("How far the data reaches.")
    async def freshness(self) -> Freshness:
        return cast(Freshness, await freshness(self.series.context, self.series.window))

    @field("The buckets in order of time.")
    async def buckets(self, info: Info[Context, None]) -> list[SlaBucket]:
        selection = selected(info)
        wanted = selection.below("metrics").derived(asked)
        return cast(list[SlaBucket], await self.series.buckets(wanted, "partial" in selection))

    @field("Where the buckets start: the column beside `values`.")
    async def starts(self) -> list[datetime]:
        return await self.series.starts()

    @field("One figure of each bucket: a column for charts, a third of the bytes of buckets.")
    async def values(
        self,
        metric: Annotated[str, strawberry.argument(description="A metric of metricCatalogue, for example outputFps.")],
        statistic: Annotated[Statistic | None, strawberry.argument(description="VALUE by default.")] = None,
    ) -> list[float | None]:
        wanted = metric_named(metric)
        return await self.series.values(wanted, checked(wanted, statistic))


@strawberry.interface(description="Something that can be measured: over a window as a whole, or bucket by bucket.")
class Measured:
    """The scope that an entity is counted in; an entity under another counts only what belongs to both."""

    scope: strawberry.Private[Scope]

    @field("Every performance and reliability metric of a window.")
    async def metrics(
        self,
        info: Info[Context, None],
        window: WindowArgument = None,
        workflow: WorkflowArgument = None,
        region: RegionArgument = None,
        gateway: GatewayArgument = None,
        synthetic: SyntheticArgument = None,
        compare_to: CompareArgument = None,
    ) -> SlaMetrics | None:
        context = info.context
        span = window_from(window, context.clock)
        scope = filtered(self.scope, workflow, region, gateway, synthetic)
        network = filtered(EVERYWHERE, workflow, region, gateway, synthetic)
        figures = await reading.metrics(context, scope, span, selected(info).derived(asked), compare_to, network)
        return cast(SlaMetrics, figures)

    @field("The metrics bucket by bucket.")
    def series(
        self,
        info: Info[Context, None],
        window: WindowArgument = None,
        interval: IntervalArgument = None,
        max_points: PointsArgument = None,
        workflow: WorkflowArgument = None,
        region: RegionArgument = None,
        gateway: GatewayArgument = None,
        synthetic: SyntheticArgument = None,
        fill: FillArgument = None,
        time_zone: TimeZoneArgument = None,
    ) -> SlaSeries | None:
        context = info.context
        span = window_from(window, context.clock)
        zone = zone_of(time_zone)
        cut = Buckets(grain_of(span, interval, max_points, context.limits, zone=zone), zone)
        scope = filtered(self.scope, workflow, region, gateway, synthetic)
        return SlaSeries(series=reading.Series(context, scope, span, cut, fill or Fill.NONE))

    @field("What was asked of it in a window, and what it earned.")
    async def demand(
        self,
        info: Info[Context, None],
        window: WindowArgument = None,
        workflow: WorkflowArgument = None,
        region: RegionArgument = None,
        gateway: GatewayArgument = None,
        synthetic: SyntheticArgument = None,
    ) -> Demand | None:
        span = window_from(window, info.context.clock)
        scope = filtered(self.scope, workflow, region, gateway, synthetic)
        return cast(
            Demand, await demand_reading.demand(info.context, scope, span, selected(info).derived(demand_asked))
        )

    @field("The demand bucket by bucket, HOUR or wider.")
    def demand_series(
        self,
        info: Info[Context, None],
        window: WindowArgument = None,
        interval: IntervalArgument = None,
        max_points: PointsArgument = None,
        workflow: WorkflowArgument = None,
        region: RegionArgument = None,
        gateway: GatewayArgument = None,
        synthetic: SyntheticArgument = None,
        fill: FillArgument = None,
        time_zone: TimeZoneArgument = None,
    ) -> DemandSeries | None:
        context = info.context
        span = window_from(window, context.clock)
        zone = zone_of(time_zone)
        cut = Buckets(grain_of(span, interval, max_points, context.limits, Grain.HOUR, zone), zone)
        scope = filtered(self.scope, workflow, region, gateway, synthetic)
        return DemandSeries(series=demand_reading.DemandSeries(context, scope, span, cut, fill or Fill.NONE))

    @field("Its batch requests, language model requests and container jobs; no stream is one.")
    async def jobs(
        self,
        info: Info[Context, None],
        window: WindowArgument = None,
        workflow: WorkflowArgument = None,
        region: RegionArgument = None,
        gateway: GatewayArgument = None,
        synthetic: SyntheticArgument = None,
    ) -> JobMetrics | None:
        span = window_from(window, info.context.clock)
        scope = filtered(self.scope, workflow, region, gateway, synthetic)
        figures = await reading.metrics(info.context, scope, span, selected(info).derived(jobs_asked))
        return cast(JobMetrics, figures)
