"""Cursors and slices."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.errors import BadRequest
from resolvers.context import Limits
from resolvers.order import rank
from resolvers.page import Page, Slice, cut, decoded, encoded

keys = st.lists(
    st.tuples(st.none() | st.integers(0, 3) | st.floats(0, 3), st.text("ab", min_size=1, max_size=3)),
    unique_by=lambda pair: pair[1],
)


def pages_of(items: list, wanted: Slice, descending: bool) -> Page:
    ordered = sorted(items, key=lambda item: rank(*item, descending))
    ranks = [rank(*item, descending) for item in ordered]
    return cut(ranks, ordered, wanted, "test", list, lambda at: rank(at[0], at[1], descending))


@given(keys, st.booleans(), st.integers(1, 4))
def test_paging_forward_and_backward_gives_everything_once_in_the_same_order(items, descending, size) -> None:
    forward, after, more = [], None, True
    while more:
        page = pages_of(items, Slice(size, after=after), descending)
        forward += [item for _, item in page.items]
        assert page.has_previous is (after is not None and len(items) > 0)
        more, after = page.has_next, page.items[-1][0] if page.items else None
    backward, before, more = [], None, True
    while more:
        page = pages_of(items, Slice(size, backward=True, before=before), descending)
        backward = [item for _, item in page.items] + backward
        more, before = page.has_previous, page.items[0][0] if page.items else None

    assert forward == backward
    assert sorted(map(repr, forward)) == sorted(map(repr, items))


@given(st.lists(st.text("abc", max_size=4), unique=True))
def test_texts_turned_round_are_in_the_opposite_order(texts) -> None:
    assert sorted(texts, key=lambda text: rank(text, "", True)) == sorted(texts, reverse=True)


def test_nulls_come_last_both_ways_and_ties_go_by_key() -> None:
    items = [(None, "c"), (1, "b"), (1, "a"), (2, "d")]

    for descending, order in ((False, "abdc"), (True, "dabc")):
        assert "".join(key for _, key in sorted(items, key=lambda item: rank(*item, descending))) == order


def test_a_cursor_of_another_order_or_changed_or_invented_is_refused() -> None:
    cursor = encoded("Gpu key asc", [1, "x"])

    assert decoded("Gpu key asc", cursor, "after") == [1, "x"]
    for scheme, text in (
        ("Gpu key desc", cursor),
        ("Gpu key asc", cursor[:-2] + "AA"),
        ("Gpu key asc", "né"),
        ("x", ""),
    ):
        with pytest.raises(BadRequest) as raised:
            decoded(scheme, text, "after")
        assert raised.value.argument == "after"


@pytest.mark.parametrize(
    ("given_", "argument"),
    [({"first": -1}, "first"), ({"first": 501}, "first"), ({"last": -1}, "last"), ({"first": 1, "last": 1}, "last")],
)
def test_a_slice_that_cannot_be_names_its_argument(given_, argument) -> None:
    with pytest.raises(BadRequest) as raised:
        Slice.of(Limits(), **given_)
    assert raised.value.argument == argument
