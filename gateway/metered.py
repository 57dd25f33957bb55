"""Every request pays: so many of them a second, and so much cost a minute, by who asks. Answers tell what is left."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from auth.account import Account
from auth.budget import Budget, Tiers
from auth.caller import ANONYMOUS, Caller
from auth.meter import Meter
from gateway.address import counted
from gateway.observed import Observed
from gateway.settings import Settings
from gateway.turnstile import Counting
from graph.app import refusal
from metrics.errors import BadRequest, GatewayError, RateLimited
from rest.problem import of_error

# What watches over the gateway must see it also when it is busy; events are held back by the loader.
FREE = frozenset({"/healthz", "/readyz", "/metrics", "/v1/events"})
ESTIMATE = "x-naap-estimate"
REQUESTS_S, COST_S = 1, 60
# What stands for no limit: whole numbers are exact up to here wherever they are counted.
UNLIMITED = 2**53


@dataclass(frozen=True, slots=True)
class Purse:
    """Opens an account for each request. `meter` keeps cost; requests wear this process, where slowapi counts them."""

    meter: Meter
    requests: Tiers
    cost: Tiers
    most: int
    counting: Counting = field(default_factory=Counting)

    @classmethod
    def of(cls, settings: Settings, meter: Meter) -> "Purse":
        """As it is configured."""
        return cls(meter, settings.rates, settings.budgets, settings.request_cost)

    def key(self, caller: Caller, address: str | None) -> str:
        """Whom the request is counted for."""
        return f"address:{counted(address)}" if caller.subject is None else f"subject:{caller.subject}"

    def budgets(self, caller: Caller) -> tuple[Budget, Budget]:
        """The caller's requests a second and cost a minute."""
        return (
            Budget("requests", self.requests.of(caller) or UNLIMITED, REQUESTS_S),
            Budget("cost", self.cost.of(caller) or UNLIMITED, COST_S),
        )


class Metered:
    """Refuses who asks too often or too much, and puts `RateLimit` headers on every other answer too."""

    def __init__(self, app: ASGIApp, purse: Purse, observed: Observed) -> None:
        self.app = app
        self._purse = purse
        self._observed = observed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in FREE:
            await self.app(scope, receive, send)
            return
        state = scope["state"]
        caller = state.get("caller", ANONYMOUS)
        key = self._purse.key(caller, state["address"])
        requests, cost = self._purse.budgets(caller)
        wanted = Headers(scope=scope).get(ESTIMATE)
        account = Account(self._purse.meter, key, cost, self._purse.most, wanted is not None)
        state["account"] = account
        left = 0

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                told = [(requests, left, REQUESTS_S), (cost, account.remaining, account.reset_s)]
                tell(MutableHeaders(scope=message), told)
                self._observed.paid(caller, account.actual)
                if account.retry_after_s is not None:
                    self._observed.refused(cost.name)
            await send(message)

        try:
            left = self._admit(key, requests)
            await account.open()
            if wanted not in (None, "cost"):
                raise BadRequest("X-Naap-Estimate must be cost, or left out.", "X-Naap-Estimate")
        except GatewayError as error:
            await refused(scope, error)(scope, receive, sending)
            return
        await self.app(scope, receive, sending)

    def _admit(self, key: str, requests: Budget) -> int:
        """How many requests more may come now. Raises RateLimited where this is one too many."""
        if requests.amount == UNLIMITED:
            return UNLIMITED
        fits, spent = self._purse.counting.count(requests, key)
        if not fits:
            self._observed.refused(requests.name)
            wait_s = spent.wait_s(requests, 1)
            raise RateLimited(
                f"more than {requests.amount:,} requests in a second. Ask again in {wait_s} s; "
                "one query may ask for several things at once.",
                wait_s,
            )
        return spent.remaining(requests)


def refused(scope: Scope, error: GatewayError) -> Response:
    """An answer without anything being done: in the form of the graph on its paths, a problem elsewhere."""
    state: dict[str, Any] = scope["state"]
    response = of_error(error, state["request_id"])
    if not scope["path"].endswith("/graphql"):
        return response
    waits = {name: value for name, value in response.headers.items() if name == "retry-after"}
    return refusal(error, waits, state.get("account"))


def tell(headers: MutableHeaders, told: Sequence[tuple[Budget, int, int]]) -> None:
    """The fields of draft-ietf-httpapi-ratelimit-headers: of each budget what is left of it, and the seconds until it
    is whole again. A budget without limit is not told."""
    limited = [one for one in told if one[0].amount < UNLIMITED]
    if limited:
        headers["RateLimit-Policy"] = ", ".join(f'"{one.name}";q={one.amount};w={one.seconds}' for one, *_ in limited)
        headers["RateLimit"] = ", ".join(f'"{one.name}";r={r};t={t}' for one, r, t in limited)
