"""The leaderboard: orchestrators by their scores."""

from typing import cast

import strawberry

from graph.entities import Orchestrator
from graph.entity import Ctx, made
from graph.fields import field
from graph.scores import SlaScore, shown
from graph.selection import selected
from graph.sla import SlaMetrics, asked
from metrics.dimension import Dimension
from metrics.scoring.versions import version_named
from metrics.window import Window
from resolvers import measured, scores
from resolvers.scope import EVERYWHERE, Scope, filtered, narrowed


@strawberry.type(description="An orchestrator's place on the leaderboard, with its evidence.")
class LeaderboardEntry:
    """`resolvers.scores.Place` as it is answered."""

    place: strawberry.Private[scores.Place]
    scope: strawberry.Private[Scope]
    span: strawberry.Private[Window]

    @field("Its place, from 1. Ties go to more evidence, then by address.")
    def rank(self) -> int:
        return self.place.rank

    @field("The orchestrator. Under an entry it counts only what the leaderboard does.")
    def orchestrator(self) -> Orchestrator:
        return made(Orchestrator, self.place.address, self.scope)

    @field("Its score and the evidence behind it.")
    def score(self) -> SlaScore:
        return shown(self.place.score)

    @field("Its metrics over the same window, workflow and region.")
    async def metrics(self, info: Ctx) -> SlaMetrics | None:
        scope = narrowed(self.scope, Dimension.ORCHESTRATOR, (self.place.address,))
        figures = await measured.metrics(info.context, scope, self.span, selected(info).derived(asked))
        return cast(SlaMetrics, figures)


async def leaderboard(
    info: Ctx, span: Window, workflow: str | None, region: str | None, version: str | None, first: int | None
) -> list[LeaderboardEntry]:
    """The best places."""
    chosen, most = version_named(version), scores.first_of(first, info.context)
    scope = filtered(EVERYWHERE, workflow, region)
    places = await scores.board(info.context, scope, span, chosen)
    return [LeaderboardEntry(place=place, scope=scope, span=span) for place in places[:most]]
