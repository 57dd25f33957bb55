"""Bad tokens are counted by the address that they come from: beyond so many a second none is looked at."""

from starlette.datastructures import MutableHeaders

from auth.budget import Budget, Spent
from auth.meter import Kept
from gateway.metered import UNLIMITED, tell
from metrics.errors import RateLimited


class Refusals:
    """Counts apart from requests, so that whoever shares an address with a flood of those can still show a token.

    `rate` is how many bad tokens an address may send in a second; 0 is no limit.
    """

    def __init__(self, rate: int) -> None:
        self._budget = Budget("refusals", rate or UNLIMITED, 1)
        self._counted = Kept()

    async def admit(self, key: str) -> None:
        """Before a token is looked at: as if it were a bad one. Raises RateLimited where that is one too many."""
        if not await self._counted.spend(key, self._budget, 1):
            wait_s = (await self._spent(key)).wait_s(self._budget, 1)
            raise RateLimited(
                f"more than {self._budget.amount:,} requests in a second with tokens that are not good. "
                f"Ask again in {wait_s} s, with a good one or none.",
                wait_s,
            )

    async def forgive(self, key: str) -> None:
        """It was a good one."""
        await self._counted.spend(key, self._budget, -1)

    async def tell(self, key: str, headers: MutableHeaders) -> None:
        """Say in an answer what is left."""
        spent = await self._spent(key)
        tell(headers, [(self._budget, spent.remaining(self._budget), spent.reset_s())])

    async def _spent(self, key: str) -> Spent:
        return await self._counted.spent(key, self._budget)
