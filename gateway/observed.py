"""`GET /metrics`: what Prometheus may know. Labels come from short fixed lists, never from what a request says."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from auth.caller import ANONYMOUS, Caller
from gateway.seen import Seen
from metrics.errors import Forbidden
from resolvers.journal import Read
from rest.events import from_this_machine

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
ASK_S = 2.0
# The budgets that a caller has.
REQUESTS, COST = "requests", "cost"

# What a number is now: one, or one for each value of a label.
Told = float | Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Number:
    """A number that its owner keeps. Counters only rise."""

    name: str
    doc: str
    now: Callable[[], Told]
    label: str | None = None
    is_counter: bool = False


class Numbers(Collector):
    """Numbers that others keep, asked when Prometheus asks."""

    def __init__(self) -> None:
        self._numbers: list[Number] = []

    def add(self, number: Number) -> None:
        """Tell this one too."""
        self._numbers.append(number)

    def collect(self) -> Iterable[CounterMetricFamily | GaugeMetricFamily]:
        """All of them, as they are now."""
        for one in self._numbers:
            kind = CounterMetricFamily if one.is_counter else GaugeMetricFamily
            family = kind(one.name, one.doc, labels=[one.label] if one.label else [])
            told = one.now()
            if isinstance(told, Mapping):
                for value, number in sorted(told.items()):
                    family.add_metric([value], number)
            else:
                family.add_metric([], told)
            yield family


class Observed:
    """The numbers of one application. Whatever keeps counts of its own is told by a line: `observed.tells(…)`."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._numbers = Numbers()
        self._registry.register(self._numbers)
        ProcessCollector(registry=self._registry)
        self._asked: list[Callable[[], Awaitable[None]]] = []
        self._requests = self._counter("naap_requests", "Requests that were answered.", "route", "method", "status")
        self._seconds = self._histogram("naap_request_seconds", "How long answers took, to their last byte.", "route")
        self._reads = self._counter("naap_store_reads", "Reads of the store for requests.", "kind", "result")
        self._read_seconds = self._histogram("naap_store_read_seconds", "How long such reads took.", "kind")
        self._errors = self._counter("naap_graphql_errors", "Errors in GraphQL answers.", "code")
        self._refused = self._counter("naap_refused", "Requests refused for want of a budget.", "budget")
        for budget in (REQUESTS, COST):
            # From the start, at 0: a rate needs a number to begin with.
            self._refused.labels(budget)
        self._cost = self._counter("naap_cost", "What was paid for answers.", "caller")

    def tells(
        self, name: str, doc: str, now: Callable[[], Told], label: str | None = None, is_counter: bool = False
    ) -> None:
        """Tell a number that somebody else keeps: one, or with `label` one for each of few values of it."""
        self._numbers.add(Number(name, doc, now, label, is_counter))

    def asks(self, ask: Callable[[], Awaitable[None]]) -> None:
        """Wait for this before telling: for numbers that must be looked up. It takes ASK_S at most."""
        self._asked.append(ask)

    def seen(self, seen: Seen) -> None:
        """One request was answered."""
        self._requests.labels(seen.route, seen.method, str(seen.status)).inc()
        # What waits for news says nothing of how long answers take.
        if seen.updates is None:
            self._seconds.labels(seen.route).observe(seen.seconds)
        for code, count in seen.errors.items():
            self._errors.labels(code).inc(count)

    def read(self, read: Read) -> None:
        """The store was read for a request."""
        self._reads.labels(read.name, read.error or "OK").inc()
        self._read_seconds.labels(read.name).observe(read.seconds)

    def refused(self, budget: str) -> None:
        """One request was refused."""
        self._refused.labels(budget).inc()

    def paid(self, caller: Caller, cost: int) -> None:
        """One request was answered for so much."""
        self._cost.labels(kind(caller)).inc(cost)

    async def page(self, request: Request) -> Response:
        """All of them, as Prometheus reads them. Raises Forbidden for whoever is neither here nor an operator."""
        if not (getattr(request.state, "caller", ANONYMOUS).operator or from_this_machine(request)):
            raise Forbidden(
                "the gateway's own numbers are for this machine, and for operators: send an operator's token."
            )
        await asyncio.gather(*(ask() for ask in self._asked))
        return Response(generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    def _counter(self, name: str, doc: str, *labels: str) -> Counter:
        return Counter(name, doc, labels, registry=self._registry)

    def _histogram(self, name: str, doc: str, *labels: str) -> Histogram:
        return Histogram(name, doc, labels, registry=self._registry, buckets=SECONDS)


def kind(caller: Caller) -> str:
    """What sort of caller this is."""
    return "operator" if caller.operator else "anonymous" if caller.subject is None else "caller"
