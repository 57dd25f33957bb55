"""GPUs as the NaaP dashboard wants them."""

import strawberry

from graph.fields import field
from resolvers.dashboard import gpus as reading


@strawberry.type(name="GPUModelCapacity", description="GPUs of one model.")
class GPUModelCapacity:
    """`resolvers.dashboard.gpus.Count` as it is answered."""

    model: str = strawberry.field(description="The GPU's model; `unknown` where no snapshot names it.")
    count: int = strawberry.field(description="How many there are.")


@strawberry.type(name="GPUCapacityPipelineModel", description="GPUs that offer one model of a pipeline.")
class GPUCapacityPipelineModel:
    """`resolvers.dashboard.gpus.Count` as it is answered."""

    model: str = strawberry.field(description="The model that they run.")
    gpus: int = strawberry.field(description="How many there are. A GPU that offers several counts for each.")


@strawberry.type(name="GPUCapacityPipeline", description="GPUs that offer one pipeline.")
class GPUCapacityPipeline:
    """`resolvers.dashboard.gpus.PipelineGpus` as it is answered."""

    name: str = strawberry.field(description="The pipeline; `unknown` where the events name none.")
    gpus: int = strawberry.field(description="How many there are, each counted once.")
    models: list[GPUCapacityPipelineModel] | None = strawberry.field(description="The same by model.")


@strawberry.type(name="GPUCapacity", description="The GPUs of the network, by each service URI's last snapshot.")
class GPUCapacity:
    """`resolvers.dashboard.gpus.Capacity` as it is answered."""

    capacity: strawberry.Private[reading.Capacity]

    @field("How many there are: network.gpuCount.", name="totalGPUs")
    def total_gpus(self) -> int:
        return len(self.capacity.cards)

    @field("Those of them that ran a session requested in the timeframe.", name="activeGPUs")
    async def active_gpus(self) -> int:
        return await self.capacity.active()

    @field("What capacityRatePct leaves of the GPU time advertised in the timeframe, 0 to 1.")
    async def available_capacity(self) -> float:
        return await self.capacity.available()

    @field("By the GPU's own model.")
    def models(self) -> list[GPUModelCapacity]:
        return [GPUModelCapacity(model=one.name, count=one.gpus) for one in self.capacity.models]

    @field("By the pipelines that they offer.", name="pipelineGPUs")
    def pipeline_gpus(self) -> list[GPUCapacityPipeline]:
        return [
            GPUCapacityPipeline(
                name=one.in_all.name,
                gpus=one.in_all.gpus,
                models=[GPUCapacityPipelineModel(model=each.name, gpus=each.gpus) for each in one.models],
            )
            for one in self.capacity.by_pipeline
        ]
