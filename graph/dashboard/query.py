"""The root of the NaaP dashboard's contract: one field for each of its widgets."""

from typing import Annotated

import strawberry
from strawberry.federation.schema_directives import Cost

from graph.dashboard.fees import FeesInfo
from graph.dashboard.gpus import GPUCapacity
from graph.dashboard.headline import KPI, Protocol
from graph.dashboard.orchestrators import OrchestratorRow, shown_orchestrator
from graph.dashboard.pipelines import PipelineCatalogEntry, PipelinePricing, PipelineUsage, shown_price, shown_usage
from graph.entity import Ctx
from graph.fields import field
from metrics.errors import BadRequest
from resolvers.dashboard.fees import DEFAULT_DAYS, MAX_DAYS, fees
from resolvers.dashboard.gpus import capacity
from resolvers.dashboard.kpi import Kpi
from resolvers.dashboard.orchestrators import orchestrators
from resolvers.dashboard.pricing import pricing
from resolvers.dashboard.timeframe import DEFAULT_HOURS, Timeframe, hours_until
from resolvers.dashboard.usage import MAX_PIPELINES, catalog, usage
from resolvers.pipelines import of_pipeline

HOURS = f"Hours or days until now: 12, 12h or 7d; {DEFAULT_HOURS}h by default."
TimeframeArgument = Annotated[str | None, strawberry.argument(description=HOURS)]


@strawberry.type(description="What the NaaP dashboard asks. The same numbers, and more of them, are at /graphql.")
class Query:
    """Every field is null beside its error where it fails; the rest of the answer stands."""

    @field("Headline numbers of the network.", Cost(weight=20))
    async def kpi(
        self,
        info: Ctx,
        window: Annotated[str | None, strawberry.argument(description="The same as timeframe.")] = None,
        timeframe: TimeframeArgument = None,
        pipeline: Annotated[str | None, strawberry.argument(description="Only this pipeline.")] = None,
        model_id: Annotated[str | None, strawberry.argument(name="model_id", description="Only this model.")] = None,
    ) -> KPI | None:
        span = _span(info, timeframe, "timeframe")
        if window is not None:
            other = _span(info, window, "window")
            if timeframe is not None and other != span:
                raise BadRequest("window and timeframe are two names of one thing. Give one of them.", "window")
            span = other
        return KPI(kpi=Kpi(info.context, await of_pipeline(info.context, pipeline, model_id), span))

    @field("The protocol's round and stake.")
    def protocol(self) -> Protocol | None:
        return Protocol()

    @field("The network's fees.", Cost(weight=20))
    async def fees(
        self,
        info: Ctx,
        days: Annotated[
            int | None,
            strawberry.argument(description=f"Days until now, at most {MAX_DAYS}; {DEFAULT_DAYS} by default."),
        ] = None,
    ) -> FeesInfo | None:
        return FeesInfo(fees=await fees(info.context, days))

    @field("What was asked of each pipeline, the most used first.")
    async def pipelines(
        self,
        info: Ctx,
        limit: Annotated[
            int | None, strawberry.argument(description=f"At most so many; {MAX_PIPELINES} by default and at most.")
        ] = None,
        timeframe: TimeframeArgument = None,
    ) -> list[PipelineUsage] | None:
        found = await usage(info.context, _span(info, timeframe, "timeframe").window, limit)
        return [shown_usage(one) for one in found]

    @field("The pipelines that there are, by name.")
    async def pipeline_catalog(self, info: Ctx) -> list[PipelineCatalogEntry] | None:
        return [
            PipelineCatalogEntry(id=one.pipeline, name=one.pipeline, models=[*one.models], regions=[*one.regions])
            for one in await catalog(info.context)
        ]

    @field("The GPUs that there are, and how many of them ran.", Cost(weight=20))
    async def gpu_capacity(self, info: Ctx, timeframe: TimeframeArgument = None) -> GPUCapacity | None:
        return GPUCapacity(capacity=await capacity(info.context, _span(info, timeframe, "timeframe").window))

    @field("What orchestrators ask for each model, the dearest first.")
    async def pricing(self, info: Ctx) -> list[PipelinePricing] | None:
        return [shown_price(one) for one in await pricing(info.context)]

    @field("Orchestrators with attempted sessions, the most used first.", Cost(weight=10))
    async def orchestrators(
        self, info: Ctx, period: Annotated[str | None, strawberry.argument(description=HOURS)] = None
    ) -> list[OrchestratorRow] | None:
        found = await orchestrators(info.context, _span(info, period, "period").window)
        return [shown_orchestrator(one) for one in found]


def _span(info: Ctx, text: str | None, argument: str) -> Timeframe:
    return hours_until(info.context.now, text, argument)
