"""Whole queries to a gateway over three stores of different kinds, against one that holds everything."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any

import pytest

from backends.memory import MemoryStore
from backends.part import Part
from gateway.timeline import entry
from graph.schema import build_schema
from metrics.window import HOUR_MS, to_ms
from resolvers.context import Context
from telemetry.simulator.network import Simulation
from telemetry.simulator.options import Options
from tests.backends.stores import COLUMNS, Column, Missing
from tests.federation.split import copied, federated
from tests.laws.answers import everything
from tests.laws.compare import load
from tests.reference.lives import NOW

OPTIONS = Options(orchestrators=2, hours=4, seed=17, end=NOW)
SCHEMA = build_schema()
WINDOW = f'window: {{start: "{(NOW - timedelta(hours=3, minutes=7)).isoformat()}", end: "{NOW.isoformat()}"}}'
QUERIES = (
    f"""{{ network {{ orchestratorCount gpuCount lastEventAt metrics({WINDOW}) {{
      sessions streams outputFps {{ value p50 p95 min max stddev samples }} promptToFirstFrameMs {{ value p99 }}
      failureRatePct {{ value }} jitterCoefficient {{ value }} cudaUtilizationEfficiencyPct {{ value }}
      outcomes {{ served }} swapReasons {{ reason count }} freshness {{ asOf partial }} }}
      demand({WINDOW}) {{ streams inferenceMinutes feesWei capacityRatePct }} }} }}""",
    f"""{{ orchestrators(first: 3, orderBy: {{ metric: "sessions", {WINDOW}, direction: DESC }}) {{ totalCount
      pageInfo {{ hasNextPage }} nodes {{ address metrics({WINDOW}) {{ sessions outputFps {{ value p95 }} }}
      gpus(first: 5) {{ nodes {{ model metrics({WINDOW}) {{ outputFps {{ value }} }} }} }}
      slaScore({WINDOW}) {{ value }} }} }} }}""",
    """{ streams(first: 7) { totalCount pageInfo { hasNextPage endCursor } nodes { streamId startedAt
      sessions { requestId outcome timeline { at type subtype } } } } }""",
    f"""{{ leaderboard({WINDOW}, first: 5) {{ rank orchestrator {{ address }} score {{ value }} }}
      workflows {{ nodes {{ name series({WINDOW}, interval: HOUR) {{
        buckets {{ start metrics {{ sessions outputFps {{ value }} }} }} }} }} }} }}""",
)


@pytest.fixture(scope="module")
def whole() -> MemoryStore:
    """One store with everything."""
    store = MemoryStore()
    load(store, [("default", line) for line in Simulation(OPTIONS).events()], OPTIONS.end + timedelta(days=1))
    return store


@contextmanager
def opened(column: Column) -> Iterator[Any]:
    """A new store of one kind; skips where it is missing."""
    with ExitStack() as stack:
        try:
            started = stack.enter_context(column.start())
        except Missing as why:
            pytest.skip(f"backend {column.name}: {why}")
        yield stack.enter_context(started.new())


def parts() -> list[Part]:
    edges = [to_ms(OPTIONS.end) // HOUR_MS * HOUR_MS - hours * HOUR_MS for hours in (3, 1)]
    return [Part(until_ms=edges[0]), Part(from_ms=edges[0], until_ms=edges[1]), Part(from_ms=edges[1])]


async def asked(store: Any, query: str) -> Any:
    context = Context(store, NOW, entry, "test")
    result: Any = await SCHEMA.execute(query, context_value=context)
    assert not result.errors, result.errors
    return result.data


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
def test_every_answer_and_whole_queries_are_those_of_one_store(column: Column, whole: MemoryStore) -> None:
    """One store of each kind stands between two in memory."""
    with opened(column) as middle:
        shared = [
            copied(whole, store, part)
            for store, part in zip((MemoryStore(), middle, MemoryStore()), parts(), strict=True)
        ]
        one = federated(shared, parts())

        assert everything(one) == everything(whole)
        for query in QUERIES:
            assert asyncio.run(asked(one.request(), query)) == asyncio.run(asked(whole, query))
