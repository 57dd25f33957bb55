"""`GET /v1/sla/compliance`: the SLA score of one orchestrator, with everything it was made of."""

from collections.abc import Mapping, Sequence

from metrics.errors import NotFound
from metrics.metric import Direction
from metrics.scoring.score import Input, Part, Subscore
from metrics.scoring.versions import DEFAULT
from resolvers.context import Context
from resolvers.entities import ORCHESTRATOR, entity
from resolvers.scope import EVERYWHERE, filtered, narrowed
from resolvers.scores import score
from rest import schema
from rest.gpu_metrics import REST_NAMES
from rest.operation import Single
from rest.page import interval
from rest.parameter import Asked, Parameter
from rest.params import RANGE, WORKFLOW, TimeRange, time_range, wallet

ORCHESTRATOR_ID = wallet("orchestrator_id", "The orchestrator, by its wallet, in any case.", required=True)
PERIOD: Parameter[TimeRange] = Parameter(
    "period",
    time_range,
    RANGE,
    "`1h`, `24h`, `7d` or `2w` until now, or an interval `start/end`, start included, end excluded.",
    "1h",
)


async def compliance(context: Context, asked: Asked) -> Mapping[str, object]:
    """The score that is asked for. Raises NotFound for an orchestrator that was never seen."""
    orchestrator, workflow = asked[ORCHESTRATOR_ID], asked.get(WORKFLOW)
    window = asked[PERIOD].until(context.clock)
    if await entity(context, ORCHESTRATOR, orchestrator) is None:
        raise NotFound(
            f"orchestrator_id {orchestrator} was never seen here. /v1/sla/gpu/metrics lists those that were."
        )
    scope = filtered(narrowed(EVERYWHERE, ORCHESTRATOR.dimension, (orchestrator,)), workflow)
    found = await score(context, scope, window, DEFAULT)
    return {
        "orchestrator_id": orchestrator,
        "period": str(asked[PERIOD]),
        "time_window": interval(window),
        "workflow": workflow,
        "score": found.value,
        "subscores": _subscores(found.subscores),
        "missing": found.missing,
        "scoring_version": found.version.name,
        "evidence": found.evidence,
        "prior": found.version.prior,
        "k": found.version.k,
        "workflows": [_part(part) for part in found.parts],
    }


def _part(part: Part) -> dict[str, object]:
    return {
        "workflow": part.workflow,
        "score": part.value,
        "raw": part.raw,
        "evidence": part.evidence,
        "subscores": _subscores(part.subscores),
        "missing": part.missing,
        "targets_version": part.targets.version,
    }


def _subscores(subscores: Sequence[Subscore]) -> list[dict[str, object]]:
    return [
        {"name": one.name, "value": one.value, "weight": one.weight, "inputs": [_input(each) for each in one.inputs]}
        for one in subscores
    ]


def _input(one: Input) -> dict[str, object]:
    return {
        "metric": REST_NAMES.get(one.name, one.name),
        "value": one.value,
        "samples": one.samples,
        "good": one.good,
        "bad": one.bad,
        "direction": one.direction.value,
        "weight": one.weight,
        "score": one.score,
    }


INPUT = schema.record(
    {
        "metric": schema.text("Its name."),
        "value": schema.number("The value; null without evidence.", nullable=True),
        "samples": schema.whole("How much evidence there is.", minimum=0),
        "good": schema.number("From here on it is as good as can be.", nullable=True),
        "bad": schema.number("From here on it is worth nothing; linear between.", nullable=True),
        "direction": schema.text("Which way is better.", enum=[one.value for one in Direction]),
        "weight": schema.number(
            "Its weight within the subscore; null where it only sets the threshold of another.", nullable=True
        ),
        "score": schema.number("What it is worth.", nullable=True, minimum=0, maximum=1),
    },
    "A number that a subscore was made of.",
)
SUBSCORE = schema.record(
    {
        "name": schema.text("Its name."),
        "value": schema.number("The mean of its inputs; null without evidence.", nullable=True, minimum=0, maximum=1),
        "weight": schema.number("Its weight within the score.", minimum=0, maximum=1),
        "inputs": schema.listing(INPUT, "What it was made of; empty where it is a mean over several workflows."),
    },
    "A part of the score.",
)
_SCORE = schema.number("The score, 0 to 100; null without attempted sessions.", nullable=True, minimum=0, maximum=100)
_MISSING = schema.listing(schema.text("A name."), "Subscores without evidence, left out of the mean.")
_EVIDENCE = schema.whole("Attempted sessions.", minimum=0)
PART = schema.record(
    {
        "workflow": schema.text("The workflow; null where it is not known.", nullable=True),
        "score": _SCORE,
        "raw": schema.number(
            "100 × Σ weight·value / Σ weight, before lack of evidence draws it to the prior.",
            nullable=True,
            minimum=0,
            maximum=100,
        ),
        "evidence": _EVIDENCE,
        "subscores": schema.listing(SUBSCORE, "What it was made of."),
        "missing": _MISSING,
        "targets_version": schema.text("The version of the targets that it was held against."),
    },
    "The score of one workflow.",
)
RESULT = schema.record(
    {
        "orchestrator_id": schema.text("The orchestrator's wallet."),
        "period": schema.text("The period as it was asked for."),
        "time_window": schema.text("What the score is over (ISO 8601)."),
        "workflow": schema.text("The workflow that was asked for; null: all of them.", nullable=True),
        "score": _SCORE,
        "subscores": schema.listing(
            SUBSCORE, "The parts of the score; over several workflows their means by attempted sessions."
        ),
        "missing": _MISSING,
        "scoring_version": schema.text("The version of the formula."),
        "evidence": _EVIDENCE,
        "prior": schema.number("The starting score that lack of evidence draws to.", nullable=True),
        "k": schema.number("How many attempted sessions weigh as much as the prior.", nullable=True),
        "workflows": schema.listing(PART, "The score of each workflow; their mean by evidence is the score."),
    },
    "The SLA score of one orchestrator.",
)
COMPLIANCE = Single(
    path="/v1/sla/compliance",
    name="compliance",
    aliases=("/v1/sla/sla/compliance",),
    summary="How an orchestrator keeps its service levels",
    doc=(
        "The SLA score of one orchestrator, with every number, threshold, weight and count that it was made of: it can "
        "be worked out again from the answer."
    ),
    answers="The score.",
    own=(ORCHESTRATOR_ID, PERIOD, WORKFLOW),
    result=RESULT,
    answer=compliance,
    refusals=(404, 406),
)
