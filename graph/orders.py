"""Orders as clients write them: by a metric in a window, or by a field."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import strawberry

from graph.enums import GpuOrderField, OrchestratorOrderField, OrderDirection, StreamOrderField
from graph.sla import checked, metric_named
from graph.window import WindowInput, window_from
from metrics.errors import BadRequest
from metrics.metric import Statistic
from metrics.sighting import Trait
from resolvers.measured import Comparison
from resolvers.order import BY_KEY, Order

_FIELDS: dict[str, dict[str, Any]] = {
    "ADDRESS": {},
    "GPU_ID": {},
    "STAKE_LPT": {"stake": True},
    "FIRST_SEEN_AT": {"time": "first_ms"},
    "LAST_SEEN_AT": {"time": "last_ms"},
    "MODEL": {"trait": Trait.GPU_MODEL},
    "VRAM_BYTES": {"trait": Trait.VRAM_BYTES},
}


_STAYS = "Following pages stay in the order of the first one, however the data change."
_COMPARE_TO = "PREVIOUS_WINDOW: by the change since the window before. NETWORK changes nothing in the order."
ORCHESTRATORS = f"Orchestrators by a metric in a window, or by a field. Nulls last, ties by address. {_STAYS}"
GPUS = f"GPUs by a metric in a window, or by a field. Nulls last, ties by GPU id. {_STAYS}"


class _MetricOrder:
    """What orders of measured things share."""

    metric: str | None
    statistic: Statistic | None
    window: WindowInput | None
    compare_to: Comparison | None
    direction: OrderDirection
    field: Any

    def order(self, clock: Callable[[], datetime]) -> Order:
        """The order, checked."""
        descending = self.direction is OrderDirection.DESC
        if (self.metric is None) is (self.field is None):
            raise BadRequest("orderBy is by a metric or by a field: give one of them.", "orderBy")
        if self.metric is None:
            if any(one is not None for one in (self.statistic, self.window, self.compare_to)):
                raise BadRequest("orderBy by a field has no statistic, no window and no compareTo.", "orderBy")
            return Order(descending, **_FIELDS[self.field.name])
        metric = metric_named(self.metric, "orderBy.metric")
        statistic = checked(metric, self.statistic, "orderBy.statistic")
        window = window_from(self.window, clock, "orderBy.window")
        return Order(descending, metric, statistic, window, self.compare_to, said=repr(self.window))


def _field(description: str) -> Any:
    return strawberry.field(default=None, description=description)


@strawberry.input(description=ORCHESTRATORS)
class OrchestratorOrder(_MetricOrder):
    """Of `orchestrators`."""

    metric: str | None = _field("A metric of metricCatalogue.")
    statistic: Statistic | None = _field("Which statistic of it; VALUE by default.")
    window: WindowInput | None = _field("Over which window; the last hour by default.")
    compare_to: Comparison | None = _field(_COMPARE_TO)
    field: OrchestratorOrderField | None = _field("A field instead of a metric.")
    direction: OrderDirection = strawberry.field(default=OrderDirection.ASC, description="Which way round.")


@strawberry.input(description=GPUS)
class GpuOrder(_MetricOrder):
    """Of `gpus`."""

    metric: str | None = _field("A metric of metricCatalogue.")
    statistic: Statistic | None = _field("Which statistic of it; VALUE by default.")
    window: WindowInput | None = _field("Over which window; the last hour by default.")
    compare_to: Comparison | None = _field(_COMPARE_TO)
    field: GpuOrderField | None = _field("A field instead of a metric.")
    direction: OrderDirection = strawberry.field(default=OrderDirection.ASC, description="Which way round.")


@strawberry.input(description="Streams by a field. Ties by stream id.")
class StreamOrder:
    """Of `streams`."""

    field: StreamOrderField = strawberry.field(default=StreamOrderField.STARTED_AT, description="By what.")
    direction: OrderDirection = strawberry.field(default=OrderDirection.DESC, description="Which way round.")


def order_of(given: OrchestratorOrder | GpuOrder | None, clock: Callable[[], datetime]) -> Order:
    """The order that the argument describes; by key without one."""
    return BY_KEY if given is None else given.order(clock)
