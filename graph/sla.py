"""SlaMetrics: one field for each metric of the catalogue, and what a selection of them reads."""

from collections.abc import Iterable
from typing import Any, TypeVar

import strawberry
from strawberry.utils.str_converters import to_camel_case

from graph.selection import Selection
from graph.window import Freshness, TimeWindow
from metrics.catalogue import BY_NAME, METRICS, OUTCOMES
from metrics.columns import SWAPS_BY_REASON, SwapReason
from metrics.efficiency import EFFICIENCY, Confidence, Tier
from metrics.errors import BadRequest
from metrics.measure import Measure
from metrics.metric import Metric, Statistic
from resolvers.measured import Asked, Measures

C = TypeVar("C", bound=type)

BY_FIELD = {to_camel_case(metric.name): metric for metric in BY_NAME.values()}
_STATISTIC_OF = {to_camel_case(statistic.value): statistic for statistic in Statistic}

_TOLD: dict[str, tuple[Any, str]] = {
    "value": (float | None, "The value; null without evidence, never 0."),
    "p50": (float | None, "The median (nearest rank, within 1 %)."),
    "p95": (float | None, "95 % of the observations are at most this (nearest rank, within 1 %)."),
    "p99": (float | None, "99 % of the observations are at most this (nearest rank, within 1 %)."),
    "min": (float | None, "The smallest observation."),
    "max": (float | None, "The largest observation."),
    "stddev": (float | None, "The population standard deviation."),
    "samples": (int, "How much evidence there is: what the value is an average or a share of."),
    "target": (
        float | None,
        "What the value is held against: one number for everybody, or the workflow's where the answer is over one.",
    ),
    "met": (bool | None, "Is the value on the right side of its target? Null without either."),
    "compared_to": (float | None, "The value that compareTo asks for: of the window before, or of the whole network."),
}
_ENDED = {
    "requested": "All sessions, however they ended.",
    "attempted": "Sessions that were neither unserved, abandoned nor still open: served, startupFailed, outputFailed.",
    "served": "Sessions with output; where no status tells of it, with processed segments.",
    "startup_failed": "Sessions of which no processed segment came, though the user stayed.",
    "output_failed": "Sessions of which segments came, but output never did.",
    "abandoned": "Sessions that the user left before a processed segment came.",
    "unserved": "Sessions for which no orchestrator was available.",
    "open": "Sessions that have neither served nor ended yet.",
}
_MEASUREMENT = ("value", "samples", "target", "met", "compared_to")


def public_name(metric: Metric) -> str:
    """The metric's name as clients write it."""
    return to_camel_case(metric.name)


def metric_named(name: str, argument: str = "metric") -> Metric:
    """The metric of this public name. Raises BadRequest, naming those that there are."""
    if name not in BY_FIELD:
        raise BadRequest(f"{argument} {name!r} is no metric. There are: {', '.join(BY_FIELD)}.", argument)
    return BY_FIELD[name]


def checked(metric: Metric, statistic: Statistic | None, argument: str = "statistic") -> Statistic:
    """The statistic, where the metric can tell it."""
    wanted = statistic or Statistic.VALUE
    if wanted not in metric.statistics:
        told = ", ".join(each.name for each in metric.statistics)
        raise BadRequest(f"{public_name(metric)} has no {wanted.name}, only {told}.", argument)
    return wanted


def with_fields(fields: dict[str, tuple[Any, str]]) -> Any:
    """A class decorator, for below `strawberry.type`: fields with their types and descriptions."""

    def decorate(cls: C) -> C:
        for name, (annotation, description) in fields.items():
            cls.__annotations__[name] = annotation
            setattr(cls, name, strawberry.field(description=description))
        return cls

    return decorate


def _described(metric: Metric) -> str:
    # A count has no unit; formulas and sources stand in metricCatalogue.
    return metric.doc if metric.is_count else f"{metric.doc} In {metric.unit}."


@strawberry.type(description="A number with its evidence and target.")
@with_fields({name: _TOLD[name] for name in _MEASUREMENT})
class Measurement:
    """`resolvers.figures.Figure` of a share or a ratio."""


@strawberry.type(description="The distribution of many observations: mean, percentiles, extremes.")
@with_fields(_TOLD)
class Distribution:
    """`resolvers.figures.Figure` of a distribution."""


@strawberry.type(description="An efficiency: a share with its evidence and target, and what it rests on.")
@with_fields(
    {name: _TOLD[name] for name in _MEASUREMENT}
    | {
        "tier": (Tier | None, "What the value rests on; null without one."),
        "confidence": (Confidence | None, "How far that can be trusted: HIGH for MEASURED, LOW for PROXY."),
    }
)
class Efficiency:
    """`resolvers.figures.EfficiencyFigure` as it is answered."""


@strawberry.type(
    description="How many sessions ended how. requested = all; attempted = served + startupFailed + outputFailed."
)
@with_fields({name: (int, _ENDED[name]) for name in OUTCOMES})
class Outcomes:
    """`resolvers.figures.Outcomes` as it is answered."""


@strawberry.type(description="How many stays a reason ended.")
class SwapReasonCount:
    """One entry of `swapReasons`."""

    reason: SwapReason = strawberry.field(description="Why the stream was moved away.")
    count: int = strawberry.field(description="Stays left for this reason.")


def _type_of(metric: Metric) -> Any:
    if metric.is_count:
        return float if metric.is_large else int
    if metric is EFFICIENCY:
        return Efficiency
    return Distribution if metric.column else Measurement


def fields_of(metrics: Iterable[Metric]) -> dict[str, tuple[Any, str]]:
    """A field for each metric, with its type and description."""
    return {metric.name: (_type_of(metric), _described(metric)) for metric in metrics}


@strawberry.type(
    description="The metrics of a scope in a window. Without evidence a value is null, a count 0; 0 is a measurement."
)
@with_fields(fields_of(METRICS))
class SlaMetrics:
    """`resolvers.figures.Figures` as it is answered."""

    window: TimeWindow = strawberry.field(description="What the metrics are over.")
    freshness: Freshness = strawberry.field(description="How far the data reaches.")
    outcomes: Outcomes = strawberry.field(description="How the sessions ended.")
    swap_reasons: list[SwapReasonCount] = strawberry.field(
        description="Why streams were moved away; reasons that did not occur are left out."
    )


def asked(selection: Selection) -> Asked:
    """The measures that a selection on SlaMetrics needs."""
    measures, compared = read_by(selection)
    if "outcomes" in selection:
        wanted = selection.below("outcomes").names
        told = (formula for name, formula in OUTCOMES.items() if to_camel_case(name) in wanted)
        measures.update(measure for formula in told for measure in formula.reads())
    if "swapReasons" in selection:
        measures.update(column.measures[0] for column in SWAPS_BY_REASON.values())
    return Asked(Measures(sorted(measures)), Measures(sorted(compared)))


def read_by(selection: Selection) -> tuple[set[Measure], set[Measure]]:
    """The measures that the selected metrics need, and those that their comparisons need."""
    measures: set[Measure] = set()
    compared: set[Measure] = set()
    for name in selection.names:
        metric = BY_FIELD.get(name)
        if metric is not None:
            below = selection.below(name).names
            measures.update(_reads(metric, below))
            if "comparedTo" in below:
                compared.update(metric.reads())
    return measures, compared


def _reads(metric: Metric, below: frozenset[str]) -> set[Measure]:
    if metric.is_count:
        return set(metric.reads())
    statistics = {_STATISTIC_OF[name] for name in below if name in _STATISTIC_OF}
    if below & {"met", "tier", "confidence"}:
        statistics.add(Statistic.VALUE)
    if below & {"tier", "confidence"}:
        statistics.add(Statistic.SAMPLES)
    return {measure for statistic in statistics for measure in metric.reads(statistic)}
