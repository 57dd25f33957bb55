"""Arguments become windows and grains."""

from datetime import UTC, datetime, timedelta

import pytest

from metrics.errors import BadRequest, TooComplex
from metrics.window import Grain, Window
from resolvers.arguments import grain_of, window_of
from resolvers.context import Limits

NOW = datetime(2026, 1, 9, 14, tzinfo=UTC)
HOUR = timedelta(hours=1)
LIMITS = Limits()


def test_a_window_is_the_last_hour_or_a_length_or_two_ends() -> None:
    assert window_of(lambda: NOW) == Window(NOW - HOUR, NOW)
    assert window_of(lambda: NOW, last=2 * HOUR) == Window(NOW - 2 * HOUR, NOW)
    assert window_of(lambda: NOW, start=NOW - 3 * HOUR, end=NOW - HOUR) == Window(NOW - 3 * HOUR, NOW - HOUR)


@pytest.mark.parametrize(
    "given_",
    [
        {"start": NOW},
        {"end": NOW},
        {"last": HOUR, "start": NOW},
        {"last": HOUR, "start": NOW - HOUR, "end": NOW},
        {"start": NOW, "end": NOW},
        {"start": NOW, "end": NOW - HOUR},
        {"last": timedelta(0)},
        {"last": timedelta(days=10**6)},
    ],
)
def test_any_other_window_is_refused_by_name(given_) -> None:
    with pytest.raises(BadRequest) as raised:
        window_of(lambda: NOW, **given_, argument="orderBy.window")
    assert raised.value.argument.startswith("orderBy.window")


@pytest.mark.parametrize(
    ("hours", "points", "grain"),
    [
        (1, None, Grain.MINUTE),
        (24, None, Grain.FIVE_MINUTES),
        (24, 24, Grain.HOUR),
        (24, 23, Grain.DAY),
        (24 * 90, 14, Grain.WEEK),
    ],
)
def test_the_gateway_picks_the_finest_grain_that_fits(hours, points, grain) -> None:
    start = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday
    assert grain_of(Window(start, start + hours * HOUR), None, points, LIMITS) is grain


def test_a_grain_that_is_too_fine_or_asked_twice_or_for_nothing_is_refused() -> None:
    year = Window.last(timedelta(days=3650), NOW)
    with pytest.raises(TooComplex, match=r"5,256,000 buckets of MINUTE"):
        grain_of(year, Grain.MINUTE, None, LIMITS)
    with pytest.raises(TooComplex):
        grain_of(year, None, 5, LIMITS)
    for interval, points, argument in (
        (Grain.DAY, 5, "maxPoints"),
        (None, 0, "maxPoints"),
        (Grain.MINUTE, None, "interval"),
    ):
        with pytest.raises(BadRequest) as raised:
            grain_of(Window.last(HOUR, NOW), interval, points, LIMITS, least=Grain.HOUR)
        assert raised.value.argument == argument
