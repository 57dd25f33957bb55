"""The headline numbers and the protocol, as the NaaP dashboard wants them."""

import strawberry

from graph.entity import Ctx
from graph.fields import field
from graph.scalars import write_datetime
from metrics.errors import NoEvidence
from metrics.window import to_ms
from resolvers.dashboard import kpi as reading
from resolvers.dashboard.figures import MetricDelta as Delta
from resolvers.scope import EVERYWHERE
from resolvers.stake import stakes

ROUND = "always NO_EVIDENCE, the events do not tell rounds"


def _no_round() -> int:
    raise NoEvidence("the protocol's rounds and blocks are not known: the events do not tell them.")


@strawberry.type(description="A number of one hour.")
class HourlyBucket:
    """`resolvers.dashboard.kpi.HourlyBucket` as it is answered."""

    hour: str = strawberry.field(description="When the hour of UTC begins, as RFC 3339.")
    value: float = strawberry.field(
        description="The number; of the first and last hour only what lies in the timeframe."
    )


@strawberry.type(description="A number and its change against the window of the same length before.")
class MetricDelta:
    """`resolvers.dashboard.figures.MetricDelta` as it is answered."""

    value: float = strawberry.field(description="The number.")
    delta: float = strawberry.field(
        description="Its change: of a rate in points, of orchestrators in heads, of others in percent (from nothing "
        "to something: 100). 0 where the window before has no evidence."
    )


@strawberry.type(name="KPI", description="Headline numbers of a timeframe. Streams only: jobs are not in them.")
class KPI:
    """`resolvers.dashboard.kpi.Kpi` as it is answered."""

    kpi: strawberry.Private[reading.Kpi]

    @field("What failureRatePct leaves to 100, in %. Null, and the KPI with it, where no session was attempted.")
    async def success_rate(self) -> MetricDelta:
        return _delta(await self.kpi.success_rate())

    @field("Orchestrators seen in a session, payment or snapshot.")
    async def orchestrators_observed(self) -> MetricDelta:
        return _delta(await self.kpi.orchestrators_observed())

    @field("Minutes of inference in the timeframe, as demand.inferenceMinutes counts them.")
    async def daily_usage_mins(self) -> MetricDelta:
        return _delta(await self.kpi.usage_mins())

    @field("Sessions requested in the timeframe, as demand.sessions counts them.")
    async def daily_session_count(self) -> MetricDelta:
        return _delta(await self.kpi.session_count())

    @field("Expected value of the tickets in the timeframe, in ETH.")
    async def daily_network_fees_eth(self) -> MetricDelta:
        return _delta(await self.kpi.fees_eth())

    @field("How many hours the timeframe has.")
    def timeframe_hours(self) -> int:
        return self.kpi.timeframe.hours

    @field("Minutes of inference of each hour; hours without any are 0.")
    async def hourly_usage(self) -> list[HourlyBucket] | None:
        return _hours(await self.kpi.hourly_usage())

    @field("Sessions requested in each hour; hours without any are 0.")
    async def hourly_sessions(self) -> list[HourlyBucket] | None:
        return _hours(await self.kpi.hourly_sessions())


@strawberry.type(description="The protocol's state, as far as it was imported.")
class Protocol:
    """What the dashboard wants to know of the chain."""

    @field(f"The current round: {ROUND}.")
    def current_round(self) -> int:
        return _no_round()

    @field(f"Blocks of the round that are over: {ROUND}.")
    def block_progress(self) -> int:
        return _no_round()

    @field(f"Blocks of a round: {ROUND}.")
    def total_blocks(self) -> int:
        return _no_round()

    @field(
        "What all orchestrators have staked, by the latest statements; NO_EVIDENCE without any.", name="totalStakedLPT"
    )
    async def total_staked_lpt(self, info: Ctx) -> float:
        now_ms = to_ms(info.context.now)
        staked = (await stakes(info.context, EVERYWHERE, [now_ms]))[now_ms]
        if staked is None:
            raise NoEvidence("no stake was imported. `naap ingest --stake FILE` loads it.")
        return float(staked)


def _delta(found: Delta) -> MetricDelta:
    return MetricDelta(value=found.value, delta=found.delta)


def _hours(found: list[reading.HourlyBucket]) -> list[HourlyBucket]:
    return [HourlyBucket(hour=write_datetime(one.hour), value=one.value) for one in found]
