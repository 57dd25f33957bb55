"""The NaaP dashboard's contract as a schema: bounded, executed and told of errors like the graph's own."""

import strawberry

from graph.dashboard.query import Query
from graph.schema import build_schema
from resolvers.context import LIMITS, Limits


def dashboard_schema(limits: Limits = LIMITS) -> strawberry.Schema:
    """The schema, ready to execute. Its context value is a `resolvers.context.Context`."""
    return build_schema(limits, query=Query, types=())
