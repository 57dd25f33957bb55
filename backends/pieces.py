"""Cutting a window into pieces: which level answers which part of it. Pure.

A piece is answered by the coarsest level whose grain divides the question's, whose edges match and which is up to date
there; what is left over is read from the finer levels, down to the facts themselves.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import NamedTuple

from metrics.window import DAY_MS, HOUR_MS, MINUTE_MS, Grain, Window

# More gaps than this in one level are read as fewer and longer ones, so that statements stay short.
MAX_GAPS = 4


class Level(Enum):
    """Where sums are kept; the value is the width of a bucket in milliseconds."""

    FACTS = 1
    MINUTE = MINUTE_MS
    HOUR = HOUR_MS
    DAY = DAY_MS


class Piece(NamedTuple):
    """A part of a window, end excluded, that one level answers."""

    level: Level
    start_ms: int
    end_ms: int


# Starts of the buckets that a level has not caught up with.
Behind = Mapping[Level, frozenset[int]]
NOTHING: Behind = {}
COARSEST_FIRST = (Level.DAY, Level.HOUR, Level.MINUTE, Level.FACTS)


def pieces(window: Window, grain: Grain | None, behind: Behind = NOTHING) -> tuple[Piece, ...]:
    """The pieces of a window in order of time: they tile it exactly."""
    # Weeks begin at a midnight, so days divide them although 1970 began on a Thursday.
    levels = [level for level in COARSEST_FIRST if grain is None or grain.value % level.value == 0]
    return tuple(_cut(window.start_ms, window.end_ms, levels, behind))


def _cut(start_ms: int, end_ms: int, levels: Sequence[Level], behind: Behind) -> Iterator[Piece]:
    if start_ms >= end_ms:
        return
    level, *finer = levels
    first, last = -(-start_ms // level.value) * level.value, end_ms // level.value * level.value
    if first >= last:
        yield from _cut(start_ms, end_ms, finer, behind)
        return
    yield from _cut(start_ms, first, finer, behind)
    at_ms = first
    for gap_start, gap_end in gaps(behind.get(level, frozenset()), level.value, first, last):
        if at_ms < gap_start:
            yield Piece(level, at_ms, gap_start)
        yield from _cut(gap_start, gap_end, finer, behind)
        at_ms = gap_end
    if at_ms < last:
        yield Piece(level, at_ms, last)
    yield from _cut(last, end_ms, finer, behind)


def gaps(buckets: frozenset[int], width_ms: int, first_ms: int, last_ms: int) -> list[tuple[int, int]]:
    """The stretches within [first, last) that these buckets cover, at most MAX_GAPS: the nearest are joined."""
    found: list[tuple[int, int]] = []
    for bucket in sorted(bucket for bucket in buckets if first_ms <= bucket < last_ms):
        if found and found[-1][1] == bucket:
            found[-1] = (found[-1][0], bucket + width_ms)
        else:
            found.append((bucket, bucket + width_ms))
    while len(found) > MAX_GAPS:
        nearest = min(range(len(found) - 1), key=lambda index: found[index + 1][0] - found[index][1])
        found[nearest : nearest + 2] = [(found[nearest][0], found[nearest + 1][1])]
    return found
