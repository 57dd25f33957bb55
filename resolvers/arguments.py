"""Arguments become windows, grains and page sizes, or a BadRequest that names the argument."""

from collections.abc import Callable
from datetime import datetime, timedelta

from metrics.buckets import Buckets
from metrics.errors import BadRequest, TooComplex
from metrics.window import Grain, Window
from resolvers.context import Limits

DEFAULT_LAST = timedelta(hours=1)
DEFAULT_POINTS = 500


def window_of(
    clock: Callable[[], datetime],
    last: timedelta | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    argument: str = "window",
) -> Window:
    """The window that `last` alone, or `start` and `end` together, describe; the last hour without any of them.

    `clock` says when now is; it is asked only where that matters.
    """
    try:
        if start is None and end is None:
            return Window.last(DEFAULT_LAST if last is None else last, clock())
        if start is None or end is None or last is not None:
            raise BadRequest(
                f"{argument} is {{last}} alone or {{start, end}} together, for example {{last: PT24H}} or "
                "{start: 2026-01-09T13:00:00Z, end: 2026-01-09T14:00:00Z}.",
                "window",
            )
        return Window(start, end)
    except BadRequest as error:
        # A window calls itself `window`; the caller may have written it elsewhere.
        raise BadRequest(str(error), argument + (error.argument or "").removeprefix("window")) from error


def grain_of(
    window: Window,
    interval: Grain | None,
    max_points: int | None,
    limits: Limits,
    least: Grain = Grain.MINUTE,
    zone: str | None = None,
) -> Grain:
    """The grain that is asked for, or the finest that needs no more than `max_points` buckets."""
    if interval is None:
        return _picked(window, max_points, limits, least, zone)
    if max_points is not None:
        raise BadRequest("give interval or maxPoints, not both: with maxPoints the gateway picks.", "maxPoints")
    if interval.value < least.value:
        raise BadRequest(f"interval must be {least.name} or wider here, not {interval.name}.", "interval")
    if (points := Buckets(interval, zone).count(window)) > limits.max_points:
        raise TooComplex(
            f"window spans {points:,} buckets of {interval.name}; at most {limits.max_points:,}. "
            "Use a wider interval, maxPoints or a shorter window.",
            "interval",
        )
    return interval


def _picked(window: Window, max_points: int | None, limits: Limits, least: Grain, zone: str | None) -> Grain:
    most = DEFAULT_POINTS if max_points is None else max_points
    if not 1 <= most <= limits.max_points:
        raise BadRequest(f"maxPoints must be between 1 and {limits.max_points:,}, not {most:,}.", "maxPoints")
    for grain in Grain:
        if grain.value >= least.value and Buckets(grain, zone).count(window) <= most:
            return grain
    raise TooComplex(
        f"window spans {window.count(Grain.WEEK):,} weeks, more than maxPoints {most:,}. Use a shorter window.",
        "maxPoints",
    )
