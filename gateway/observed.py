"""`GET /metrics`: what Prometheus may know of the budgets."""

from collections.abc import Callable

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from auth.caller import Caller


class Observed:
    """The numbers of one application."""

    def __init__(self, is_alone: Callable[[], bool] = lambda: False) -> None:
        """`is_alone` says whether budgets should be shared with other gateways and are not."""
        self._registry = CollectorRegistry()
        self._refused = Counter(
            "naap_refused", "Requests refused for want of a budget.", ["budget"], registry=self._registry
        )
        self._cost = Counter("naap_cost", "What was paid for answers.", ["caller"], registry=self._registry)
        alone = Gauge(
            "naap_budget_alone", "1 while Redis is away and this gateway counts budgets alone.", registry=self._registry
        )
        alone.set_function(lambda: float(is_alone()))

    def refused(self, budget: str) -> None:
        """One request was refused."""
        self._refused.labels(budget).inc()

    def paid(self, caller: Caller, cost: int) -> None:
        """One request was answered for so much."""
        kind = "operator" if caller.operator else "anonymous" if caller.subject is None else "caller"
        self._cost.labels(kind).inc(cost)

    async def page(self, _: Request) -> Response:
        """All of them, as Prometheus reads them."""
        return Response(generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
