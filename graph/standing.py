"""Where an orchestrator stands, as it is answered. How far from whom is nobody else's business."""

from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry.types import Info

from graph.fields import field
from graph.window import TimeWindow
from resolvers import scores
from resolvers.context import Context

if TYPE_CHECKING:
    from graph.entities import Orchestrator

PeersArgument = Annotated[
    int | None, strawberry.argument(description="So many peers, the nearest by rank: 10 by default, at most 500.")
]


@strawberry.type(description="How far an orchestrator is from a peer.")
class PeerDistance:
    """`resolvers.scores.Distance` as it is answered."""

    distance: strawberry.Private[scores.Distance]

    @field("The peer.")
    def orchestrator(self) -> Annotated["Orchestrator", strawberry.lazy("graph.entities")]:
        from graph.entities import Orchestrator
        from graph.entity import made

        return made(Orchestrator, self.distance.address)

    @field("The peer's place, from 1.")
    def rank(self) -> int:
        return self.distance.rank

    @field("The peer's score less one's own: so many points are missing; below 0, so many are ahead.")
    def points(self) -> float:
        return self.distance.points


@strawberry.type(description="Where an orchestrator stands among all that have a score, as the leaderboard ranks them.")
class Standing:
    """`resolvers.scores.Standing` as it is answered."""

    address: strawberry.Private[str]
    places: strawberry.Private[scores.Places]
    window: TimeWindow = strawberry.field(description="What the standing is over.")
    version: str = strawberry.field(description="The version of the score.")
    rank: int | None = strawberry.field(description="Its place, from 1; null where it has no score.")
    of: int = strawberry.field(description="How many have a score.")
    percentile: float | None = strawberry.field(
        description="The share of the others that stand behind it, in percent; null without a score or without others."
    )

    @field("How far it is from its nearest peers, by rank; null where it has no score itself.")
    def distances(self, info: Info[Context, None], first: PeersArgument = None) -> list[PeerDistance] | None:
        found = scores.distances(self.places, self.address, scores.peers_of(first, info.context))
        return None if found is None else [PeerDistance(distance=distance) for distance in found]
