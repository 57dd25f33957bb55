"""Streams, their sessions, and what happened in them."""

from datetime import datetime
from typing import Annotated, TypeVar, cast

import strawberry

from backends.backend import SessionRecord, StreamRecord
from graph.connection import Connection, Paged
from graph.entities import Gateway, Gpu, Orchestrator, Workflow
from graph.entity import Ctx, made
from graph.enums import GpuAttribution, OrderDirection, SessionOutcome
from graph.fields import field
from graph.filters import StreamFilter
from graph.node import Node
from graph.orders import StreamOrder
from graph.scalars import Address
from graph.sla import Distribution
from metrics.columns import MICROSECONDS_PER_MS
from metrics.window import Window, from_ms
from resolvers import session_inside
from resolvers import streams as reading
from resolvers.context import Context
from resolvers.figures import Figures
from resolvers.page import Slice
from resolvers.scope import EVERYWHERE, Scope
from resolvers.stream_filter import EVERY_STREAM

T = TypeVar("T")


@strawberry.type(description="What happened in a session: never prompts, error texts or network addresses.")
class TimelineEvent:
    """`resolvers.streams.TimelineEvent` as it is answered."""

    at: datetime = strawberry.field(description="When.")
    type: str = strawberry.field(description="The event's type.")
    subtype: str | None = strawberry.field(description="Its subtype, for example of a trace.")
    orchestrator: Address | None = strawberry.field(description="The orchestrator that it names, where it is a wallet.")
    state: str | None = strawberry.field(description="The state that a status sample states.")
    output_fps: float | None = strawberry.field(description="The output frame rate of a status sample.")


@strawberry.type(description="Parameters of a session as its user set them.")
class SessionParameters:
    """`resolvers.session_inside.Parameters` as it is answered."""

    at: datetime = strawberry.field(description="When they were seen first.")
    prompt: str | None = strawberry.field(description="The prompt; several with their weights are told as JSON.")
    json: str = strawberry.field(description="All of them, as JSON.")


def _ms(microseconds: int | None) -> float | None:
    return None if microseconds is None else microseconds / MICROSECONDS_PER_MS


@strawberry.type(description="One attempt of a stream.")
class Session:
    """`backends.backend.SessionRecord` as it is answered."""

    record: strawberry.Private[SessionRecord]

    @field("The request's id.")
    def request_id(self) -> strawberry.ID:
        return strawberry.ID(self.record.request_id)

    @field("When it was requested.")
    def requested_at(self) -> datetime | None:
        return from_ms(self.record.requested_ms)

    @field("Its last event; null while it has not ended.")
    def ended_at(self) -> datetime | None:
        return from_ms(self.record.last_ms) if self.record.ended else None

    @field("How it ended.")
    def outcome(self) -> SessionOutcome:
        return SessionOutcome[self.record.outcome]

    @field("The orchestrator of its last leg; null where its wallet is not known.")
    def orchestrator(self) -> Orchestrator | None:
        return _named(Orchestrator, self.record.orchestrator)

    @field("The GPU of its last leg; null unless the attribution is EXACT.")
    def gpu(self) -> Gpu | None:
        return _named(Gpu, self.record.gpu)

    @field("How sure the GPU is.")
    def gpu_attribution(self) -> GpuAttribution:
        return GpuAttribution[self.record.gpu_attribution]

    @field("Its region.")
    def region(self) -> strawberry.ID | None:
        return None if self.record.region is None else strawberry.ID(self.record.region)

    @field("From the request to the first processed segment at the gateway.")
    def prompt_to_first_frame_ms(self) -> float | None:
        return _ms(self.record.prompt_to_first_frame_us)

    @field("From the request until enough processed segments came to play.")
    def prompt_to_playable_ms(self) -> float | None:
        return _ms(self.record.prompt_to_playable_us)

    @field("From the first input segment to the first processed one of the same runner.")
    def e2e_latency_ms(self) -> float | None:
        return _ms(self.record.e2e_latency_us)

    @field("Frames per second that came out, over its own samples.")
    def output_fps(self, info: Ctx) -> Distribution:
        window = Window.of_ms(self.record.requested_ms, max(self.record.last_ms, self.record.requested_ms) + 1)
        targets = None if self.record.workflow is None else info.context.targets.of(self.record.workflow)
        return cast(Distribution, Figures(info.context, window, self.record.sums, targets=targets).output_fps)

    @field("How often it was moved to another orchestrator.")
    def swaps(self) -> int:
        return self.record.swaps

    @field("How many error events it has.")
    def errors(self) -> int:
        return self.record.errors

    @field("Was it a test stream?")
    def synthetic(self) -> bool:
        return self.record.synthetic

    @field("What happened in it, in order of time: why did the service level drop?")
    async def timeline(self, info: Ctx) -> list[TimelineEvent] | None:
        return cast("list[TimelineEvent]", await reading.timeline(info.context, self.record))

    @field("The parameters that were set, in order of time, each where they changed. Private to the session's gateway.")
    async def parameters(self, info: Ctx) -> list[SessionParameters] | None:
        return cast("list[SessionParameters]", await session_inside.parameters(info.context, self.record))

    @field("The network addresses of its user, as far as they were stated. Private to the session's gateway.")
    async def client_addresses(self, info: Ctx) -> list[str] | None:
        return [*await session_inside.client_addresses(info.context, self.record)]


@strawberry.federation.type(
    keys=["streamId", "id"], description="A stream: what a user sent, in one or several sessions."
)
class Stream(Node):
    """By its id."""

    record: strawberry.Private[StreamRecord]

    @field("The stream's id.")
    def stream_id(self) -> strawberry.ID:
        return strawberry.ID(self.key)

    @field("When its first session was requested.")
    def started_at(self) -> datetime | None:
        return from_ms(self.record.started_ms)

    @field("When its last event happened.")
    def last_event_at(self) -> datetime | None:
        return from_ms(self.record.last_ms)

    @field("The workflow of its first session.")
    def workflow(self) -> Workflow | None:
        return _named(Workflow, self.record.workflow)

    @field("The gateway of its first session.")
    def gateway(self) -> Gateway | None:
        return _named(Gateway, self.record.gateway)

    @field("Its sessions in order of their requests.")
    async def sessions(self, info: Ctx) -> list[Session] | None:
        return [Session(record=record) for record in await info.context.sessions(self.key)]


def _named(cls: type[T], key: str | None) -> T | None:
    return None if key is None else made(cls, key)


def stream_of(record: StreamRecord) -> Stream:
    """A stream as it is answered."""
    return Stream(key=record.stream_id, record=record)


async def stream_connection(
    context: Context,
    wanted: Slice,
    filter: StreamFilter | None,
    order: StreamOrder | None,
    scope: Scope = EVERYWHERE,
) -> Connection[Stream]:
    """A page of streams."""
    descending = order is None or order.direction is OrderDirection.DESC
    test = filter.test() if filter else EVERY_STREAM
    found = await reading.streams(context, wanted, test, descending, scope)
    return cast(Connection[Stream], Paged(found.page.map(stream_of), found.total))


FilterArgument = Annotated[StreamFilter | None, strawberry.argument(description="Which streams.")]
OrderArgument = Annotated[
    StreamOrder | None, strawberry.argument(description="In which order; by start, newest first, by default.")
]
