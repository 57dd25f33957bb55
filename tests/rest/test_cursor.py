"""Cursors hold a key, and nothing that we did not write is one."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.errors import BadRequest
from rest.cursor import decode, encode, order
from rest.page import cut

keys = st.tuples(*[st.none() | st.text(max_size=4)] * 2)


@given(keys)
def test_a_cursor_gives_its_key_back(key: tuple[str | None, ...]) -> None:
    assert decode(encode(key), 2) == key


@pytest.mark.parametrize(
    "text",
    ["", "%%", "abc", "é", *(base64.urlsafe_b64encode(c).decode() for c in (b"{}", b"[1,2]", b'["a"]', b"[[],[]]"))],
)
def test_anything_else_is_an_error(text: str) -> None:
    with pytest.raises(BadRequest, match="cursor is not one of ours"):
        decode(text, 2)


@given(st.lists(keys, unique=True, max_size=12), st.integers(1, 5))
def test_pages_put_together_are_the_whole_list_in_order(found: list[tuple[str | None, ...]], limit: int) -> None:
    items = sorted(found, key=order)
    seen: list[tuple[str | None, ...]] = []
    cursor: str | None = None
    for _ in range(len(items) + 1):
        page, cursor = cut(items, lambda item: item, limit, cursor, 2)
        seen.extend(page)
        if cursor is None:
            break

    assert seen == items
