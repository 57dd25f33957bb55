"""How often an address may sign in, refresh and the like: slowapi counts, for REST and the graph's mutations together.

Counted by this process, in memory: slowapi's calls are synchronous, and a Redis would hold up every other request.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from math import ceil
from typing import Any

from limits.storage import Storage
from slowapi import Limiter
from slowapi.errors import RateLimitExceeded
from starlette.requests import Request

from gateway.address import counted
from gateway.settings import Settings
from metrics.errors import RateLimited

# About 30 MB. Beyond it the addresses that came longest ago are forgotten.
MOST_KEYS = 100_000


class Counts(Storage):
    """Windows of fixed length in memory, by key: (count, end). The library's own keeps as many keys as come."""

    STORAGE_SCHEME = ["naap-counts"]  # noqa: RUF012  # as the library declares it

    def __init__(self, uri: str | None = None, clock: Callable[[], float] = time.time, most: int = MOST_KEYS) -> None:
        super().__init__(uri)
        self._clock, self._most = clock, most
        self._counts: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count, and how much that makes."""
        now = self._clock()
        count, end = self._counts.get(key, (0, 0.0))
        found = (count + amount, end) if now < end else (amount, now + expiry)
        self._counts[key] = found
        self._counts.move_to_end(key)
        if len(self._counts) > self._most:
            self._counts.popitem(last=False)
        return found[0]

    def get(self, key: str) -> int:
        """What was counted."""
        count, end = self._counts.get(key, (0, 0.0))
        return count if self._clock() < end else 0

    def get_expiry(self, key: str) -> float:
        """When the window ends, in seconds since 1970."""
        return max(self._clock(), self._counts.get(key, (0, 0.0))[1])

    def clear(self, key: str) -> None:
        """Forget a key."""
        self._counts.pop(key, None)

    def reset(self) -> int:
        """Forget everything."""
        count = len(self._counts)
        self._counts.clear()
        return count

    def check(self) -> bool:
        """Always there."""
        return True

    @property
    def base_exceptions(self) -> type[Exception]:
        """What can go wrong: nothing."""
        return ValueError


class _Counting(Limiter):
    """slowapi, told by our settings alone and not by variables of its own."""

    def get_app_config(self, key: str, default_value: Any = None) -> Any:
        """What was given here."""
        return default_value


class Turnstile:
    """Counts what an address does at the door, each thing for itself; the names are those of `rest.login`."""

    def __init__(self, settings: Settings) -> None:
        nonces, logins, refreshes = (
            settings.nonces_per_minute,
            settings.logins_per_minute,
            settings.refreshes_per_minute,
        )
        # Its words name the address, and whoever floods would fill the log.
        logging.getLogger("slowapi").setLevel(logging.CRITICAL)
        self._limiter = _Counting(_address, strategy="fixed-window", storage_uri=f"{Counts.STORAGE_SCHEME[0]}://")
        most = {
            "nonce": nonces,
            "login": logins,
            "delegate": logins,
            "refresh": refreshes,
            "logout": refreshes,
            "revoke_delegation": refreshes,
        }
        self._gates = {name: self._gate(name, rate) for name, rate in most.items() if rate}

    def admit(self, request: Request, name: str) -> None:
        """Count one of these. Raises RateLimited where it is one too many."""
        gate = self._gates.get(name)
        if gate is None:
            return
        # slowapi counts a request once, and one document may try several times.
        asking = Request({**request.scope, "state": {**request.scope["state"]}})
        try:
            gate(asking)
        except RateLimitExceeded as error:
            item, key = asking.state.view_rate_limit
            wait_s = max(1, ceil(self._limiter.limiter.get_window_stats(item, *key).reset_time - time.time()))
            raise RateLimited(
                f"more than {error.detail.replace(' per 1 ', ' a ')} from one address. Ask again in {wait_s} s.", wait_s
            ) from None

    def _gate(self, name: str, most: int) -> Callable[[Request], None]:
        def passed(request: Request) -> None:
            """Nothing more is asked of who may pass."""

        passed.__name__ = name  # by which slowapi tells them apart
        gate: Callable[[Request], None] = self._limiter.shared_limit(f"{most}/minute", scope=name)(passed)
        return gate


def _address(request: Request) -> str:
    return counted(request.state.address)
