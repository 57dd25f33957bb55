"""The root of every query."""

from asyncio import gather
from typing import Annotated, Any, cast

import strawberry
from strawberry.federation.schema import FederationAny
from strawberry.federation.schema_directives import Tag

from graph.connection import AfterArgument, BeforeArgument, Connection, FirstArgument, LastArgument
from graph.datasets import Dataset, TypeArgument, WorkflowArgument, dataset_connection
from graph.definitions import MetricDefinition, definitions
from graph.entities import Gateway, Gpu, Network, Orchestrator, Region, Workflow
from graph.entity import Ctx, connection, made, one
from graph.federation import Entity, Service, entities
from graph.fields import field
from graph.filters import GpuFilter, OrchestratorFilter, WorkflowFilter
from graph.leaderboard import LeaderboardEntry
from graph.leaderboard import leaderboard as read_leaderboard
from graph.lookup import NODES, find_dataset, find_stream
from graph.measured import RegionArgument
from graph.measured import WorkflowArgument as MeasuredWorkflow
from graph.node import Node, read_global_id
from graph.orders import GpuOrder, OrchestratorOrder, order_of
from graph.scalars import Address
from graph.scores import ScoringVersion, VersionArgument, versions
from graph.streams import FilterArgument, OrderArgument, Stream, stream_connection
from graph.viewer import Viewer, viewer_of
from graph.window import WindowArgument, window_from
from metrics.errors import BadRequest
from resolvers import entities as seen
from resolvers.condition import EVERYTHING
from resolvers.page import Slice
from resolvers.scope import EVERYWHERE, filtered
from resolvers.scope import gateway_id as of_gateway

# Of several graphs' `node` a joined one keeps one, or none.
FOR_RELAY = Tag(name="relay")


async def _node(info: Ctx, id: str, argument: str) -> Node | None:
    type_name, key = read_global_id(id, argument)
    return await NODES[type_name](info, key) if type_name in NODES else None


@strawberry.type(description="Service levels of the Livepeer AI network.")
class Query:
    """Every field is null beside its error where it fails; the rest of the answer stands."""

    @field(
        "The thing with this global id; null where there is none. A text that is no global id is a BAD_REQUEST.",
        FOR_RELAY,
    )
    async def node(
        self, info: Ctx, id: Annotated[strawberry.ID, strawberry.argument(description="A global id.")]
    ) -> Node | None:
        return await _node(info, id, "id")

    @field(
        "The things with these global ids, in their order; null where there is none. A text that is no global id is "
        "null beside its error.",
        FOR_RELAY,
    )
    async def nodes(
        self,
        info: Ctx,
        ids: Annotated[list[strawberry.ID], strawberry.argument(description="Global ids, at most 500.")],
    ) -> list[Node | None]:
        if len(ids) > info.context.limits.max_page:
            raise BadRequest(f"at most {info.context.limits.max_page} ids at once, not {len(ids):,}.", "ids")
        found = await gather(*(_node(info, id, "ids") for id in ids), return_exceptions=True)
        # The executor tells an exception in a list as the error of its element.
        return cast("list[Node | None]", found)

    @field("The whole network, or a region of it; null for a region that is neither configured nor was ever seen.")
    async def network(
        self,
        info: Ctx,
        region: Annotated[strawberry.ID | None, strawberry.argument(description="Only this region.")] = None,
    ) -> Network | None:
        if region is not None and not await seen.is_region(info.context, region):
            return None
        return Network(scope=filtered(EVERYWHERE, region=region))

    @field("The orchestrator with this wallet, or null where it was never seen.")
    async def orchestrator(
        self, info: Ctx, address: Annotated[Address, strawberry.argument(description="Its wallet, in any case.")]
    ) -> Orchestrator | None:
        return await one(Orchestrator, info, address)

    @field("Orchestrators, by address unless ordered otherwise.")
    async def orchestrators(
        self,
        info: Ctx,
        filter: Annotated[OrchestratorFilter | None, strawberry.argument(description="Which of them.")] = None,
        order_by: Annotated[OrchestratorOrder | None, strawberry.argument(description="In which order.")] = None,
        first: FirstArgument = None,
        after: AfterArgument = None,
        last: LastArgument = None,
        before: BeforeArgument = None,
    ) -> Connection[Orchestrator] | None:
        wanted = Slice.of(info.context.limits, first, after, last, before)
        condition = filter.condition() if filter else EVERYTHING
        order = order_of(order_by, info.context.clock)
        return await connection(Orchestrator, info, wanted, EVERYWHERE, condition, order)

    @field("The GPU with this id, or null where it was never seen.")
    async def gpu(
        self, info: Ctx, gpu_id: Annotated[strawberry.ID, strawberry.argument(description="The id its runner states.")]
    ) -> Gpu | None:
        return await one(Gpu, info, gpu_id)

    @field("GPUs, by id unless ordered otherwise.")
    async def gpus(
        self,
        info: Ctx,
        filter: Annotated[GpuFilter | None, strawberry.argument(description="Which of them.")] = None,
        order_by: Annotated[GpuOrder | None, strawberry.argument(description="In which order.")] = None,
        first: FirstArgument = None,
        after: AfterArgument = None,
        last: LastArgument = None,
        before: BeforeArgument = None,
    ) -> Connection[Gpu] | None:
        wanted = Slice.of(info.context.limits, first, after, last, before)
        condition = filter.condition() if filter else EVERYTHING
        order = order_of(order_by, info.context.clock)
        return await connection(Gpu, info, wanted, EVERYWHERE, condition, order)

    @field("The workflow of this name, or null where it was never seen.")
    async def workflow(
        self, info: Ctx, name: Annotated[str, strawberry.argument(description="Its name: the model id.")]
    ) -> Workflow | None:
        return await one(Workflow, info, name)

    @field("Workflows by name.")
    async def workflows(
        self,
        info: Ctx,
        filter: Annotated[WorkflowFilter | None, strawberry.argument(description="Which of them.")] = None,
        first: FirstArgument = None,
        after: AfterArgument = None,
        last: LastArgument = None,
        before: BeforeArgument = None,
    ) -> Connection[Workflow] | None:
        wanted = Slice.of(info.context.limits, first, after, last, before)
        condition = filter.condition() if filter else EVERYTHING
        return await connection(Workflow, info, wanted, EVERYWHERE, condition)

    @field("The gateway with this id, or null where it was never seen.")
    async def gateway(
        self,
        info: Ctx,
        gateway_id: Annotated[strawberry.ID, strawberry.argument(description="Its wallet, else its name.")],
    ) -> Gateway | None:
        return await one(Gateway, info, of_gateway(gateway_id))

    @field("Gateways by id.")
    async def gateways(
        self,
        info: Ctx,
        first: FirstArgument = None,
        after: AfterArgument = None,
        last: LastArgument = None,
        before: BeforeArgument = None,
    ) -> Connection[Gateway] | None:
        wanted = Slice.of(info.context.limits, first, after, last, before)
        return await connection(Gateway, info, wanted)

    @field("The regions that were seen or are configured.")
    async def regions(self, info: Ctx) -> list[Region] | None:
        found = await seen.entities(info.context, seen.REGION)
        names = sorted({one.key for one in found} | info.context.regions.keys())
        return [made(Region, name, EVERYWHERE) for name in names]

    @field("The stream with this id, or null.")
    async def stream(
        self, info: Ctx, stream_id: Annotated[strawberry.ID, strawberry.argument(description="Its id.")]
    ) -> Stream | None:
        return await find_stream(info, stream_id)

    @field("Streams, newest first unless ordered otherwise.")
    async def streams(
        self,
        info: Ctx,
        filter: FilterArgument = None,
        order_by: OrderArgument = None,
        first: FirstArgument = None,
        after: AfterArgument = None,
        last: LastArgument = None,
        before: BeforeArgument = None,
    ) -> Connection[Stream] | None:
        wanted = Slice.of(info.context.limits, first, after, last, before)
        return await stream_connection(info.context, wanted, filter, order_by)

    @field("Orchestrators by their SLA score, best first; those without a score are left out.")
    async def leaderboard(
        self,
        info: Ctx,
        window: WindowArgument = None,
        workflow: MeasuredWorkflow = None,
        region: RegionArgument = None,
        version: VersionArgument = None,
        first: FirstArgument = None,
    ) -> list[LeaderboardEntry] | None:
        span = window_from(window, info.context.clock)
        return await read_leaderboard(info, span, workflow, region, version, first)

    @field("Every version of the SLA score: what it is made of, weights and thresholds.")
    def scoring_versions(self) -> list[ScoringVersion]:
        return versions()

    @field("The dataset of this name, or null.")
    async def dataset(
        self, info: Ctx, name: Annotated[str, strawberry.argument(description="Its name.")]
    ) -> Dataset | None:
        return await find_dataset(info, name)

    @field("Datasets of prompts to load workflows with, by name.")
    def datasets(
        self,
        info: Ctx,
        workflow: WorkflowArgument = None,
        type: TypeArgument = None,
        first: FirstArgument = None,
        after: AfterArgument = None,
        last: LastArgument = None,
        before: BeforeArgument = None,
    ) -> Connection[Dataset] | None:
        wanted = Slice.of(info.context.limits, first, after, last, before)
        return dataset_connection(info.context, wanted, workflow, type)

    @field("Who asks, as this gateway sees it; null for somebody who has not signed in.")
    def viewer(self, info: Ctx) -> Viewer | None:
        return viewer_of(info.context.caller)

    @field("Every metric: what it means, how it is computed, what it is held against.")
    def metric_catalogue(self) -> list[MetricDefinition]:
        return definitions()

    @field(
        "For a federated graph: the things with these keys, in their order; null where there is none.", name="_entities"
    )
    async def federated_entities(
        self,
        info: Ctx,
        representations: Annotated[
            list[FederationAny], strawberry.argument(description="The type and a key of each, at most 1,000.")
        ],
    ) -> list[Entity | None]:
        return cast("list[Entity | None]", await entities(info, representations))

    @field("For a federated graph: this one's schema.", name="_service")
    def federated_service(self, info: Ctx) -> Service:
        return Service(sdl=cast(Any, info.schema).text)
