"""Budgets as decisions: what is left, when it is whole again, and how long to wait."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.budget import Budget, Spent, Tiers
from auth.caller import ANONYMOUS, Caller
from auth.meter import Kept
from auth.windows import Windows

MINUTE = Budget("cost", 100, 60)


def test_what_the_stretch_before_spent_counts_as_far_as_it_lies_in_the_window() -> None:
    # 80 were spent in the minute before, of which a quarter (15 s of 60) still counts, and 30 in this one.
    assert Spent(80, 15, 30, 75).remaining(MINUTE) == 100 - 20 - 30


@pytest.mark.parametrize(
    ("spent", "reset_s"), [(Spent(), 0), (Spent(80, 14.2, 0, 74.2), 15), (Spent(80, 14.2, 1, 74.2), 75)]
)
def test_the_budget_is_whole_when_all_that_was_spent_is_out_of_the_window(spent: Spent, reset_s: int) -> None:
    assert spent.reset_s() == reset_s


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@given(
    hits=st.lists(st.tuples(st.integers(1, 100), st.floats(0, 90)), max_size=12), cost=st.integers(1, 100)
)  # fmt: skip
async def test_after_the_wait_that_is_told_it_fits_and_not_long_before(hits, cost) -> None:
    clock = Clock()
    meter = Kept(Windows(clock=clock))
    for amount, later in hits:
        await meter.spend("k", MINUTE, amount)
        clock.now += later
    told = await meter.spent("k", MINUTE)
    if told.remaining(MINUTE) >= cost:
        assert await meter.spend("k", MINUTE, cost)
        return
    wait = told.wait_s(MINUTE, cost)
    clock.now += wait - 2
    assert wait < 2 or not await meter.spend("k", MINUTE, cost)
    clock.now += 2
    assert await meter.spend("k", MINUTE, cost)


@given(hits=st.lists(st.tuples(st.integers(1, 60), st.floats(0, 40)), max_size=40))
async def test_never_more_than_the_budget_is_counted_in_a_window(hits) -> None:
    clock, spent = Clock(), []
    meter = Kept(Windows(clock=clock))
    for amount, later in hits:
        if await meter.spend("k", MINUTE, amount):
            spent.append((clock.now, amount))
        clock.now += later
    # The counters spread the stretch before evenly, so that a window may hold up to twice, never more.
    assert all(sum(n for at, n in spent if start <= at < start + 60) <= 2 * MINUTE.amount for start, _ in spent)
    stretches = {int(at // 60) for at, _ in spent}
    assert all(sum(n for at, n in spent if at // 60 == one) <= MINUTE.amount for one in stretches)


async def test_callers_do_not_share_and_what_is_given_back_is_there_again() -> None:
    meter = Kept(Windows(clock=Clock()))

    assert await meter.spend("a", MINUTE, 100)
    assert not await meter.spend("a", MINUTE, 1)
    assert await meter.spend("b", MINUTE, 1)
    assert await meter.spend("a", MINUTE, -40)
    assert (await meter.spent("a", MINUTE)).remaining(MINUTE) == 40


async def test_memory_is_bounded_and_forgets_who_came_longest_ago() -> None:
    windows = Windows(clock=Clock(), most=3)
    meter = Kept(windows)
    for key in ("a", "b", "c", "a", "d"):
        await meter.spend(key, MINUTE, 50)

    left = {key: (await meter.spent(key, MINUTE)).remaining(MINUTE) for key in "abcd"}
    assert left == {"a": 0, "b": 100, "c": 50, "d": 50}


def test_each_kind_of_caller_has_its_tier() -> None:
    tiers = Tiers(1, 2, 3)

    callers = [ANONYMOUS, Caller("0x1"), Caller("ops", operator=True)]
    assert [tiers.of(one) for one in callers] == [1, 2, 3]
