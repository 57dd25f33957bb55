"""Pipelines: which one each workflow runs in."""

from collections.abc import Mapping

from metrics.dimension import Dimension
from metrics.sighting import Trait
from resolvers.context import Context
from resolvers.entities import WORKFLOW, entities
from resolvers.scope import EVERYWHERE, Scope, narrowed

# What a client is told that has no null for a name that the events do not say.
UNKNOWN = "unknown"


async def pipelines(context: Context) -> Mapping[str, str]:
    """Workflow → the pipeline that it was last seen in; workflows of which none is known are left out."""
    found = await entities(context, WORKFLOW, (Trait.PIPELINE,))
    told = ((one.key, one.latest(Trait.PIPELINE)) for one in found)
    return {workflow: pipeline for workflow, pipeline in told if pipeline is not None}


async def of_pipeline(context: Context, pipeline: str | None, workflow: str | None) -> Scope:
    """The scope of a pipeline's workflows, or of one of them; everywhere without either."""
    scope = EVERYWHERE if workflow is None else narrowed(EVERYWHERE, Dimension.WORKFLOW, (workflow,))
    if pipeline is None:
        return scope
    known = await pipelines(context)
    return narrowed(scope, Dimension.WORKFLOW, (name for name, told in known.items() if told == pipeline))
