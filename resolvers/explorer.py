"""What the Livepeer Explorer asks of its leaderboard: scores by orchestrator and region, and single attempts."""

from asyncio import gather
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from metrics import columns as c
from metrics.columns import MICROSECONDS_PER_S
from metrics.dimension import INDEX, Dimension
from metrics.errors import TooComplex
from metrics.evidence import EvidenceQuestion
from metrics.explorer import COLUMNS, MEASURES, ROUND_TRIP_S, SUCCESS, TRIED, round_trip_score, total_score
from metrics.fact import Fact
from metrics.fold import join
from metrics.row import Row
from metrics.window import Window
from resolvers.context import Context
from resolvers.entities import REGION, entities
from resolvers.measured import Measures, read
from resolvers.pipelines import UNKNOWN, of_pipeline, pipelines
from resolvers.scope import EVERYWHERE, is_empty, narrowed

# The region of what has none, in the Explorer's words.
GLOBAL, GLOBAL_NAME = "GLOBAL", "Global"
MAX_ATTEMPTS, MAX_FACTS = 10_000, 50_000
SUCCESSES = (c.SERVED.name, c.JOBS_SUCCEEDED.name)
FAILURES = (c.STARTUP_FAILED.name, c.OUTPUT_FAILED.name, c.JOBS_FAILED.name)
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


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempted session or an ended job, as it counts for an orchestrator."""

    owner: str
    orchestrator: str
    at_ms: int
    workflow: str | None
    region: str | None
    # Fact column → what it counts: how it went, how long the round trip was, error events.
    counts: Mapping[str, int]

    @property
    def failure(self) -> str | None:
        """The column that counts it as failed."""
        return next((name for name in FAILURES if self.counts.get(name)), None)

    @property
    def round_trip_s(self) -> float | None:
        """Prompt to first frame, or the job's duration, in seconds."""
        trips = [self.counts[one.name] for one in (c.PROMPT_TO_FIRST_FRAME, c.JOB_DURATION) if one.name in self.counts]
        return sum(trips) / MICROSECONDS_PER_S if trips else None


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
) -> list[Attempt]:
    """What was tried with an orchestrator, newest first: the facts that `standings` adds up, one by one.

    Raises TooComplex where they are too many.
    """
    scope = narrowed(await of_pipeline(context, pipeline, model), Dimension.ORCHESTRATOR, (orchestrator,))
    if is_empty(scope):
        return []
    where = tuple((dimension, scope[dimension]) for dimension in sorted(scope, key=INDEX.__getitem__))
    columns = (*COLUMNS, c.ERROR_EVENTS)
    facts = await context.evidence(
        EvidenceQuestion(window.start_ms, window.end_ms, columns, where, limit=MAX_FACTS + 1)
    )
    found = [one for one in _attempts(facts) if region in (None, region_id(one.region))]
    if len(facts) > MAX_FACTS or len(found) > MAX_ATTEMPTS:
        raise TooComplex(
            f"there are more than {MAX_ATTEMPTS:,} attempts. Give a later since, an earlier until or a model.", "since"
        )
    return sorted(found, key=lambda one: (-one.at_ms, one.owner))


def _attempts(facts: Iterable[Fact]) -> list[Attempt]:
    """Facts put together where one session or job is counted in one place; without those that count no attempt."""
    counts: dict[tuple[str, str | None, str | None], Counter[str]] = defaultdict(Counter)
    begun: dict[tuple[str, str | None, str | None], Fact] = {}
    for fact in facts:
        key = (fact.owner, fact.dims[INDEX[Dimension.WORKFLOW]], fact.dims[INDEX[Dimension.REGION]])
        counts[key].update(fact.values)
        if any(fact.values.get(name) for name in (*SUCCESSES, *FAILURES)):
            begun[key] = fact
    orchestrator = INDEX[Dimension.ORCHESTRATOR]
    return [
        Attempt(key[0], fact.dims[orchestrator] or "", fact.at_ms, key[1], key[2], counts[key])
        for key, fact in begun.items()
    ]


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
