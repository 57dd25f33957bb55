"""Entities: orchestrators, GPUs, workflows, gateways and regions, as they were seen."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from metrics.dimension import Dimension
from metrics.sighting import Seen, SightingQuestion, Trait
from resolvers.context import Context
from resolvers.scope import EVERYWHERE, Scope, is_empty, narrowed, traits_of


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of entity: what a sighting and a fact call it, and all that is told of one."""

    name: str
    trait: Trait
    dimension: Dimension
    profile: frozenset[Trait] = frozenset()


ORCHESTRATOR = Kind(
    "Orchestrator",
    Trait.ORCHESTRATOR,
    Dimension.ORCHESTRATOR,
    frozenset({Trait.SERVICE_URI, Trait.NODE_VERSION, Trait.REGION}),
)
GPU = Kind(
    "Gpu",
    Trait.GPU,
    Dimension.GPU,
    frozenset({Trait.GPU_MODEL, Trait.VRAM_BYTES, Trait.CUDA_CAPABILITY, Trait.RUNNER_VERSION}),
)
WORKFLOW = Kind("Workflow", Trait.WORKFLOW, Dimension.WORKFLOW, frozenset({Trait.PIPELINE, Trait.PRICE_WEI_PER_PIXEL}))
GATEWAY = Kind("Gateway", Trait.GATEWAY, Dimension.GATEWAY, frozenset({Trait.GATEWAY_NAME, Trait.REGION}))
REGION = Kind("Region", Trait.REGION, Dimension.REGION)


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity: its key, when it was seen, and the values of the traits that were asked, the latest first."""

    key: str
    first_ms: int
    last_ms: int
    traits: Mapping[Trait, tuple[str, ...]]

    def latest(self, trait: Trait) -> str | None:
        """The value that was seen last."""
        values = self.traits[trait]
        return values[0] if values else None


async def entities(
    context: Context,
    kind: Kind,
    traits: Iterable[Trait] = (),
    scope: Scope = EVERYWHERE,
    since_ms: int | None = None,
) -> list[Entity]:
    """The entities seen in a scope, in order of their keys, with these traits."""
    if is_empty(scope):
        return []
    wanted = (*dict.fromkeys(traits),)
    question = SightingQuestion.of((kind.trait, *wanted), traits_of(scope), since_ms)
    return _assembled(await context.seen(question), question.by, kind.trait, wanted)


async def entity(
    context: Context, kind: Kind, key: str, traits: Iterable[Trait] = (), scope: Scope = EVERYWHERE
) -> Entity | None:
    """One entity, or None where it was never seen in the scope."""
    found = await entities(context, kind, traits, narrowed(scope, kind.dimension, (key,)))
    return found[0] if found else None


async def is_region(context: Context, name: str) -> bool:
    """Is there a region of this name, configured or seen?"""
    return name in context.regions or await entity(context, REGION, name) is not None


def _assembled(rows: Sequence[Seen], by: Sequence[Trait], key: Trait, traits: Sequence[Trait]) -> list[Entity]:
    """Combinations put together by key: each value with the last time that it was seen."""
    at, places = by.index(key), [(trait, by.index(trait)) for trait in traits]
    times: dict[str, tuple[int, int]] = {}
    values: dict[str, dict[Trait, dict[str, int]]] = {}
    for row in rows:
        name = row.traits[at]
        if name is None:
            continue
        first, last = times.get(name, (row.first_ms, row.last_ms))
        times[name] = (min(first, row.first_ms), max(last, row.last_ms))
        told = values.setdefault(name, {trait: {} for trait in traits})
        for trait, place in places:
            value = row.traits[place]
            if value is not None:
                told[trait][value] = max(row.last_ms, told[trait].get(value, row.last_ms))
    return [
        Entity(name, first, last, {trait: _by_recency(told) for trait, told in values[name].items()})
        for name, (first, last) in sorted(times.items())
    ]


def _by_recency(told: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(sorted(told, key=lambda value: (-told[value], value)))
