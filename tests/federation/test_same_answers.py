"""Three stores behind one gateway answer like the one store that holds everything."""

import asyncio
import random
from typing import Any

import orjson
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from backends.memory import MemoryStore
from backends.part import WHOLE, Part
from tests.federation.split import assert_same, by_region, by_time, copied, federated
from tests.laws.compare import load, loaded
from tests.reference.busy import busy_feeds
from tests.reference.strategies import NOW, configs, feeds
from tests.reference.test_oracle import ONE, A, capabilities, status

few = settings(
    max_examples=5, deadline=None, phases=[Phase.generate, Phase.explicit], suppress_health_check=list(HealthCheck)
)
HOURS = st.sampled_from((-47, -24, -1, 0, 1, 2, 3, 24))
FEEDS = feeds(most_lives=6) | busy_feeds()


@few
@given(feed=FEEDS, config=configs(), seed=st.integers(0, 2**32), stated=st.booleans())
def test_by_source_loaded_separately(feed: Any, config: Any, seed: int, stated: bool) -> None:
    chance = random.Random(seed)
    lines = [(chance.choice((source, source, "c")), line) for source, line in feed]
    stores = [MemoryStore() for _ in range(3)]
    for store, source in zip(stores, "abc", strict=True):
        load(store, [line for line in lines if line[0] == source], NOW, config)

    parts = [Part(frozenset({source})) for source in "abc"] if stated else [WHOLE] * 3
    assert_same(federated(stores, parts), loaded(sorted(lines, key=lambda line: line[0]), NOW, config))


@few
@given(feed=FEEDS, config=configs(), hours=st.tuples(HOURS, HOURS))
def test_by_time_of_one_derivation(feed: Any, config: Any, hours: Any) -> None:
    whole, parts = loaded(feed, NOW, config), by_time(*hours)
    stores = [copied(whole, MemoryStore(), part) for part in parts]

    assert_same(federated(stores, parts), whole)


@few
@given(feed=FEEDS, config=configs(), hour=HOURS)
def test_hot_and_cold_that_state_nothing(feed: Any, config: Any, hour: int) -> None:
    cold = loaded(feed, NOW, config)
    hot = copied(cold, MemoryStore(), by_time(hour, hour)[2])

    assert_same(federated([hot, cold], [WHOLE] * 2), cold)


def test_what_is_still_advertised_when_the_hot_store_begins_is_told_once() -> None:
    # Of source b the hot store has no event, and yet its GPU, which counts for a day after the snapshot.
    old = capabilities(-1800, ONE, A, ("model-x", "gpu-1", "RTX 4090"))
    events = (("a", status(4 * 3600, 12)), ("a", status(0, 12)), ("b", old))
    feed = [(source, orjson.dumps({"id": f"e{n}", **event})) for n, (source, event) in enumerate(events)]
    cold = loaded(feed, NOW)
    hot = copied(cold, MemoryStore(), by_time(2, 2)[2])

    assert set(asyncio.run(hot.holds()).sources) == {"a"}
    assert_same(federated([hot, cold], [WHOLE] * 2), cold)


@few
@given(feed=FEEDS, config=configs(), places=st.tuples(*[st.integers(0, 2)] * 4))
def test_by_region_of_one_derivation(feed: Any, config: Any, places: Any) -> None:
    whole, parts = loaded(feed, NOW, config), by_region(places)
    stores = [copied(whole, MemoryStore(), part) for part in parts]

    assert_same(federated(stores, parts), whole)


@few
@given(
    feed=FEEDS,
    config=configs(),
    kind=st.sampled_from((WHOLE, Part(frozenset("a")), Part(regions=frozenset({"north", ""})))),
)
def test_what_several_hold_is_told_once(feed: Any, config: Any, kind: Part) -> None:
    whole = loaded(feed, NOW, config)
    stores = [copied(whole, MemoryStore(), WHOLE) for _ in range(3)]

    assert_same(federated(stores, [WHOLE, kind, WHOLE]), whole)
