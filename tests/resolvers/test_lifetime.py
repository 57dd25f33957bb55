"""How long answers may be told, as a table."""

from datetime import timedelta

import pytest

from backends.backend import Holdings
from metrics.window import MINUTE_MS, from_ms
from resolvers.lifetime import MOST_CLOSED_S, MOST_OPEN_S, Lifetime, headers, lifetime
from resolvers.made_of import MadeOf

LATEST = 1_767_966_517_287
DAY_MS = 24 * 60 * MINUTE_MS
CLOSED = LATEST + 1 - DAY_MS


@pytest.mark.parametrize(
    ("made_of", "lag_s", "pending", "expected"),
    [
        # Closed: a tenth of the time that the data have gone on since.
        (MadeOf(until_ms=CLOSED), 5, 0, Lifetime(None, 8640)),
        (MadeOf(until_ms=LATEST + 1), 5, 0, Lifetime(None, 1)),
        (MadeOf(until_ms=1), 5, 0, Lifetime(None, MOST_CLOSED_S)),
        # Open: a tenth of how far the data lag.
        (MadeOf(until_ms=LATEST + 2), 5, 0, Lifetime(None, 1)),
        (MadeOf(until_ms=LATEST + 2), 200, 0, Lifetime(None, 20)),
        (MadeOf(until_ms=LATEST + 2), 10**6, 0, Lifetime(None, MOST_OPEN_S)),
        (MadeOf(until_ms=LATEST + 2), -30, 0, Lifetime(None, 1)),
        # As long as events wait to be counted, nothing is closed.
        (MadeOf(until_ms=CLOSED), 200, 3, Lifetime(None, 20)),
        # What was seen, streams and their like go on until now.
        (MadeOf(until_ms=CLOSED, present=True), 200, 0, Lifetime(None, 20)),
        # What looked at the clock is another one in a moment, also here.
        (MadeOf(until_ms=CLOSED, clock=True), 200, 0, Lifetime(1.0, 20)),
        # What is made of no data changes with the release.
        (MadeOf(), 5, 0, Lifetime(None, MOST_OPEN_S)),
        (MadeOf(until_ms=CLOSED, caller=True), 5, 0, Lifetime(0, 0, personal=True)),
    ],
)
def test_lifetimes(made_of: MadeOf, lag_s: float, pending: int, expected: Lifetime) -> None:
    held = Holdings({"a": (0, LATEST)}, pending, 1)

    assert lifetime(made_of, held, from_ms(LATEST) + timedelta(seconds=lag_s)) == expected


def test_over_an_empty_store_everything_is_open() -> None:
    assert lifetime(MadeOf(until_ms=1), Holdings({}, 0, 1), from_ms(LATEST)) == Lifetime(None, 1)


@pytest.mark.parametrize(
    ("life", "authorized", "control"),
    [
        (Lifetime(None, 8640), False, "public, max-age=8640, stale-while-revalidate=8640"),
        (Lifetime(1.0, 3), True, "private, max-age=3, stale-while-revalidate=3"),
        (Lifetime(0, 0, personal=True), False, "private, no-store"),
    ],
)
def test_what_caches_are_told(life: Lifetime, authorized: bool, control: str) -> None:
    told = headers(life, "abc", "json", authorized)

    assert told["Cache-Control"] == control
    assert ("ETag" in told) is not life.personal
    assert told["Vary"] == "Accept, Authorization"
