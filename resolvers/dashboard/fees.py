"""The network's fees as the NaaP dashboard shows them: in all, by day and by week, in ETH."""

from asyncio import gather
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from metrics.buckets import Buckets
from metrics.errors import BadRequest
from metrics.exact import UNIT
from metrics.window import DAY_MS, WEEK_MS, Grain, Window, to_ms
from resolvers.context import Context
from resolvers.dashboard.figures import change_pct
from resolvers.demand import DemandSeries, demand, demand_asked
from resolvers.measured import Fill
from resolvers.scope import EVERYWHERE

DEFAULT_DAYS, MAX_DAYS = 180, 365
_ASKED = demand_asked(("fees_wei",))


@dataclass(frozen=True, slots=True)
class Volume:
    """The fees of one UTC day or week (of a week: of those of its days that are shown)."""

    start_ms: int
    wei: int

    @property
    def start_s(self) -> int:
        """When it begins, in Unix seconds."""
        return self.start_ms // 1000

    @property
    def eth(self) -> float:
        """The fees in ETH."""
        return self.wei / UNIT


@dataclass(frozen=True, slots=True)
class Shown:
    """The latest day or week that is over, and the change in percent against the one before it."""

    eth: float
    change_pct: float | None


@dataclass(frozen=True, slots=True)
class Fees:
    """What was earned since the log begins, and day by day."""

    total_wei: int
    days: Sequence[Volume]
    now_ms: int

    @property
    def total_eth(self) -> float:
        """All fees that the log holds, in ETH."""
        return self.total_wei / UNIT

    @property
    def weeks(self) -> list[Volume]:
        """The days by week; weeks begin on Monday."""
        found: dict[int, int] = defaultdict(int)
        for day in self.days:
            found[Grain.WEEK.floor(day.start_ms)] += day.wei
        return [Volume(start_ms, wei) for start_ms, wei in sorted(found.items())]

    @property
    def day(self) -> Shown:
        """The latest full day."""
        return self._latest(self.days, DAY_MS)

    @property
    def week(self) -> Shown:
        """The latest full week."""
        return self._latest(self.weeks, WEEK_MS)

    def _latest(self, volumes: Sequence[Volume], length_ms: int) -> Shown:
        over = [one for one in volumes if one.start_ms + length_ms <= self.now_ms]
        if not over:
            return Shown(0.0, None)
        return Shown(over[-1].eth, change_pct(over[-1].wei, over[-2].wei) if len(over) > 1 else None)


async def fees(context: Context, days: int | None) -> Fees:
    """The fees of the last days, today included, as far as the events reach. Raises BadRequest for a wrong count."""
    count = DEFAULT_DAYS if days is None else days
    if not 1 <= count <= MAX_DAYS:
        raise BadRequest(f"days must be between 1 and {MAX_DAYS}, not {count:,}.", "days")
    now_ms = to_ms(context.now)
    window = Window.of_ms(Grain.DAY.floor(now_ms) - (count - 1) * DAY_MS, now_ms + 1)
    series = DemandSeries(context, EVERYWHERE, window, Buckets(Grain.DAY), Fill.NULL)
    held = await context.holds()
    first_ms = min((first for first, _ in held.sources.values()), default=now_ms)
    whole = Window.of_ms(min(Grain.DAY.floor(first_ms), now_ms), now_ms + 1)
    all_of_it, buckets = await gather(demand(context, EVERYWHERE, whole, _ASKED), series.buckets(_ASKED, partial=False))
    volumes = [Volume(to_ms(one.start), one.demand.fees_wei) for one in buckets]
    reach_ms = -1 if held.latest_ms is None else held.latest_ms
    shown = [one for one in volumes if Grain.DAY.floor(first_ms) <= one.start_ms <= reach_ms]
    return Fees(all_of_it.fees_wei, shown, now_ms)
