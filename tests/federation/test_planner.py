"""Who answers for what: cells worked out by hand."""

from backends.part import WHOLE, Part
from backends.routing import FOREVER_MS, Ask, Asked, Holder, Map, Regions
from metrics.window import DAY_MS, HOUR_MS

H, EVER = HOUR_MS, FOREVER_MS
MINUTE = 60_000


def reach(first: int, last: int, source: str = "x") -> dict[str, tuple[int, int]]:
    return {source: (first, last)}


def test_a_source_that_one_store_holds_is_asked_of_it_at_any_time() -> None:
    map = Map.of([Holder(WHOLE, reach(0, H)), Holder(WHOLE, reach(0, H, "y"))])

    # Not of whatever it holds: a part copied into it may tell of a source that it has no event of.
    assert map.asks(Asked()) == [Ask(0, -EVER, EVER, frozenset("x")), Ask(1, -EVER, EVER, frozenset("y"))]
    assert map.asks(Asked(5, 7, frozenset("y"))) == [Ask(1, 5, 7, frozenset("y"))]
    assert map.asks(Asked(5, 7, frozenset("z"))) == []


def test_of_two_that_hold_the_same_the_fresher_answers_and_the_other_before_it_begins() -> None:
    cold, hot = Holder(WHOLE, reach(0, 90 * H)), Holder(WHOLE, reach(50 * H, 99 * H + 5))
    map = Map.of([cold, hot])

    told = [(cell.start_ms, cell.end_ms, cell.answering, cell.yielding) for cell in map.cells]
    assert told == [
        (-EVER, 50 * H, (0,), ()),
        (50 * H, 91 * H, (1,), (0,)),
        # What is still told after the latest event is told once too.
        (91 * H, EVER, (1,), ()),
    ]


def test_of_two_equally_fresh_the_one_listed_first_answers() -> None:
    map = Map.of([Holder(WHOLE, reach(0, 9 * H)), Holder(WHOLE, reach(0, 9 * H))])

    assert [cell.answering for cell in map.about(Asked(0, 9 * H))] == [(0,)]
    assert [cell.yielding for cell in map.about(Asked(0, 9 * H))] == [(1,)]


def test_an_hour_that_two_share_without_meeting_is_asked_of_both() -> None:
    early, late = Holder(WHOLE, reach(0, 9 * H + 10)), Holder(WHOLE, reach(9 * H + 20, 20 * H))
    map = Map.of([early, late])

    assert [cell.answering for cell in map.about(Asked(8 * H, 11 * H))] == [(0,), (0, 1), (1,)]


def test_facts_that_outlast_their_events_are_asked_of_whoever_may_have_them() -> None:
    early, late = Holder(WHOLE, reach(0, 9 * H)), Holder(WHOLE, reach(99 * H, 200 * H))
    map = Map.of([early, late])

    assert [cell.answering for cell in map.about(Asked(20 * H, 21 * H))] == [(0,)]
    # Far from all events there is only what was counted of those that lost to others, at their times.
    assert [cell.answering for cell in map.about(Asked(12 * DAY_MS, 13 * DAY_MS))] == [(1,)]
    assert [cell.answering for cell in map.about(Asked(-13 * DAY_MS, -12 * DAY_MS))] == [(0,)]
    away = Map.of([early, late], frozenset({1}))
    assert [(cell.answering, cell.lost) for cell in away.about(Asked(12 * DAY_MS, 13 * DAY_MS))] == [((0,), ())]


def test_of_two_that_begin_in_one_hour_the_earlier_one_answers_for_it() -> None:
    late, early = Holder(WHOLE, reach(H + 40, 9 * H)), Holder(WHOLE, reach(H + 10, 9 * H))

    assert [cell.answering for cell in Map.of([late, early]).about(Asked(H, 2 * H))] == [(1,)]


def test_what_is_stated_cuts_to_the_millisecond_and_needs_no_events() -> None:
    old, new = Holder(Part(until_ms=24 * H), {}), Holder(Part(from_ms=24 * H), reach(30 * H, 40 * H))
    map = Map.of([old, new])

    assert map.asks(Asked(23 * H, 25 * H)) == [Ask(0, 23 * H, 24 * H), Ask(1, 24 * H, 25 * H)]


def test_regions_are_told_apart_and_one_store_may_have_the_rest() -> None:
    eu, rest = Holder(Part(regions=frozenset({"eu"})), reach(0, 9)), Holder(WHOLE, reach(0, 5))
    map = Map.of([eu, rest])

    # The first is fresher; what it leaves is everything but its region.
    assert map.asks(Asked(0, H)) == [
        Ask(0, 0, H, None, Regions(frozenset({"eu"}), only=True)),
        Ask(1, 0, H, None, Regions(frozenset({"eu"}), only=False)),
    ]
    assert [ask.store for ask in map.asks(Asked(0, H, None, frozenset({"eu"})))] == [0]
    assert [ask.store for ask in map.asks(Asked(0, H, None, frozenset({"us"})))] == [1]


def test_another_store_answers_for_one_that_is_away_and_the_rest_is_lost() -> None:
    both = [Holder(WHOLE, reach(0, 9 * H)), Holder(WHOLE, reach(5 * H, 8 * H))]
    map = Map.of(both, {0})

    assert [(cell.answering, cell.lost) for cell in map.about(Asked(0, 10 * H))] == [((), (0,)), ((1,), ()), ((), (0,))]
    assert list(map.lost(Asked(6 * H, 7 * H))) == []
    assert list(map.lost(Asked(1 * H, 2 * H))) == [0]


def test_a_store_that_was_never_reached_may_hold_anything() -> None:
    map = Map.of([Holder(WHOLE, None), Holder(WHOLE, reach(0, 9 * H))], {0})

    assert map.lost(Asked(0, H)) == {0: []}
    assert map.asks(Asked(0, H)) == [Ask(1, 0, H)]


def test_stores_of_which_nothing_is_known_are_asked_all() -> None:
    assert Map.of([Holder(WHOLE, {}), Holder(WHOLE, {})]).asks(Asked(0, 1)) == [Ask(0, 0, 1), Ask(1, 0, 1)]
