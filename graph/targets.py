"""What a workflow should reach, as it is answered."""

import strawberry


@strawberry.type(description="What a workflow should reach: its row of the configured targets, else the default row.")
class WorkflowTargets:
    """`metrics.targets.WorkflowTargets` as it is answered."""

    version: str = strawberry.field(description="The version of the targets.")
    is_default: bool = strawberry.field(description="Is this the default row, for want of one of its own?")
    output_fps: float = strawberry.field(description="Frames per second, at least.")
    prompt_to_first_frame_ms: float = strawberry.field(
        description="From the request to the first frame, in ms at most."
    )
    startup_time_s: float | None = strawberry.field(description="The same after a cold start, in seconds at most.")
    min_vram_gib: float | None = strawberry.field(description="Memory that a GPU needs, in GiB.")
    gpu_models: list[str] = strawberry.field(description="GPU models that it is meant for; empty: any.")
