"""Days and weeks by the clocks of a time zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.buckets import Buckets, zone_of
from metrics.columns import OUTPUT_FPS
from metrics.errors import BadRequest
from metrics.fact import Fact
from metrics.fold import fold
from metrics.question import Question
from metrics.window import HOUR_MS, Grain, Window, from_ms, to_ms

ZONES = (
    "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns",
    "Pacific/Apia", "America/Sao_Paulo", "Africa/Cairo", "Pacific/Kiritimati",
)  # fmt: skip
# From before Samoa's lost day; St. John's fell back at one minute past midnight until 2011.
FIRST, LAST = (to_ms(datetime(year, 1, 1, tzinfo=UTC)) for year in (2010, 2027))


def days(zone: str, start: datetime, end: datetime, grain: Grain = Grain.DAY) -> tuple[Buckets, Window, list[float]]:
    """The buckets of a window, and how many hours each has."""
    buckets, window = Buckets(grain, zone), Window(start, end)
    return buckets, window, [(buckets.end_of(one, window) - one) / HOUR_MS for one in buckets.starts(window)]


def test_a_day_has_23_or_25_hours_where_clocks_change() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    for month, first, hours in ((3, 28, [24, 23, 24]), (10, 24, [24, 25, 24])):
        start, end = (datetime(2026, month, day, tzinfo=berlin) for day in (first, first + 3))
        buckets, window, found = days("Europe/Berlin", start, end)

        assert found == hours
        assert [from_ms(one).astimezone(berlin).hour for one in buckets.starts(window)] == [0, 0, 0]
        assert buckets.count(window) == 3
        assert buckets.read(window) is Grain.HOUR


def test_a_week_begins_on_monday_at_midnight_of_the_zone() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start, end = datetime(2026, 3, 25, 12, tzinfo=berlin), datetime(2026, 4, 1, tzinfo=berlin)
    buckets, window, hours = days("Europe/Berlin", start, end, Grain.WEEK)

    assert hours == [167, 168]
    assert [from_ms(one).astimezone(berlin).strftime("%a %H:%M") for one in buckets.starts(window)] == ["Mon 00:00"] * 2


def test_a_day_that_a_zone_left_out_is_no_bucket() -> None:
    _, _, hours = days("Pacific/Apia", *(datetime(2011, 12, day, 12, tzinfo=UTC) for day in (28, 31)))

    assert hours == [24] * 4  # 28, 29, 31 December and the first of January there


def test_a_midnight_that_does_not_exist_is_the_instant_of_the_change() -> None:
    sao_paulo = ZoneInfo("America/Sao_Paulo")
    start, end = (datetime(2018, 11, day, tzinfo=sao_paulo) for day in (3, 6))
    buckets, window, hours = days("America/Sao_Paulo", start, end)

    assert hours == [24, 23, 24]
    assert from_ms(buckets.starts(window)[1]).astimezone(sao_paulo).hour == 1


def test_narrow_buckets_and_utc_have_no_clocks() -> None:
    window = Window(datetime(2026, 3, 28, 1, 30, tzinfo=UTC), datetime(2026, 3, 31, tzinfo=UTC))

    for grain in Grain:
        plain = Buckets(grain)
        assert list(plain.starts(window)) == list(window.buckets(grain))
        assert plain.count(window) == len(plain.starts(window))
        assert plain.read(window) is grain
        if grain.value <= Grain.HOUR.value:
            assert Buckets(grain, "Europe/Berlin").starts(window) == plain.starts(window)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Berlin",
        "europe/berlin",
        "../../etc/passwd",
        "/etc/localtime",
        "Europe",
        "Europe/Berlin\x00",
        "X" * 5000,
        "posixrules",
    ],
)
def test_a_name_that_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(BadRequest) as refused:
        zone_of(name)

    assert refused.value.argument == "timeZone"
    assert len(str(refused.value)) < 200


def test_clocks_that_were_off_by_seconds_are_refused() -> None:
    window = Window(datetime(1971, 1, 1, tzinfo=UTC), datetime(1971, 1, 5, tzinfo=UTC))

    with pytest.raises(BadRequest, match="seconds"):
        Buckets(Grain.DAY, "Africa/Monrovia").read(window)


@settings(max_examples=150, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    grain=st.sampled_from([Grain.DAY, Grain.WEEK]),
    start_ms=st.integers(FIRST, LAST),
    minutes=st.integers(1, 60 * 24 * 30),
    at=st.lists(st.floats(0, 1, exclude_max=True), max_size=20),
)
def test_a_bucket_holds_what_its_own_window_does(
    zone: str, grain: Grain, start_ms: int, minutes: int, at: list[float]
) -> None:
    buckets, window = Buckets(grain, zone), Window.of_ms(start_ms, start_ms + minutes * 60_000)
    dims = (None,) * 8
    facts = [
        Fact("x", str(n), window.start_ms + int(share * minutes * 60_000), dims, {"output_fps": n + 1})
        for n, share in enumerate(at)
    ]
    starts = buckets.starts(window)
    measures = OUTPUT_FPS.measures
    rows = fold(facts, Question.of(measures, window, buckets.read(window)))
    found = {row.start_ms: row.sums for row in buckets.gathered(rows, window, measures)}

    # Without gaps or overlaps, over all of the window.
    assert starts[0] <= window.start_ms
    assert [buckets.end_of(one, window) for one in starts] == [*starts[1:], buckets.end_of(starts[-1], window)]
    assert starts[-1] < window.end_ms <= buckets.end_of(starts[-1], window)
    assert abs(buckets.count(window) - len(starts)) <= 1
    clocks = ZoneInfo(zone)
    for one in starts:
        span = Window.of_ms(max(one, window.start_ms), min(buckets.end_of(one, window), window.end_ms))
        own = fold(facts, Question.of(measures, span))
        assert found.get(one) == (own[0].sums if own else None)
        # A moment before it, it was another day there.
        assert (
            from_ms(one).astimezone(clocks).date()
            != (from_ms(one) - timedelta(milliseconds=1)).astimezone(clocks).date()
        )
