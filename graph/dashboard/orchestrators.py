"""Orchestrators as the NaaP dashboard wants them."""

import strawberry

from graph.scalars import write_datetime
from metrics.sighting import Trait
from metrics.window import from_ms
from resolvers.dashboard.orchestrators import Orchestrator


@strawberry.type(description="The models of a pipeline that an orchestrator was seen with.")
class PipelineModelOffer:
    """An entry of `resolvers.dashboard.orchestrators.Orchestrator.offers` as it is answered."""

    pipeline_id: str = strawberry.field(description="The pipeline; `unknown` where the events name none.")
    model_ids: list[str] = strawberry.field(description="Its models.")


@strawberry.type(description="An orchestrator with at least one attempted session in the period.")
class OrchestratorRow:
    """`resolvers.dashboard.orchestrators.Orchestrator` as it is answered."""

    address: str = strawberry.field(description="Its wallet, in lower case.")
    uris: list[str] = strawberry.field(description="Its service URIs, the one seen last first.")
    last_seen: str | None = strawberry.field(description="When it was last seen, as RFC 3339.")
    known_sessions: int = strawberry.field(description="Attempted sessions: outcomes.attempted.")
    success_sessions: int = strawberry.field(description="Those that were served: outcomes.served.")
    success_ratio: float = strawberry.field(description="What failureRatePct leaves to 100, in %.")
    effective_success_rate: float | None = strawberry.field(
        description="The same: an attempt that never showed output is a failure in both."
    )
    no_swap_ratio: float | None = strawberry.field(description="What swapRatePct leaves to 100, in %.")
    sla_score: float | None = strawberry.field(description="slaScore over the period, 0 to 100.")
    pipelines: list[str] = strawberry.field(description="The pipelines that it was seen with.")
    pipeline_models: list[PipelineModelOffer] = strawberry.field(description="The same with their models.")
    gpu_count: int = strawberry.field(description="Its GPUs, as network.gpuCount counts them.")


def shown_orchestrator(found: Orchestrator) -> OrchestratorRow:
    """An orchestrator as it is answered."""
    return OrchestratorRow(
        address=found.address,
        uris=list(found.entity.traits[Trait.SERVICE_URI]),
        last_seen=write_datetime(from_ms(found.entity.last_ms)),
        known_sessions=found.attempted,
        success_sessions=found.served,
        success_ratio=found.success_pct,
        effective_success_rate=found.success_pct,
        no_swap_ratio=found.no_swap_pct,
        sla_score=found.score,
        pipelines=list(found.offers),
        pipeline_models=[
            PipelineModelOffer(pipeline_id=name, model_ids=list(models)) for name, models in found.offers.items()
        ],
        gpu_count=found.gpus,
    )
