"""Benchmarks: how the whole network did with a workflow over the 7 full UTC days before.

A row is one (orchestrator, GPU, hour); of each metric the rows that have samples of it are put in order of their means.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from metrics.dimension import Dimension
from metrics.formula import Number
from metrics.metric import Metric
from metrics.row import Row
from metrics.window import DAY_MS, Grain, Window

DAYS = 7
BY = (Dimension.ORCHESTRATOR, Dimension.GPU, Dimension.WORKFLOW)
GRAIN = Grain.HOUR


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Metric name → the means of the rows, in order."""

    means: Mapping[str, Sequence[Number]] = field(default_factory=lambda: MappingProxyType({}))

    def rows(self, metric: Metric) -> int:
        """How many rows have samples of a metric."""
        return len(self.means.get(metric.name, ()))

    def percentile(self, metric: Metric, p: int) -> Number | None:
        """The nearest rank: the smallest mean up to which lie p % of the rows; None without rows."""
        ordered = self.means.get(metric.name, ())
        return ordered[-(-p * len(ordered) // 100) - 1] if ordered else None


NO_BENCHMARK = Benchmark()


def window_before(window: Window) -> Window | None:
    """The 7 full UTC days before the one in which a window starts; None before the calendar of windows begins."""
    end_ms = Grain.DAY.floor(window.start_ms)
    start_ms = end_ms - DAYS * DAY_MS
    return Window.of_ms(start_ms, end_ms) if start_ms >= 0 else None


def benchmarks(rows: Iterable[Row], metrics: Sequence[Metric]) -> dict[str | None, Benchmark]:
    """The benchmark of each workflow, of rows by BY and GRAIN. What nobody known did is no row."""
    found: dict[str | None, dict[str, list[Number]]] = defaultdict(lambda: {metric.name: [] for metric in metrics})
    for row in rows:
        orchestrator, _, workflow = row.by
        if orchestrator is None:
            continue
        for metric in metrics:
            mean = metric.value(row.sums)
            if mean is not None:
                found[workflow][metric.name].append(mean)
    return {
        workflow: Benchmark({name: sorted(means) for name, means in by_metric.items()})
        for workflow, by_metric in found.items()
    }
