"""The demand–supply heat map: what was advertised, used and missed, by region and workflow."""

from asyncio import gather
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from metrics.catalogue import SUPPLY
from metrics.columns import INFERENCE_MS, UNSERVED
from metrics.dimension import Dimension
from metrics.row import Row, Sum
from metrics.supply import BUSY_MS, GPU_MS
from metrics.window import MINUTE_MS, Window
from resolvers.context import Context
from resolvers.figures import small
from resolvers.measured import Measures, read
from resolvers.scope import Scope

BY = (Dimension.WORKFLOW, Dimension.REGION)
_DEMAND = Measures(sorted((*INFERENCE_MS.measures, *UNSERVED.measures)))
_SUPPLY = Measures(sorted((*GPU_MS.measures, *BUSY_MS.measures)))
_GPUS = Measures(GPU_MS.measures)

Key = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class SupplyCell:
    """One workflow in one region. Without a snapshot nothing is known of supply: None, and no GPUs."""

    region: str | None
    workflow: str
    gpus: int
    gpu_minutes: float | None
    inference_minutes: float
    capacity_rate_pct: float | None
    unserved: int


async def supply(context: Context, scope: Scope, window: Window) -> list[SupplyCell]:
    """Every cell in which GPUs were advertised or sessions asked for, by region (unknown last) and workflow.

    A cell's GPUs are those advertised at the end of the window.
    """
    last = Window.of_ms(window.end_ms - 1, window.end_ms)
    demanded, supplied, present = await gather(
        read(context, scope, window, _DEMAND, by=BY),
        read(context, scope, window, _SUPPLY, by=BY),
        read(context, scope, last, _GPUS, by=BY),
    )
    demand, supply, gpus = _by_key(demanded), _by_key(supplied), _by_key(present)
    cells = [_cell(key, demand.get(key, {}), supply.get(key, {}), gpus.get(key, {})) for key in {**demand, **supply}]
    kept = [cell for cell in cells if cell and (cell.gpu_minutes or cell.inference_minutes or cell.unserved)]
    return sorted(kept, key=lambda cell: (cell.region is None, cell.region or "", cell.workflow))


def _by_key(rows: Iterable[Row]) -> dict[Key, Mapping[str, Sum]]:
    return {row.by: row.sums for row in rows}


def _cell(key: Key, demand: Mapping[str, Sum], supply: Mapping[str, Sum], gpus: Mapping[str, Sum]) -> SupplyCell | None:
    workflow, region = key
    if workflow is None:
        return None
    advertised_ms = _sum(supply, "gpu_ms")
    return SupplyCell(
        region=region,
        workflow=workflow,
        gpus=small("gpus", _sum(gpus, "gpu_ms")),  # one millisecond each
        gpu_minutes=advertised_ms / MINUTE_MS if advertised_ms else None,
        inference_minutes=_sum(demand, "inference_ms") / MINUTE_MS,
        capacity_rate_pct=SUPPLY["capacity_rate_pct"].value(supply),
        unserved=small("unserved", _sum(demand, "unserved")),
    )


def _sum(sums: Mapping[str, Sum], name: str) -> int:
    found = sums.get(name)
    return found if isinstance(found, int) else 0
