"""Pipelines as the NaaP dashboard wants them: what was asked of them, which there are, what they cost."""

import strawberry

from resolvers.dashboard.pricing import Price
from resolvers.dashboard.usage import PipelineUsage as Used


@strawberry.type(description="What was asked of a model.")
class PipelineModelMins:
    """`resolvers.dashboard.usage.Usage` as it is answered."""

    model: str = strawberry.field(description="The model; `unknown` where the events name none.")
    mins: float = strawberry.field(description="Minutes of inference.")
    sessions: int = strawberry.field(description="Sessions requested.")
    avg_fps: float = strawberry.field(description="outputFps over the timeframe; 0 where no status came.")


@strawberry.type(description="What was asked of a pipeline. Streams only: jobs are not in it.")
class PipelineUsage:
    """`resolvers.dashboard.usage.PipelineUsage` as it is answered."""

    name: str = strawberry.field(description="The pipeline; `unknown` where the events name none.")
    mins: float = strawberry.field(description="Minutes of inference.")
    sessions: int = strawberry.field(description="Sessions requested.")
    avg_fps: float = strawberry.field(description="outputFps over the timeframe; 0 where no status came.")
    color: str | None = strawberry.field(default=None, description="Always null: the dashboard has colours of its own.")
    model_mins: list[PipelineModelMins] | None = strawberry.field(
        default=None, description="Its models, most used first."
    )


@strawberry.type(description="A pipeline that was seen in the 24 hours before the latest event.")
class PipelineCatalogEntry:
    """`resolvers.dashboard.usage.CatalogEntry` as it is answered."""

    id: str = strawberry.field(description="The pipeline.")
    name: str = strawberry.field(description="The same.")
    models: list[str] = strawberry.field(description="Its models.")
    regions: list[str] = strawberry.field(description="The regions that they were seen in.")


@strawberry.type(description="What orchestrators ask for a model, by the last snapshots.")
class PipelinePricing:
    """`resolvers.dashboard.pricing.Price` as it is answered."""

    pipeline: str = strawberry.field(description="The pipeline; `unknown` where the events name none.")
    model: str | None = strawberry.field(description="The model.")
    unit: str = strawberry.field(description="What the price is for: always a pixel.")
    price: float = strawberry.field(description="The mean over the service URIs that name a price, in 10¹² wei.")
    avg_wei_per_unit: str | None = strawberry.field(
        description="The same in wei, rounded half up; null where that would make it 0 and it is not."
    )
    pixels_per_unit: float | None = strawberry.field(description="Pixels of a unit: always 1.")
    output_per_dollar: str = strawberry.field(
        description="Always blank, the dashboard's own word for not known: the events name no price of ETH."
    )
    capacity: int | None = strawberry.field(description="How many orchestrators offer it.")


def shown_usage(found: Used) -> PipelineUsage:
    """A pipeline's usage as it is answered."""
    whole = found.in_all
    models = [
        PipelineModelMins(model=one.name, mins=one.mins, sessions=one.sessions, avg_fps=one.avg_fps)
        for one in found.models
    ]
    return PipelineUsage(
        name=whole.name, mins=whole.mins, sessions=whole.sessions, avg_fps=whole.avg_fps, model_mins=models
    )


def shown_price(found: Price) -> PipelinePricing:
    """A price as it is answered."""
    return PipelinePricing(
        pipeline=found.pipeline,
        model=found.model,
        unit="pixel",
        price=found.price,
        avg_wei_per_unit=found.whole_wei,
        pixels_per_unit=1.0,
        output_per_dollar="",
        capacity=found.orchestrators,
    )
