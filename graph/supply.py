"""Supply as it is answered: the demand–supply heat map."""

import strawberry


@strawberry.type(description="One workflow in one region: what was advertised, used and missed there.")
class SupplyCell:
    """`resolvers.supply.SupplyCell` as it is answered."""

    region: strawberry.ID | None = strawberry.field(description="The region; null where none is configured or stated.")
    workflow: str = strawberry.field(description="The workflow (a model id).")
    gpus: int = strawberry.field(description="GPUs advertised for it at the end of the window.")
    gpu_minutes: float | None = strawberry.field(
        description="Minutes for which GPUs were advertised for it within the window; null without a snapshot."
    )
    inference_minutes: float | None = strawberry.field(description="Minutes of inference within the window.")
    capacity_rate_pct: float | None = strawberry.field(
        description="Busy share of the advertised GPU time; null without a snapshot."
    )
    unserved: int = strawberry.field(description="Sessions for which no orchestrator was available.")
