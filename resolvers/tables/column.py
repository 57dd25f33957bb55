"""The columns of a table, however its rows came to be: a name, and what its cells hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, TypeAlias


class Kind(Enum):
    """What one plain value is. Amounts of any size are texts, exactly."""

    TEXT = auto()
    INTEGER = auto()
    NUMBER = auto()
    BOOLEAN = auto()
    # A text of RFC 3339.
    INSTANT = auto()


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list."""

    of: "Type"


@dataclass(frozen=True, slots=True)
class MapOf:
    """An object with any keys and values of one type."""

    of: "Type"


@dataclass(frozen=True, slots=True)
class Record:
    """An object with these properties, all of them there."""

    of: "Mapping[str, Type]"


Type: TypeAlias = Kind | ListOf | MapOf | Record
# A cell of each column, as JSON has it; None where there is none.
Row: TypeAlias = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    name: str
    type: Type
