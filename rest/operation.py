"""Operations: what a path takes and answers, declared once. Routes, parsing, OpenAPI and the pages derive from it.

A list is a `Listed`: it declares its own parameters and its item, and gets limit, cursor and format, the frame around
the items and CSV from here. Anything else that is read is a `Single`.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from auth.access import Access
from auth.caller import Caller
from resolvers import media
from resolvers.context import Context
from resolvers.tables.forms import FORMS
from rest import params
from rest.page import Paged, envelope
from rest.parameter import Asked, Parameter
from rest.schema import Schema


@dataclass(frozen=True, slots=True)
class Visit:
    """One request to the gateway's door: who comes from where, and with what."""

    access: Access
    caller: Caller
    client: str | None
    asked: Asked
    body: Mapping[str, Any]


Parameters = tuple[Parameter[Any], ...]
# Whatever is asked: wrong parameters, limits, a store that is away or slow, and a fault inside.
COMMON_STATUSES = (400, 429, 500, 503, 504)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path."""

    path: str
    name: str  # unique: clients that are generated call their function so
    summary: str
    doc: str
    answers: str  # what the answer is, in a few words
    own: Parameters = ()
    method: str = "GET"
    result: Schema = field(default_factory=dict)
    # A query string that answers something over any data; {range} is a day that has some.
    example: str = ""
    # Paths that answer the same.
    aliases: tuple[str, ...] = ()
    # What an answer costs for each of its rows: how many numbers a row has.
    row_cost: int = 1
    # Is the store asked for it?
    reads: bool = True
    # What it can be refused for beyond what everything can: HTTP statuses.
    refusals: tuple[int, ...] = ()

    @property
    def parameters(self) -> Parameters:
        """Every parameter that is understood."""
        return self.own

    @property
    def media_types(self) -> Mapping[str, Schema]:
        """The media types of the answer and what they hold; the preferred one first."""
        return {media.JSON: self.result}

    @property
    def statuses(self) -> tuple[int, ...]:
        """The statuses of errors."""
        return tuple(sorted({*COMMON_STATUSES, *self.refusals}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Single(Operation):
    """One object, read."""

    answer: Callable[[Context, Asked], Awaitable[Mapping[str, object]]]
    headers: Mapping[str, str] = field(default_factory=dict)
    refusals: tuple[int, ...] = (406,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchanged(Operation):
    """Something about the caller: a JSON body in (where `body` describes one), an object out, which no cache keeps."""

    serve: Callable[[Visit], Awaitable[Mapping[str, object]]]
    body: Schema | None = None
    # Whether it is for those who have signed in.
    signed_in: bool = False
    cache: str = "no-store"
    refusals: tuple[int, ...] = (401, 403)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed(Operation):
    """A list, read page by page, as JSON or as a table."""

    item: Schema
    answer: Callable[[Context, Asked], Awaitable[Paged]]
    refusals: tuple[int, ...] = (406,)

    @property
    def parameters(self) -> Parameters:
        return (*self.own, params.LIMIT, params.CURSOR, params.FORMAT)

    @property
    def media_types(self) -> Mapping[str, Schema]:
        return {media.JSON: envelope(self.item)} | {form.media_type: {"type": "string"} for form in FORMS}
