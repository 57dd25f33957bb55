"""Where what callers spend is kept: in this process, or in a Redis that several gateways share."""

import asyncio
import logging
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Protocol

from limits import RateLimitItemPerSecond
from limits.aio import strategies as aio
from limits.aio.storage import RedisStorage
from limits.errors import ConfigurationError
from limits.strategies import SlidingWindowCounterRateLimiter

from auth.budget import Budget, Spent
from auth.windows import Windows
from metrics.errors import BadRequest

log = logging.getLogger("naap.budget")

# A Redis that does not answer costs a request this much, and then nobody for as long as RETRY_S.
PATIENCE_S = 0.25
RETRY_S = 5.0
PREFIX = "naap"
# A thousand subscribers who are told at once open no thousand connections to it.
AT_ONCE = 32


class Meter(Protocol):
    """Keeps what was spent under each key."""

    async def spend(self, key: str, budget: Budget, cost: int) -> bool:
        """Spend so much at once, or nothing where it does not fit. A negative cost is given back, where it was spent in
        the present stretch."""

    async def spent(self, key: str, budget: Budget) -> Spent:
        """What was spent under a key until now."""


class Kept:
    """A meter in this process."""

    def __init__(self, windows: Windows | None = None) -> None:
        self._windows = windows or Windows()
        self._limiter = SlidingWindowCounterRateLimiter(self._windows)

    async def spend(self, key: str, budget: Budget, cost: int) -> bool:
        """As `Meter` says."""
        return self._limiter.hit(_item(budget), key, cost=cost)

    async def spent(self, key: str, budget: Budget) -> Spent:
        """As `Meter` says."""
        return Spent.of(self._windows.get_sliding_window(_item(budget).key_for(key), budget.seconds))


class InRedis:
    """A meter in a Redis, which answers in time or raises."""

    def __init__(self, storage: RedisStorage) -> None:
        self._storage = storage
        self._limiter = aio.SlidingWindowCounterRateLimiter(storage)

    async def spend(self, key: str, budget: Budget, cost: int) -> bool:
        """As `Meter` says."""
        if cost < 0:
            cost = max(cost, -(await self.spent(key, budget)).current)
        return await self._limiter.hit(_item(budget), key, cost=cost)

    async def spent(self, key: str, budget: Budget) -> Spent:
        """As `Meter` says."""
        return Spent.of(await self._storage.get_sliding_window(_item(budget).key_for(key), budget.seconds))


class Shared:
    """A meter in Redis. While that is away this process counts alone, and says so once; it never waits for long."""

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._shared = InRedis(_redis(url))
        self._alone = Kept()
        self._again_at = 0.0
        self._gate = asyncio.Semaphore(AT_ONCE)
        self.is_away = False

    async def spend(self, key: str, budget: Budget, cost: int) -> bool:
        """As `Meter` says."""
        async with self._gate:
            if self._asks():
                try:
                    async with asyncio.timeout(PATIENCE_S):
                        done = await self._shared.spend(key, budget, cost)
                    self._found()
                    return done
                except Exception as error:
                    self._lost(error)
        return await self._alone.spend(key, budget, cost)

    async def spent(self, key: str, budget: Budget) -> Spent:
        """As `Meter` says."""
        async with self._gate:
            if self._asks():
                try:
                    async with asyncio.timeout(PATIENCE_S):
                        found = await self._shared.spent(key, budget)
                    self._found()
                    return found
                except Exception as error:
                    self._lost(error)
        return await self._alone.spent(key, budget)

    def _asks(self) -> bool:
        """Whether Redis is asked now. While it is away one request in RETRY_S tries it."""
        if not self.is_away:
            return True
        if self._clock() < self._again_at:
            return False
        self._again_at = self._clock() + RETRY_S
        return True

    def _found(self) -> None:
        if self.is_away:
            self.is_away = False
            log.warning("Redis is back: budgets are shared among gateways again")

    def _lost(self, error: Exception) -> None:
        self._again_at = self._clock() + RETRY_S
        if not self.is_away:
            self.is_away = True
            # Its class only: a message may hold the URL, and that a password.
            log.warning("Redis is away (%s): this gateway counts budgets alone until it is back", type(error).__name__)


def open_meter(redis_url: str | None = None) -> Kept | Shared:
    """The meter that the settings want. Raises BadRequest where Redis cannot be spoken to from here."""
    if redis_url is None:
        return Kept()
    try:
        return Shared(redis_url)
    except ImportError:
        raise BadRequest(
            "NAAP_REDIS_URL needs a library that is not installed: pip install 'naap-gateway[redis]'.", "NAAP_REDIS_URL"
        ) from None
    except (ConfigurationError, ValueError):  # whose words may hold the password
        raise BadRequest(
            "NAAP_REDIS_URL is no URL of a Redis: redis://[:password@]host:port.", "NAAP_REDIS_URL"
        ) from None


@lru_cache(64)
def _item(budget: Budget) -> RateLimitItemPerSecond:
    return RateLimitItemPerSecond(budget.amount, budget.seconds, f"{PREFIX}/{budget.name}")


def _redis(url: str) -> RedisStorage:
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    return RedisStorage(
        f"async+{url}",
        implementation="redispy",
        socket_timeout=PATIENCE_S,
        socket_connect_timeout=PATIENCE_S,
        retry=Retry(NoBackoff(), 0),  # type: ignore[arg-type]  # handed on to redis
    )
