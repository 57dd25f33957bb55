"""What budgets and limits add to a request: the same gateway asked with and without them, turn by turn.

`python -m bench.overhead REPEATS` prints the medians as JSON.
"""

import asyncio
import gc
import sys
import time
from collections.abc import MutableMapping
from datetime import UTC, datetime
from statistics import median
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware

from auth.budget import Tiers
from backends.memory import MemoryStore
from gateway.app import Parts, build_app
from gateway.interpreter import tuned
from gateway.middleware import Protected
from gateway.settings import Settings
from gateway.writer import Writer
from telemetry.loader import Loader
from telemetry.regions import Regions

NOW = datetime(2026, 1, 9, 14, 0, tzinfo=UTC)
QUERIES = {
    "one metric of the network": '{ network { metrics(window: {last: "P1D"}) { sessions } } }',
    "eight metrics of a page": "{ orchestrators(first: 50) { nodes { address metrics { sessions streams "
    "outputFps { value p95 } inputFps { value } failureRatePct { value } swapRatePct { value } startupTimeS { value } "
    "e2eLatencyMs { value } } gpus { nodes { gpuId model metrics { sessions } } } } } }",
}
# What stands between a request and its answer because of budgets and limits.
KEPT = (Protected, GZipMiddleware)


def applications() -> tuple[Starlette, Starlette]:
    """The gateway as it is, without a budget that could end during the measurement, and without budgets and limits."""

    def parts() -> Parts:
        store = MemoryStore()
        loader = Loader(store, lambda: NOW, Regions())
        settings = Settings(budgets=Tiers(0, 0, 0), rates=Tiers(0, 0, 0))
        return Parts(settings, store, Writer(loader, 16), Regions(), lambda: NOW)

    whole, bare = build_app(parts()), build_app(parts())
    bare.user_middleware = [one for one in bare.user_middleware if one.cls in KEPT]
    return whole, bare


async def ask(app: Starlette, body: bytes) -> float:
    """The seconds that one request takes, from the server's side of the connection."""
    gone, answered = asyncio.Event(), list[MutableMapping[str, Any]]()
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> MutableMapping[str, Any]:
        if waiting:
            return waiting.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        answered.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/graphql", "query_string": b"", "client": ("10.0.0.1", 1),
        "headers": [(b"content-type", b"application/json"), (b"accept", b"*/*")], "http_version": "1.1",
    }  # fmt: skip
    began = time.perf_counter()
    await app(scope, receive, send)
    took = time.perf_counter() - began
    assert answered[0]["status"] == 200, answered
    return took


async def measure(repeats: int) -> dict[str, dict[str, float]]:
    """Medians in milliseconds of each query: with, without, and what lies between."""
    whole, bare = applications()
    found = {}
    for name, query in QUERIES.items():
        body = orjson.dumps({"query": query})
        times: dict[str, list[float]] = {"with": [], "without": []}
        for turn in range(repeats):
            # Who comes first changes, so that neither always finds the caches warm.
            order = (("with", whole), ("without", bare)) if turn % 2 else (("without", bare), ("with", whole))
            for kind, app in order:
                times[kind].append(await ask(app, body))
        medians = {kind: median(seconds[repeats // 10 :]) * 1000 for kind, seconds in times.items()}
        found[name] = medians | {"added": medians["with"] - medians["without"]}
    return found


if __name__ == "__main__":
    tuned()
    gc.collect()
    print(orjson.dumps(asyncio.run(measure(int(sys.argv[1])))).decode())
