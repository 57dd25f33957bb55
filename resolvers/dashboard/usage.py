"""How much each pipeline and model was used, and which there are, as the NaaP dashboard shows them."""

from asyncio import gather
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from metrics import columns as c
from metrics.catalogue import OUTPUT_FPS
from metrics.dimension import Dimension
from metrics.errors import BadRequest
from metrics.fold import join
from metrics.row import Row
from metrics.sighting import Trait
from metrics.window import Window
from resolvers.capabilities import last_day
from resolvers.context import Context
from resolvers.demand import Demand, demand_asked
from resolvers.entities import WORKFLOW, entities
from resolvers.measured import Measures, read
from resolvers.pipelines import UNKNOWN, pipelines
from resolvers.scope import EVERYWHERE

MAX_PIPELINES = 200
_DEMAND = demand_asked(("inference_minutes", "sessions"))
_MEASURES = Measures(sorted({*_DEMAND.measures, *OUTPUT_FPS.reads(), *c.SAMPLES.measures}))


@dataclass(frozen=True, slots=True)
class Usage:
    """What was asked of a model or a pipeline."""

    name: str
    mins: float
    sessions: int
    # 0 where no status came: the dashboard has no null for it.
    avg_fps: float


@dataclass(frozen=True, slots=True)
class PipelineUsage:
    """A pipeline and its models, the most used first."""

    in_all: Usage
    models: Sequence[Usage]


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """A pipeline, its models and the regions that they were seen in."""

    pipeline: str
    models: Sequence[str]
    regions: Sequence[str]


async def usage(context: Context, window: Window, limit: int | None) -> list[PipelineUsage]:
    """The most used pipelines. Raises BadRequest for a limit that is none."""
    most = MAX_PIPELINES if limit is None else limit
    if not 1 <= most <= MAX_PIPELINES:
        raise BadRequest(f"limit must be between 1 and {MAX_PIPELINES}, not {most:,}.", "limit")
    rows, known = await gather(
        read(context, EVERYWHERE, window, _MEASURES, by=(Dimension.WORKFLOW,)), pipelines(context)
    )
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        # A row may be there for other things than streams.
        if any(row.sums[measure.name] for measure in _MEASURES):
            found[known.get(row.by[0] or "", UNKNOWN)].append(row)
    made = [PipelineUsage(_in_all(name, own, window), _by_model(own, window)) for name, own in found.items()]
    return sorted(made, key=lambda one: _rank(one.in_all))[:most]


async def catalog(context: Context) -> list[CatalogEntry]:
    """Every pipeline seen in the 24 hours before the latest event, by name."""
    since_ms = (await last_day(context)).start_ms
    found, known = await gather(entities(context, WORKFLOW, (Trait.REGION,), since_ms=since_ms), pipelines(context))
    models: dict[str, set[str]] = defaultdict(set)
    regions: dict[str, set[str]] = defaultdict(set)
    for one in found:
        if (pipeline := known.get(one.key)) is not None:
            models[pipeline].add(one.key)
            regions[pipeline].update(one.traits[Trait.REGION])
    return [CatalogEntry(name, sorted(models[name]), sorted(regions[name])) for name in sorted(models)]


def _in_all(name: str, rows: Iterable[Row], window: Window) -> Usage:
    (whole,) = join(([row._replace(by=()) for row in rows],), _MEASURES)
    return _usage(name, whole, window)


def _by_model(rows: Iterable[Row], window: Window) -> list[Usage]:
    return sorted((_usage(row.by[0] or UNKNOWN, row, window) for row in rows), key=_rank)


def _usage(name: str, row: Row, window: Window) -> Usage:
    demand = Demand(window, [row])
    return Usage(name, demand.inference_minutes, demand.sessions, OUTPUT_FPS.value(row.sums) or 0.0)


def _rank(one: Usage) -> tuple[float, int, str]:
    return -one.mins, -one.sessions, one.name
