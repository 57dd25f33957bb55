"""The gateway against the independent reference: every answer, on made-up feeds, in any order and any pieces."""

import asyncio
import math
import random
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backends.backend import StakeQuestion
from metrics.window import to_ms
from resolvers.stake import totalled
from telemetry.swaps import swap_reason
from tests.laws.compare import FIGURES, capacity, demand, jobs, load, loaded, metrics
from tests.reference.lives import WALLETS
from tests.reference.oracle import Oracle
from tests.reference.strategies import NOW, configs, feeds, wheres, windows

SLOW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def agree(ours: Any, theirs: Any, path: str) -> None:
    """Counts exactly, numbers to 1e-6, percentiles within 1 %."""
    if isinstance(theirs, Mapping):
        for key in theirs:
            if key in ours:
                agree(ours[key], theirs[key], f"{path}.{key}")
        return
    if theirs is None or ours is None:
        assert ours == theirs, f"{path}: {ours} is not {theirs}"
        return
    allowed = 0.01 if path[-4:] in (".p50", ".p95", ".p99") else 1e-6
    assert math.isclose(ours, theirs, rel_tol=allowed, abs_tol=1e-6), f"{path}: {ours} is not {theirs}"


def oracle_of(feed: Any, config: Any) -> Oracle:
    """The reference over a feed."""
    return Oracle(feed, now=NOW, regions=config, reason=lambda text: swap_reason(text or "").value, flops=FIGURES)


@SLOW
@given(feed=feeds(), config=configs(), window=windows(), where=wheres())
def test_every_metric_is_what_the_reference_says(feed: Any, config: Any, window: Any, where: Any) -> None:
    store, oracle = loaded(feed, NOW, config), oracle_of(feed, config)
    start, end = window

    agree(metrics(store, to_ms(start), to_ms(end), where), oracle.metrics(start, end, **where), "metrics")
    agree(demand(store, to_ms(start), to_ms(end), where), oracle.demand(start, end, **where), "demand")
    agree(capacity(store, to_ms(start), to_ms(end), where), oracle.capacity(start, end, **where), "capacity")
    agree(jobs(store, to_ms(start), to_ms(end), where), oracle.jobs(start, end, **where), "jobs")


@SLOW
@given(feed=feeds(most_lives=2), windows=st.lists(windows(), min_size=1, max_size=4))
def test_stake_is_what_the_reference_says(feed: Any, windows: Any) -> None:
    store, oracle = loaded(feed, NOW), oracle_of(feed, None)
    instants = [to_ms(edge) for window in windows for edge in window]
    for names in (*((wallet,) for wallet in WALLETS), WALLETS):
        question = StakeQuestion(names, min(instants), max(instants))
        totals = totalled(asyncio.run(store.stakes(question)), instants)

        for at_ms, units in totals.items():
            theirs = oracle.stake(names, at_ms)
            assert (None if units is None else Fraction(units, 10**18)) == theirs


@SLOW
@given(feed=feeds(), config=configs(), seed=st.integers(0, 2**32))
def test_any_order_and_any_pieces_give_the_same_facts(feed: Any, config: Any, seed: int) -> None:
    shuffled = list(feed)
    random.Random(seed).shuffle(shuffled)
    once = loaded(feed, NOW, config)
    again = loaded(feed, NOW, config)
    load(again, shuffled, NOW, config, every=3)
    pieces = loaded([], NOW, config)
    load(pieces, shuffled, NOW, config, every=1 + seed % 7)

    assert state(pieces) == state(once)
    assert state(again) == state(once)


def state(store: Any) -> Any:
    """Everything derived, without the order of arrival."""
    facts = {owner: sorted(facts) for owner, facts in store.facts.items() if facts}
    sightings = {owner: sorted(map(repr, found)) for owner, found in store.sightings.items() if found}
    records = {owner: stored.record for owner, stored in store.stored.items()}
    supply = {hour: sorted(map(repr, found)) for hour, found in store.supply.items() if found}
    return {o: sorted(map(repr, f)) for o, f in facts.items()}, sightings, records, store.stakings, supply
