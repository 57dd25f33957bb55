"""The embedded store, loaded in random order and pieces, against the in-memory one, loaded once and in order."""

import asyncio
import random
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from backends.chdb import open_chdb
from tests.laws.answers import everything
from tests.laws.compare import load, loaded
from tests.reference.busy import busy_feeds
from tests.reference.strategies import NOW, configs, feeds


@settings(
    max_examples=8, deadline=None, phases=[Phase.generate, Phase.explicit], suppress_health_check=list(HealthCheck)
)
@given(feed=feeds(most_lives=5) | busy_feeds(), config=configs(), seed=st.integers(0, 2**32))
def test_every_answer_is_the_same_in_any_order(feed: Any, config: Any, seed: int) -> None:
    chance = random.Random(seed)
    shuffled = chance.sample(list(feed), len(feed))
    memory, store = loaded(feed, NOW, config), open_chdb()
    try:
        loader = load(store, shuffled, NOW, config, every=chance.choice((25, 1000)))

        assert everything(store) == everything(memory)

        loader.rebuild()
        assert everything(store) == everything(memory)
    finally:
        asyncio.run(store.close())
