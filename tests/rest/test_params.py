"""Parameters: a bad one is an error that names it."""

from datetime import UTC, datetime, timedelta

import pytest
from starlette.datastructures import QueryParams

from metrics.errors import BadRequest
from rest import params
from rest.parameter import read

NOW = datetime(2026, 1, 9, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "length"),
    [("5m", timedelta(minutes=5)), ("24h", timedelta(days=1)), ("7d", timedelta(days=7)), ("2w", timedelta(days=14))],
)
def test_a_short_range_ends_now(text: str, length: timedelta) -> None:
    window = params.time_range(text, "time_range").until(lambda: NOW)

    assert (window.end, window.length) == (NOW, length)


def test_an_interval_is_taken_as_it_stands() -> None:
    window = params.time_range("2026-01-09T14:00:00+01:00/2026-01-09T14:00:00Z", "time_range").until(lambda: NOW)

    assert (window.start, window.end) == (datetime(2026, 1, 9, 13, tzinfo=UTC), NOW)


@pytest.mark.parametrize(
    "text",
    [
        "24",
        "0h",
        "-5m",
        "1y",
        "24 h",
        "999999w",
        "4000d",
        "now",
        "/",
        "2026-01-09T13:00:00Z",
        "2026-01-09T13:00:00/2026-01-09T14:00:00",
        "2026-01-09T14:00:00Z/2026-01-09T13:00:00Z",
        "2026-01-09T14:00:00Z/2026-01-09T14:00:00Z",
        "2026-01-09T14:00:00Z/2026-01-09T14:00:00.0005Z",
        "2026-01-09T13:00:00 01:00/2026-01-09T14:00:00Z",
        "0001-01-01T00:00:00+14:00/2026-01-09T14:00:00Z",
        "2026-13-01T00:00:00Z/2026-01-09T14:00:00Z",
    ],
)
def test_a_bad_range_is_an_error(text: str) -> None:
    with pytest.raises(BadRequest) as caught:
        params.time_range(text, "time_range")

    assert caught.value.argument == "time_range"


@pytest.mark.parametrize("text", ["0", "1001", "-1", "ten", "1.5", "1e2", "٣"])
def test_a_bad_limit_is_an_error(text: str) -> None:
    with pytest.raises(BadRequest, match="limit must be"):
        params.limit(text, "limit")


def test_an_address_is_accepted_in_any_case() -> None:
    assert params.address("0X" + "Ab" * 20, "o_wallet") == "0x" + "ab" * 20


@pytest.mark.parametrize("text", ["0x12", "ab" * 21, "0x" + "g" * 40])
def test_a_bad_address_is_an_error(text: str) -> None:
    with pytest.raises(BadRequest, match="o_wallet must be"):
        params.address(text, "o_wallet")


@pytest.mark.parametrize(
    "query",
    [
        "limt=5",
        "limit=5&limit=6",
        "limit=",
        "limit=%20",
        "region=%1E",
        "region=a%0Ab",
        "region=%7F",
        "region=" + "x" * 2000,
    ],
)
def test_an_unknown_doubled_blank_or_endless_parameter_is_an_error(query: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read(QueryParams(query), (params.LIMIT, params.REGION))

    assert caught.value.argument == query.split("=")[0]


@pytest.mark.parametrize("name", ["", "a/b", "-a", "a b", "x" * 65, "ä"])
def test_a_bad_source_is_an_error(name: str) -> None:
    with pytest.raises(BadRequest, match="source must be"):
        params.source(name, "source")
