"""Pages of the catalogue of datasets, in order of their names."""

from dataclasses import dataclass
from typing import Any

from promptsets.dataset import Dataset, DatasetType
from resolvers.context import Context
from resolvers.order import Rank, rank
from resolvers.page import Page, Slice, cut


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of datasets, and how many there are in all."""

    page: Page[Dataset]
    total: int


def datasets(context: Context, wanted: Slice, workflow: str | None = None, type: DatasetType | None = None) -> Listing:
    """A page of the datasets for a workflow and of a type, where they are given."""
    found = context.datasets.where(workflow, type)
    page = cut([_rank(_position(one)) for one in found], found, wanted, "Dataset key", _position, _rank)
    return Listing(page, len(found))


def _position(one: Dataset) -> list[Any]:
    return [one.name]


def _rank(position: list[Any]) -> Rank:
    (name,) = position
    return rank(name, name, descending=False)
