"""Datasets: sets of prompts to load a workflow with, and the catalogue of those that a gateway knows."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import Enum

from metrics.errors import BadRequest


class DatasetType(Enum):
    """What kind of prompts a set holds; the value is what files and REST call it."""

    GOOD = "good"
    RANDOM = "random"
    BAD = "bad"

    @classmethod
    def of(cls, text: str, argument: str = "type") -> "DatasetType":
        """The type of this name. Raises BadRequest naming the argument."""
        try:
            return cls(text)
        except ValueError:
            known = ", ".join(one.value for one in cls)
            raise BadRequest(f"{argument} must be one of {known}, not {text!r}.", argument) from None


@dataclass(frozen=True, slots=True)
class Dataset:
    """What is told of a set. Its metadata file holds these fields under these names."""

    name: str
    version: str
    workflow: str
    type: DatasetType
    description: str
    license: str  # an SPDX expression
    prompt_count: int
    sha256: str  # of the file of prompts, as it is
    updated_at: datetime
    url: str | None = None  # where it can be had

    def told(self) -> dict[str, str | int | None]:
        """The same as JSON says it, in metadata files and in REST."""
        plain = {name: getattr(self, name) for name in FIELDS}
        return plain | {"type": self.type.value, "updated_at": self.updated_at.isoformat().replace("+00:00", "Z")}


FIELDS = tuple(one.name for one in fields(Dataset))


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt as it is sent, and which case of its set it stands for."""

    text: str
    case: str | None = None


@dataclass(frozen=True, slots=True)
class PromptSet:
    """A dataset with its prompts, in the order of the file."""

    dataset: Dataset
    prompts: tuple[Prompt, ...]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The datasets that a gateway tells of, in order of their names. Prompts are not kept."""

    datasets: tuple[Dataset, ...] = ()

    @classmethod
    def of(cls, sets: Sequence[PromptSet]) -> "Catalogue":
        """The catalogue of these sets."""
        return cls(tuple(sorted((one.dataset for one in sets), key=lambda one: one.name)))

    def named(self, name: str) -> Dataset | None:
        """The dataset of this name, if there is one."""
        return next((one for one in self.datasets if one.name == name), None)

    def where(self, workflow: str | None = None, type: DatasetType | None = None) -> list[Dataset]:
        """The datasets for a workflow and of a type, where they are given."""
        return [one for one in self.datasets if workflow in (None, one.workflow) and type in (None, one.type)]


def normal(text: str) -> str:
    """What two prompts share that differ in case, white space or the way their characters are encoded only."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(folded.split())
