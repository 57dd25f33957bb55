"""Every request pays: so many of them a second, and so much cost a minute, by who asks. Answers tell what is left."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
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
from gateway.observed import COST, REQUESTS, Observed
from gateway.settings import Settings
from gateway.turnstile import Counting
from graph.response import refusal
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
    observed: Observed
    requests: Tiers
    cost: Tiers
    most: int
    counting: Counting = field(default_factory=Counting)

    @classmethod
    def of(cls, settings: Settings, meter: Meter, observed: Observed) -> "Purse":
        """As it is configured."""
        return cls(meter, observed, settings.rates, settings.budgets, settings.request_cost)

    def key(self, caller: Caller, address: str | None) -> str:
        """Whom the request is counted for."""
        return f"address:{counted(address)}" if caller.subject is None else f"subject:{caller.subject}"

    def budgets(self, caller: Caller) -> tuple[Budget, Budget]:
        """The caller's requests a second and cost a minute."""
        return (
            Budget(REQUESTS, self.requests.of(caller) or UNLIMITED, REQUESTS_S),
            Budget(COST, self.cost.of(caller) or UNLIMITED, COST_S),
        )

    def account(self, caller: Caller, address: str | None, only_estimate: bool = False) -> Account:
        """An account of the caller's, which is not open yet."""
        return Account(self.meter, self.key(caller, address), self.budgets(caller)[1], self.most, only_estimate)

    def admit(self, caller: Caller, address: str | None) -> int:
        """How many requests more may come now. Raises RateLimited where this is one too many."""
        requests = self.budgets(caller)[0]
        if requests.amount == UNLIMITED:
            return UNLIMITED
        fits, spent = self.counting.count(requests, self.key(caller, address))
        if not fits:
            self.observed.refused(requests.name)
            wait_s = spent.wait_s(requests, 1)
            raise RateLimited(
                f"more than {requests.amount:,} requests in a second. Ask again in {wait_s} s; "
                "one query may ask for several things at once.",
                wait_s,
            )
        return spent.remaining(requests)

    def closed(self, caller: Caller, account: Account) -> None:
        """Tell Prometheus what was paid from an account, and whether it was refused."""
        self.observed.paid(caller, account.actual)
        if account.retry_after_s is not None:
            self.observed.refused(COST)

    @asynccontextmanager
    async def paying(self, caller: Caller, scope: Scope, is_request: bool) -> AsyncIterator[Account]:
        """An account of a subscription's, for one payment: with `is_request` one that counts as a request, and is open.

        Raises RateLimited where there are too many of these, or nothing is left.
        """
        address = scope["state"]["address"]
        account = self.account(caller, address)
        try:
            if is_request:
                self.admit(caller, address)
                await account.open()
            yield account
        finally:
            self.closed(caller, account)


class Metered:
    """Refuses who asks too often or too much, and puts `RateLimit` headers on every other answer too."""

    def __init__(self, app: ASGIApp, purse: Purse) -> None:
        self.app = app
        self._purse = purse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in FREE:
            await self.app(scope, receive, send)
            return
        state = scope["state"]
        caller, address = state.get("caller", ANONYMOUS), state["address"]
        requests, cost = self._purse.budgets(caller)
        wanted = Headers(scope=scope).get(ESTIMATE)
        account = state["account"] = self._purse.account(caller, address, wanted is not None)
        left = 0

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                told = [(requests, left, REQUESTS_S), (cost, account.remaining, account.reset_s)]
                tell(MutableHeaders(scope=message), told)
                self._purse.closed(caller, account)
            await send(message)

        try:
            left = self._purse.admit(caller, address)
            await account.open()
            if wanted not in (None, "cost"):
                raise BadRequest("X-Naap-Estimate must be cost, or left out.", "X-Naap-Estimate")
        except GatewayError as error:
            await refused(scope, error)(scope, receive, sending)
            return
        await self.app(scope, receive, sending)


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
