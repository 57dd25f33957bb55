"""Datasets of prompts, as they are answered."""

from datetime import datetime
from typing import Annotated, cast

import strawberry

from graph.connection import Connection, Paged
from graph.fields import field
from graph.node import Node
from promptsets import dataset as known
from promptsets.dataset import DatasetType
from resolvers import datasets as reading
from resolvers.context import Context
from resolvers.page import Slice

# Marked in place, as in graph.enums.
strawberry.enum(
    DatasetType,
    description="What kind of prompts a dataset holds. GOOD: well-formed ones. RANDOM: what people really type. BAD: "
    "what a workflow must survive, such as empty, over-long and contradictory ones.",
)

WorkflowArgument = Annotated[str | None, strawberry.argument(description="Only those for this workflow.")]
TypeArgument = Annotated[DatasetType | None, strawberry.argument(description="Only those of this type.")]


@strawberry.federation.type(
    keys=["name", "id"],
    description="A set of prompts to load a workflow with. `naap datasets sample` draws from it.",
)
class Dataset(Node):
    """By its name."""

    record: strawberry.Private[known.Dataset]

    @field("Its name.")
    def name(self) -> str:
        return self.key

    @field("Its version.")
    def version(self) -> str | None:
        return self.record.version

    @field("What kind of prompts it holds.")
    def type(self) -> DatasetType | None:
        return self.record.type

    @field("The name of the workflow that it is made for.")
    def workflow(self) -> str | None:
        return self.record.workflow

    @field("What is in it.")
    def description(self) -> str | None:
        return self.record.description

    @field("How many prompts it holds.")
    def prompt_count(self) -> int | None:
        return self.record.prompt_count

    @field("Its licence, as an SPDX expression.")
    def license(self) -> str | None:
        return self.record.license

    @field("Where it can be had; null where it comes with the gateway or from its disk.")
    def url(self) -> str | None:
        return self.record.url

    @field("The SHA-256 of its file of prompts, as 64 hexadecimal digits.")
    def sha256(self) -> str | None:
        return self.record.sha256

    @field("When it was last changed.")
    def updated_at(self) -> datetime | None:
        return self.record.updated_at


def dataset_of(record: known.Dataset) -> Dataset:
    """A dataset as it is answered."""
    return Dataset(key=record.name, record=record)


def dataset_connection(
    context: Context, wanted: Slice, workflow: str | None, type: DatasetType | None
) -> Connection[Dataset]:
    """A page of datasets."""
    found = reading.datasets(context, wanted, workflow, type)
    return cast(Connection[Dataset], Paged(found.page.map(dataset_of), lambda: found.total))
