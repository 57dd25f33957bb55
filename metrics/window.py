"""Time: half-open UTC windows and the grains they are cut into."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

from metrics.errors import BadRequest

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE_MS, HOUR_MS, DAY_MS, WEEK_MS = 60_000, 3_600_000, 86_400_000, 604_800_000
# Weeks begin on Monday; the epoch was a Thursday.
WEEK_ORIGIN_MS = -3 * DAY_MS
MS = timedelta(milliseconds=1)
# Windows lie in these years: edges of their buckets can be written too. The first week begins before 1970 does.
FIRST_YEAR, LAST_YEAR = 1970, 9990
LATEST_MS = (datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC) - EPOCH) // MS


class Grain(Enum):
    """The width of a bucket; the value is in milliseconds."""

    MINUTE = MINUTE_MS
    FIVE_MINUTES = 5 * MINUTE_MS
    HOUR = HOUR_MS
    DAY = DAY_MS
    WEEK = WEEK_MS

    @property
    def origin_ms(self) -> int:
        """Where buckets of this grain are counted from, in Unix milliseconds."""
        return WEEK_ORIGIN_MS if self is Grain.WEEK else 0

    def floor(self, at_ms: int) -> int:
        """The start of the bucket that holds `at_ms`, both in Unix milliseconds."""
        # Bucket starts come from the origin, not the window, so two windows share their edges.
        return self.origin_ms + (at_ms - self.origin_ms) // self.value * self.value

    def ceil(self, at_ms: int) -> int:
        """The first bucket start at or after `at_ms`."""
        return -((self.origin_ms - at_ms) // self.value) * self.value + self.origin_ms


def to_ms(at: datetime) -> int:
    """Unix milliseconds of an aware datetime, fractions cut off."""
    return (at - EPOCH) // MS


def from_ms(at_ms: int) -> datetime:
    """The UTC datetime of Unix milliseconds."""
    return EPOCH + at_ms * MS


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """From `start`, included, to `end`, excluded; both aware, kept in UTC and cut to milliseconds."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            at: datetime = getattr(self, name)
            if at.tzinfo is None:
                raise BadRequest(f"window.{name} has no time zone. Write it as 2026-01-09T13:00:00Z.", f"window.{name}")
            if not WEEK_ORIGIN_MS <= (at_ms := to_ms(at)) <= LATEST_MS:
                raise BadRequest(
                    f"window.{name} must lie in the years {FIRST_YEAR} to {LAST_YEAR}, for example "
                    "2026-01-09T13:00:00Z.",
                    f"window.{name}",
                )
            object.__setattr__(self, name, from_ms(at_ms))
        if self.end <= self.start:
            raise BadRequest(
                f"window ends at {self.end.isoformat()}, not after its start {self.start.isoformat()}. "
                "Give an end later than the start.".replace("+00:00", "Z"),
                "window.end",
            )

    @classmethod
    def last(cls, length: timedelta, now: datetime) -> "Window":
        """The window of this length that ends now. Raises BadRequest where it would begin before 1970."""
        if length <= timedelta(0):
            raise BadRequest("window.last must be longer than zero, for example PT1H.", "window.last")
        if length > now - EPOCH:
            raise BadRequest(f"window.last reaches back before {FIRST_YEAR}. Use a shorter one.", "window.last")
        return cls(now - length, now)

    @classmethod
    def of_ms(cls, start_ms: int, end_ms: int) -> "Window":
        """The window between two Unix milliseconds."""
        return cls(from_ms(start_ms), from_ms(end_ms))

    @property
    def start_ms(self) -> int:
        """The start in Unix milliseconds."""
        return to_ms(self.start)

    @property
    def end_ms(self) -> int:
        """The end in Unix milliseconds."""
        return to_ms(self.end)

    @property
    def length(self) -> timedelta:
        """How long the window is."""
        return self.end - self.start

    def aligned(self, grain: Grain) -> "Window":
        """The smallest window of whole buckets that contains this one."""
        return Window.of_ms(grain.floor(self.start_ms), grain.ceil(self.end_ms))

    def before(self) -> "Window":
        """The window of the same length that ends where this one starts."""
        return Window.last(self.length, now=self.start)

    def count(self, grain: Grain) -> int:
        """How many buckets of `grain` this window touches."""
        return (grain.ceil(self.end_ms) - grain.floor(self.start_ms)) // grain.value

    def buckets(self, grain: Grain) -> Iterator[int]:
        """The start of every bucket that this window touches, in Unix milliseconds."""
        return iter(range(grain.floor(self.start_ms), self.end_ms, grain.value))
