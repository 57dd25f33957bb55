"""Orchestrators, GPUs, workflows, gateways, regions and the network, as they are answered."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar, TypeAlias, cast

import strawberry

from graph.connection import AfterArgument, BeforeArgument, Connection, FirstArgument, LastArgument
from graph.datasets import Dataset, dataset_of
from graph.entity import Ctx, all_of, connection, every, first_seen, last_seen, latest, told
from graph.fields import field
from graph.filters import StreamFilter
from graph.measured import Measured, WorkflowArgument
from graph.node import Node
from graph.scalars import Address, Decimal, address_or_none
from graph.scores import Scored
from graph.standing import Standing
from graph.supply import SupplyCell
from graph.targets import WorkflowTargets
from graph.window import WindowArgument, window_from
from metrics.sighting import Trait
from metrics.window import Grain, from_ms
from resolvers import cei, census, scores
from resolvers import entities as seen
from resolvers.arguments import grain_of
from resolvers.entities import Entity, Kind
from resolvers.order import NEWEST
from resolvers.page import Slice
from resolvers.scope import filtered
from resolvers.stake import stake
from resolvers.supply import supply as heat_map

if TYPE_CHECKING:
    from graph.earnings import EarningsBucket
    from graph.streams import Stream
    from graph.wallet_lists import Incident, Payment

GIB = 2**30

StreamConnection: TypeAlias = Connection[Annotated["Stream", strawberry.lazy("graph.streams")]]
EarningsBuckets: TypeAlias = list[Annotated["EarningsBucket", strawberry.lazy("graph.earnings")]]
PaymentConnection: TypeAlias = Connection[Annotated["Payment", strawberry.lazy("graph.wallet_lists")]]
IncidentConnection: TypeAlias = Connection[Annotated["Incident", strawberry.lazy("graph.wallet_lists")]]


def _regions(entity: Entity) -> list[strawberry.ID] | None:
    return [*map(strawberry.ID, entity.traits[Trait.REGION])]


@strawberry.federation.type(keys=["address", "id"], description="An orchestrator: a wallet that serves streams.")
class Orchestrator(Node, Measured, Scored):
    """By its wallet."""

    kind: ClassVar[Kind] = seen.ORCHESTRATOR
    entity: strawberry.Private[Entity | None] = None

    @field("Its wallet.")
    def address(self) -> Address:
        return Address(self.key)

    @field("Its service URIs, the one seen last first.")
    def service_uris(self, info: Ctx) -> list[str] | None:
        return all_of(self, info, Trait.SERVICE_URI)

    @field("The version of its node that was seen last.")
    def node_version(self, info: Ctx) -> str | None:
        return latest(self, info, Trait.NODE_VERSION)

    @field("The regions that it was seen in, the one seen last first.")
    def regions(self, info: Ctx) -> list[strawberry.ID] | None:
        none: list[strawberry.ID] | None = []
        return told(self, info, _regions, none, Trait.REGION)

    @field("When it was first seen in a session, payment or snapshot.")
    def first_seen_at(self, info: Ctx) -> datetime | None:
        return first_seen(self, info)

    @field("When it was last seen.")
    def last_seen_at(self, info: Ctx) -> datetime | None:
        return last_seen(self, info)

    @field("What it has staked, by the latest statement until now; null where there is none.")
    async def stake_lpt(self, info: Ctx) -> Decimal | None:
        staked = await stake(info.context, self.key)
        return None if staked is None else Decimal(staked)

    @field("Its GPUs, the one seen last first. Under it they count only what they did for it.")
    async def gpus(
        self,
        info: Ctx,
        first: FirstArgument = None,
        after: AfterArgument = None,
        last: LastArgument = None,
        before: BeforeArgument = None,
    ) -> Connection["Gpu"] | None:
        wanted = Slice.of(info.context.limits, first, after, last, before)
        return await connection(Gpu, info, wanted, self.scope, order=NEWEST)

    @field("The workflows that it was seen with. Under it they count only what it did.")
    async def workflows(self, info: Ctx) -> list["Workflow"] | None:
        return await every(Workflow, info, self.scope)

    @field(
        "Compute-efficiency index: the efficiency, less where its GPUs cost more per minute of inference than the "
        "median of the network's GPUs of that model. Null without an efficiency or fees. In %."
    )
    async def cei_pct(
        self, info: Ctx, window: WindowArgument = None, workflow: WorkflowArgument = None
    ) -> float | None:
        return await cei.cei_pct(info.context, self.scope, window_from(window, info.context.clock), workflow)

    @field("Where it stands among all orchestrators that have a score in the window.")
    async def standing(
        self, info: Ctx, window: WindowArgument = None, workflow: WorkflowArgument = None
    ) -> Standing | None:
        span = window_from(window, info.context.clock)
        return cast(Standing, await scores.standing(info.context, filtered(self.scope, workflow), self.key, span))

    @field("Its streams, newest first.")
    async def streams(
        self,
        info: Ctx,
        filter: Annotated[StreamFilter | None, strawberry.argument(description="Which of them.")] = None,
        first: FirstArgument = None,
        after: AfterArgument = None,
        last: LastArgument = None,
        before: BeforeArgument = None,
    ) -> StreamConnection | None:
        from graph.streams import stream_connection

        wanted = Slice.of(info.context.limits, first, after, last, before)
        return await stream_connection(info.context, wanted, filter, None, self.scope)

    @field(
        "What it was paid, bucket by bucket (HOUR or wider; the gateway picks where none is given), by gateway and "
        "workflow. Buckets without a payment are left out. Private to the orchestrator."
    )
    async def earnings(
        self,
        info: Ctx,
        window: WindowArgument = None,
        interval: Annotated[Grain | None, strawberry.argument(description="The width of a bucket.")] = None,
    ) -> EarningsBuckets | None:
        from graph.earnings import earnings

        span = window_from(window, info.context.clock)
        grain = grain_of(span, interval, None, info.context.limits, least=Grain.HOUR)
        return await earnings(info.context, self.scope, span, grain)

    @field("Every payment to it, the latest first, whichever way led to it here. Private to the orchestrator.")
    async def payments(
        self, info: Ctx, window: WindowArgument = None, first: FirstArgument = None, after: AfterArgument = None
    ) -> PaymentConnection | None:
        from graph.wallet_lists import payment_connection

        return await payment_connection(info, self.key, window, first, after)

    @field(
        "What went wrong on it, the latest first, whichever way led to it here: error texts and the logs of restarts. "
        "Private to the orchestrator."
    )
    async def incidents(
        self, info: Ctx, window: WindowArgument = None, first: FirstArgument = None, after: AfterArgument = None
    ) -> IncidentConnection | None:
        from graph.wallet_lists import incident_connection

        return await incident_connection(info, self.key, window, first, after)


def _bytes(entity: Entity) -> float | None:
    said = entity.latest(Trait.VRAM_BYTES)
    return None if said is None else float(said)


def _gib(entity: Entity) -> float | None:
    size = _bytes(entity)
    return None if size is None else size / GIB


@strawberry.federation.type(keys=["gpuId", "id"], description="A GPU, by the id that its runner states.")
class Gpu(Node, Measured, Scored):
    """By its id."""

    kind: ClassVar[Kind] = seen.GPU
    entity: strawberry.Private[Entity | None] = None

    @field("The id that its runner states.")
    def gpu_id(self) -> strawberry.ID:
        return strawberry.ID(self.key)

    @field("Its model.")
    def model(self, info: Ctx) -> str | None:
        return latest(self, info, Trait.GPU_MODEL)

    @field("Its memory in bytes.")
    def vram_bytes(self, info: Ctx) -> float | None:
        return told(self, info, _bytes, None, Trait.VRAM_BYTES)

    @field("Its memory in GiB.")
    def vram_gib(self, info: Ctx) -> float | None:
        return told(self, info, _gib, None, Trait.VRAM_BYTES)

    @field("Its CUDA compute capability.")
    def cuda_capability(self, info: Ctx) -> str | None:
        return latest(self, info, Trait.CUDA_CAPABILITY)

    @field("The version of its runner.")
    def runner_version(self, info: Ctx) -> str | None:
        return latest(self, info, Trait.RUNNER_VERSION)

    @field("The orchestrators that it was seen under. Under it they count only what it did for them.")
    async def orchestrators(self, info: Ctx) -> list[Orchestrator] | None:
        return await every(Orchestrator, info, self.scope)

    @field("The workflows that it was seen with. Under it they count only what it did.")
    async def workflows(self, info: Ctx) -> list["Workflow"] | None:
        return await every(Workflow, info, self.scope)

    @field(
        "Compute-efficiency index: the efficiency, less where its GPUs cost more per minute of inference than the "
        "median of the network's GPUs of that model. Null without an efficiency or fees. In %."
    )
    async def cei_pct(
        self, info: Ctx, window: WindowArgument = None, workflow: WorkflowArgument = None
    ) -> float | None:
        return await cei.cei_pct(info.context, self.scope, window_from(window, info.context.clock), workflow)

    @field("When it was first seen.")
    def first_seen_at(self, info: Ctx) -> datetime | None:
        return first_seen(self, info)

    @field("When it was last seen.")
    def last_seen_at(self, info: Ctx) -> datetime | None:
        return last_seen(self, info)


@strawberry.federation.type(keys=["name", "id"], description="A workflow: a model that streams are sent through.")
class Workflow(Node, Measured, Scored):
    """By its name."""

    kind: ClassVar[Kind] = seen.WORKFLOW
    entity: strawberry.Private[Entity | None] = None

    @field("The model id.")
    def name(self) -> str:
        return self.key

    @field("The pipeline that it runs in.")
    def pipeline(self, info: Ctx) -> str | None:
        return latest(self, info, Trait.PIPELINE)

    @field("What it should reach; versioned configuration.")
    def targets(self, info: Ctx) -> WorkflowTargets | None:
        return cast(WorkflowTargets, info.context.targets.of(self.key))

    @field("The price that was advertised last, by any orchestrator of the scope.")
    def price_wei_per_pixel(self, info: Ctx) -> Decimal | None:
        trait = Trait.PRICE_WEI_PER_PIXEL
        return told(self, info, lambda one: _decimal(one.latest(trait)), None, trait)

    @field("The GPUs that it was seen on. Under it they count only what they did for it.")
    async def gpus(
        self,
        info: Ctx,
        first: FirstArgument = None,
        after: AfterArgument = None,
        last: LastArgument = None,
        before: BeforeArgument = None,
    ) -> Connection[Gpu] | None:
        wanted = Slice.of(info.context.limits, first, after, last, before)
        return await connection(Gpu, info, wanted, self.scope)

    @field("The orchestrators that it was seen with. Under it they count only what they did for it.")
    async def orchestrators(
        self,
        info: Ctx,
        first: FirstArgument = None,
        after: AfterArgument = None,
        last: LastArgument = None,
        before: BeforeArgument = None,
    ) -> Connection[Orchestrator] | None:
        wanted = Slice.of(info.context.limits, first, after, last, before)
        return await connection(Orchestrator, info, wanted, self.scope)

    @field("The datasets of prompts to load it with.")
    def datasets(self, info: Ctx) -> list[Dataset] | None:
        return [*map(dataset_of, info.context.datasets.where(self.key))]


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


@strawberry.federation.type(keys=["gatewayId", "id"], description="A gateway: where users' streams come in.")
class Gateway(Node, Measured):
    """By its wallet, else its name."""

    kind: ClassVar[Kind] = seen.GATEWAY
    entity: strawberry.Private[Entity | None] = None

    @field("Its wallet, else its name.")
    def gateway_id(self) -> strawberry.ID:
        return strawberry.ID(self.key)

    @field("Its wallet, where it is known.")
    def address(self) -> Address | None:
        return address_or_none(self.key)

    @field("The names that it gave itself, the one seen last first.")
    def names(self, info: Ctx) -> list[str] | None:
        return all_of(self, info, Trait.GATEWAY_NAME)

    @field("The region that it was last seen in.")
    def region(self, info: Ctx) -> strawberry.ID | None:
        said = Trait.REGION
        return told(self, info, lambda one: strawberry.ID(name) if (name := one.latest(said)) else None, None, said)

    @field("Its streams, newest first.")
    async def streams(
        self,
        info: Ctx,
        filter: Annotated[StreamFilter | None, strawberry.argument(description="Which of them.")] = None,
        first: FirstArgument = None,
        after: AfterArgument = None,
        last: LastArgument = None,
        before: BeforeArgument = None,
    ) -> StreamConnection | None:
        from graph.streams import stream_connection

        wanted = Slice.of(info.context.limits, first, after, last, before)
        return await stream_connection(info.context, wanted, filter, None, self.scope)


@strawberry.federation.type(keys=["id"], description="A region, as events name it or the configuration places it.")
class Region(Measured):
    """By its id."""

    kind: ClassVar[Kind] = seen.REGION
    key: strawberry.Private[str]
    entity: strawberry.Private[Entity | None] = None

    @field("What events and arguments call it.")
    def id(self) -> strawberry.ID:
        return strawberry.ID(self.key)

    @field("Its configured name, else its id.")
    def name(self, info: Ctx) -> str | None:
        return info.context.regions.get(self.key, self.key)


@strawberry.type(description="The whole network, or a region of it.")
class Network(Measured):
    """Everything that was seen."""

    @field("Orchestrators seen in the 24 hours before lastEventAt.")
    async def orchestrator_count(self, info: Ctx) -> int | None:
        return await census.orchestrator_count(info.context, self.scope)

    @field("GPUs of each service URI's last snapshot in the 24 hours before lastEventAt.")
    async def gpu_count(self, info: Ctx) -> int | None:
        return await census.gpu_count(info.context, self.scope)

    @field("Supply and demand by region and workflow: the cells of a heat map.")
    async def supply(self, info: Ctx, window: WindowArgument = None) -> list[SupplyCell] | None:
        span = window_from(window, info.context.clock)
        return cast(list[SupplyCell], await heat_map(info.context, self.scope, span))

    @field("When the latest event happened: where to end a window over old data.")
    async def last_event_at(self, info: Ctx) -> datetime | None:
        latest_ms = (await info.context.holds()).latest_ms
        return None if latest_ms is None else from_ms(latest_ms)
