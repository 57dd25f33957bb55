"""How many there are: those seen in the 24 hours before the latest event."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from metrics.sighting import Seen, SightingQuestion, Trait
from metrics.window import DAY_MS
from resolvers.context import Context
from resolvers.entities import ORCHESTRATOR, entities
from resolvers.scope import Scope, is_empty, traits_of

# What only capability snapshots say.
_OF_SNAPSHOTS = (Trait.NODE_VERSION, Trait.VRAM_BYTES, Trait.CUDA_CAPABILITY)
_BY = (Trait.SOURCE, Trait.SERVICE_URI, Trait.GPU, *_OF_SNAPSHOTS)


async def orchestrator_count(context: Context, scope: Scope) -> int:
    """Orchestrators seen in a session, payment or snapshot."""
    since = await since_ms(context)
    return 0 if since is None else len(await entities(context, ORCHESTRATOR, (), scope, since))


async def gpu_count(context: Context, scope: Scope) -> int:
    """GPUs of each service URI's last snapshot, and those seen where there is no snapshot."""
    since = await since_ms(context)
    if since is None or is_empty(scope):
        return 0
    question = SightingQuestion.of(_BY, traits_of(scope), since)
    return len(present(await context.seen(question), question.by))


def present(rows: Iterable[Seen], by: Sequence[Trait]) -> set[str]:
    """The ids of the GPUs that are there. GPU ids churn, so a URI's last snapshot counts and not all of its day."""
    source, uri, gpu = (by.index(trait) for trait in (Trait.SOURCE, Trait.SERVICE_URI, Trait.GPU))
    telling = [by.index(trait) for trait in _OF_SNAPSHOTS]
    advertised: dict[tuple[str | None, str], list[tuple[str | None, int]]] = defaultdict(list)
    met: list[tuple[tuple[str | None, str | None], str]] = []
    for row in rows:
        name, at = row.traits[gpu], row.traits[uri]
        # A last snapshot that names no GPU takes back what the ones before it named.
        if at is not None and any(row.traits[index] is not None for index in telling):
            advertised[row.traits[source], at].append((name, row.last_ms))
        elif name is not None:
            met.append(((row.traits[source], at), name))
    found = {name for place, name in met if place not in advertised}
    for told in advertised.values():
        last = max(last_ms for _, last_ms in told)
        found.update(name for name, last_ms in told if name is not None and last_ms == last)
    return found


async def since_ms(context: Context) -> int | None:
    """When the 24 hours before the latest event begin; None in an empty store."""
    latest = (await context.holds()).latest_ms
    return None if latest is None else latest - DAY_MS
