"""Budgets: how much a caller may spend in a window that slides, and what is left of it. Decisions only, no storage.

A sliding window is counted by two counters: what was spent in the current stretch of `seconds`, and in the one before,
of which as much counts as still lies within the last `seconds`.
"""

from dataclasses import dataclass
from math import ceil, floor

from auth.caller import Caller


@dataclass(frozen=True, slots=True)
class Budget:
    """So much in any `seconds`. `name` is what the headers call it."""

    name: str
    amount: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Spent:
    """What was spent: in the stretch before (which counts for `previous_left_s` more) and in the current one.

    `current_left_s` is how long the current counter still counts: to its end and one window more.
    """

    previous: int = 0
    previous_left_s: float = 0.0
    current: int = 0
    current_left_s: float = 0.0

    @classmethod
    def of(cls, window: tuple[int, float, int, float]) -> "Spent":
        """As the `limits` library tells it, for which what is over may count less than no time."""
        previous, previous_left_s, current, current_left_s = window
        return cls(previous, max(0.0, previous_left_s), current, max(0.0, current_left_s))

    def plus(self, cost: int) -> "Spent":
        """The same after spending (or getting back, where negative) so much more."""
        return Spent(self.previous, self.previous_left_s, self.current + cost, self.current_left_s)

    def remaining(self, budget: Budget) -> int:
        """What may still be spent now; never less than nothing."""
        counted = self.previous * self.previous_left_s / budget.seconds + self.current
        return max(0, budget.amount - floor(counted))

    def reset_s(self) -> int:
        """Whole seconds until all of the budget is there again if nothing more is spent."""
        left = self.current_left_s if self.current > 0 else self.previous_left_s if self.previous > 0 else 0.0
        return ceil(left)

    def wait_s(self, budget: Budget, cost: int) -> int:
        """Whole seconds, at least one, until `cost` fits. It must fit into the whole budget, and not fit now."""
        # What counts is rounded down, so it fits as soon as less than this counts.
        below = budget.amount - cost + 1
        to_end = max(0.0, self.current_left_s - budget.seconds)
        if self.previous > 0 and self.current < below:
            # Until this stretch ends only what was spent before it sinks.
            return floor(max(0.0, self.previous_left_s - (below - self.current) * budget.seconds / self.previous)) + 1
        # In the next one this stretch is the one before, and sinks.
        return floor(to_end + budget.seconds * max(0.0, 1 - below / max(1, self.current))) + 1


@dataclass(frozen=True, slots=True)
class Tiers:
    """One number for each kind of caller; 0 is no limit."""

    anonymous: int
    caller: int
    operator: int

    def of(self, caller: Caller) -> int:
        """The number that holds for this caller."""
        if caller.operator:
            return self.operator
        return self.anonymous if caller.subject is None else self.caller

    def __str__(self) -> str:
        return f"{self.anonymous},{self.caller},{self.operator}"
