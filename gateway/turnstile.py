"""How often somebody may ask: slowapi counts requests, by REST and by the graph, in windows that slide.

Counted by this process, in memory: slowapi's calls are synchronous, and a Redis would hold up every other request.
"""

import inspect
import logging
from collections.abc import Callable
from typing import Any, cast

from slowapi import Limiter
from slowapi.errors import RateLimitExceeded
from starlette.requests import Request

from auth.budget import Budget, Spent
from auth.windows import Windows
from gateway.address import counted
from gateway.settings import Settings
from metrics.errors import RateLimited


class Counting(Limiter):
    """slowapi, told by our settings alone and not by variables of its own. Each budget is counted for itself."""

    def __init__(self) -> None:
        # Its words name the address, and whoever floods would fill the log.
        logging.getLogger("slowapi").setLevel(logging.CRITICAL)
        super().__init__(
            _key,
            strategy="sliding-window-counter",
            storage_uri=f"{Windows.STORAGE_SCHEME[0]}://",
            headers_enabled=False,
        )
        self._gates: dict[Budget, Callable[[Request], None]] = {}

    def get_app_config(self, key: str, default_value: Any = None) -> Any:
        """What was given here."""
        return default_value

    def count(self, budget: Budget, key: str) -> tuple[bool, Spent]:
        """Count one more of `key`, where it fits: whether it did, and what is spent."""
        gate = self._gates.get(budget) or self._gates.setdefault(budget, self._gate(budget))
        # All that slowapi wants to know of it; it counts a request once, and one document may try several times.
        asking = Request({"type": "http", "method": "POST", "path": "/", "headers": [], "state": {"key": key}})
        try:
            gate(asking)
            fits = True
        except RateLimitExceeded:
            fits = False
        item, names = asking.state.view_rate_limit
        windows = cast(Windows, self.limiter.storage)
        return fits, Spent.of(windows.get_sliding_window(item.key_for(*names), budget.seconds))

    def _gate(self, budget: Budget) -> Callable[[Request], None]:
        def passed(request: Request) -> None:
            """Nothing more is asked of who may pass."""

        passed.__name__ = f"{budget}"  # by which slowapi tells them apart
        most = f"{budget.amount} per {budget.seconds} second"
        gate: Callable[[Request], None] = self.shared_limit(most, scope=budget.name)(passed)
        return gate


class Turnstile:
    """Counts what an address does at the door, each thing for itself; the names are those of `rest.login`."""

    def __init__(self, settings: Settings) -> None:
        nonces, logins, refreshes = (
            settings.nonces_per_minute,
            settings.logins_per_minute,
            settings.refreshes_per_minute,
        )
        most = {
            "nonce": nonces,
            "login": logins,
            "delegate": logins,
            "refresh": refreshes,
            "logout": refreshes,
            "revoke_delegation": refreshes,
        }
        self._counting = Counting()
        self._budgets = {name: Budget(name, rate, 60) for name, rate in most.items() if rate}

    def admit(self, request: Request, name: str) -> None:
        """Count one of these. Raises RateLimited where it is one too many."""
        budget = self._budgets.get(name)
        if budget is None:
            return
        fits, spent = self._counting.count(budget, counted(request.state.address))
        if not fits:
            wait_s = spent.wait_s(budget, 1)
            raise RateLimited(
                f"more than {budget.amount:,} a minute from one address. Ask again in {wait_s} s.", wait_s
            )


def _key(request: Request) -> str:
    key: str = request.state.key
    return key


# slowapi asks for it at every request, and finding it out takes half of its time.
_key.__signature__ = inspect.signature(_key)  # type: ignore[attr-defined]
