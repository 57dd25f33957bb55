"""Parameters, declared once: what may be sent and how it is read. Parsing, OpenAPI and the pages derive from it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from starlette.datastructures import QueryParams

from metrics.errors import BadRequest
from rest.schema import Schema

T = TypeVar("T")

MAX_TEXT = 1024


@dataclass(frozen=True, slots=True, eq=False)
class Parameter(Generic[T]):
    """One query parameter.

    `read` gets its text, without spaces around it and never blank, and its name; it raises BadRequest naming it.
    `schema` is what OpenAPI says of the text. Without a default the value is None where the parameter is not given.
    """

    name: str
    read: Callable[[str, str], T]
    schema: Schema
    doc: str
    default: str | None = None
    max_length: int = MAX_TEXT
    # Does it say which items there are? A cursor belongs to these.
    selects: bool = True
    required: bool = False


class Asked:
    """The parameters of one request, checked. Each is got by its declaration."""

    def __init__(self, given: Mapping[Parameter[Any], str], parameters: Sequence[Parameter[Any]]) -> None:
        self._parameters = parameters
        self._values = {parameter: parameter.read(text, parameter.name) for parameter, text in given.items()}
        self._texts = {parameter.name: text for parameter, text in given.items()}

    def get(self, parameter: Parameter[T]) -> T | None:
        """The value; the default where it is not given, None where there is none."""
        if parameter in self._values:
            return cast(T, self._values[parameter])
        return None if parameter.default is None else parameter.read(parameter.default, parameter.name)

    def __getitem__(self, parameter: Parameter[T]) -> T:
        """The value of a parameter that is required or has a default."""
        value = self.get(parameter)
        assert value is not None, f"{parameter.name} has no default"
        return value

    @property
    def texts(self) -> Mapping[str, str]:
        """What was given, as it was written."""
        return self._texts

    @property
    def selection(self) -> dict[str, str]:
        """What says which items there are: name → value, written in one way, whether given or by default."""
        told = ((one.name, self.get(one)) for one in self._parameters if one.selects)
        return {name: str(value) for name, value in told if value is not None}


def read(given: QueryParams, parameters: Sequence[Parameter[Any]]) -> Asked:
    """What a query asks. Raises BadRequest for one that is unknown, doubled, blank, too long, wrong or missing."""
    by_name, found = {one.name: one for one in parameters}, dict[Parameter[Any], str]()
    for name, value in given.multi_items():
        parameter = by_name.get(name)
        if parameter is None:
            shown = name[:MAX_TEXT]
            known = f"There are: {', '.join(by_name)}." if by_name else "There are none."
            raise BadRequest(f"{shown!r} is not a parameter here. {known}", shown)
        if parameter in found:
            raise BadRequest(f"{name} is given more than once. Give it once.", name)
        if not value.strip(" "):
            raise BadRequest(f"{name} is blank. Give it a value or leave it out.", name)
        if len(value) > parameter.max_length:
            raise BadRequest(f"{name} is {len(value):,} characters long; at most {parameter.max_length:,}.", name)
        found[parameter] = value.strip(" ")
    for parameter in parameters:
        if parameter.required and parameter not in found:
            raise BadRequest(f"{parameter.name} is missing. {parameter.doc}", parameter.name)
    return Asked(found, parameters)
