"""The compute-efficiency index: efficiency × how its price compares with the network's (docs/decisions/0052)."""

from asyncio import gather
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from statistics import median

from metrics.columns import FEES_WEI, INFERENCE_MS, PAYMENTS
from metrics.dimension import Dimension
from metrics.efficiency import EFFICIENCY
from metrics.row import Row, Sum
from metrics.window import Window
from resolvers.context import Context
from resolvers.measured import Measures, read
from resolvers.scope import EVERYWHERE, Scope, filtered

_RATE = Measures(sorted(column.measures[0] for column in (FEES_WEI, INFERENCE_MS, PAYMENTS)))
_EFFICIENCY = Measures(sorted(EFFICIENCY.reads()))
Rates = Mapping[str, Fraction]


async def cei_pct(context: Context, scope: Scope, window: Window, workflow: str | None = None) -> float | None:
    """Efficiency × min(1, the network's median fee per GPU minute of the GPU model / own), in percent; None without
    either. Of several models, the mean weighted by minutes.
    """
    scope, network = filtered(scope, workflow), filtered(EVERYWHERE, workflow)
    efficiency, own, every = await gather(
        read(context, scope, window, _EFFICIENCY),
        read(context, scope, window, _RATE, by=(Dimension.GPU_MODEL,)),
        read(context, network, window, _RATE, by=(Dimension.GPU, Dimension.GPU_MODEL)),
    )
    value = EFFICIENCY.value(efficiency[0].sums) if efficiency else None
    factor = price_factor(own, medians(every))
    return None if value is None or factor is None else float(value * factor)


def medians(rows: Iterable[Row]) -> Rates:
    """GPU model → the median over its GPUs of what each earned per ms of inference, from rows by (GPU, model)."""
    rates: dict[str, list[Fraction]] = defaultdict(list)
    for row in rows:
        gpu, model = row.by
        rate = _rate(row.sums)
        if gpu and model and rate is not None:
            rates[model].append(rate)
    return {model: median(some) for model, some in rates.items()}


def price_factor(own: Sequence[Row], medians: Rates) -> float | None:
    """min(1, median / own), from rows by model: weighted by their minutes. A GPU that costs nothing is not too dear."""
    told: list[tuple[int, Fraction]] = []
    for row in own:
        rate, usual = _rate(row.sums), medians.get(row.by[0] or "")
        if rate is not None and usual is not None:
            told.append((_sum(row.sums, INFERENCE_MS.name), min(Fraction(1), usual / rate) if rate else Fraction(1)))
    weight = sum(ms for ms, _ in told)
    return float(sum(ms * share for ms, share in told) / weight) if weight else None


def _rate(sums: Mapping[str, Sum]) -> Fraction | None:
    """Wei per ms of inference; None where nothing ran, or no payment was seen."""
    spent_ms = _sum(sums, INFERENCE_MS.name)
    return Fraction(_sum(sums, FEES_WEI.name), spent_ms) if spent_ms and _sum(sums, PAYMENTS.name) else None


def _sum(sums: Mapping[str, Sum], name: str) -> int:
    found = sums.get(name)
    return found if isinstance(found, int) else 0
