"""The headline numbers of the NaaP dashboard. Each is read when it is looked at, and all of them together."""

from asyncio import gather
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from metrics.buckets import Buckets
from metrics.catalogue import FAILURE_RATE
from metrics.errors import NoEvidence
from metrics.exact import UNIT
from metrics.window import Grain
from resolvers import demand as demands
from resolvers.context import Context
from resolvers.dashboard.figures import MetricDelta, compared, rest_pct
from resolvers.dashboard.timeframe import Timeframe
from resolvers.demand import Demand, DemandSeries, demand_asked
from resolvers.entities import ORCHESTRATOR, entities
from resolvers.measured import Asked, Fill, Measures, metrics
from resolvers.scope import Scope

_FAILURES = Asked(Measures(sorted(FAILURE_RATE.reads())))


@dataclass(frozen=True, slots=True)
class HourlyBucket:
    """One hour of UTC and its number, as much of it as lies in the timeframe."""

    hour: datetime
    value: float


@dataclass(frozen=True, slots=True)
class Kpi:
    """The numbers of a scope in a timeframe."""

    context: Context
    scope: Scope
    timeframe: Timeframe

    async def success_rate(self) -> MetricDelta:
        """What failureRatePct leaves to 100; its change in points. Raises NoEvidence without attempted sessions."""
        window = self.timeframe.window
        found = await gather(
            *(metrics(self.context, self.scope, each, _FAILURES) for each in (window, window.before()))
        )
        now, before = (rest_pct(FAILURE_RATE, one.sums) for one in found)
        if now is None:
            raise NoEvidence(
                "no session was attempted in this timeframe: there is no rate of success. Use a longer one."
            )
        return MetricDelta(now, 0.0 if before is None else now - before)

    async def orchestrators_observed(self) -> MetricDelta:
        """Orchestrators seen in a session, payment or snapshot; one counts for all the time between two sightings."""
        now = self.timeframe.window
        before = now.before()
        found = await entities(self.context, ORCHESTRATOR, (), self.scope, before.start_ms)
        present = [
            len([one for one in found if one.last_ms >= each.start_ms and one.first_ms < each.end_ms])
            for each in (now, before)
        ]
        return MetricDelta(present[0], present[0] - present[1])

    async def usage_mins(self) -> MetricDelta:
        """Minutes of inference."""
        return await self._compared("inference_minutes", _minutes)

    async def session_count(self) -> MetricDelta:
        """Sessions requested."""
        return await self._compared("sessions", _sessions)

    async def fees_eth(self) -> MetricDelta:
        """Expected value of the tickets, in ETH."""
        return await self._compared("fees_wei", lambda one: one.fees_wei / UNIT)

    async def hourly_usage(self) -> list[HourlyBucket]:
        """Minutes of inference, hour by hour."""
        return await self._hourly("inference_minutes", _minutes)

    async def hourly_sessions(self) -> list[HourlyBucket]:
        """Sessions requested, hour by hour."""
        return await self._hourly("sessions", _sessions)

    async def _compared(self, field: str, number: Callable[[Demand], float]) -> MetricDelta:
        asked, window = demand_asked((field,)), self.timeframe.window
        now, before = await gather(
            *(demands.demand(self.context, self.scope, each, asked) for each in (window, window.before()))
        )
        return compared(number(now), number(before))

    async def _hourly(self, field: str, number: Callable[[Demand], float]) -> list[HourlyBucket]:
        series = DemandSeries(self.context, self.scope, self.timeframe.window, Buckets(Grain.HOUR), Fill.NULL)
        buckets = await series.buckets(demand_asked((field,)), partial=False)
        return [HourlyBucket(one.start, number(one.demand)) for one in buckets]


def _minutes(one: Demand) -> float:
    return one.inference_minutes


def _sessions(one: Demand) -> float:
    return one.sessions
