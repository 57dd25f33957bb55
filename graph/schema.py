"""The schema: everything the graph offers, and its text."""

import re
from functools import cache, cached_property
from itertools import chain
from typing import Any

import strawberry
from graphql import (
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    Undefined,
    is_specified_directive,
    parse,
    print_directive,
    print_type,
)
from graphql.utilities.print_schema import is_defined_type
from strawberry.exceptions import MissingQueryError
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.schema.name_converter import NameConverter
from strawberry.types import ExecutionContext, ExecutionResult

from graph.budget import Budgeted
from graph.cost import priced
from graph.datasets import Dataset
from graph.entities import Gateway, Gpu, Orchestrator, Region, Workflow
from graph.errors import refused, told
from graph.executor import Executor
from graph.federation import MEANINGS as FEDERATION_MEANINGS
from graph.federation import SCALARS as FEDERATION_SCALARS
from graph.federation import VERSION
from graph.limits import Bounds, Parsing, Validation
from graph.meanings import MEANINGS
from graph.mutation import Mutation
from graph.places import Places
from graph.query import Query
from graph.rights import guard, mark
from graph.scalars import SCALARS
from graph.standing import Standing
from graph.streams import Session, Stream
from graph.subscription import Subscription
from resolvers.context import LIMITS, Limits

SUGGESTION = re.compile(r"\s*Did you mean [^?]*\?")
# Documents that are kept parsed and validated.
CACHED = 100
WITH_FIELDS = (GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType)


class Answering(strawberry.Schema):
    """Strawberry's schema, whose answers carry errors as `graph.errors` tells them."""

    suggestions = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        whole: Any = self._schema
        for named in (*whole.directives, *whole.type_map.values()):
            named.description = named.description or FEDERATION_MEANINGS.get(named.name)
            for name, one in getattr(named, "values", {}).items():
                one.description = one.description or MEANINGS.get(f"{named.name}.{name}")
            for name, one in getattr(named, "args", {}).items():
                one.description = one.description or MEANINGS.get(f"@{named.name}.{name}")
        # What may be left out has no default of null: a composer takes it for a size, a reader for something said.
        for type_ in whole.type_map.values():
            fields = type_.fields.values() if isinstance(type_, WITH_FIELDS) else ()
            for one in (*fields, *chain.from_iterable(getattr(field, "args", {}).values() for field in fields)):
                if getattr(one, "default_value", Undefined) is None:
                    one.default_value = Undefined

    async def execute(self, query: str | None, *args: Any, **kwargs: Any) -> ExecutionResult:
        """The answer to an operation; whatever goes wrong is told in it."""
        try:
            result = await super().execute(query, *args, **kwargs)
        except (MissingQueryError, CannotGetOperationTypeError, InvalidOperationTypeError) as error:
            return ExecutionResult(data=None, errors=[refused(error)])
        if result.errors:
            places = Places(query or "")
            result.errors = [told(error, places) for error in result.errors]
            if not self.suggestions:
                for one in result.errors:
                    one.message = SUGGESTION.sub("", one.message)
        return result

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Nothing: strangers are logged where they are masked, and a caller's mistake is no news."""


class Schema(Answering, strawberry.federation.Schema):
    """The same as a subgraph."""

    @cached_property
    def text(self) -> str:
        """The schema as routers and composers want it: without the definitions that its `@link` imports."""
        return self.as_str().rstrip()


class Names(NameConverter):
    """Strawberry's names, each worked out once: inputs are converted by name at every use."""

    def apply_naming_config(self, name: str) -> str:
        """The public form of a name."""
        return _named(name)


@cache
def _named(name: str) -> str:
    return NameConverter().apply_naming_config(name)


def bounded(limits: Limits = LIMITS, suggestions: bool = True, introspection: bool = True) -> dict[str, Any]:
    """How every schema here is executed: within limits, paid for, by the short way, with documents kept.

    With `suggestions` an unknown field is answered with those that it may have meant. Without `introspection` the
    schema does not describe itself.
    """
    return {
        "config": StrawberryConfig(
            name_converter=Names(), scalar_map=SCALARS, disable_field_suggestions=not suggestions
        ),
        "execution_context_class": Executor,
        "extensions": [
            lambda: Bounds(limits, introspection),
            lambda: Parsing(CACHED),
            lambda: Validation(limits, CACHED),
            Budgeted,
        ],
    }


def build_schema(limits: Limits = LIMITS, suggestions: bool = True, introspection: bool = True) -> Schema:
    """The schema, ready to execute. Its context value is a `resolvers.context.Context`."""
    types = [Orchestrator, Gpu, Workflow, Gateway, Region, Stream, Dataset]
    # Before the schema is made: it links what its directives come from.
    priced(Query, Subscription, *types)
    mark(Orchestrator, Standing, Session, Subscription)
    schema = Schema(
        Query,
        Mutation,
        Subscription,
        federation_version=VERSION,
        types=types,
        scalar_overrides=FEDERATION_SCALARS,
        **bounded(limits, suggestions, introspection),
    )
    schema.suggestions = suggestions
    guard(schema._schema)
    return schema


def sdl() -> str:
    """The schema as text, always the same for the same code.

    It is whole: what `@link` imports is defined in it too, for tools that know nothing of federation.
    """
    schema = build_schema()
    text, whole = schema.text, schema._schema
    written = {name.value for node in parse(text).definitions if (name := getattr(node, "name", None))}
    imported = {one.name: print_directive(one) for one in whole.directives if not is_specified_directive(one)}
    support = {name: print_type(one) for name, one in whole.type_map.items() if is_defined_type(one)}
    more = [printed[name] for printed in (imported, support) for name in sorted(printed.keys() - written)]
    return "\n\n".join([text, *more]) + "\n"
