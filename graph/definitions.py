"""The catalogue of metrics as it is answered."""

import strawberry

from graph.sla import public_name
from metrics.catalogue import BY_NAME
from metrics.dimension import Dimension
from metrics.metric import Direction, Metric, Statistic


@strawberry.type(description="What a metric means, how it is computed, and what it is held against.")
class MetricDefinition:
    """`metrics.metric.Metric` as it is answered."""

    name: str = strawberry.field(
        description="Its name: the field of SlaMetrics or JobMetrics, and what orders and `values` take."
    )
    unit: str = strawberry.field(description="The unit of its values.")
    description: str = strawberry.field(description="What it means.")
    formula: str = strawberry.field(description="How it is computed from stored sums.")
    direction: Direction = strawberry.field(description="Which way is better.")
    target: float | None = strawberry.field(
        description="What it is held against, where there is one number for everybody."
    )
    dimensions: list[str] = strawberry.field(description="What it can be grouped and filtered by.")
    source: str = strawberry.field(description="The events that it comes from.")
    evidence: str = strawberry.field(description="The sum that says how much evidence there is: its samples.")
    caveats: str = strawberry.field(description="What it does not tell, or where it misleads.")
    statistics: list[Statistic] = strawberry.field(description="What can be told of it.")


def definitions() -> list[MetricDefinition]:
    """Every metric of the catalogue, in its order."""
    return [_defined(metric) for metric in BY_NAME.values()]


def _defined(metric: Metric) -> MetricDefinition:
    return MetricDefinition(
        name=public_name(metric),
        unit=metric.unit,
        description=metric.doc,
        formula=str(metric.formula),
        direction=metric.direction,
        target=metric.target.fixed,
        dimensions=[dimension.value for dimension in Dimension],
        source=metric.source,
        evidence=str(metric.evidence),
        caveats=metric.caveats,
        statistics=[*metric.statistics],
    )
