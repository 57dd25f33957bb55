"""What authentication, budgets and limits add to a request: the same gateway asked with and without, turn by turn.

`python -m bench.overhead REPEATS` prints the medians as JSON.
"""

import asyncio
import gc
import sys
import time
from collections.abc import MutableMapping
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware

from auth.budget import Tiers
from auth.caller import OWN_SCOPES, Role
from backends.memory import MemoryStore
from gateway.app import Parts, build_app
from gateway.interpreter import tuned
from gateway.middleware import Protected
from gateway.settings import Settings
from gateway.watched import Watched
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
# What would stand between a request and its answer without authentication, budgets and limits too.
KEPT = (Watched, Protected, GZipMiddleware)


def applications() -> tuple[Starlette, Starlette, str]:
    """The gateway as it is, without a budget that could end during the measurement; the same without authentication,
    budgets and limits; a token for the first."""

    def parts() -> Parts:
        store = MemoryStore()
        loader = Loader(store, lambda: NOW, Regions())
        settings = Settings(budgets=Tiers(0, 0, 0), rates=Tiers(0, 0, 0))
        return Parts(settings, store, Writer(loader, 16), Regions(), lambda: NOW)

    guarded = parts()
    whole, bare = build_app(guarded), build_app(parts())
    bare.user_middleware = [one for one in bare.user_middleware if one.cls in KEPT]
    _, token = guarded.access.machines.issue(
        "bench", "jwt", Role.ORCHESTRATOR, ["0x" + "aa" * 20], OWN_SCOPES, timedelta(days=1), NOW
    )
    return whole, bare, token


async def ask(app: Starlette, body: bytes, token: str | None = None) -> float:
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

    told = [] if token is None else [(b"authorization", f"Bearer {token}".encode())]
    scope = {
        "type": "http", "method": "POST", "path": "/graphql", "query_string": b"", "client": ("10.0.0.1", 1),
        "headers": [(b"content-type", b"application/json"), (b"accept", b"*/*"), *told], "http_version": "1.1",
    }  # fmt: skip
    began = time.perf_counter()
    await app(scope, receive, send)
    took = time.perf_counter() - began
    assert answered[0]["status"] == 200, answered
    return took


async def measure(repeats: int) -> dict[str, dict[str, float]]:
    """Medians in milliseconds of each query: without, with, with a token, and the most that lies between."""
    whole, bare, token = applications()
    found = {}
    for name, query in QUERIES.items():
        body = orjson.dumps({"query": query})
        kinds = [("without", bare, None), ("with", whole, None), ("token", whole, token)]
        times: dict[str, list[float]] = {kind: [] for kind, *_ in kinds}
        for turn in range(repeats):
            # Who comes first changes, so that none always finds the caches warm.
            first = turn % len(kinds)
            for kind, app, sent in kinds[first:] + kinds[:first]:
                times[kind].append(await ask(app, body, sent))
        medians = {kind: median(seconds[repeats // 10 :]) * 1000 for kind, seconds in times.items()}
        found[name] = medians | {"added": max(medians["with"], medians["token"]) - medians["without"]}
    return found


if __name__ == "__main__":
    tuned()
    gc.collect()
    print(orjson.dumps(asyncio.run(measure(int(sys.argv[1])))).decode())
