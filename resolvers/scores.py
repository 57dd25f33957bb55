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


@dataclass(frozen=True, slots=True)
class Place:
    """An orchestrator's place among all that have a score, from 1, with the score and its evidence."""

    rank: int
    address: str
    score: Score


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an orchestrator stands: its rank among `of`, and the share in percent of the others that stand behind."""

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
    return Standing(window, DEFAULT.name, rank, len(places), behind)


def first_of(first: int | None, context: Context) -> int:
    """How many places are asked for. Raises BadRequest for too many or too few."""
    most = context.limits.max_page
    if first is not None and not 0 <= first <= most:
        raise BadRequest(f"first must be between 0 and {most}, not {first}.", "first")
    return context.limits.page if first is None else first


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
