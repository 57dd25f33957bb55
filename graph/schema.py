"""The schema: everything the graph offers, and its text."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.exceptions import MissingQueryError
from strawberry.extensions import ParserCache
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.schema.name_converter import NameConverter
from strawberry.types import ExecutionContext, ExecutionResult

from graph.datasets import Dataset
from graph.entities import Gateway, Gpu, Orchestrator, Region, Workflow
from graph.errors import refused, told
from graph.executor import Executor
from graph.limits import Bounds, Validation
from graph.places import Places
from graph.query import Query
from graph.scalars import SCALARS
from graph.streams import Stream
from resolvers.context import LIMITS, Limits

# Documents that are kept parsed and validated.
CACHED = 100
TYPES = (Orchestrator, Gpu, Workflow, Gateway, Region, Stream, Dataset)


class Schema(strawberry.Schema):
    """Strawberry's schema, whose answers carry errors as `graph.errors` tells them."""

    async def execute(self, query: str | None, *args: Any, **kwargs: Any) -> ExecutionResult:
        """The answer to an operation; whatever goes wrong is told in it."""
        try:
            result = await super().execute(query, *args, **kwargs)
        except (MissingQueryError, CannotGetOperationTypeError, InvalidOperationTypeError) as error:
            return ExecutionResult(data=None, errors=[refused(error)])
        if result.errors:
            places = Places(query or "")
            result.errors = [told(error, places) for error in result.errors]
        return result

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Nothing: strangers are logged where they are masked, and a caller's mistake is no news."""


class Names(NameConverter):
    """Strawberry's names, each worked out once: inputs are converted by name at every use."""

    def apply_naming_config(self, name: str) -> str:
        """The public form of a name."""
        return _named(name)


@cache
def _named(name: str) -> str:
    return NameConverter().apply_naming_config(name)


def build_schema(
    limits: Limits = LIMITS, suggestions: bool = True, query: type = Query, types: Sequence[type] = TYPES
) -> strawberry.Schema:
    """The schema, ready to execute. Its context value is a `resolvers.context.Context`.

    With `suggestions` an unknown field is answered with those that it may have meant. `query` and `types`, of which it
    does not lead to all, are those of the graph unless it is another's contract that is served.
    """
    return Schema(
        query,
        types=types,
        config=StrawberryConfig(name_converter=Names(), scalar_map=SCALARS, disable_field_suggestions=not suggestions),
        execution_context_class=Executor,
        extensions=[lambda: Bounds(limits), lambda: ParserCache(CACHED), lambda: Validation(limits, CACHED)],
    )


def sdl() -> str:
    """The schema as text, always the same for the same code."""
    return build_schema().as_str().rstrip() + "\n"
