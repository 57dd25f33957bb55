"""What one request pays: before it runs, and what it did not use it gets back."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from auth.budget import Budget, Spent
from auth.meter import Meter
from metrics.errors import RateLimited, TooComplex

# Every request costs this much beside what it asks for.
REQUEST = 1
# And each place of it that asks the store about a window or with a filter so much, however little is answered.
READ = 500


@dataclass(frozen=True, slots=True)
class Price:
    """What something costs, in words how it would fit into less, and how much of the cost is for reading the store."""

    cost: int
    cheaper: Callable[[int], str] = lambda _: ""
    reading: int = 0


class Account:
    """A request's way to its caller's budget.

    `key` names the caller, `most` is what one request may cost (0: whatever the budget holds). With `only_estimate`
    the caller wants to know the price and nothing else.
    """

    __slots__ = (
        "_budget", "_clock", "_key", "_meter", "_most", "actual", "only_estimate", "requested", "retry_after_s", "spent"
    )  # fmt: skip

    def __init__(
        self,
        meter: Meter,
        key: str,
        budget: Budget,
        most: int = 0,
        only_estimate: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._meter, self._key, self._budget, self._most, self._clock = meter, key, budget, most, clock
        self.only_estimate = only_estimate
        self.requested = self.actual = 0
        self.spent = Spent()
        # Set where the request was refused for want of budget.
        self.retry_after_s: int | None = None

    async def open(self) -> None:
        """Pay for the request itself. Raises RateLimited where nothing is left."""
        await self._pay(Price(REQUEST))
        self.spent = await self._meter.spent(self._key, self._budget)

    async def pledge(self, cost: int) -> None:
        """Pay something that is given back where all goes well (`release`). Raises RateLimited."""
        await self._pay(Price(cost))

    async def release(self, cost: int) -> None:
        """Give back what was pledged."""
        if await self._give_back(cost):
            self.requested -= cost

    async def charge(self, price: Price) -> None:
        """Pay for what the request asks, before it runs. Raises TooComplex, or RateLimited with the seconds to wait."""
        most = min(self._most or self._budget.amount, self._budget.amount)
        if self.requested + price.cost > most:
            hint = price.cheaper(most - self.requested)
            raise TooComplex(
                f"this costs {self.requested + price.cost:,}; one request may cost {most:,}. {hint}".strip()
            )
        if self.only_estimate:
            self.requested += price.cost
        else:
            await self._pay(price)

    async def settle(self, price: Price, actual: int, was_read: bool = True) -> None:
        """Give back what was paid too much: `actual` is what the answer was worth, beside reading it.

        Nothing is asked afterwards.
        """
        back = price.cost - actual - (price.reading if was_read else 0)
        if back > 0:
            await self._give_back(back)

    @property
    def remaining(self) -> int:
        """What is left of the budget."""
        return self.spent.remaining(self._budget)

    @property
    def reset_s(self) -> int:
        """Seconds until all of it is there again."""
        return self.spent.reset_s()

    def told(self) -> Mapping[str, object]:
        """The price as answers tell it."""
        return {
            "requested": self.requested,
            "actual": self.actual,
            "remaining": self.remaining,
            "resetAt": _instant(int(self._clock()) + self.reset_s),
        }

    async def _give_back(self, cost: int) -> bool:
        given = await self._meter.spend(self._key, self._budget, -cost)
        if given:
            self.spent = self.spent.plus(-cost)
            self.actual -= cost
        return given

    async def _pay(self, price: Price) -> None:
        if await self._meter.spend(self._key, self._budget, price.cost):
            self.spent = self.spent.plus(price.cost)
            self.requested += price.cost
            self.actual += price.cost
            return
        self.spent = await self._meter.spent(self._key, self._budget)
        self.retry_after_s = self.spent.wait_s(self._budget, price.cost)
        left = f"{self.remaining:,} of {self._budget.amount:,} in {self._budget.seconds} s are left"
        raise RateLimited(
            f"this costs {self.requested + price.cost:,} and {left}. Ask again in {self.retry_after_s} s. "
            f"{price.cheaper(self.remaining)}".strip(),
            self.retry_after_s,
        )


@lru_cache(256)
def _instant(unix_s: int) -> str:
    # Many requests are told the same second.
    return datetime.fromtimestamp(unix_s, UTC).isoformat().replace("+00:00", "Z")
