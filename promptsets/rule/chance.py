"""Chance that follows from names alone. Of Python's generator only `random()` is used, which never changes."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


class Chance:
    """The random source of one set."""

    def __init__(self, *names: str) -> None:
        self._random = Random("/".join(names))  # noqa: S311 - repeatable, not secret

    def happens(self, share: float) -> bool:
        """True so often, from 0 to 1."""
        return self._random.random() < share

    def between(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return low + int(self._random.random() * (high - low + 1))

    def one(self, things: Sequence[T]) -> T:
        """One of some things."""
        return things[self.between(0, len(things) - 1)]

    def some(self, things: Sequence[T], count: int) -> list[T]:
        """So many different ones, in any order."""
        left = [*things]
        return [left.pop(self.between(0, len(left) - 1)) for _ in range(count)]

    def weighted(self, weights: Mapping[T, int]) -> T:
        """One of the keys, as often as its weight says."""
        lot = self.between(1, sum(weights.values()))
        for thing, weight in weights.items():
            lot -= weight
            if lot <= 0:
                return thing
        raise AssertionError("weights add up to less than themselves")
