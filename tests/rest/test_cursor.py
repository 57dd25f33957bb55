"""Cursors hold a key and the list that it belongs to, and nothing that we did not write is one."""

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from metrics.errors import BadRequest
from metrics.window import Window
from rest.cursor import Cursor, decode, encode, fingerprint, order
from rest.page import Listing
from rest.parameter import read
from rest.params import CURSOR, LIMIT

NOW = datetime(2026, 1, 9, 14, tzinfo=UTC)
HOUR = Window(NOW.replace(hour=13), NOW)

keys = st.tuples(*[st.none() | st.text(max_size=4)] * 2)


@given(keys)
def test_a_cursor_is_given_back_as_it_was(key: tuple[str | None, ...]) -> None:
    cursor = Cursor(key, "1h", HOUR, fingerprint({"region": "fra"}))

    assert decode(encode(cursor), 2) == cursor


@pytest.mark.parametrize(
    "text",
    [
        "",
        "%%",
        "abc",
        "é",
        *(
            base64.urlsafe_b64encode(held).decode()
            for held in (
                b"{}",
                b'["a","b"]',
                b'[["a"],"1h",0,1,""]',
                b'["ab","1h",0,1]',
                b'[[1,2],"1h",0,1,""]',
                b'[["a","b"],"1h",1,0,""]',
                b'[["a","b"],"1h",0,1e300,""]',
                b'[["a","b"],"1h",0,253402300800000,""]',
                b'[["a","b"],1,0,1,""]',
                b'[["a","b"],"1h",0,1,null]',
            )
        ),
    ],
)
def test_anything_else_is_an_error(text: str) -> None:
    with pytest.raises(BadRequest, match="cursor is not one of ours") as caught:
        decode(text, 2)

    assert caught.value.argument == "cursor"


def test_the_order_of_filters_does_not_matter() -> None:
    assert fingerprint({"a": "1", "b": "2"}) == fingerprint({"b": "2", "a": "1"}) != fingerprint({"a": "2", "b": "1"})


@given(st.lists(keys, unique=True, max_size=12), st.integers(1, 5))
def test_pages_put_together_are_the_whole_list_in_order(found: list[tuple[str | None, ...]], limit: int) -> None:
    items = sorted(found, key=order)
    seen: list[tuple[str | None, ...]] = []
    cursor: str | None = None
    for _ in range(len(items) + 1):
        query = {"limit": str(limit)} | ({"cursor": cursor} if cursor else {})
        asked = read(QueryParams(query), (LIMIT, CURSOR))
        page, cursor = Listing.of("a_list", asked, "1h", HOUR, 2).cut(items, lambda item: item)
        seen.extend(page)
        if cursor is None:
            break

    assert seen == items
