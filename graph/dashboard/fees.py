"""Fees as the NaaP dashboard wants them. Those in US dollars always fail: their types have no null."""

import strawberry

from graph.fields import field
from metrics.errors import NoEvidence
from resolvers.dashboard import fees as reading

USD = "in US dollars: always NO_EVIDENCE, the events name no price of ETH"


def _no_usd() -> float:
    raise NoEvidence("amounts in US dollars are not known: the events name no price of ETH. Ask for the field in ETH.")


@strawberry.type(description="The fees of one day of UTC.")
class FeeDayData:
    """`resolvers.dashboard.fees.Volume` as it is answered."""

    date_s: int = strawberry.field(description="When the day begins, in Unix seconds.")
    volume_eth: float = strawberry.field(description="Expected value of its tickets, in ETH.")

    @field(f"The same {USD}.")
    def volume_usd(self) -> float:
        return _no_usd()


@strawberry.type(description="The fees of one week; weeks begin on Monday, in UTC.")
class FeeWeeklyData:
    """`resolvers.dashboard.fees.Volume` as it is answered."""

    date: int = strawberry.field(description="When the week begins, in Unix seconds.")
    weekly_volume_eth: float = strawberry.field(
        description="The fees of those of its days that are in dayData, in ETH."
    )

    @field(f"The same {USD}.")
    def weekly_volume_usd(self) -> float:
        return _no_usd()


@strawberry.type(description="The network's fees: expected values of tickets.")
class FeesInfo:
    """`resolvers.dashboard.fees.Fees` as it is answered."""

    fees: strawberry.Private[reading.Fees]

    @field("All fees that the log holds, in ETH.")
    def total_eth(self) -> float:
        return self.fees.total_eth

    @field(f"The same {USD}.")
    def total_usd(self) -> float:
        return _no_usd()

    @field("The fees of the latest day that is over, in ETH.")
    def one_day_volume_eth(self) -> float:
        return self.fees.day.eth

    @field(f"The same {USD}.")
    def one_day_volume_usd(self) -> float:
        return _no_usd()

    @field("The fees of the latest week that is over, in ETH.")
    def one_week_volume_eth(self) -> float:
        return self.fees.week.eth

    @field(f"The same {USD}.")
    def one_week_volume_usd(self) -> float:
        return _no_usd()

    @field("The change of oneDayVolumeEth against the day before, in %; null where there was nothing to grow from.")
    def volume_change_eth(self) -> float | None:
        return self.fees.day.change_pct

    @field(f"The same {USD}.")
    def volume_change_usd(self) -> float | None:
        return _no_usd()

    @field("The change of oneWeekVolumeEth against the week before, in %; null where there was nothing to grow from.")
    def weekly_volume_change_eth(self) -> float | None:
        return self.fees.week.change_pct

    @field(f"The same {USD}.")
    def weekly_volume_change_usd(self) -> float | None:
        return _no_usd()

    @field("Day by day, oldest first, today included: the days that the events reach.")
    def day_data(self) -> list[FeeDayData]:
        return [FeeDayData(date_s=one.start_s, volume_eth=one.eth) for one in self.fees.days]

    @field("The same by week.")
    def weekly_data(self) -> list[FeeWeeklyData]:
        return [FeeWeeklyData(date=one.start_s, weekly_volume_eth=one.eth) for one in self.fees.weeks]
