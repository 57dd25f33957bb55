"""The short way through plain objects answers what the ordinary way does."""

import pytest

from graph import executor
from tests.graph.world import ALICE, NOW_MS, ask, fact, small_network

QUERY = """{ network { metrics(window: {last: PT24H}, compareTo: NETWORK) {
  outputFps { __typename value a: p50 b: p50 samples met target ...More }
  failureRatePct { value met samples } outcomes { requested served open }
  packetLossPct { samples value } } a: metrics { outputFps { p95 } } } }
  fragment More on Distribution { min max stddev comparedTo ... on Distribution { p99 } }"""


@pytest.mark.parametrize("broken", [False, True])
async def test_both_ways_answer_the_same(monkeypatch, broken) -> None:
    answers = []
    for plain in (executor.PLAIN, frozenset()):
        store = small_network()
        if broken:
            store.add(fact("big", NOW_MS - 1000, {"packet_samples": 2**40}, orchestrator=ALICE))
        monkeypatch.setattr(executor, "PLAIN", plain)
        answers.append(await ask(store, QUERY))

    short, ordinary = answers
    assert list(short.data["network"].items()) == list(ordinary.data["network"].items())
    assert short.errors == ordinary.errors
    assert bool(short.errors) is broken
