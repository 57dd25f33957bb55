"""The network's GPUs as the NaaP dashboard shows them: those that are there, what they offer and which of them ran."""

from asyncio import gather
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from metrics.catalogue import BY_NAME
from metrics.dimension import Dimension
from metrics.errors import NoEvidence
from metrics.sighting import Seen, SightingQuestion, Trait
from metrics.window import Window
from resolvers import capabilities
from resolvers.census import present, since_ms
from resolvers.context import Context
from resolvers.demand import demand, demand_asked
from resolvers.measured import Measures, read
from resolvers.pipelines import UNKNOWN, pipelines
from resolvers.scope import EVERYWHERE

_SESSIONS = Measures(sorted(BY_NAME["sessions"].reads()))


@dataclass(slots=True)
class Card:
    """A GPU that is there, and the workflows that it is offered for."""

    model: str = UNKNOWN
    workflows: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Count:
    """How many GPUs there are of something."""

    name: str
    gpus: int


@dataclass(frozen=True, slots=True)
class PipelineGpus:
    """The GPUs that offer a pipeline, each counted once; and those that offer each of its models."""

    in_all: Count
    models: Sequence[Count]


@dataclass(frozen=True, slots=True)
class Capacity:
    """The GPUs that `network.gpuCount` counts."""

    context: Context
    window: Window
    cards: Mapping[str, Card]
    pipelines: Mapping[str, str]

    async def active(self) -> int:
        """Those of them that ran a session requested in the window. One that several GPUs may have run is none's."""
        rows = await read(self.context, EVERYWHERE, self.window, _SESSIONS, by=(Dimension.GPU,))
        ran = {row.by[0] for row in rows if any(row.sums.values())}
        return len(ran.intersection(self.cards))

    async def available(self) -> float:
        """What capacityRatePct leaves of the advertised GPU time, 0 to 1. Raises NoEvidence without any."""
        found = await demand(self.context, EVERYWHERE, self.window, demand_asked(("capacity_rate_pct",)))
        if found.capacity_rate_pct is None:
            raise NoEvidence("no GPU was advertised in this timeframe, so there is no capacity. Use a longer one.")
        return 1 - found.capacity_rate_pct / 100

    @property
    def models(self) -> list[Count]:
        """GPUs by their own model, most first."""
        found: dict[str, set[str]] = defaultdict(set)
        for id, card in self.cards.items():
            found[card.model].add(id)
        return _counts(found)

    @property
    def by_pipeline(self) -> list[PipelineGpus]:
        """GPUs by the pipelines and models that they offer, most first. One that offers several counts for each."""
        found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for id, card in self.cards.items():
            for workflow in card.workflows:
                found[self.pipelines.get(workflow, UNKNOWN)][workflow].add(id)
        whole = _counts({name: set[str]().union(*models.values()) for name, models in found.items()})
        return [PipelineGpus(one, _counts(found[one.name])) for one in whole]


async def capacity(context: Context, window: Window) -> Capacity:
    """The GPUs that are there now, whatever the window: only who ran and how busy they were is about that."""
    since = await since_ms(context)
    question = SightingQuestion.of(capabilities.BY, since_ms=since)
    rows, known = await gather(context.seen(question), pipelines(context))
    cards = {} if since is None else _cards(rows, question.by)
    return Capacity(context, window, cards, known)


def _cards(rows: Sequence[Seen], by: Sequence[Trait]) -> dict[str, Card]:
    cards = {id: Card() for id in sorted(present(rows, by))}
    advertised = set()
    for one in capabilities.advertised(rows, by):
        for gpu in one.gpus:
            if gpu.id in cards:
                advertised.add(gpu.id)
                _tell(cards[gpu.id], gpu.model, one.offered.workflow)
    name, model, workflow = (by.index(trait) for trait in (Trait.GPU, Trait.GPU_MODEL, Trait.WORKFLOW))
    for row in sorted(rows, key=lambda row: row.last_ms):
        id = row.traits[name]
        # Of one that no snapshot names, its sessions tell.
        if id in cards and id not in advertised:
            _tell(cards[id], row.traits[model], row.traits[workflow])
    return cards


def _tell(card: Card, model: str | None, workflow: str | None) -> None:
    card.model = model or card.model
    if workflow is not None:
        card.workflows.add(workflow)


def _counts(found: Mapping[str, Iterable[str]]) -> list[Count]:
    counted = (Count(name, len({*ids})) for name, ids in found.items())
    return sorted(counted, key=lambda one: (-one.gpus, one.name))
