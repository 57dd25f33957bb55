"""Orchestrators as the NaaP dashboard lists them: those with attempted sessions, the most used first."""

from asyncio import gather
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from metrics.catalogue import FAILURE_RATE, OUTCOMES, SWAP_RATE
from metrics.dimension import Dimension
from metrics.scoring.versions import DEFAULT
from metrics.sighting import Trait
from metrics.window import Window
from resolvers.census import gpu_count
from resolvers.context import Context
from resolvers.dashboard.figures import rest_pct
from resolvers.entities import ORCHESTRATOR, Entity, entities
from resolvers.figures import NOTHING, Outcomes, Sums
from resolvers.measured import Measures, read
from resolvers.pipelines import UNKNOWN, pipelines
from resolvers.scope import EVERYWHERE, narrowed
from resolvers.scores import board

_OUTCOMES = OUTCOMES["attempted"].reads() | OUTCOMES["served"].reads()
_MEASURES = Measures(sorted(FAILURE_RATE.reads() | SWAP_RATE.reads() | _OUTCOMES))


@dataclass(frozen=True, slots=True)
class Orchestrator:
    """One orchestrator: its sessions of the window, and what was ever seen of it."""

    address: str
    entity: Entity
    sums: Sums
    success_pct: float
    score: float | None
    # Pipeline → its models.
    offers: Mapping[str, Sequence[str]]
    gpus: int

    @property
    def attempted(self) -> int:
        """Sessions that were attempted with it."""
        return Outcomes(self.sums).attempted

    @property
    def served(self) -> int:
        """Those that were served."""
        return Outcomes(self.sums).served

    @property
    def no_swap_pct(self) -> float | None:
        """What swapRatePct leaves to 100."""
        return rest_pct(SWAP_RATE, self.sums)


async def orchestrators(context: Context, window: Window) -> list[Orchestrator]:
    """Every orchestrator with an attempted session in the window: without one there is no ratio to tell."""
    rows, places, seen, known = await gather(
        read(context, EVERYWHERE, window, _MEASURES, by=(Dimension.ORCHESTRATOR,)),
        board(context, EVERYWHERE, window, DEFAULT),
        entities(context, ORCHESTRATOR, (Trait.SERVICE_URI, Trait.WORKFLOW)),
        pipelines(context),
    )
    scores = {place.address: place.score.value for place in places}
    sums = {row.by[0]: row.sums for row in rows}
    told = [(one, rest_pct(FAILURE_RATE, sums.get(one.key, NOTHING))) for one in seen]
    rated = [(one, rate) for one, rate in told if rate is not None]
    scopes = [narrowed(EVERYWHERE, Dimension.ORCHESTRATOR, (one.key,)) for one, _ in rated]
    gpus = await gather(*(gpu_count(context, scope) for scope in scopes))
    made = [
        Orchestrator(one.key, one, sums[one.key], rate, scores.get(one.key), _offers(one, known), count)
        for (one, rate), count in zip(rated, gpus, strict=True)
    ]
    return sorted(made, key=lambda one: (-one.attempted, one.address))


def _offers(entity: Entity, known: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for workflow in sorted(entity.traits[Trait.WORKFLOW]):
        found[known.get(workflow, UNKNOWN)].append(workflow)
    return dict(sorted(found.items()))
