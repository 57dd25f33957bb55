"""Buckets: how a series cuts its window. Days and weeks may follow the clocks of a time zone; everything else is UTC.

A store adds up in UTC. The days of a zone are put together from the widest grain that all their edges lie on: hours for
most zones, five minutes where clocks are off by a half or a quarter. As sums add up, that is exact.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

from metrics.errors import BadRequest
from metrics.fold import join
from metrics.measure import Measure
from metrics.row import Row
from metrics.window import Grain, Window, from_ms, to_ms

UTC_NAME = "UTC"
MAX_NAME = 64
NAME = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")
LOCAL = {Grain.DAY: timedelta(days=1), Grain.WEEK: timedelta(weeks=1)}
# What the days of a zone can be put together from.
READ = (Grain.HOUR, Grain.FIVE_MINUTES, Grain.MINUTE)


def zone_of(name: str | None) -> str | None:
    """The time zone of this name; None for UTC. Raises BadRequest for a name that is none."""
    if name is None or name == UTC_NAME:
        return None
    if len(name) > MAX_NAME or not NAME.fullmatch(name) or name not in _zones():
        raise BadRequest(f"timeZone {name[:MAX_NAME]!r} is no IANA time zone such as Europe/Berlin or UTC.", "timeZone")
    return name


@dataclass(frozen=True, slots=True)
class Buckets:
    """Buckets of a grain; `zone` names the clocks that days and weeks begin by, None is UTC."""

    grain: Grain
    zone: str | None = None

    def count(self, window: Window) -> int:
        """How many buckets the window touches; one off, perhaps, where a zone once left out a day or had it twice."""
        local = self._local
        if local is None:
            return window.count(self.grain)
        first, last = (self._begin(at_ms, local) for at_ms in (window.start_ms, window.end_ms - 1))
        return (last - first) // LOCAL[self.grain] + 1

    def starts(self, window: Window) -> Sequence[int]:
        """The start of every bucket that the window touches, in Unix milliseconds."""
        if self._local is None:
            return [*window.buckets(self.grain)]
        return _edges(self, window)[:-1]

    def end_of(self, start_ms: int, window: Window) -> int:
        """Where the bucket that starts there ends: a day of a zone may have 23 or 25 hours."""
        if self._local is None:
            return start_ms + self.grain.value
        edges = _edges(self, window)
        return edges[bisect_right(edges, start_ms)]

    def read(self, window: Window) -> Grain:
        """The grain that a store is asked for. Raises BadRequest where the zone's clocks were off by seconds."""
        if self._local is None:
            return self.grain
        edges = _edges(self, window)
        found = next((grain for grain in READ if all(edge % grain.value == 0 for edge in edges)), None)
        if found is None:
            raise BadRequest(f"clocks in {self.zone} were off by seconds then. Use UTC or a later window.", "timeZone")
        return found

    def gathered(self, rows: Sequence[Row], window: Window, measures: Iterable[Measure]) -> Sequence[Row]:
        """The rows of `read` as rows of these buckets."""
        if self._local is None:
            return rows
        edges = _edges(self, window)
        moved = (row._replace(start_ms=edges[bisect_right(edges, row.start_ms or 0) - 1]) for row in rows)
        return join((moved,), (*measures,))

    @property
    def _local(self) -> ZoneInfo | None:
        return None if self.zone is None or self.grain not in LOCAL else ZoneInfo(self.zone)

    def _begin(self, at_ms: int, zone: ZoneInfo) -> datetime:
        """The midnight by the zone's clocks that the bucket of an instant begins at, without the zone."""
        day = from_ms(at_ms).astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        return day - timedelta(days=day.weekday()) if self.grain is Grain.WEEK else day


@lru_cache(64)
def _edges(buckets: Buckets, window: Window) -> tuple[int, ...]:
    """The start of every bucket of a zone that the window touches, and the end of the last."""
    zone = ZoneInfo(buckets.zone or UTC_NAME)
    first, step = buckets._begin(window.start_ms, zone), LOCAL[buckets.grain]
    # A midnight that a clock jumps over is the instant of the jump, of one that comes twice the first counts.
    begins = (first + number * step for number in range(buckets.count(window) + 2))
    # A day that a zone left out (Samoa, 30 December 2011) has no length.
    edges = sorted({to_ms(begin.replace(tzinfo=zone)) for begin in begins})
    return tuple(edges[: bisect_left(edges, window.end_ms) + 1])


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
