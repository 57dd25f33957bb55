"""Earnings: what an orchestrator was paid, bucket by bucket, by gateway and workflow. Exact to the wei."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from metrics import columns as c
from metrics.dimension import Dimension
from metrics.exact import decimal_text
from metrics.fold import add
from metrics.measure import Column
from metrics.row import Row
from metrics.window import Grain, Window, from_ms
from resolvers.context import Context
from resolvers.figures import small
from resolvers.measured import Measures, is_partial, read
from resolvers.scope import Scope

BY = (Dimension.GATEWAY, Dimension.WORKFLOW)
MEASURES = Measures(sorted(one.measures[0] for one in (c.PAYMENTS, c.TICKETS, c.FACE_VALUE_WEI, c.FEES_WEI)))


class Earned:
    """The sums of some rows."""

    __slots__ = ("_rows",)

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows

    @property
    def fees_wei(self) -> int:
        """Expected value of the tickets, in wei."""
        return self._sum(c.FEES_WEI)

    @property
    def fees_eth(self) -> str:
        """The same in ETH, exactly."""
        return decimal_text(self.fees_wei)

    @property
    def face_value_wei(self) -> int:
        """Face value of the tickets, in wei."""
        return self._sum(c.FACE_VALUE_WEI)

    @property
    def tickets(self) -> int:
        """Tickets received."""
        return small("tickets", self._sum(c.TICKETS))

    @property
    def payments(self) -> int:
        """Payments received."""
        return small("payments", self._sum(c.PAYMENTS))

    def _sum(self, column: Column) -> int:
        measure, total = column.measures[0], 0
        for row in self._rows:
            held = add(measure, total, row.sums.get(measure.name))
            total = held if isinstance(held, int) else 0
        return total


class EarningsPart(Earned):
    """What came of one gateway for one workflow; None where that is not known."""

    __slots__ = ("gateway", "workflow")

    def __init__(self, row: Row) -> None:
        super().__init__([row])
        self.gateway, self.workflow = row.by


@dataclass(frozen=True, slots=True)
class EarningsBucket:
    """One bucket in which something was paid."""

    start: datetime
    end: datetime
    partial: bool
    total: Earned
    parts: Sequence[EarningsPart]


async def earnings(context: Context, scope: Scope, window: Window, interval: Grain) -> list[EarningsBucket]:
    """What a scope earned, in order of time; buckets without a payment are left out."""
    context.spend_points(window.count(interval))
    found: dict[int, list[Row]] = defaultdict(list)
    for row in await read(context, scope, window, MEASURES, interval, BY):
        if row.sums.get(c.PAYMENTS.name):
            found[row.start_ms or 0].append(row)
    reach = (await context.held()).latest_ms if found else None
    return [
        EarningsBucket(
            from_ms(start),
            from_ms(end),
            is_partial(start, end, window, reach),
            Earned(rows),
            [EarningsPart(row) for row in rows],
        )
        for start, rows in sorted(found.items())
        for end in (start + interval.value,)
    ]
