"""Scores: of a scope, and of every orchestrator in one, ranked. However many are asked at once, two reads answer."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from metrics.dimension import Dimension
from metrics.errors import BadRequest
from metrics.metric import Statistic
from metrics.scoring import benchmark, quality_benchmark_1
from metrics.scoring.benchmark import NO_BENCHMARK, Benchmark
from metrics.scoring.score import Evidence, Part, Score, Sums, Version, part_of
from metrics.scoring.versions import BY_NAME, DEFAULT
from metrics.window import Window
from resolvers.context import Context
from resolvers.measured import Measures, read
from resolvers.scope import EVERYWHERE, Scope, narrowed, without

Benchmarks = Mapping[str | None, Benchmark]
# Of whom distances are told where nothing else is asked.
PEERS = 10


@dataclass(frozen=True, slots=True)
class Place:
    """An orchestrator's place among all that have a score, from 1, with the score and its evidence."""

    rank: int
    address: str
    score: Score


Places = Sequence[Place]


@dataclass(frozen=True, slots=True)
class Distance:
    """How far a peer's score is from one's own, in points: below 0 the peer is behind."""

    address: str
    rank: int
    points: float


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an orchestrator stands: its rank among `of`, and the share in percent of the others that stand behind."""

    address: str
    places: Places
    window: Window
    version: str
    rank: int | None
    of: int
    percentile: float | None


async def score(context: Context, scope: Scope, window: Window, version: Version) -> Score:
    """The score of a scope, workflow by workflow."""
    rows = await read(context, scope, window, _measures(version.name), by=(Dimension.GPU, Dimension.WORKFLOW))
    held = await _benchmarks(context, scope, window) if version.is_benchmarked else {}
    return _score(context, window, version, held, ((row.by[1], row.sums) for row in rows))


async def board(context: Context, scope: Scope, window: Window, version: Version) -> Sequence[Place]:
    """Every orchestrator of a scope that has a score, best first; ties go to more evidence, then by address."""
    key = ("board", tuple(sorted(scope.items())), window, version.name)
    return await context.once(key, lambda: _board(context, scope, window, version))


async def standing(context: Context, scope: Scope, address: str, window: Window) -> Standing:
    """Where an orchestrator stands among those of the scope that lies around it."""
    places = await board(context, without(scope, Dimension.ORCHESTRATOR), window, DEFAULT)
    rank = next((place.rank for place in places if place.address == address), None)
    others = len(places) - 1
    behind = None if rank is None or others < 1 else 100 * (len(places) - rank) / others
    return Standing(address, places, window, DEFAULT.name, rank, len(places), behind)


def distances(places: Places, address: str, most: int) -> list[Distance] | None:
    """How far an orchestrator is from its `most` nearest peers by rank, in their order; None where it has no score."""
    own = next((place for place in places if place.address == address), None)
    if own is None:
        return None
    others = [place for place in places if place is not own]
    near = sorted(others, key=lambda place: (abs(place.rank - own.rank), place.rank))[:most]
    return [
        Distance(place.address, place.rank, _value(place) - _value(own)) for place in sorted(near, key=lambda p: p.rank)
    ]


def _value(place: Place) -> float:
    assert place.score.value is not None  # only those with a score have a place
    return place.score.value


def first_of(first: int | None, context: Context) -> int:
    """How many places are asked for. Raises BadRequest for too many or too few."""
    return _most(first, context.limits.page, context)


def peers_of(first: int | None, context: Context) -> int:
    """How many peers are asked for. Raises BadRequest for too many or too few."""
    return _most(first, PEERS, context)


def _most(first: int | None, otherwise: int, context: Context) -> int:
    most = context.limits.max_page
    if first is not None and not 0 <= first <= most:
        raise BadRequest(f"first must be between 0 and {most}, not {first}.", "first")
    return otherwise if first is None else first


async def _board(context: Context, scope: Scope, window: Window, version: Version) -> Sequence[Place]:
    by = (Dimension.ORCHESTRATOR, Dimension.GPU, Dimension.WORKFLOW)
    rows = await read(context, scope, window, _measures(version.name), by=by)
    held = await _benchmarks(context, scope, window) if version.is_benchmarked else {}
    found: dict[str, list[tuple[str | None, Sums]]] = defaultdict(list)
    for row in rows:
        if row.by[0] is not None:
            found[row.by[0]].append((row.by[2], row.sums))
    scored = [(address, _score(context, window, version, held, own)) for address, own in found.items()]
    ranked = sorted(
        (-value, -score.evidence, address, score) for address, score in scored if (value := score.value) is not None
    )
    return [Place(rank, address, score) for rank, (_, _, address, score) in enumerate(ranked, 1)]


def _score(
    context: Context, window: Window, version: Version, held: Benchmarks, rows: Iterable[tuple[str | None, Sums]]
) -> Score:
    """The score that rows by workflow and GPU make; workflows of which nothing was counted are left out."""
    found: dict[str | None, list[Sums]] = defaultdict(list)
    for workflow, sums in rows:
        if any(sums.values()):
            found[workflow].append(sums)
    parts: list[Part] = []
    for workflow in sorted(found, key=lambda name: (name is None, name or "")):
        evidence = Evidence(found[workflow], context.targets.of(workflow), held.get(workflow, NO_BENCHMARK))
        parts.append(part_of(version, workflow, evidence))
    return Score(version, window, tuple(parts))


async def _benchmarks(context: Context, scope: Scope, window: Window) -> Benchmarks:
    """The whole network's benchmarks of the scope's workflows, before a window."""
    before = benchmark.window_before(window)
    if before is None:
        return {}
    workflows = scope.get(Dimension.WORKFLOW)
    wanted = EVERYWHERE if workflows is None else narrowed(EVERYWHERE, Dimension.WORKFLOW, workflows)
    return await context.once(("benchmarks", before, workflows), lambda: _compared(context, wanted, before))


async def _compared(context: Context, scope: Scope, before: Window) -> Benchmarks:
    rows = await read(context, scope, before, _benchmark_measures(), benchmark.GRAIN, benchmark.BY)
    return benchmark.benchmarks(rows, quality_benchmark_1.COMPARED)


@cache
def _measures(version: str) -> Measures:
    return Measures(sorted(BY_NAME[version].reads()))


@cache
def _benchmark_measures() -> Measures:
    compared = quality_benchmark_1.COMPARED
    return Measures(sorted({m for one in compared for m in one.reads() | one.reads(Statistic.SAMPLES)}))
