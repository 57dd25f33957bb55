"""Subscriptions, however they travel: what a subscriber is sent next. Those who ask the same share each answer."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import orjson
import strawberry
from starlette.requests import HTTPConnection
from starlette.types import Scope
from strawberry.types.graphql import OperationType

from auth.caller import Caller
from backends.backend import Backend
from graph.documents import Documents
from graph.operation import Operation
from graph.seats import Seats
from metrics.errors import StoreTimeout, StoreUnavailable, Unauthenticated
from resolvers.context import Context
from resolvers.live import Turn
from resolvers.pulse import Moment, Pulse

# What a connection sees of a view of the store.
MakeContext = Callable[[HTTPConnection, Backend], Context]
# Whom a connection is counted for.
Counted = Callable[[Caller, Scope], str]
# Whom an Authorization header stands for, at this moment; raises a GatewayError where for nobody.
Who = Callable[[str | None], Awaitable[Caller]]
Errors = Sequence[Mapping[str, Any]]

SUBSCRIPTIONS = frozenset({OperationType.SUBSCRIPTION})
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


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many connections and subscriptions there may be, and how patient we are."""

    subscriptions: int = 5_000
    per_caller: int = 100
    per_connection: int = 20
    # A client that takes nothing for so long is dropped.
    stalled_after_s: float = 10.0
    begin_within_s: float = 10.0
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
    bounds: Bounds = field(default_factory=Bounds)
    # Pages of other sites that may subscribe.
    origins: frozenset[str] = frozenset()
    connections: Seats = field(init=False)
    subscriptions: Seats = field(init=False)

    def __post_init__(self) -> None:
        most, each = self.bounds.subscriptions, self.bounds.per_caller
        self.connections = Seats("connections", most, each)
        self.subscriptions = Seats("subscriptions", most, each)

    async def updates(
        self, asked: Operation, connection: HTTPConnection, authorization: str | None, after: str | None = None
    ) -> AsyncGenerator[Update]:
        """Updates without end, each when there is something to tell; the first one at once.

        Raises NotServed or a GatewayError where the operation cannot be answered (any more), Unauthenticated when the
        token is no longer good, and Closing when the process ends. A slow subscriber misses nothing and fills no
        queue: its next update tells all that changed.
        """
        asks = (self.documents.text(asked), _written(asked.variables), asked.name)
        caller = await self.who(authorization)
        told, is_first, number = after, True, None
        with self.subscriptions.taken(self.counted(caller, connection.scope)), self.pulse.watched():
            while True:
                moment = await self._next(number, caller.expires_at)
                number = moment.number
                # What was given back or taken away meanwhile counts from now on.
                caller = await self.who(authorization)
                turn = Turn(told, is_first)
                tell = partial(self._told, asks[0], asked, moment, connection, caller, turn)
                try:
                    update = await moment.once((asks, caller, told, is_first), tell)
                except NotServed as error:
                    if is_first or not error.is_passing:
                        raise
                    moment.failed = True
                    continue
                told, is_first = update.cursor, False
                if update.has_news:
                    yield update

    async def _next(self, number: int | None, until: datetime | None) -> Moment:
        seconds = None if until is None else max(0.0, (until - self.pulse.now()).total_seconds())
        try:
            async with asyncio.timeout(seconds):
                return await self.pulse.after(number)
        except TimeoutError:
            raise Unauthenticated("the token has expired. Subscribe again with a new one.") from None

    async def _told(
        self, text: str, asked: Operation, moment: Moment, connection: HTTPConnection, caller: Caller, turn: Turn
    ) -> Update:
        """One update: the operation, executed in this moment."""
        context = self.make_context(connection, moment.view)
        context.caller, context.now, context.loader = caller, moment.now, moment.loader
        context.notes[Turn] = turn
        result: Any = await self.schema.execute(
            text,
            variable_values=asked.variables,
            context_value=context,
            operation_name=asked.name,
            allowed_operation_types=SUBSCRIPTIONS,
        )
        errors = [error.formatted for error in result.errors or ()]
        if errors and not any((result.data or {}).values()):
            raise NotServed(errors)
        if turn.is_first:
            self.documents.shown(asked)
        body: dict[str, Any] = {"data": result.data, "errors": errors} if errors else {"data": result.data}
        return Update(orjson.dumps(body).decode(), turn.cursor, turn.has_news)


def _written(variables: Mapping[str, Any] | None) -> str:
    # A text: what orjson writes keeps the room that it was written in.
    return orjson.dumps(variables, option=orjson.OPT_SORT_KEYS).decode()
