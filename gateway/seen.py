"""One request as it is seen from outside: for numbers, logs and traces. Nothing of what was asked or answered."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.routing import BaseRoute, Route

from resolvers.journal import Journal

METHODS = frozenset({"GET", "POST", "HEAD", "OPTIONS", "DELETE"})
OTHER = "other"
# The client went before there was an answer; nginx's number for it.
GONE = 499


@dataclass(frozen=True, slots=True)
class Seen:
    """A request that has ended. `start_ns` is Unix time; `traceparent` as it was sent, W3C's."""

    request_id: str
    route: str
    method: str
    status: int
    start_ns: int
    seconds: float
    caller: str
    cost: int | None
    journals: Sequence[Journal]
    traceparent: str | None = None
    # Of one that goes on without an end in sight: the updates that it was sent; None: of no such one.
    updates: int | None = None
    # How a WebSocket was closed.
    code: int | None = None

    @property
    def errors(self) -> Mapping[str, int]:
        """GraphQL errors by code."""
        return sum((journal.errors for journal in self.journals), Counter())


class Places:
    """What paths are called: each as it is routed, and all that lead nowhere alike."""

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        found = [route for route in routes if isinstance(route, Route)]
        self._plain = frozenset(route.path for route in found if not route.param_convertors)
        self._patterns = [(route.path_regex, route.path) for route in found if route.param_convertors]

    def of(self, path: str) -> str:
        """The route that a path belongs to."""
        if path in self._plain:
            return path
        return next((name for regex, name in self._patterns if regex.match(path)), OTHER)


def method_of(method: str) -> str:
    """A method, or `other`."""
    return method if method in METHODS else OTHER
