"""Which rollups may be stale, and when they are brought up to date. Pure.

An hour that is still filling would be computed again and again. A few may stay behind: readers make them up from the
finer rollup. The latest is settled when no more comes.
"""

from collections.abc import Mapping, Set
from enum import StrEnum

from backends.change import floors
from metrics.window import DAY_MS, HOUR_MS

HOURS_BEHIND, DAYS_BEHIND = 3, 2


class Stale(StrEnum):
    """What may be stale: the rollups of facts by minute, hour, day; those of sightings by hour, day."""

    MINUTES = "facts"
    HOURS = "facts_hour"
    DAYS = "facts_day"
    SEEN_HOURS = "sightings"
    SEEN_DAYS = "sightings_day"


Buckets = Mapping[Stale, Set[int]]


def planned(stale: Buckets) -> tuple[Buckets, Buckets]:
    """What to settle now of what is stale, and what was touched above it too; the rest of that stays stale."""
    quiet = not (stale[Stale.MINUTES] or stale[Stale.SEEN_HOURS])
    touched = {
        Stale.MINUTES: stale[Stale.MINUTES],
        Stale.SEEN_HOURS: stale[Stale.SEEN_HOURS],
        Stale.HOURS: stale[Stale.HOURS] | floors(stale[Stale.MINUTES], HOUR_MS),
        Stale.DAYS: stale[Stale.DAYS] | floors(stale[Stale.MINUTES], DAY_MS),
        Stale.SEEN_DAYS: stale[Stale.SEEN_DAYS] | floors(stale[Stale.SEEN_HOURS], DAY_MS),
    }
    hours = hours_due(touched[Stale.HOURS], quiet)
    due = touched | {
        Stale.HOURS: hours,
        Stale.DAYS: days_due(touched[Stale.DAYS], touched[Stale.HOURS] - hours, quiet),
        Stale.SEEN_DAYS: seen_days_due(touched[Stale.SEEN_DAYS], quiet),
    }
    return due, touched


def hours_due(stale: Set[int], quiet: bool) -> Set[int]:
    """The hours of facts to settle now; `quiet` where nothing new has come."""
    return _due(stale, 0 if quiet else HOURS_BEHIND)


def days_due(stale: Set[int], stale_hours: Set[int], quiet: bool) -> Set[int]:
    """The days of facts to settle now. A day is made of hours, so it can only settle when its hours have."""
    return stale - floors(stale_hours, DAY_MS) if quiet or len(stale) > DAYS_BEHIND else frozenset()


def seen_days_due(stale: Set[int], quiet: bool) -> Set[int]:
    """The days of sightings to settle now."""
    return _due(stale, 0 if quiet else DAYS_BEHIND)


def _due(stale: Set[int], behind: int) -> Set[int]:
    """None while few are behind, else all but the latest, which is likely to change again."""
    if len(stale) <= behind:
        return frozenset()
    return frozenset(sorted(stale)[: -1 if behind else None])
