"""The NaaP dashboard's contract as a schema: bounded, executed and told of errors like the graph's own."""

from graph.dashboard.query import Query
from graph.schema import Answering, bounded
from resolvers.context import LIMITS, Limits


def dashboard_schema(limits: Limits = LIMITS) -> Answering:
    """The schema, ready to execute. Its context value is a `resolvers.context.Context`."""
    return Answering(Query, **bounded(limits))
