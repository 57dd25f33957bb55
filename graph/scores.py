"""The SLA score as it is answered: with everything it was made of, so that anyone can work it out again."""

from collections.abc import Sequence
from typing import Annotated

import strawberry
from strawberry.types import Info
from strawberry.utils.str_converters import to_camel_case

from graph.fields import field
from graph.measured import RegionArgument, WorkflowArgument
from graph.targets import WorkflowTargets
from graph.window import TimeWindow, WindowArgument, window_from
from metrics.metric import Direction
from metrics.scoring import score as made
from metrics.scoring.versions import DEFAULT, VERSIONS, version_named
from resolvers import scores as reading
from resolvers.context import Context
from resolvers.figures import small
from resolvers.scope import Scope, filtered

VersionArgument = Annotated[
    str | None, strawberry.argument(description=f"A version of scoringVersions; {DEFAULT.name} by default.")
]
_UNWEIGHED = "null where it only sets the threshold of another"


@strawberry.type(description="A number that a subscore was made of, what it was held against, and what came of it.")
class ScoreInput:
    """`metrics.scoring.score.Input` as it is answered."""

    metric: str = strawberry.field(description="Its name; scoringVersions says what it means.")
    value: float | None = strawberry.field(description="The value; null without evidence.")
    samples: int = strawberry.field(description="How much evidence there is.")
    good: float | None = strawberry.field(description="From here on it is as good as can be; null: nothing to compare.")
    bad: float | None = strawberry.field(description="From here on it is worth nothing; linear between.")
    direction: Direction = strawberry.field(description="Which way is better: decides where good and bad are equal.")
    weight: float | None = strawberry.field(description=f"Its weight within the subscore; {_UNWEIGHED}.")
    score: float | None = strawberry.field(
        description=f"What it is worth, 0 to 1; null without evidence, and {_UNWEIGHED}."
    )
    enough: int | None = strawberry.field(
        description="So many samples count in full; with n of them the score is 0.5 + min(n / enough, 1) × "
        "(judged − 0.5), and 0.5 where there is nothing to judge. Null: samples do not matter."
    )
    benchmark_rows: int | None = strawberry.field(
        description="Of how many rows of the network good and bad are percentiles; below 48 there are none."
    )


@strawberry.type(description="A part of the score: the mean of its inputs' scores by their weights.")
class Subscore:
    """`metrics.scoring.score.Subscore` as it is answered."""

    name: str = strawberry.field(description="Its name.")
    value: float | None = strawberry.field(description="0 to 1; null without evidence.")
    weight: float = strawberry.field(description="Its weight within the score.")
    inputs: list[ScoreInput] = strawberry.field(
        description="What it was made of. Empty where it is a mean over several workflows: each of them has its own."
    )


@strawberry.type(description="How much of what requested sessions should show was seen: a factor of the score.")
class Coverage:
    """`metrics.scoring.score.Coverage` as it is answered."""

    factor: float = strawberry.field(description="signals / expected, 1 at most.")
    signals: int = strawberry.field(
        description="Sessions with a status, with a first segment and with a few segments, added up."
    )
    expected: int = strawberry.field(description="Three for each requested session.")


@strawberry.type(
    description="The score of one workflow. raw = 100 × coverage × Σ weight·value / Σ weight over the subscores with a "
    "value; value = (evidence·raw + k·prior) / (evidence + k) where there is a k, else raw."
)
class WorkflowScore:
    """`metrics.scoring.score.Part` as it is answered."""

    workflow: str | None = strawberry.field(description="The workflow; null: sessions whose workflow is unknown.")
    value: float | None = strawberry.field(description="The score, 0 to 100; null without attempted sessions.")
    raw: float | None = strawberry.field(description="The score before lack of evidence draws it to the prior.")
    evidence: int = strawberry.field(description="Attempted sessions.")
    subscores: list[Subscore] = strawberry.field(description="What it was made of.")
    missing: list[str] = strawberry.field(description="Subscores without evidence, left out of the mean.")
    coverage: Coverage | None = strawberry.field(description="A factor of the score; null: the version has none.")
    targets: WorkflowTargets = strawberry.field(description="The targets it was held against.")


@strawberry.type(
    description="The SLA score: the mean of the workflows' scores, weighted by attempted sessions (`evidence`). It can "
    "be worked out again from this answer alone."
)
class SlaScore:
    """`metrics.scoring.score.Score` as it is answered."""

    value: float | None = strawberry.field(description="The score, 0 to 100; null without attempted sessions.")
    version: str = strawberry.field(description="The version of the formula.")
    window: TimeWindow = strawberry.field(description="What the score is over.")
    evidence: int = strawberry.field(description="Attempted sessions.")
    subscores: list[Subscore] = strawberry.field(
        description="The parts of the score; over several workflows their means, weighted by attempted sessions."
    )
    missing: list[str] = strawberry.field(description="Subscores without evidence.")
    prior: float | None = strawberry.field(description="The starting score that lack of evidence draws to.")
    k: float | None = strawberry.field(description="How many attempted sessions weigh as much as the prior.")
    workflows: list[WorkflowScore] = strawberry.field(description="The score of each workflow, by name.")


@strawberry.type(description="What a version of the formula reads of one metric.")
class ScoringInput:
    """`metrics.scoring.score.Rule` as it is answered."""

    metric: str = strawberry.field(description="Its name.")
    unit: str = strawberry.field(description="Its unit.")
    description: str = strawberry.field(description="What it means.")
    formula: str = strawberry.field(description="How it is computed from stored sums.")
    direction: Direction = strawberry.field(description="Which way is better.")
    weight: float | None = strawberry.field(description=f"Its weight within the subscore; {_UNWEIGHED}.")
    good: float | None = strawberry.field(description="From here on it is worth 1; null: not one number for everybody.")
    bad: float | None = strawberry.field(description="From here on it is worth 0; null: not one number for everybody.")
    thresholds: str | None = strawberry.field(description="Where good and bad come from, where they are not fixed.")
    enough: int | None = strawberry.field(description="So many samples count in full.")


@strawberry.type(description="What a version of the formula makes a subscore of.")
class ScoringSubscore:
    """`metrics.scoring.score.Criterion` as it is answered."""

    name: str = strawberry.field(description="Its name.")
    weight: float = strawberry.field(description="Its weight within the score.")
    inputs: list[ScoringInput] = strawberry.field(description="What it is made of.")


@strawberry.type(description="A version of the formula of the SLA score.")
class ScoringVersion:
    """`metrics.scoring.score.Version` as it is answered."""

    name: str = strawberry.field(description="What the argument `version` takes.")
    description: str = strawberry.field(description="What it is.")
    is_default: bool = strawberry.field(description="Is it taken where none is named?")
    prior: float | None = strawberry.field(description="The starting score; null: it is not drawn to one.")
    k: float | None = strawberry.field(description="How many attempted sessions weigh as much as the prior.")
    has_coverage: bool = strawberry.field(description="Is coverage a factor of the score?")
    subscores: list[ScoringSubscore] = strawberry.field(description="What it is made of.")


@strawberry.type
class Scored:
    """What has a score."""

    scope: strawberry.Private[Scope]

    @field("Its SLA score, 0 to 100, with everything it was made of.")
    async def sla_score(
        self,
        info: Info[Context, None],
        window: WindowArgument = None,
        workflow: WorkflowArgument = None,
        region: RegionArgument = None,
        version: VersionArgument = None,
    ) -> SlaScore | None:
        span, chosen = window_from(window, info.context.clock), version_named(version)
        scope = filtered(self.scope, workflow, region)
        return shown(await reading.score(info.context, scope, span, chosen))


def shown(score: made.Score) -> SlaScore:
    """A score as it is answered."""
    return SlaScore(
        value=score.value,
        version=score.version.name,
        window=TimeWindow(start=score.window.start, end=score.window.end),
        evidence=small("evidence", score.evidence),
        subscores=_subscores(score.subscores),
        missing=score.missing,
        prior=score.version.prior,
        k=score.version.k,
        workflows=[_part(part) for part in score.parts],
    )


def _part(part: made.Part) -> WorkflowScore:
    targets = {name: getattr(part.targets, name) for name in part.targets.__slots__}
    return WorkflowScore(
        workflow=part.workflow,
        value=part.value,
        raw=part.raw,
        evidence=small("evidence", part.evidence),
        subscores=_subscores(part.subscores),
        missing=part.missing,
        coverage=_coverage(part.coverage),
        targets=WorkflowTargets(**targets),
    )


def _coverage(one: made.Coverage | None) -> Coverage | None:
    if one is None:
        return None
    signals, expected = small("signals", one.signals), small("expected", one.expected)
    return Coverage(factor=one.factor, signals=signals, expected=expected)


def _subscores(subscores: Sequence[made.Subscore]) -> list[Subscore]:
    return [
        Subscore(name=one.name, value=one.value, weight=one.weight, inputs=[_input(each) for each in one.inputs])
        for one in subscores
    ]


def _input(one: made.Input) -> ScoreInput:
    return ScoreInput(
        metric=to_camel_case(one.name),
        value=one.value,
        samples=small("samples", one.samples),
        good=one.good,
        bad=one.bad,
        direction=one.direction,
        weight=one.weight,
        score=one.score,
        enough=one.enough,
        benchmark_rows=one.benchmark_rows,
    )


def versions() -> list[ScoringVersion]:
    """Every version, the default one first."""
    return [
        ScoringVersion(
            name=one.name,
            description=one.description,
            is_default=one is DEFAULT,
            prior=one.prior,
            k=one.k,
            has_coverage=one.cover is not None,
            subscores=[
                ScoringSubscore(
                    name=criterion.name, weight=criterion.weight, inputs=[_rule(rule) for rule in criterion.rules]
                )
                for criterion in one.criteria
            ],
        )
        for one in VERSIONS
    ]


def _rule(rule: made.Rule) -> ScoringInput:
    return ScoringInput(
        metric=to_camel_case(rule.metric.name),
        unit=rule.metric.unit,
        description=rule.metric.doc,
        formula=str(rule.metric.formula),
        direction=rule.metric.direction,
        weight=rule.weight,
        good=rule.good,
        bad=rule.bad,
        thresholds=rule.thresholds or None,
        enough=rule.enough,
    )
