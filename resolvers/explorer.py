"""What the Livepeer Explorer asks of its leaderboard: scores by orchestrator and region, and single sessions."""

from asyncio import gather
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from backends.backend import SessionQuestion, SessionRecord
from metrics.dimension import Dimension
from metrics.errors import TooComplex
from metrics.explorer import MEASURES, ROUND_TRIP_S, SUCCESS, TRIED, round_trip_score, total_score
from metrics.fold import join
from metrics.row import Row
from metrics.window import Window
from resolvers.context import Context
from resolvers.entities import REGION, entities
from resolvers.measured import Measures, read
from resolvers.pipelines import UNKNOWN, of_pipeline, pipelines
from resolvers.scope import EVERYWHERE, narrowed

# The region of what has none, in the Explorer's words.
GLOBAL, GLOBAL_NAME = "GLOBAL", "Global"
MAX_SESSIONS = 10_000
ATTEMPTED = ("SERVED", "STARTUP_FAILED", "OUTPUT_FAILED")
_MEASURES = Measures(sorted(MEASURES))
_TRIED = Measures(sorted(TRIED.reads()))


@dataclass(frozen=True, slots=True)
class Standing:
    """How an orchestrator does in a region: each 0 to 1."""

    orchestrator: str
    region: str
    success_rate: float
    round_trip_score: float

    @property
    def score(self) -> float:
        """Both together; 0 without success."""
        return total_score(self.success_rate, self.round_trip_score)


@dataclass(frozen=True, slots=True)
class TopScore:
    """The best standing of an orchestrator, and with which model."""

    standing: Standing
    pipeline: str
    model: str


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline, and what was tried of it where."""

    name: str
    models: Sequence[str]
    regions: Sequence[str]


def region_id(region: str | None) -> str:
    """A region as the Explorer writes it."""
    return GLOBAL if region is None else region.upper()


async def standings(
    context: Context,
    window: Window,
    region: str | None = None,
    pipeline: str | None = None,
    model: str | None = None,
    orchestrator: str | None = None,
) -> list[Standing]:
    """Everybody who tried something, by orchestrator and region, against the median of all who succeeded there."""
    scope = await of_pipeline(context, pipeline, model)
    rows = await read(context, scope, window, _MEASURES, by=(Dimension.ORCHESTRATOR, Dimension.REGION))
    found = _standings(_in_regions(rows), region)
    return [one for one in found if orchestrator in (None, one.orchestrator)]


async def top_score(context: Context, window: Window, orchestrator: str) -> TopScore | None:
    """The best score of an orchestrator over its models and regions; None where it tried nothing."""
    by = (Dimension.ORCHESTRATOR, Dimension.WORKFLOW, Dimension.REGION)
    rows, known = await gather(read(context, EVERYWHERE, window, _MEASURES, by=by), pipelines(context))
    models: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        wallet, workflow, region = row.by
        if workflow is not None:
            models[workflow].append(row._replace(by=(wallet, region)))
    found = [
        TopScore(one, known.get(model, UNKNOWN), model)
        for model, own in models.items()
        for one in _standings(_in_regions(own))
        if one.orchestrator == orchestrator
    ]
    return min(found, key=_rank, default=None)


async def tried(context: Context, window: Window, region: str | None = None) -> list[Pipeline]:
    """The pipelines of which something was tried, by name; models of which none is known are left out."""
    rows, known = await gather(
        read(context, EVERYWHERE, window, _TRIED, by=(Dimension.WORKFLOW, Dimension.REGION)), pipelines(context)
    )
    models: dict[str, set[str]] = defaultdict(set)
    regions: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        model, place = row.by[0] or "", region_id(row.by[1])
        if TRIED.value(row.sums) and model in known and region in (None, place):
            models[known[model]].add(model)
            regions[known[model]].add(place)
    return [Pipeline(name, sorted(models[name]), sorted(regions[name])) for name in sorted(models)]


async def region_names(context: Context) -> dict[str, str]:
    """Region → its name, of all that are configured or were seen; the whole first."""
    seen = await entities(context, REGION)
    named = {region_id(one.key): one.key for one in seen}
    named |= {region_id(id): name for id, name in context.regions.items()}
    return {GLOBAL: GLOBAL_NAME} | {id: named[id] for id in sorted(named) if id != GLOBAL}


async def attempts(
    context: Context,
    window: Window,
    orchestrator: str,
    region: str | None = None,
    pipeline: str | None = None,
    model: str | None = None,
) -> list[SessionRecord]:
    """The sessions attempted with an orchestrator, newest first. Raises TooComplex where they are too many."""
    scope = narrowed(await of_pipeline(context, pipeline, model), Dimension.ORCHESTRATOR, (orchestrator,))
    question = SessionQuestion(window.start_ms, window.end_ms, tuple(scope.items()), ATTEMPTED, limit=MAX_SESSIONS + 1)
    found = await context.recorded(question)
    if len(found) > MAX_SESSIONS:
        raise TooComplex(
            f"there are more than {MAX_SESSIONS:,} sessions. Give a later since, an earlier until or a model.", "since"
        )
    kept = (one for one in found if region in (None, region_id(one.region)))
    return sorted(kept, key=lambda one: (-one.requested_ms, one.owner))


def _rank(one: TopScore) -> tuple[float, float, str, str]:
    return -one.standing.score, -one.standing.success_rate, one.model, one.standing.region


def _in_regions(rows: Iterable[Row]) -> list[Row]:
    """Rows by orchestrator and region, those without an orchestrator left out, regions as the Explorer writes them."""
    told = [row._replace(by=(row.by[0], region_id(row.by[1]))) for row in rows if row.by[0] is not None]
    return join((told,), _MEASURES)


def _standings(rows: Iterable[Row], region: str | None = None) -> list[Standing]:
    """Who tried something in the region. `rows` are by orchestrator and region."""
    kept = [row for row in rows if region in (None, row.by[1])]
    tried = {row.by: (success, ROUND_TRIP_S.value(row.sums)) for row in kept if (success := _success(row)) is not None}
    trips = [trip for success, trip in tried.values() if success and trip is not None]
    middle = median(trips) if trips else None
    return [
        Standing(wallet or "", place or "", success, round_trip_score(trip, middle))
        for (wallet, place), (success, trip) in tried.items()
    ]


def _success(row: Row) -> float | None:
    return SUCCESS.value(row.sums)
