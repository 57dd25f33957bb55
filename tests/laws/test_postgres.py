"""PostgreSQL, loaded in random order and pieces, against the in-memory store, loaded once and in order."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.backends.stores import COLUMNS, Missing, Started
from tests.laws.answers import everything
from tests.laws.compare import load, loaded
from tests.reference.busy import busy_feeds
from tests.reference.strategies import NOW, configs, feeds


@pytest.fixture(scope="module", params=["postgresql16", "postgresql18", "timescale"])
def started(request: pytest.FixtureRequest) -> Iterator[Started]:
    column = next(column for column in COLUMNS if column.name == request.param)
    try:
        with column.start() as one:
            yield one
    except Missing as why:
        pytest.skip(f"backend {column.name}: {why}")


@settings(max_examples=4, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(feed=feeds(most_lives=5) | busy_feeds(), config=configs(), seed=st.integers(0, 2**32))
def test_every_answer_is_the_same_in_any_order(started: Started, feed: Any, config: Any, seed: int) -> None:
    chance = random.Random(seed)
    shuffled = chance.sample(list(feed), len(feed))
    memory = loaded(feed, NOW, config)
    with started.new() as store:
        loader = load(store, shuffled, NOW, config, every=chance.choice((25, 1000)))

        assert everything(store) == everything(memory)

        loader.rebuild()
        assert everything(store) == everything(memory)
