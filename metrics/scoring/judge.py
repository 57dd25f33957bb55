"""How a number becomes a share of good, and weighted means of what there is."""

from collections.abc import Iterable
from math import fsum

from metrics.metric import Direction


def down(x: float, good: float, bad: float) -> float:
    """1 up to good, 0 from bad on, linear between; a step at good where bad does not lie above it."""
    if x <= good:
        return 1.0
    return 0.0 if x >= bad else (bad - x) / (bad - good)


def up(x: float, bad: float, good: float) -> float:
    """0 up to bad, 1 from good on, linear between; a step at good where bad does not lie below it."""
    return down(-x, -good, -bad)


def judged(x: float | None, good: float | None, bad: float | None, direction: Direction) -> float | None:
    """The share of good, 0 to 1, of a number whose better way is known; None where a part of it is missing."""
    if x is None or good is None or bad is None:
        return None
    return up(x, bad, good) if direction is Direction.HIGHER else down(x, good, bad)


def weighted(pairs: Iterable[tuple[float, float | None]]) -> float | None:
    """The mean of the values that there are by their weights; None where none has any weight."""
    known = [(weight, value) for weight, value in pairs if value is not None]
    total = fsum(weight for weight, _ in known)
    return fsum(weight * value for weight, value in known) / total if total > 0 else None
