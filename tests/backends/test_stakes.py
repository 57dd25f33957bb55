"""Stake: what every store answers about orchestrators at instants."""

from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backends.backend import Staked, StakeQuestion
from backends.log import Batch, Event, Stake, Statements
from backends.memory import staked
from tests.backends.stores import wait

A, B, C = ("0x" + letter * 40 for letter in "abc")


def stake(who: str, at_ms: int, lptu: int, id: str = "", source: str = "default") -> Stake:
    return Stake(source, who, at_ms, id or f"{who}/{at_ms}", lptu)


def asked(store: Any, names: Sequence[str], first_ms: int, last_ms: int) -> list[Staked]:
    return list(wait(store.stakes(StakeQuestion(tuple(names), first_ms, last_ms))))


def test_the_latest_before_and_all_until_the_end(store: Any) -> None:
    rows = [stake(A, at_ms, at_ms * 10**18) for at_ms in (10, 20, 30, 40)]
    store.state(Statements(stakes=[*rows, stake(B, 5, 7), stake(C, 50, 9)]))

    assert asked(store, (A, B, C), 25, 30) == [Staked(A, 20, 20 * 10**18), Staked(A, 30, 30 * 10**18), Staked(B, 5, 7)]
    assert asked(store, (A,), 20, 20) == [Staked(A, 20, 20 * 10**18)]
    assert asked(store, (A,), 0, 9) == []
    assert asked(store, (), 0, 99) == []


def test_amounts_are_exact_and_zero_is_one(store: Any) -> None:
    store.state(Statements(stakes=[stake(A, 1, 10**30 - 1), stake(B, 1, 0)]))

    assert [one.lptu for one in asked(store, (A, B), 1, 1)] == [10**30 - 1, 0]


def test_of_one_instant_the_smallest_source_and_id_counts(store: Any) -> None:
    store.state(Statements(stakes=[stake(A, 1, 5, "b"), stake(A, 1, 6, "z", "a"), stake(A, 1, 7, "a")]))

    assert asked(store, (A,), 1, 1) == [Staked(A, 1, 6)]


def test_a_withdrawn_statement_goes_and_may_come_back_otherwise(store: Any) -> None:
    store.state(Statements(stakes=[stake(A, 1, 5, "x"), stake(A, 2, 6, "y")]))
    store.state(Statements(stakes=[stake(A, 3, 7, "y")], withdrawn=[("default", "y"), ("default", "x")]))

    assert asked(store, (A,), 0, 9) == [Staked(A, 3, 7)]


def test_stake_says_nothing_of_how_far_a_source_reaches(store: Any) -> None:
    def event(id: str, at_ms: int, type_: str) -> Event:
        return Event("default", id, id.encode() * 32, at_ms, "", type_, b"{}")

    store.append(Batch([event("a", 100, "stream_trace"), event("b", 900, "orchestrator_stake")]))
    assert store.latest() == {"default": 100}
    # A withdrawal makes stores read their reach anew.
    loser = event("a", 100, "stream_trace")
    store.append(Batch([loser._replace(at_ms=90, sha=b"0" * 32)], conflicts=[loser], superseded=[loser]))

    assert store.latest() == {"default": 90}
    assert wait(store.holds()).sources == {"default": (90, 90)}


EVERY_EVENT = [(source, id) for source in ("default", "other") for id in "abcd"]
rows = st.lists(
    st.builds(
        stake,
        st.sampled_from((A, B)),
        st.integers(0, 9),
        st.integers(0, 10**30),
        st.sampled_from("abcd"),
        st.sampled_from(("default", "other")),
    ),
    max_size=12,
    unique_by=lambda one: (one.source, one.id),
)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=rows, span=st.tuples(st.integers(0, 9), st.integers(0, 9)))
def test_a_store_agrees_with_the_rule(shared: Any, rows: list[Stake], span: tuple[int, int]) -> None:
    question = StakeQuestion((A, B), min(span), max(span))
    shared.state(Statements(stakes=rows, withdrawn=EVERY_EVENT))

    assert list(wait(shared.stakes(question))) == staked(rows, question)
