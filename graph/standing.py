"""Where an orchestrator stands, as it is answered. How far from whom is nobody else's business."""

import strawberry

from graph.window import TimeWindow


@strawberry.type(description="Where an orchestrator stands among all that have a score, as the leaderboard ranks them.")
class Standing:
    """`resolvers.scores.Standing` as it is answered."""

    window: TimeWindow = strawberry.field(description="What the standing is over.")
    version: str = strawberry.field(description="The version of the score.")
    rank: int | None = strawberry.field(description="Its place, from 1; null where it has no score.")
    of: int = strawberry.field(description="How many have a score.")
    percentile: float | None = strawberry.field(
        description="The share of the others that stand behind it, in percent; null without a score or without others."
    )
