"""The value columns of supply: GPUs that service URIs advertise, and how long they were busy.

A URI's busy GPUs are min(sessions, GPUs) and a GPU counts once, whatever it offers, so that the figures of a network
are not the sum of those of its workflows. Each such quantity is therefore a `Family`: one column for each set of
dimensions that it is asked by, each of which may be added up. Its facts last up to an hour (docs/decisions/0050).
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass

from metrics.dimension import Dimension
from metrics.measure import Aggregate, Column, Measure
from metrics.window import Grain

WHOLE: frozenset[Dimension] = frozenset()
BY_WORKFLOW = frozenset((Dimension.WORKFLOW,))
BY_REGION = frozenset((Dimension.REGION,))
# Supply belongs to no gateway, and serves tests and users alike.
NOBODYS = frozenset((Dimension.GATEWAY, Dimension.SYNTHETIC))


def _span(name: str) -> Column:
    return Column(name, (Aggregate.SPAN,), hourly=True)


GPU_MS, WORKFLOW_GPU_MS = _span("gpu_ms"), _span("workflow_gpu_ms")
BUSY_MS, WORKFLOW_BUSY_MS = _span("busy_gpu_ms"), _span("workflow_busy_gpu_ms")
# The peak FLOPS of a GPU while at least one session ran there, for which efficiency has figures.
RUNNING_MS = _span("running_ms")


def _peak(name: str) -> Column:
    return Column(name, (Aggregate.SPAN,), hourly=True, held=RUNNING_MS)


PEAK, WORKFLOW_PEAK = _peak("running_peak"), _peak("workflow_running_peak")
REGION_PEAK, WORKFLOW_REGION_PEAK = _peak("region_running_peak"), _peak("workflow_region_running_peak")

COLUMNS: tuple[Column, ...] = tuple(value for value in list(vars().values()) if isinstance(value, Column))
MEASURES = tuple(measure for column in COLUMNS for measure in column.measures)


@dataclass(frozen=True, slots=True)
class Family:
    """One quantity, kept apart for each set of dimensions that changes what it is."""

    members: Mapping[frozenset[Dimension], Measure]

    def member(self, dimensions: Set[Dimension], grain: Grain | None) -> Measure | None:
        """The measure that answers a question by these dimensions and grain; None where no column tells it."""
        if NOBODYS.intersection(dimensions) or (grain is not None and grain.value < Grain.HOUR.value):
            return None
        telling = frozenset[Dimension]().union(*self.members)
        return self.members.get(telling.intersection(dimensions))


def _family(**columns: Column) -> Family:
    keys = {"whole": WHOLE, "by_workflow": BY_WORKFLOW, "by_region": BY_REGION, "by_both": BY_WORKFLOW | BY_REGION}
    return Family({keys[name]: column.measure(Aggregate.SPAN) for name, column in columns.items()})


# By the measure that formulas name: the whole.
FAMILIES: Mapping[Measure, Family] = {
    family.members[WHOLE]: family
    for family in (
        _family(whole=GPU_MS, by_workflow=WORKFLOW_GPU_MS),
        _family(whole=BUSY_MS, by_workflow=WORKFLOW_BUSY_MS),
        _family(whole=PEAK, by_workflow=WORKFLOW_PEAK, by_region=REGION_PEAK, by_both=WORKFLOW_REGION_PEAK),
    )
}
