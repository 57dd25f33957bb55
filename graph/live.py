"""Subscriptions, however they travel: what a subscriber is sent next. Those who ask the same share each answer.

Each pays from its caller's budget: the price before the first update is read, later ones when they are sent.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import orjson
import strawberry
from starlette.requests import HTTPConnection
from starlette.types import Scope
from strawberry.types.graphql import OperationType

from auth.account import Account, Price
from auth.caller import Caller
from backends.backend import Backend
from graph.budget import Quoted
from graph.documents import Documents
from graph.estimate import Asked, Priced, price
from graph.operation import Operation
from graph.seats import Seats
from metrics.errors import RateLimited, StoreTimeout, StoreUnavailable, Unauthenticated
from resolvers.context import LIMITS, Context
from resolvers.live import Turn
from resolvers.pulse import Moment, Pulse

# What a connection sees of a view of the store.
MakeContext = Callable[[HTTPConnection, Backend], Context]
# Whom a connection is counted for.
Counted = Callable[[Caller, Scope], str]
# Whom an Authorization header stands for, at this moment; raises a GatewayError where for nobody.
Who = Callable[[str | None], Awaitable[Caller]]
# An account for one payment of a caller; with True for a request of its own, which is counted and paid like others.
Paying = Callable[[Caller, Scope, bool], AbstractAsyncContextManager[Account]]
Errors = Sequence[Mapping[str, Any]]

SUBSCRIPTIONS = frozenset({OperationType.SUBSCRIPTION})
WEBSOCKET, EVENT_STREAM = "websocket", "event_stream"
# Why the gateway ends a connection; `error`: why it ends a subscription.
FULL, MISUSE, RESTART, SLOW, TOKEN, ERROR = "full", "protocol", "restart", "slow", "token", "error"
# In a connection's state: how many updates it was sent.
UPDATES = "updates"
# A store that was away is asked again; a subscriber need not know.
PASSING = frozenset({StoreTimeout.code, StoreUnavailable.code})


class NotServed(Exception):
    """The operation cannot be answered: these errors say why."""

    def __init__(self, errors: Errors) -> None:
        super().__init__(errors[0]["message"])
        self.errors = errors

    @property
    def is_passing(self) -> bool:
        """May it be otherwise in a moment?"""
        return all(error.get("extensions", {}).get("code") in PASSING for error in self.errors)


@dataclass(frozen=True, slots=True)
class Update:
    """What is sent: an execution result as JSON, and the cursor behind it."""

    body: str
    cursor: str | None
    has_news: bool
    # What it costs.
    worth: int


@dataclass(slots=True)
class Counts:
    """For whoever watches a process: what is open and was sent, by transport, and what was ended, by reason."""

    open: dict[str, int] = field(default_factory=lambda: {WEBSOCKET: 0, EVENT_STREAM: 0})
    updates: dict[str, int] = field(default_factory=lambda: {WEBSOCKET: 0, EVENT_STREAM: 0})
    dropped: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys((FULL, MISUSE, RESTART, SLOW, TOKEN, ERROR), 0)
    )

    @contextmanager
    def opened(self, transport: str) -> Iterator[None]:
        """A subscription, for as long as this lasts."""
        self.open[transport] += 1
        try:
            yield
        finally:
            self.open[transport] -= 1


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many connections and subscriptions there may be, and how patient we are."""

    subscriptions: int = 5_000
    per_caller: int = 100
    per_connection: int = 20
    # A client that takes nothing for so long is dropped.
    stalled_after_s: float = 10.0
    begin_within_s: float = 10.0
    # Messages that a client may send at once over one connection, and how many more each second.
    messages: int = 100
    messages_per_s: int = 10
    keep_alive_s: float = 15.0


@dataclass(slots=True)
class Live:
    """The subscriptions of a process."""

    schema: strawberry.Schema
    make_context: MakeContext
    documents: Documents
    pulse: Pulse
    who: Who
    counted: Counted
    paying: Paying
    bounds: Bounds = field(default_factory=Bounds)
    # Pages of other sites that may subscribe.
    origins: frozenset[str] = frozenset()
    connections: Seats = field(init=False)
    subscriptions: Seats = field(init=False)
    counts: Counts = field(default_factory=Counts, init=False)

    def __post_init__(self) -> None:
        most, each = self.bounds.subscriptions, self.bounds.per_caller
        self.connections = Seats("connections", most, each)
        self.subscriptions = Seats("subscriptions", most, each)

    async def updates(
        self,
        asked: Operation,
        connection: HTTPConnection,
        authorization: str | None,
        after: str | None = None,
        account: Account | None = None,
    ) -> AsyncGenerator[Update]:
        """Updates without end, each when there is something to tell; the first one at once.

        The first is paid from the `account` of its request, if it has one; where that wants only an estimate there are
        none. Raises NotServed or a GatewayError where the operation cannot be answered (any more), TooComplex or
        RateLimited before anything is read where the first cannot be paid, Unauthenticated when the token is no longer
        good, and Closing when the process ends. A slow subscriber misses nothing and fills no queue: its next update
        tells all that changed. So it is with one whose budget is spent.
        """
        caller, scope = await self.who(authorization), connection.scope
        transport = WEBSOCKET if scope["type"] == "websocket" else EVENT_STREAM
        state = scope.setdefault("state", {})
        one = Subscriber(self, asked, self.documents.text(asked), connection, authorization, caller, after)
        seat = self.subscriptions.taken(self.counted(caller, scope))
        with seat, self.counts.opened(transport), self.pulse.watched():
            update = await one.first(account)
            state.setdefault(UPDATES, 0)
            while update is not None:
                yield update
                self.counts.updates[transport] += 1
                state[UPDATES] += 1
                update = await one.next()

    async def parts(self, text: str, asked: Operation, context: Context) -> Priced:
        """What an operation is made of, once it is checked. Raises NotServed."""
        quoted = context.notes[Quoted] = Quoted()
        result = await self._executed(text, asked, context)
        if quoted.operation is None:
            raise NotServed([error.formatted for error in result.errors])
        return quoted.operation

    async def update(
        self, text: str, asked: Operation, context: Context, turn: Turn, part: Priced, cost: int
    ) -> Update:
        """One update: the operation, executed. Raises NotServed."""
        context.notes[Turn] = turn
        result = await self._executed(text, asked, context)
        errors = [error.formatted for error in result.errors or ()]
        if errors and not any((result.data or {}).values()):
            raise NotServed(errors)
        if turn.is_first:
            self.documents.shown(asked)
        body: dict[str, Any] = {"data": result.data, "errors": errors} if errors else {"data": result.data}
        # Of what failed nobody knows what it would have been worth.
        worth = cost if errors else part.actual(result.data)
        return Update(orjson.dumps(body).decode(), turn.cursor, turn.has_news, worth)

    async def _executed(self, text: str, asked: Operation, context: Context) -> Any:
        return await self.schema.execute(
            text,
            variable_values=asked.variables,
            context_value=context,
            operation_name=asked.name,
            allowed_operation_types=SUBSCRIPTIONS,
        )


class Subscriber:
    """One subscription: what it asks, who it is for, and what it was told."""

    __slots__ = (
        "_asked", "_asks", "_authorization", "_caller", "_connection", "_cost", "_live", "_number", "_part", "_text",
        "_told",
    )  # fmt: skip

    def __init__(
        self,
        live: Live,
        asked: Operation,
        text: str,
        connection: HTTPConnection,
        authorization: str | None,
        caller: Caller,
        after: str | None,
    ) -> None:
        self._live, self._asked, self._text, self._connection = live, asked, text, connection
        self._authorization, self._caller, self._told = authorization, caller, after
        # Who asks the same.
        self._asks = (text, _written(asked.variables), asked.name)
        self._number: int | None = None
        self._part: Priced
        self._cost = 0

    async def first(self, account: Account | None) -> Update | None:
        """What there is, once it is paid for; None where only its price was asked."""
        live, moment = self._live, await self._moment()
        opened = live.paying(self._caller, self._connection.scope, True) if account is None else nullcontext(account)
        async with opened as paying:
            parts = partial(live.parts, self._text, self._asked)
            self._part = await moment.once((Quoted, self._asks), lambda: parts(self._context(moment)))
            paid = price(self._part, Asked(self._asked.variables or {}, moment.now, LIMITS))
            self._cost = paid.cost
            await paying.charge(paid)
            if paying.only_estimate:
                return None
            update = await self._update(moment, is_first=True)
            # Whoever comes back from far is told more than was assumed.
            more = update.worth + paid.reading - paid.cost
            if more > 0:
                await paying.charge(Price(more))
            else:
                await paying.settle(paid, update.worth)
        self._told = update.cursor
        return update

    async def next(self) -> Update:
        """What changed, when something did and it can be paid."""
        while True:
            moment = await self._moment()
            try:
                update = await self._update(moment)
            except NotServed as error:
                if not error.is_passing:
                    raise
                moment.failed = True
                continue
            try:
                if update.has_news:
                    await self._pay(update)
            except RateLimited as error:
                await self._rest(error.retry_after_s)
                continue
            self._told = update.cursor
            if update.has_news:
                return update

    async def _pay(self, update: Update) -> None:
        async with self._live.paying(self._caller, self._connection.scope, False) as account:
            await account.charge(Price(update.worth))

    async def _rest(self, seconds: float) -> None:
        """Let so long pass. What changes meanwhile is looked at afterwards. Raises Closing."""
        with suppress(TimeoutError):
            async with asyncio.timeout(min(seconds, self._left_s() or seconds)):
                await self._live.pulse.after(sys.maxsize)
        self._number = None

    async def _moment(self) -> Moment:
        """The next moment. Raises Unauthenticated where the token ends before."""
        try:
            async with asyncio.timeout(self._left_s()):
                moment = await self._live.pulse.after(self._number)
        except TimeoutError:
            raise Unauthenticated("the token has expired. Subscribe again with a new one.") from None
        self._number = moment.number
        # What was given back or taken away meanwhile counts from now on.
        self._caller = await self._live.who(self._authorization)
        return moment

    def _left_s(self) -> float | None:
        until: datetime | None = self._caller.expires_at
        return None if until is None else max(0.0, (until - self._live.pulse.now()).total_seconds())

    async def _update(self, moment: Moment, is_first: bool = False) -> Update:
        """What differs from what was told. Those who were told the same, ask the same and may the same share it."""
        live, turn = self._live, Turn(self._told, is_first)

        def tell() -> Coroutine[Any, Any, Update]:
            return live.update(self._text, self._asked, self._context(moment), turn, self._part, self._cost)

        return await moment.once((self._asks, self._caller, self._told, is_first), tell)

    def _context(self, moment: Moment) -> Context:
        context = self._live.make_context(self._connection, moment.view)
        context.caller, context.now, context.loader = self._caller, moment.now, moment.loader
        return context


def _written(variables: Mapping[str, Any] | None) -> str:
    # A text: what orjson writes keeps the room that it was written in.
    return orjson.dumps(variables, option=orjson.OPT_SORT_KEYS).decode()
