"""The address of a ClickHouse server is read strictly, and never repeated where it is wrong."""

from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.clickhouse.address import Address, address_of
from gateway.store import open_store, shown
from metrics.errors import BadRequest


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("clickhouse://host", Address("host", 8123)),
        ("clickhouses://host", Address("host", 8443, secure=True)),
        ("clickhouse://host:9/db", Address("host", 9, database="db")),
        ("clickhouse://[::1]:8123/", Address("::1", 8123)),
        ("clickhouse://me@host", Address("host", 8123, user="me")),
        ("clickhouse://me:p%40%3A%2F%25@host", Address("host", 8123, user="me", password="p@:/%")),
        ("clickhouse://host/db?cluster=main-1", Address("host", 8123, database="db", cluster="main-1")),
        (f"clickhouses://host?ca={__file__}", Address("host", 8443, secure=True, ca=Path(__file__))),
    ],
)
def test_an_address_says_where_a_server_is(url: str, address: Address) -> None:
    assert address_of(url) == address


@pytest.mark.parametrize(
    ("url", "about"),
    [
        ("http://me:hidden@host", "begin with"),
        ("clickhouse://me:hidden@", "names no host"),
        ("clickhouse://me:hidden@:8123", "names no host"),
        ("clickhouse://me:hidden@host:0", "port"),
        ("clickhouse://me:hidden@host:70000", "port"),
        ("clickhouse://me:hidden@host:hidden", "port"),
        ("clickhouse://me:hidden@[::1", "port"),
        ("clickhouse://me:hid@den@host", "%40"),
        ("clickhouse://me:hidden%zz@host", "%25"),
        ("clickhouse://me:hid#den@host", ""),
        ("clickhouse://:hidden@host", "no user"),
        ("clickhouse://m%3Ae:hidden@host", "user has a :"),
        ("clickhouse://me:hidden@host/a/b", "database"),
        ("clickhouse://me:hidden@host/a`b", "database"),
        ("clickhouse://me:hidden@host/%27", "database"),
        ("clickhouse://me:hidden@host?nope=1", "nope"),
        ("clickhouse://me:hidden@host?cluster=", "cluster"),
        ("clickhouse://me:hidden@host?cluster=a`b", "cluster"),
        ("clickhouse://me:hidden@host?cluster=a&cluster=b", "twice"),
        ("clickhouse://me:hidden@host?ca=/nowhere", "clickhouses://"),
        ("clickhouses://me:hidden@host?ca=/nowhere", "no file"),
    ],
)
def test_a_wrong_address_names_its_setting_and_what_is_wrong(url: str, about: str) -> None:
    with pytest.raises(BadRequest, match="NAAP_BACKEND") as caught:
        address_of(url)

    assert about in str(caught.value)
    assert "hidden" not in str(caught.value)
    assert caught.value.argument == "NAAP_BACKEND"


@given(st.text(), st.text())
def test_any_user_and_password_can_be_written(user: str, password: str) -> None:
    user = user.replace(":", "") or "me"
    found = address_of(f"clickhouse://{quote(user, safe='')}:{quote(password, safe='')}@host")

    assert (found.user, found.password) == (user, password)
    assert "password" not in repr(found)


@given(st.text())
def test_no_text_does_anything_else(text: str) -> None:
    with suppress(BadRequest):
        assert address_of(f"clickhouse://{text}").host


def test_what_is_shown_of_a_store_holds_no_password() -> None:
    assert shown("clickhouse://me:hid@den@host:1/db") == "clickhouse://host:1/db"
    assert shown("chdb:///path") == "chdb:///path"
    assert Address("::1", 1, secure=True, password="hidden").shown == "clickhouses://[::1]:1/naap"
    with pytest.raises(BadRequest) as caught:
        open_store("elastic://me:hid@den@host")
    assert "den@" not in str(caught.value)
