"""Scores: what a version of the formula says of one workflow, and of several, with everything it was made of."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from metrics.catalogue import ATTEMPTED
from metrics.formula import Number
from metrics.measure import Measure
from metrics.metric import Direction, Metric, Statistic
from metrics.row import Sum
from metrics.scoring.benchmark import NO_BENCHMARK, Benchmark
from metrics.scoring.judge import weighted
from metrics.targets import WorkflowTargets
from metrics.window import Window

Sums = Mapping[str, Sum]


@dataclass(frozen=True, slots=True)
class Rule:
    """What an input of a subscore is: a metric, its weight, and where it is good and bad.

    Without a weight it only sets the threshold of another. Without `good` and `bad` the thresholds are not one number
    for everybody, and `thresholds` says how they come.
    """

    metric: Metric
    weight: float | None
    good: float | None = None
    bad: float | None = None
    thresholds: str = ""
    # So much evidence counts in full; with less the score is drawn towards a half.
    enough: int | None = None


@dataclass(frozen=True, slots=True)
class Criterion:
    """What a subscore is: a name, its weight, and the rules of its inputs."""

    name: str
    weight: float
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was counted for one workflow: its sums by GPU (an unknown GPU is one), and what they are held against."""

    by_gpu: Sequence[Sums]
    targets: WorkflowTargets
    benchmark: Benchmark = NO_BENCHMARK
    sums: Sums = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sums", added(self.by_gpu))

    def told(self, metric: Metric) -> tuple[Number | None, int]:
        """The value of a metric, and how many samples it rests on."""
        return metric.value(self.sums), int(metric.value(self.sums, Statistic.SAMPLES) or 0)

    def over_gpus(self, metric: Metric) -> tuple[Number | None, int]:
        """The mean of a metric over the GPUs that have it, weighted by samples, and how many those are."""
        told = [(metric.value(one, Statistic.SAMPLES) or 0, metric.value(one)) for one in self.by_gpu]
        return weighted(told), int(sum(samples for samples, value in told if value is not None))


@dataclass(frozen=True, slots=True)
class Input:
    """One number that a subscore was made of. `score` is its share of good, 0 to 1."""

    name: str
    value: float | None
    samples: int
    direction: Direction
    weight: float | None = None
    good: float | None = None
    bad: float | None = None
    score: float | None = None
    enough: int | None = None
    benchmark_rows: int | None = None


@dataclass(frozen=True, slots=True)
class Subscore:
    """A part of the score, 0 to 1; None without evidence."""

    name: str
    weight: float
    value: float | None
    inputs: tuple[Input, ...] = ()

    @classmethod
    def of(cls, criterion: Criterion, inputs: Iterable[Input]) -> "Subscore":
        """The subscore that these inputs make."""
        found = tuple(inputs)
        value = weighted((one.weight, one.score) for one in found if one.weight is not None)
        return cls(criterion.name, criterion.weight, value, found)


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of what sessions should show was seen: a factor of the score, 0 to 1."""

    signals: int
    expected: int

    @property
    def factor(self) -> float:
        """1 where everything was seen."""
        return min(1.0, self.signals / self.expected) if self.expected else 0.0


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the formula: data, and the one pure function that makes subscores of evidence."""

    name: str
    description: str
    criteria: tuple[Criterion, ...]
    judge: Callable[[Evidence], tuple[Subscore, ...]]
    # The starting score, and how many attempted sessions outweigh it; None: it is not drawn to one.
    prior: float | None = None
    k: float | None = None
    # What it reads besides its metrics.
    also_reads: frozenset[Measure] = frozenset()
    cover: Callable[[Evidence], Coverage] | None = None
    is_benchmarked: bool = False

    def reads(self) -> frozenset[Measure]:
        """The measures that the score needs of its window."""
        metrics = (rule.metric for criterion in self.criteria for rule in criterion.rules)
        evidence = frozenset().union(*(m.reads() | m.reads(Statistic.SAMPLES) for m in metrics))
        return evidence | ATTEMPTED.reads() | self.also_reads

    def drawn(self, raw: float, evidence: int) -> float:
        """The score, drawn towards the starting score by lack of evidence."""
        if self.prior is None or self.k is None:
            return raw
        return (evidence * raw + self.k * self.prior) / (evidence + self.k)


@dataclass(frozen=True, slots=True)
class Part:
    """The score of one workflow, 0 to 100. `raw` is the score before it is drawn; both are None without evidence."""

    workflow: str | None
    evidence: int
    subscores: tuple[Subscore, ...]
    coverage: Coverage | None
    targets: WorkflowTargets
    raw: float | None
    value: float | None

    @property
    def missing(self) -> list[str]:
        """The subscores without evidence."""
        return [one.name for one in self.subscores if one.value is None]


@dataclass(frozen=True, slots=True)
class Score:
    """The score of a window: of its one workflow, or the mean over several, weighted by attempted sessions."""

    version: Version
    window: Window
    parts: tuple[Part, ...]

    @property
    def evidence(self) -> int:
        """Attempted sessions."""
        return sum(part.evidence for part in self.parts)

    @property
    def value(self) -> float | None:
        """The score, 0 to 100; None without an attempted session."""
        return weighted((part.evidence, part.value) for part in self.parts)

    @property
    def subscores(self) -> tuple[Subscore, ...]:
        """Those of the one workflow that has evidence; of several their means, whose inputs stand with the parts."""
        scored = [part for part in self.parts if part.evidence] or list(self.parts)
        if len(scored) == 1:
            return scored[0].subscores
        pairs = [{one.name: (part.evidence, one.value) for one in part.subscores} for part in scored]
        return tuple(
            Subscore(one.name, one.weight, weighted(of_part[one.name] for of_part in pairs))
            for one in self.version.criteria
        )

    @property
    def missing(self) -> list[str]:
        """The subscores without evidence."""
        return [one.name for one in self.subscores if one.value is None]


def part_of(version: Version, workflow: str | None, evidence: Evidence) -> Part:
    """The score of one workflow."""
    attempted = int(ATTEMPTED.value(evidence.sums) or 0)
    subscores = version.judge(evidence)
    coverage = version.cover(evidence) if version.cover else None
    share = weighted((one.weight, one.value) for one in subscores)
    raw = None if share is None or not attempted else 100 * share * (coverage.factor if coverage else 1)
    value = None if raw is None else version.drawn(raw, attempted)
    return Part(workflow, attempted, subscores, coverage, evidence.targets, raw, value)


def measured(rule: Rule, told: tuple[Number | None, int]) -> Input:
    """An input as it was measured, with the thresholds that are the same for everybody; not judged yet."""
    value, samples = told
    metric = rule.metric
    return Input(metric.name, value, samples, metric.direction, rule.weight, rule.good, rule.bad, enough=rule.enough)


def but(one: Input, **changed: object) -> Input:
    """The input with something changed."""
    return replace(one, **changed)  # type: ignore[arg-type]  # the names of its fields


def added(many: Sequence[Sums]) -> Sums:
    """The sums of all rows together."""
    if len(many) == 1:
        return many[0]
    total: dict[str, Sum] = {}
    for row in many:
        for name, value in row.items():
            total[name] = _plus(total.get(name), value)
    return total


def _plus(one: Sum, other: Sum) -> Sum:
    assert not isinstance(one, Mapping), "no histogram is part of a score"
    assert not isinstance(other, Mapping), "no histogram is part of a score"
    return (one or 0) + (other or 0)
