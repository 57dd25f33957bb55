"""The graph as a part of a larger one: an Apollo Federation subgraph, whose entities others may name and extend.

Types and fields say what they are to others by the directives of `strawberry.federation.schema_directives`; those that
are used are imported by the schema's `@link`.
"""

from asyncio import gather
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Union, cast

import strawberry
from strawberry.federation.schema import FederationAny
from strawberry.federation.types import FieldSet
from strawberry.types.scalar import ScalarDefinition, ScalarWrapper

from graph.datasets import Dataset
from graph.entities import Gateway, Gpu, Orchestrator, Region, Workflow
from graph.entity import Ctx
from graph.lookup import NODES, Find, find_region
from graph.node import read_global_id
from graph.scalars import read_address
from graph.streams import Stream
from metrics.errors import BadRequest
from resolvers.scope import gateway_id

# The newest that every composer in use reads; one of them refuses the next (docs/decisions/0140).
VERSION: Literal["2.9"] = "2.9"

ARGUMENT = "representations"

SCALARS: dict[object, type | ScalarDefinition | ScalarWrapper] = {
    FederationAny: strawberry.scalar(
        name="_Any",
        description="A representation: the `__typename` of an entity and the fields of one of its keys.",
        serialize=lambda value: value,
        parse_value=lambda value: value,
    ),
    # Called as composers call it, so that a text that defines it composes too.
    FieldSet: strawberry.scalar(
        name="federation__FieldSet",
        description="The fields of a key.",
        serialize=str,
        parse_value=str,
        print_definition=False,
    ),
}

# What the federation's own directives and types mean: strawberry does not say.
MEANINGS = {
    "cost": "What it adds to the cost of an operation.",
    "key": "An entity, and the fields by which another graph names one.",
    "link": "Where directives come from that are not this schema's own.",
    "link__Import": "The name of a directive that is imported.",
    "link__Purpose": "What a link is needed for.",
    "listSize": "How long a list gets, and which argument says so.",
    "shareable": "Other graphs may have the same.",
    "tag": "A mark by which a contract includes or leaves out parts of a graph.",
}

Entity = Annotated[
    Union[Dataset, Gateway, Gpu, Orchestrator, Region, Stream, Workflow],
    strawberry.union("_Entity", description="Everything that another graph may name by a key."),
]

FINDS: Mapping[str, Find] = {**NODES, "Region": find_region}
# The key beside the global id. A region has none but its id, which is no global one.
NATURAL = {
    "Dataset": "name",
    "Gateway": "gatewayId",
    "Gpu": "gpuId",
    "Orchestrator": "address",
    "Region": "id",
    "Stream": "streamId",
    "Workflow": "name",
}


@strawberry.type(name="_Service", description="What a federated graph reads of this one.")
class Service:
    """For routers and composers."""

    sdl: str = strawberry.field(description="The schema as text.")


async def entities(info: Ctx, representations: list[Any]) -> list[Any]:
    """The entity of each representation, None where there is none; one that is wrong is an error in its place."""
    most = info.context.limits.max_representations
    if len(representations) > most:
        raise BadRequest(f"at most {most:,} representations at once, not {len(representations):,}.", ARGUMENT)
    # The executor tells an exception in a list as the error of its element.
    return await gather(*(_entity(info, one) for one in representations), return_exceptions=True)


async def _entity(info: Ctx, representation: object) -> Any:
    type_name, key = read(representation)
    return await FINDS[type_name](info, key)


def read(representation: object) -> tuple[str, str]:
    """The type's name and the key of a representation; what else stands in it is for others. Raises BadRequest."""
    given = cast("Mapping[str, object]", representation) if isinstance(representation, dict) else {}
    type_name = given.get("__typename")
    if not isinstance(type_name, str) or type_name not in FINDS:
        raise BadRequest(f"a representation names one of {', '.join(FINDS)} as its `__typename`.", ARGUMENT)
    name = NATURAL[type_name]
    value, global_id = given.get(name), given.get("id")
    if isinstance(value, str):
        return type_name, _natural(type_name, value)
    if isinstance(global_id, str):
        named, key = read_global_id(global_id, ARGUMENT)
        if named == type_name:
            return type_name, key
        raise BadRequest(f"{global_id!r} is the global id of no {type_name}.", ARGUMENT)
    raise BadRequest(f"a representation of {type_name} has its `{name}` or its `id`, as a text.", ARGUMENT)


def _natural(type_name: str, value: str) -> str:
    if type_name == "Orchestrator":
        return read_address(value)
    return gateway_id(value) if type_name == "Gateway" else value
