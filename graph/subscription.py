"""The root of every subscription: what is told as soon as it changes.

Each update is an execution of its own, of the document as it was sent, in a context that holds a `Turn`. So whatever a
query is checked for an update is checked for too, and updates of one moment can be shared (graph/live.py).
"""

from typing import Annotated, cast

import strawberry

from graph.entity import Ctx
from graph.fields import field
from graph.measured import SlaBucket
from graph.scalars import Address
from graph.selection import selected
from graph.sla import asked
from graph.wallet_lists import Incident
from metrics.errors import BadRequest
from metrics.window import Grain
from resolvers import live

AfterArgument = Annotated[
    str | None,
    strawberry.argument(description="Go on behind this cursor of an earlier update: only what changed since is told."),
]


@strawberry.type(description="Buckets that changed, or whose data are now complete, since the update before.")
class MetricsUpdate:
    """What `resolvers.live.changed_buckets` gives."""

    cursor: str = strawberry.field(description="What was told until now: the next subscription's `after`.")
    interval: Grain = strawberry.field(description="The width of the buckets.")
    buckets: list[SlaBucket] = strawberry.field(
        description="The buckets as they are now, in order of time. One that is told again replaces the one before; "
        "one without evidence any more is told with counts of 0."
    )


@strawberry.type(description="Incidents that were not told before.")
class IncidentsUpdate:
    """What `resolvers.live.new_incidents` gives."""

    cursor: str = strawberry.field(description="What was told until now: the next subscription's `after`.")
    incidents: list[Incident] = strawberry.field(description="The incidents, the oldest first.")
    has_more: bool = strawberry.field(
        description="Did more happen at once than the 100 latest that are told here? Orchestrator.incidents has all."
    )


@strawberry.type(description="What is told as soon as it changes: over WebSockets or server-sent events.")
class Subscription:
    """The first update comes at once and tells what there is, or with `after` what changed since."""

    @field(
        "The metrics of the network, an orchestrator or a workflow: its latest 30 buckets at once, then those of them "
        "that change, within two seconds."
    )
    async def metrics_updated(
        self,
        info: Ctx,
        orchestrator: Annotated[
            Address | None, strawberry.argument(description="Count only this orchestrator.")
        ] = None,
        workflow: Annotated[
            str | None, strawberry.argument(description="Count only this workflow (a model id).")
        ] = None,
        interval: Annotated[
            Grain | None, strawberry.argument(description="The width of a bucket; MINUTE by default.")
        ] = None,
        after: AfterArgument = None,
    ) -> MetricsUpdate | None:
        turn = _turn(info, after)
        topic = live.Topic(orchestrator, workflow, interval or Grain.MINUTE)
        wanted = selected(info).below("buckets").below("metrics").derived(asked)
        buckets = await live.changed_buckets(info.context, turn, topic, wanted)
        return MetricsUpdate(
            cursor=turn.cursor or "", interval=topic.interval, buckets=cast("list[SlaBucket]", buckets)
        )

    @field("An orchestrator's incidents: those of the last hour at once, then new ones as they happen.")
    async def incidents(
        self,
        info: Ctx,
        orchestrator: Annotated[Address, strawberry.argument(description="Its wallet, in any case.")],
        after: AfterArgument = None,
    ) -> IncidentsUpdate | None:
        turn = _turn(info, after)
        found, has_more = await live.new_incidents(info.context, turn, orchestrator)
        told = [Incident(told=one) for one in found]
        return IncidentsUpdate(cursor=turn.cursor or "", incidents=told, has_more=has_more)


def _turn(info: Ctx, after: str | None) -> live.Turn:
    turn = info.context.notes.get(live.Turn)
    if not isinstance(turn, live.Turn):
        raise BadRequest("a subscription is told over a WebSocket, or as text/event-stream.")
    # What the transport knows was told goes before what the first request said.
    turn.told = after if turn.told is None else turn.told
    return turn
