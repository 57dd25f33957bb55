"""Supply and what was put to use of it: the gateway against the reference, and what must add up."""

import random
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metrics.dimension import Dimension
from metrics.fold import fold
from metrics.question import Question
from metrics.supply import BUSY_MS, COLUMNS, GPU_MS, MEASURES, WORKFLOW_BUSY_MS, WORKFLOW_GPU_MS
from metrics.window import DAY_MS, HOUR_MS, Grain, Window, to_ms
from telemetry.loader import Loader
from tests.laws.compare import capacity, load, loaded, metrics
from tests.laws.test_reference import agree, oracle_of
from tests.reference import lives
from tests.reference.busy import busy_feeds
from tests.reference.lives import T0
from tests.reference.strategies import NOW, configs, dumped, wheres, windows

calm = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
WEEK = Window.of_ms(T0 - 3 * DAY_MS, T0 + 4 * DAY_MS)
SPANS = [column.name for column in COLUMNS if column.held is None]
EFFICIENCY = "cudaUtilizationEfficiencyPct"


@calm
@given(feed=busy_feeds(), config=configs(), window=windows(), asked=st.lists(wheres(), min_size=1, max_size=5))
def test_capacity_and_efficiency_are_what_the_reference_says(feed: Any, config: Any, window: Any, asked: Any) -> None:
    store, oracle = loaded(feed, NOW, config), oracle_of(feed, config)
    start, end = window

    for where in asked:
        agree(capacity(store, to_ms(start), to_ms(end), where), oracle.capacity(start, end, **where), f"{where}")
        ours = metrics(store, to_ms(start), to_ms(end), where)
        agree(ours[EFFICIENCY], oracle.metrics(start, end, **where)[EFFICIENCY], f"{where}")


@calm
@given(feed=busy_feeds(), config=configs(), every=st.integers(1, 9), seed=st.integers(0, 2**32))
def test_in_any_pieces_the_same_hours_are_supplied(feed: Any, config: Any, every: int, seed: int) -> None:
    once, pieces = loaded(feed, NOW, config), loaded([], NOW, config)
    lines = [*feed, *random.Random(seed).choices(feed, k=3)] if feed else []
    random.Random(seed).shuffle(lines)
    loader = load(pieces, lines, NOW, config, every=every)

    assert supplied(pieces) == supplied(once)
    loader.rebuild()
    assert supplied(pieces) == supplied(once)


def supplied(store: Any) -> Mapping[Any, Any]:
    """Every fact of supply, without the order of arrival."""
    return {hour: sorted(map(repr, facts)) for hour, facts in store.supply.items() if facts}


@calm
@given(feed=busy_feeds(), config=configs())
def test_hours_add_up_to_days_and_parts_to_the_whole(feed: Any, config: Any) -> None:
    facts = [fact for some in loaded(feed, NOW, config).supply.values() for fact in some]

    def total(*by: Dimension, grain: Grain | None = None) -> dict[str, int]:
        rows = fold(facts, Question.of(MEASURES, WEEK, grain, by))
        return {one.name: sum(int(row.sums[one.name]) for row in rows) for one in MEASURES}  # type: ignore[call-overload]

    whole = total()
    assert total(grain=Grain.HOUR) == total(grain=Grain.DAY) == whole
    for dimension in (Dimension.ORCHESTRATOR, Dimension.REGION, Dimension.GPU_MODEL, Dimension.GPU):
        assert total(dimension) == whole


@calm
@given(feed=busy_feeds(), config=configs())
def test_no_share_leaves_the_range_of_percentages(feed: Any, config: Any) -> None:
    facts = [fact for some in loaded(feed, NOW, config).supply.values() for fact in some]
    told = (Dimension.ORCHESTRATOR, Dimension.REGION, Dimension.WORKFLOW)

    for by in ((), *((dimension,) for dimension in told), told):
        pair = (WORKFLOW_BUSY_MS, WORKFLOW_GPU_MS) if Dimension.WORKFLOW in by else (BUSY_MS, GPU_MS)
        for closer in ((), (Dimension.GPU_MODEL,), (Dimension.GPU, Dimension.GPU_MODEL)):
            asked = Question.of([column.measures[0] for column in pair], WEEK, Grain.HOUR, (*by, *closer))
            for row in fold(facts, asked):
                named = all(value for dimension, value in zip(asked.by, row.by, strict=True) if dimension in closer)
                busy, have = (row.sums[column.name] for column in pair)
                assert not named or 0 <= busy <= have  # type: ignore[operator]


@calm
@given(feed=busy_feeds())
def test_no_fact_crosses_an_hour(feed: Any) -> None:
    for hour, facts in loaded(feed, NOW).supply.items():
        for fact in facts:
            lengths = [fact.values[name] for name in SPANS if name in fact.values]
            assert hour.hour_ms <= fact.at_ms
            assert lengths
            assert all(0 < length <= hour.hour_ms + HOUR_MS - fact.at_ms for length in lengths)


@pytest.mark.parametrize("first", [0, 1])
def test_a_snapshot_that_gives_way_just_before_a_crash_leaves_nothing(first: int) -> None:
    """Of two contents of one event the one with the smaller digest counts, whichever came first."""
    rows = [[(uri, 0, [("model-x", [0])], "list")] for uri in (0, 1)]
    events = [lives.snapshot("a", T0 + 30 * HOUR_MS * number, row) for number, row in enumerate(rows)]
    for draft in events:
        draft.event["id"] = "the same"
    lines = [("a", dumped(draft.event)) for draft in events]
    store = loaded(lines[first : first + 1], NOW)
    Loader(store, lambda: NOW).load("a", [lines[1 - first][1]])

    Loader(store, lambda: NOW).recover()

    assert supplied(store) == supplied(loaded(lines, NOW)) != {}
