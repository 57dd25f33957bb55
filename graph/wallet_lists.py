"""Payments and incidents as they are answered: to the orchestrator itself."""

from datetime import datetime
from enum import Enum
from typing import TypeVar, cast

import strawberry

from backends.backend import PaymentRecord
from graph.connection import Connection, Paged
from graph.entities import Gateway, Gpu, Workflow
from graph.entity import Ctx, made
from graph.fields import field
from graph.scalars import Decimal, Wei
from graph.window import WindowInput, window_from
from metrics.exact import decimal_text
from metrics.window import from_ms
from resolvers import wallet_lists as reading
from resolvers.page import Slice
from resolvers.wallet_lists import WalletList

T = TypeVar("T")


@strawberry.enum(description="ERROR: an error event. RESTART: the runner's restart counter rose.")
class IncidentKind(Enum):
    ERROR = "ERROR"
    RESTART = "RESTART"


@strawberry.type(description="A payment of tickets. Amounts are exact.")
class Payment:
    """`backends.backend.PaymentRecord` as it is answered."""

    record: strawberry.Private[PaymentRecord]

    @field("When it was made.")
    def at(self) -> datetime:
        return from_ms(self.record.at_ms)

    @field("The gateway that paid; null where it is not known.")
    def gateway(self) -> Gateway | None:
        return _named(Gateway, self.record.gateway)

    @field("The workflow that it was for; null where it is not known.")
    def workflow(self) -> Workflow | None:
        return _named(Workflow, self.record.workflow)

    @field("The request that it names; most payments name none.")
    def request_id(self) -> strawberry.ID | None:
        return _id(self.record.request_id)

    @field("How many tickets.")
    def tickets(self) -> int:
        return self.record.tickets

    @field("Face value × tickets; null where it was not stated.")
    def face_value_wei(self) -> Wei | None:
        return None if self.record.face_value_wei is None else Wei(self.record.face_value_wei)

    @field("Expected value: face value × win probability × tickets, rounded half up; null where it was not stated.")
    def fees_wei(self) -> Wei | None:
        return None if self.record.fees_wei is None else Wei(self.record.fees_wei)

    @field("The same in ETH, exactly.")
    def fees_eth(self) -> Decimal | None:
        return None if self.record.fees_wei is None else Decimal(decimal_text(self.record.fees_wei))


@strawberry.type(description="Something that went wrong: an error event or a restart, in the runner's own words.")
class Incident:
    """`resolvers.wallet_lists.Incident` as it is answered."""

    told: strawberry.Private[reading.Incident]

    @field("When.")
    def at(self) -> datetime:
        return from_ms(self.told.record.at_ms)

    @field("What kind.")
    def kind(self) -> IncidentKind:
        return IncidentKind.ERROR if self.told.record.restarts is None else IncidentKind.RESTART

    @field("The stream that it happened to.")
    def stream_id(self) -> strawberry.ID | None:
        return _id(self.told.stream_id)

    @field("The request of its session.")
    def request_id(self) -> strawberry.ID | None:
        return _id(self.told.request_id)

    @field("The GPU; null unless it is known for sure.")
    def gpu(self) -> Gpu | None:
        return _named(Gpu, self.told.record.gpu)

    @field("The workflow; null where it is not known.")
    def workflow(self) -> Workflow | None:
        return _named(Workflow, self.told.record.workflow)

    @field("The gateway of the session; null where it is not known.")
    def gateway(self) -> Gateway | None:
        return _named(Gateway, self.told.record.gateway)

    @field("By how much the restart counter rose; null for an error.")
    def restarts(self) -> int | None:
        return self.told.record.restarts

    @field("The text of the error, or the last error that the runner states beside a restart. 4,000 letters at most.")
    def text(self) -> str | None:
        return self.told.text

    @field("What the runner logged about a restart: its last 200 lines, 4,000 letters of each at most.")
    def logs(self) -> list[str]:
        return [*self.told.logs]


def _named(cls: type[T], key: str | None) -> T | None:
    return None if key is None else made(cls, key)


def _id(text: str | None) -> strawberry.ID | None:
    return strawberry.ID(text) if text else None


async def payment_connection(
    info: Ctx, wallet: str, window: WindowInput | None, first: int | None, after: str | None
) -> Connection[Payment]:
    """A page of an orchestrator's payments."""
    wanted, page = _wanted(info, "payments", wallet, window, first, after)
    found, total = await reading.payments(info.context, wanted, page)
    return cast(Connection[Payment], Paged(found.map(lambda record: Payment(record=record)), total))


async def incident_connection(
    info: Ctx, wallet: str, window: WindowInput | None, first: int | None, after: str | None
) -> Connection[Incident]:
    """A page of an orchestrator's incidents."""
    wanted, page = _wanted(info, "incidents", wallet, window, first, after)
    found, total = await reading.incidents(info.context, wanted, page)
    return cast(Connection[Incident], Paged(found.map(lambda told: Incident(told=told)), total))


def _wanted(
    info: Ctx, name: str, wallet: str, window: WindowInput | None, first: int | None, after: str | None
) -> tuple[WalletList, Slice]:
    page = Slice.of(info.context.limits, first, after)
    return WalletList(name, wallet, window_from(window, info.context.clock), repr(window)), page
