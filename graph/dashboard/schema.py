"""The NaaP dashboard's contract as a schema: bounded, paid for, executed and told of errors like the graph's own."""

from graph.cost import priced
from graph.dashboard.query import Query
from graph.schema import Answering, bounded


def dashboard_schema(suggestions: bool = True, introspection: bool = True) -> Answering:
    """The schema, ready to execute. Its context value is a `resolvers.context.Context`."""
    priced(Query)
    schema = Answering(Query, **bounded(suggestions=suggestions, introspection=introspection))
    schema.suggestions = suggestions
    return schema
