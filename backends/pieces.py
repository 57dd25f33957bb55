"""Cutting a window into pieces: which level answers which part of it. Pure.

A piece is answered by the coarsest level whose grain divides the question's and whose edges match; what the edges leave
over is read from the finer levels, down to the facts themselves.
"""

from enum import Enum
from typing import NamedTuple

from metrics.window import DAY_MS, HOUR_MS, MINUTE_MS, Grain, Window


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


COARSEST_FIRST = (Level.DAY, Level.HOUR, Level.MINUTE, Level.FACTS)


def pieces(window: Window, grain: Grain | None) -> tuple[Piece, ...]:
    """The pieces of a window in order of time: they tile it exactly."""
    # Weeks begin at a midnight, so days divide them although 1970 began on a Thursday.
    levels = [level for level in COARSEST_FIRST if grain is None or grain.value % level.value == 0]
    return tuple(_cut(window.start_ms, window.end_ms, levels))


def _cut(start_ms: int, end_ms: int, levels: list[Level]) -> list[Piece]:
    if start_ms >= end_ms:
        return []
    level, *finer = levels
    first, last = -(-start_ms // level.value) * level.value, end_ms // level.value * level.value
    if first >= last:
        return _cut(start_ms, end_ms, finer)
    return [*_cut(start_ms, first, finer), Piece(level, first, last), *_cut(last, end_ms, finer)]
