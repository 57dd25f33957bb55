"""Asks a loaded store, and says how long that took, in all and in the store: `python -m bench.ask URL REPEATS`."""

import asyncio
import hashlib
import sys
import time
from datetime import datetime
from typing import Any

import orjson

from gateway.interpreter import tuned
from gateway.store import open_store
from gateway.timeline import entry
from graph.schema import build_schema
from metrics.window import from_ms
from resolvers.context import Context

PAGE = """
query ($window: WindowInput!) {
  orchestrators(first: 50) {
    nodes {
      address
      metrics(window: $window) { ...eight }
      gpus(first: 50) { nodes { gpuId model metrics(window: $window) { ...eight } } }
    }
  }
}
fragment eight on SlaMetrics {
  outputFps { value p50 p95 p99 samples }
  inputFps { value p50 p95 p99 samples }
  promptToFirstFrameMs { value p50 p95 p99 samples }
  promptToPlayableMs { value p50 p95 p99 samples }
  e2eLatencyMs { value p50 p95 p99 samples }
  startupTimeS { value p50 p95 p99 samples }
  failureRatePct { value samples }
  swapRatePct { value samples }
}
"""
WHOLE = """
query ($window: WindowInput!) {
  network {
    metrics(window: $window) {
      sessions
      failureRatePct { value samples }
      outputFps { value p50 p95 samples }
      promptToFirstFrameMs { value p50 p95 samples }
    }
  }
}
"""


class Statements:
    """What the store was asked since the last look: how often, and for how long."""

    def __init__(self) -> None:
        self.count, self.seconds = 0, 0.0

    def __call__(self, name: str, seconds: float, rows: int) -> None:
        self.count += 1
        self.seconds += seconds

    def taken(self) -> tuple[int, float]:
        """The two numbers, which begin anew."""
        found = (self.count, self.seconds)
        self.count, self.seconds = 0, 0.0
        return found


class Recorder:
    """A backend that remembers what it was asked, so that the same can be asked of the store alone."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend
        self.asked: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._backend, name)

        async def recorded(*arguments: Any) -> Any:
            self.asked.append((name, arguments))
            return await method(*arguments)

        return recorded


async def measure(
    store: Any, statements: Statements, query: str, window: dict[str, str], repeats: int, now: datetime
) -> dict[str, Any]:
    """One query, asked many times through the graph, and its reads as many times alone."""
    schema, recorder = build_schema(), Recorder(store)

    async def through_the_graph(backend: Any) -> bytes:
        context = Context(backend, now, entry, "bench")
        result = await schema.execute(query, variable_values={"window": window}, context_value=context)
        assert not result.errors, result.errors
        return orjson.dumps({"data": result.data})

    answer = await through_the_graph(recorder)
    statements.taken()
    total, alone, reads = [], [], 0
    for _ in range(repeats):
        began = time.perf_counter()
        await through_the_graph(store)
        total.append(time.perf_counter() - began)
        reads, _seconds = statements.taken()
        for name, arguments in recorder.asked:
            await getattr(store, name)(*arguments)
        alone.append(statements.taken()[1])
    times = {
        "store_p50_ms": percentile(alone, 50),
        "store_p95_ms": percentile(alone, 95),
        "total_p50_ms": percentile(total, 50),
        "total_p95_ms": percentile(total, 95),
    }
    return {"reads": reads, "bytes": len(answer), "answer": hashlib.sha256(answer).hexdigest()} | times


def percentile(seconds: list[float], share: int) -> float:
    """The nearest rank, in milliseconds."""
    return sorted(seconds)[max(0, -(-len(seconds) * share // 100) - 1)] * 1000


async def main() -> None:
    """Measure both queries."""
    url, repeats = sys.argv[1], int(sys.argv[2])
    statements = Statements()
    store = open_store(url, on_statement=statements)
    held = await store.holds()
    first_ms, last_ms = min(first for first, _ in held.sources.values()), held.latest_ms or 0
    now = from_ms(last_ms + 1)
    tuned()
    day = {"start": from_ms(last_ms + 1 - 86_400_000).isoformat(), "end": now.isoformat()}
    whole = {"start": from_ms(first_ms).isoformat(), "end": now.isoformat()}
    queries = {
        "nested page": await measure(store, statements, PAGE, day, repeats, now),
        "whole period": await measure(store, statements, WHOLE, whole, repeats, now),
    }
    await store.close()
    print(orjson.dumps({"queries": queries}).decode())


if __name__ == "__main__":
    asyncio.run(main())
