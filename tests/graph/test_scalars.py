"""How values are read and written."""

from datetime import UTC, datetime, timedelta

import pytest

from graph import scalars
from metrics.errors import BadRequest


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2026-01-09T13:00:00Z", "2026-01-09T13:00:00Z"),
        ("2026-01-09t13:00:00z", "2026-01-09T13:00:00Z"),
        ("2026-01-09T13:00:00.5Z", "2026-01-09T13:00:00.500Z"),
        ("2026-01-09T13:00:00.123456789Z", "2026-01-09T13:00:00.123Z"),
        ("2026-01-09T14:30:00+01:30", "2026-01-09T13:00:00Z"),
    ],
)
def test_times_are_read_with_their_zone_and_written_in_utc(text, written) -> None:
    assert scalars.write_datetime(scalars.read_datetime(text)) == written


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-09",
        "2026-01-09T13:00:00",
        "2026-02-30T13:00:00Z",
        "13:00",
        "",
        5,
        None,
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:00",
    ],
)
def test_times_that_are_none_are_refused(text) -> None:
    with pytest.raises(BadRequest):
        scalars.read_datetime(text)


@pytest.mark.parametrize(
    ("text", "length", "written"),
    [
        ("PT1H", timedelta(hours=1), "PT1H"),
        ("P7D", timedelta(days=7), "P7D"),
        ("P2W", timedelta(weeks=2), "P14D"),
        ("P1DT2H3M4.5S", timedelta(days=1, hours=2, minutes=3, seconds=4.5), "P1DT2H3M4.5S"),
        ("PT90M", timedelta(minutes=90), "PT1H30M"),
        ("PT0S", timedelta(0), "PT0S"),
        ("PT86400S", timedelta(days=1), "P1D"),
    ],
)
def test_durations(text, length, written) -> None:
    assert scalars.read_duration(text) == length
    assert scalars.write_duration(length) == written
    assert scalars.read_duration(written) == length


@pytest.mark.parametrize(
    "text", ["P1M", "P1Y", "P", "PT", "1h", "PT1.5H", "-PT1H", "P1DT", "", 3600, None, "P99999999999D", "PT٣H"]
)
def test_durations_that_are_none_or_have_no_fixed_length_are_refused(text) -> None:
    with pytest.raises(BadRequest):
        scalars.read_duration(text)


def test_amounts_are_exact() -> None:
    assert scalars.read_wei("24000000086328") == 24000000086328
    assert scalars.read_decimal("0.012") == "0.012"
    for read, text in (
        (scalars.read_wei, "1.5"),
        (scalars.read_wei, 5),
        (scalars.read_wei, "٣"),
        (scalars.read_decimal, "1e5"),
    ):
        with pytest.raises(BadRequest):
            read(text)


def test_zones_do_not_matter_for_writing() -> None:
    assert scalars.write_datetime(datetime(1970, 1, 1, tzinfo=UTC)) == "1970-01-01T00:00:00Z"
