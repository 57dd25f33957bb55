"""Rankings: what is kept, how long, and which part of it a page is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.window import Window
from resolvers.ranking import AsOf, Ranking, Rankings, between

WINDOW = Window.of_ms(0, 1000)


def name(text: str, version: int = 1) -> tuple[str, AsOf]:
    return text, AsOf(version, None)


@given(st.lists(st.text(max_size=4)), st.integers(0, 9), st.integers(0, 9))
def test_a_ranking_gives_back_its_keys(keys: list[str], low: int, high: int) -> None:
    ranking = Ranking(keys)

    assert len(ranking) == len(keys)
    assert ranking.keys(low, max(low, min(high, len(keys)))) == keys[low:high]


def test_ten_thousand_wallets_take_little_more_than_their_letters() -> None:
    assert Ranking(f"0x{n:040x}" for n in range(10_000)).size_bytes < 10_000 * 52


@pytest.mark.parametrize("as_of", [AsOf(7, None), AsOf(2**62, WINDOW)])
def test_a_cursor_says_as_of_when_it_is(as_of: AsOf) -> None:
    assert AsOf.of_cursor(*as_of.in_cursor) == as_of


def test_what_was_used_least_lately_goes_first_when_there_is_too_much() -> None:
    one = Ranking(["x" * 1000])
    rankings = Rankings(most_bytes=int(2.5 * one.size_bytes))
    for text in "ab":
        rankings.keep(name(text), Ranking([text * 1000]))
    rankings.get(name("a"))
    rankings.keep(name("c"), Ranking(["c" * 1000]))

    assert [rankings.get(name(text)) is not None for text in "abc"] == [True, False, True]


def test_what_is_larger_than_all_there_is_is_not_kept_and_bytes_come_back() -> None:
    rankings = Rankings(most_bytes=10_000)
    rankings.keep(name("huge"), Ranking(["x" * 20_000]))
    rankings.keep(name("a"), Ranking(["a" * 5_000]))

    assert (rankings.get(name("huge")), rankings.get(name("a")) is not None) == (None, True)


def test_what_nobody_reads_for_a_while_goes() -> None:
    now = [0.0]
    rankings = Rankings(most_s=10, clock=lambda: now[0])
    for text in "ab":
        rankings.keep(name(text), Ranking([text]))
    now[0] = 9
    rankings.get(name("b"))
    now[0] = 15

    assert [rankings.get(name(text)) is not None for text in "ab"] == [False, True]


def test_of_two_with_one_name_the_first_stands_for_somebody_reads_it() -> None:
    rankings, first = Rankings(), Ranking(["a"])

    assert rankings.keep(name("x"), first) is rankings.keep(name("x"), Ranking(["b"])) is first
    assert rankings.get(name("x", version=2)) is None


@given(
    st.integers(0, 6),
    st.integers(0, 8),
    st.booleans(),
    st.none() | st.integers(0, 9),
    st.none() | st.integers(0, 9),
)
def test_a_page_is_what_slicing_a_list_gives(
    length: int, size: int, backward: bool, after: int | None, before: int | None
) -> None:
    places = [n for n in range(length) if (after is None or n > after) and (before is None or n < before)]

    low, high = between(length, size, backward, after, before)

    assert [*range(low, high)] == (places[max(0, len(places) - size) :] if backward else places[:size])
