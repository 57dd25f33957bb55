"""`GET /v1/sla/compliance`: the SLA score of one orchestrator, with everything it was made of."""

from collections.abc import Mapping, Sequence

from metrics.errors import BadRequest, NotFound
from metrics.scoring.score import Input, Part, Subscore
from metrics.scoring.versions import DEFAULT
from metrics.window import Window
from resolvers.context import Context
from resolvers.entities import ORCHESTRATOR, entity
from resolvers.scope import EVERYWHERE, filtered, narrowed
from resolvers.scores import score
from rest import params
from rest.gpu_metrics import DEFAULT_RANGE, REST_NAMES
from rest.page import interval

PATHS = ("/v1/sla/compliance", "/v1/sla/sla/compliance")
PARAMETERS = ("orchestrator_id", "period", "workflow")


async def compliance(context: Context, asked: Mapping[str, str]) -> dict[str, object]:
    """The answer to these parameters. Raises BadRequest for a wrong one, NotFound for an orchestrator never seen."""
    if "orchestrator_id" not in asked:
        raise BadRequest("orchestrator_id is missing. Give the wallet of an orchestrator.", "orchestrator_id")
    orchestrator = params.address(asked["orchestrator_id"], "orchestrator_id")
    period = asked.get("period", DEFAULT_RANGE)
    window = params.time_range(period, context.now, "period")
    return await answer(context, orchestrator, period, window, asked.get("workflow"))


async def answer(
    context: Context, orchestrator: str, period: str, window: Window, workflow: str | None
) -> dict[str, object]:
    """The score of an orchestrator. Raises NotFound where it was never seen."""
    if await entity(context, ORCHESTRATOR, orchestrator) is None:
        raise NotFound(
            f"orchestrator_id {orchestrator} was never seen here. /v1/sla/gpu/metrics lists those that were."
        )
    scope = filtered(narrowed(EVERYWHERE, ORCHESTRATOR.dimension, (orchestrator,)), workflow)
    found = await score(context, scope, window, DEFAULT)
    return {
        "orchestrator_id": orchestrator,
        "period": period,
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
