"""Sightings: who was seen with whom, and when. Entities are read from these."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Trait(StrEnum):
    """Something that a sighting says of an orchestrator, GPU, workflow or gateway. Text; `None`: not said."""

    SOURCE = "source"
    ORCHESTRATOR = "orchestrator"
    SERVICE_URI = "service_uri"
    NODE_VERSION = "node_version"
    GPU = "gpu"
    GPU_MODEL = "gpu_model"
    VRAM_BYTES = "vram_bytes"
    CUDA_CAPABILITY = "cuda_capability"
    RUNNER_VERSION = "runner_version"
    WORKFLOW = "workflow"
    PIPELINE = "pipeline"
    PRICE_WEI_PER_PIXEL = "price_wei_per_pixel"
    GATEWAY = "gateway"
    GATEWAY_NAME = "gateway_name"
    REGION = "region"


TRAITS = tuple(Trait)
TRAIT_INDEX = {trait: index for index, trait in enumerate(TRAITS)}


class Sighting(NamedTuple):
    """What one session leg, payment or snapshot row shows together, from its first to its last event (Unix ms)."""

    owner: str
    key: str
    first_ms: int
    last_ms: int
    traits: tuple[str | None, ...]  # in the order of TRAITS


class Seen(NamedTuple):
    """One distinct combination of the asked traits, with when it was first and last seen (Unix ms)."""

    traits: tuple[str | None, ...]
    first_ms: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class SightingQuestion:
    """Which combinations of `by` were seen, where traits have one of these values, last seen at or after `since_ms`."""

    by: tuple[Trait, ...]
    where: tuple[tuple[Trait, tuple[str, ...]], ...] = ()
    since_ms: int | None = None

    @classmethod
    def of(
        cls, by: Iterable[Trait], where: Mapping[Trait, Iterable[str]] | None = None, since_ms: int | None = None
    ) -> "SightingQuestion":
        """The question in its one form: traits and values sorted and without doubles."""
        kept = sorted((where or {}).items(), key=lambda item: TRAIT_INDEX[item[0]])
        return cls(
            tuple(sorted(set(by), key=TRAIT_INDEX.__getitem__)),
            tuple((trait, tuple(sorted(set(values)))) for trait, values in kept),
            since_ms,
        )


def seen(sightings: Iterable[Sighting], question: SightingQuestion) -> list[Seen]:
    """What every store must answer, in order of the traits, None last. `since_ms` tests a combination's last time."""
    tests = [(TRAIT_INDEX[trait], frozenset(values)) for trait, values in question.where]
    indexes = [TRAIT_INDEX[trait] for trait in question.by]
    found: dict[tuple[str | None, ...], tuple[int, int]] = {}
    for sighting in sightings:
        if all(sighting.traits[index] in values for index, values in tests):
            key = tuple(sighting.traits[index] for index in indexes)
            first, last = found.get(key, (sighting.first_ms, sighting.last_ms))
            found[key] = (min(first, sighting.first_ms), max(last, sighting.last_ms))
    since = question.since_ms
    kept = (Seen(key, first, last) for key, (first, last) in found.items() if since is None or last >= since)
    return sorted(kept, key=lambda one: tuple((value is None, value or "") for value in one.traits))
