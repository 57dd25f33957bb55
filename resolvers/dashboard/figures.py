"""What the NaaP dashboard makes of numbers: a value beside its change, and what is left of a share."""

from dataclasses import dataclass

from metrics.metric import Metric
from resolvers.figures import Sums


@dataclass(frozen=True, slots=True)
class MetricDelta:
    """A value, and how it changed against the window of the same length before."""

    value: float
    delta: float


def change_pct(now: float, before: float) -> float | None:
    """The change in percent; None where there was nothing to grow from."""
    return 100 * (now - before) / before if before else None


def compared(now: float, before: float) -> MetricDelta:
    """A value with its change in percent; as there is no null, from nothing to something is 100, to nothing 0."""
    changed = change_pct(now, before)
    return MetricDelta(now, (100.0 if now else 0.0) if changed is None else changed)


def rest_pct(metric: Metric, sums: Sums) -> float | None:
    """What a metric in percent leaves to 100; None without evidence."""
    value = metric.value(sums)
    return None if value is None else 100 - value
