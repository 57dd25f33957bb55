"""One thing by its type and its key, whoever names it: a global id, or a federated graph."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from graph.datasets import Dataset, dataset_of
from graph.entities import Gateway, Gpu, Orchestrator, Region, Workflow
from graph.entity import Ctx, made, one
from graph.streams import Stream, stream_of
from resolvers.entities import is_region
from resolvers.streams import stream as read_stream

Find = Callable[[Ctx, str], Awaitable[Any]]


async def find_stream(info: Ctx, stream_id: str) -> Stream | None:
    """The stream with this id, or None."""
    record = await read_stream(info.context, stream_id)
    return None if record is None else stream_of(record)


async def find_dataset(info: Ctx, name: str) -> Dataset | None:
    """The dataset of this name, or None."""
    record = info.context.datasets.named(name)
    return None if record is None else dataset_of(record)


async def find_region(info: Ctx, name: str) -> Region | None:
    """The region of this name, or None where it is neither configured nor was ever seen."""
    return made(Region, name) if await is_region(info.context, name) else None


async def _entity(cls: type[Any], info: Ctx, key: str) -> Any:
    return await one(cls, info, key)


# Each takes its reads from the request's batches, so that many things are found in as many reads as one.
NODES: Mapping[str, Find] = {
    **{cls.__name__: partial(_entity, cls) for cls in (Orchestrator, Gpu, Workflow, Gateway)},
    "Stream": find_stream,
    "Dataset": find_dataset,
}
