"""`NAAP_BACKEND`: what it may say, what each store is called, and that a wrong one is named."""

import pytest

from backends.part import WHOLE, Part
from gateway.places import is_several, places_of, shown, written
from metrics.errors import BadRequest
from metrics.window import HOUR_MS

T = 1_768_003_200_000  # 2026-01-10T00:00:00Z


def test_one_store_is_as_it_was() -> None:
    (place,) = places_of("chdb://~/.naap")

    assert (place.url, place.part, place.name) == ("chdb://~/.naap", WHOLE, "store-1")
    assert not is_several("chdb://~/.naap")
    assert written("chdb://~/.naap") == place


def test_several_with_names_parts_and_the_one_that_is_written() -> None:
    text = (
        "chdb:///var/naap?name=hot&from=2026-01-10T00:00:00Z&writes=true, "
        "postgresql://u:p%40ss@one,two:5433/naap?sslmode=require&name=eu&region=eu&region=&application_name=a%26b,"
        "clickhouse://h/naap?source=main&until=2026-01-10T01:00:00%2B01:00"
    )
    hot, eu, third = places_of(text)

    assert (hot.url, hot.name, hot.part, hot.writes) == ("chdb:///var/naap", "hot", Part(from_ms=T), True)
    assert eu.url == "postgresql://u:p%40ss@one,two:5433/naap?sslmode=require&application_name=a%26b"
    assert (eu.name, eu.part) == ("eu", Part(regions=frozenset({"eu", ""})))
    assert (third.url, third.name, third.part) == (
        "clickhouse://h/naap",
        "store-3",
        Part(frozenset({"main"}), None, None, T),
    )
    assert written(text) == hot
    assert shown(text) == "hot, eu, store-3"
    assert shown("postgresql://u:secret@host:5432/naap?sslpassword=x") == "postgresql://host:5432/naap"


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("?name=a%20b", "letters, digits"),
        ("?name=a&name=b", "more than once"),
        ("?source=", "source is blank"),
        ("?from=today", "is not a time"),
        ("?from=2026-01-10T00:00:00", "no time zone"),
        ("?from=2026-01-10T00:30:00Z", "not a whole hour"),
        ("?from=2026-01-10T00:00:00Z&from=2026-01-10T01:00:00Z", "more than once"),
        ("?from=2026-01-10T00:00:00Z&until=2026-01-10T00:00:00Z", "later than from"),
        ("?writes=yes", "true or false"),
        (f"?source={'x' * 201}", "longer"),
        ("?name=a,chdb:///y", "several embedded"),
        ("?name=a,postgresql://h/d?name=a", "two stores"),
        ("?writes=true,postgresql://h/d?writes=true", "several stores with writes"),
    ],
)
def test_what_is_wrong_is_named_without_secrets(query: str, why: str) -> None:
    with pytest.raises(BadRequest, match=why) as caught:
        places_of(f"chdb:///var/lib/secret{query}")
    assert caught.value.argument == "NAAP_BACKEND"
    assert "secret" not in str(caught.value)


def test_a_part_of_one_store_is_several_in_kind() -> None:
    assert is_several("chdb:///x?region=eu")


def test_where_no_store_is_for_writing_that_is_said() -> None:
    with pytest.raises(BadRequest, match="writes=true"):
        written("chdb:///x,postgresql://h/d")


def test_hours_of_other_zones_are_whole_too() -> None:
    (place,) = places_of("chdb:///x?until=2026-01-10T02:00:00+02:00")
    assert place.part.until_ms == T
    assert T % HOUR_MS == 0
