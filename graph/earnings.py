"""Earnings as they are answered: to the orchestrator itself."""

from datetime import datetime

import strawberry

from graph.entities import Gateway, Workflow
from graph.entity import made
from graph.fields import field
from graph.scalars import Decimal, Wei
from metrics.window import Grain, Window
from resolvers import earnings as reading
from resolvers.context import Context
from resolvers.scope import Scope


@strawberry.type
class Earned:
    """`resolvers.earnings.Earned` as it is answered; the types of the schema are made of it."""

    earned: strawberry.Private[reading.Earned]

    @field("Expected value of the tickets: face value × win probability × tickets, rounded once per payment.")
    def fees_wei(self) -> Wei:
        return Wei(self.earned.fees_wei)

    @field("The same in ETH, exactly.")
    def fees_eth(self) -> Decimal:
        return Decimal(self.earned.fees_eth)

    @field("Face value × tickets.")
    def face_value_wei(self) -> Wei:
        return Wei(self.earned.face_value_wei)

    @field("Tickets received.")
    def tickets(self) -> int:
        return self.earned.tickets

    @field("Payments received.")
    def payments(self) -> int:
        return self.earned.payments


@strawberry.type(description="What one gateway paid for one workflow.")
class EarningsPart(Earned):
    """`resolvers.earnings.EarningsPart` as it is answered."""

    gateway_id: strawberry.Private[str | None]
    workflow_name: strawberry.Private[str | None]

    @field("The gateway; null where it is not known.")
    def gateway(self) -> Gateway | None:
        return None if self.gateway_id is None else made(Gateway, self.gateway_id)

    @field("The workflow; null where it is not known.")
    def workflow(self) -> Workflow | None:
        return None if self.workflow_name is None else made(Workflow, self.workflow_name)


@strawberry.type(description="What an orchestrator earned in one bucket of time.")
class EarningsBucket(Earned):
    """`resolvers.earnings.EarningsBucket` as it is answered."""

    bucket: strawberry.Private[reading.EarningsBucket]

    @field("When the bucket starts, included.")
    def start(self) -> datetime:
        return self.bucket.start

    @field("When it ends, excluded.")
    def end(self) -> datetime:
        return self.bucket.end

    @field("Does the window cut it, or do the data end in it?")
    def partial(self) -> bool:
        return self.bucket.partial

    @field("The same by gateway and workflow.")
    def parts(self) -> list[EarningsPart]:
        return [
            EarningsPart(earned=part, gateway_id=part.gateway, workflow_name=part.workflow)
            for part in self.bucket.parts
        ]


async def earnings(context: Context, scope: Scope, window: Window, interval: Grain) -> list[EarningsBucket]:
    """What a scope earned, bucket by bucket."""
    found = await reading.earnings(context, scope, window, interval)
    return [EarningsBucket(earned=bucket.total, bucket=bucket) for bucket in found]
