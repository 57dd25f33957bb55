"""Capabilities: what each service URI offers, by its last snapshot in the 24 hours before the latest event."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from metrics.sighting import Seen, SightingQuestion, Trait
from metrics.window import DAY_MS, Window, to_ms
from resolvers.context import Context

# What only capability snapshots say: a sighting with one of these is a row of a snapshot.
OF_SNAPSHOTS = (
    Trait.NODE_VERSION,
    Trait.VRAM_BYTES,
    Trait.CUDA_CAPABILITY,
    Trait.RUNNER_VERSION,
    Trait.PIPELINE,
    Trait.PRICE_WEI_PER_PIXEL,
)
BY = (
    Trait.SOURCE,
    Trait.ORCHESTRATOR,
    Trait.SERVICE_URI,
    Trait.GPU,
    Trait.GPU_MODEL,
    Trait.WORKFLOW,
    *OF_SNAPSHOTS,
)


class OfferedGpu(NamedTuple):
    """A GPU that is offered."""

    id: str
    model: str | None
    vram_bytes: int | None
    cuda_capability: str | None


class Offered(NamedTuple):
    """Who offers what where."""

    orchestrator: str | None
    service_uri: str
    workflow: str | None


@dataclass(frozen=True, slots=True)
class Capability:
    """What a service URI offers for one workflow. Of what differs within its snapshot, the greatest text is told."""

    offered: Offered
    pipeline: str | None
    node_version: str | None
    runner_version: str | None
    price_wei_per_pixel: str | None
    gpus: tuple[OfferedGpu, ...]
    last_ms: int


async def capabilities(context: Context, window: Window) -> list[Capability]:
    """Every capability that was advertised last at or after the start of the window, in no order."""
    question = SightingQuestion.of(BY, since_ms=window.start_ms)
    return advertised(await context.seen(question), question.by)


async def regions(context: Context) -> Mapping[str, str]:
    """Service URI → the region that sessions there were last seen in."""
    seen = await context.seen(SightingQuestion.of((Trait.SERVICE_URI, Trait.REGION)))
    told = ((one.last_ms, *one.traits) for one in seen if None not in one.traits)
    return {str(uri): str(region) for _, uri, region in sorted(told, key=lambda one: (one[0], str(one[2])))}


async def last_day(context: Context) -> Window:
    """The 24 hours up to the latest event, itself included; up to now where there is none."""
    latest_ms = (await context.holds()).latest_ms
    end_ms = to_ms(context.now) if latest_ms is None else latest_ms + 1
    return Window.of_ms(end_ms - DAY_MS, end_ms)


def advertised(rows: Iterable[Seen], by: Sequence[Trait]) -> list[Capability]:
    """What the rows of each URI's last snapshot say together. A snapshot replaces what earlier ones of its URI said."""
    of = {trait: by.index(trait) for trait in BY}
    snapshots: dict[tuple[str | None, str], list[Seen]] = defaultdict(list)
    for row in rows:
        uri = row.traits[of[Trait.SERVICE_URI]]
        if uri is not None and any(row.traits[of[trait]] is not None for trait in OF_SNAPSHOTS):
            snapshots[row.traits[of[Trait.SOURCE]], uri].append(row)
    told: dict[Offered, list[Seen]] = defaultdict(list)
    for (_, uri), found in snapshots.items():
        last_ms = max(row.last_ms for row in found)
        for row in found:
            if row.last_ms == last_ms:
                key = Offered(row.traits[of[Trait.ORCHESTRATOR]], uri, row.traits[of[Trait.WORKFLOW]])
                told[key].append(row)
    return [_capability(key, found, of) for key, found in told.items()]


def _capability(key: Offered, rows: Sequence[Seen], of: Mapping[Trait, int]) -> Capability:
    # Feeds may show one URI at different times: what was said last stands.
    rows = sorted(rows, key=lambda row: (row.last_ms, *(text or "" for text in row.traits)))

    def latest(trait: Trait) -> str | None:
        return next((value for row in reversed(rows) if (value := row.traits[of[trait]]) is not None), None)

    gpus: dict[str, OfferedGpu] = {}
    for row in rows:
        gpu = row.traits[of[Trait.GPU]]
        if gpu is not None:
            memory = row.traits[of[Trait.VRAM_BYTES]]
            gpus[gpu] = OfferedGpu(
                gpu,
                row.traits[of[Trait.GPU_MODEL]],
                None if memory is None else int(memory),
                row.traits[of[Trait.CUDA_CAPABILITY]],
            )
    return Capability(
        key,
        latest(Trait.PIPELINE),
        latest(Trait.NODE_VERSION),
        latest(Trait.RUNNER_VERSION),
        latest(Trait.PRICE_WEI_PER_PIXEL),
        tuple(gpus[id] for id in sorted(gpus)),
        rows[-1].last_ms,
    )
