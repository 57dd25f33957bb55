"""JobMetrics: batch requests, language models and bring-your-own-container jobs, as they are answered."""

import strawberry

from graph.selection import Selection
from graph.sla import fields_of, read_by, with_fields
from graph.window import Freshness, TimeWindow
from metrics.catalogue import JOB_METRICS
from metrics.columns import JOBS_BY_KIND, JobKind
from resolvers.measured import Asked, Measures


@strawberry.type(description="How many jobs of a kind there were.")
class JobKindCount:
    """One entry of `byKind`."""

    kind: JobKind = strawberry.field(description="What ran them.")
    count: int = strawberry.field(description="Jobs of this kind.")


@strawberry.type(
    description="The jobs of a scope in a window, each in the bucket of its first event. Without evidence a value is "
    "null, a count 0; 0 is a measurement."
)
@with_fields(fields_of(JOB_METRICS))
class JobMetrics:
    """`resolvers.figures.Figures` as it is answered."""

    window: TimeWindow = strawberry.field(description="What the metrics are over.")
    freshness: Freshness = strawberry.field(description="How far the data reaches.")
    by_kind: list[JobKindCount] = strawberry.field(
        description="The jobs by kind; kinds that did not occur are left out."
    )


def jobs_asked(selection: Selection) -> Asked:
    """The measures that a selection on JobMetrics needs."""
    measures, compared = read_by(selection)
    if "byKind" in selection:
        measures.update(column.measures[0] for column in JOBS_BY_KIND.values())
    return Asked(Measures(sorted(measures)), Measures(sorted(compared)))
