"""Sums of what happened, for one leg, one session, or everything of one orchestrator."""

import math
from collections.abc import Mapping

FPS = 1_000_000_000
MBPS = 1_000_000_000
MILLISECONDS = 1_000
SECONDS = 1_000_000

# Stored units per unit that people read: billionths for rates, thousandths of a millisecond for times.
SCALES: Mapping[str, int] = {
    "outputFps": FPS,
    "inputFps": FPS,
    "promptToFirstFrameMs": MILLISECONDS,
    "promptToPlayableMs": MILLISECONDS,
    "e2eLatencyMs": MILLISECONDS,
    "startupTimeS": SECONDS,
    "ingestMbps": MBPS,
    "egressMbps": MBPS,
    "jobDurationMs": MILLISECONDS,
    "jobTimeToFirstTokenMs": MILLISECONDS,
    "jobTokensPerSecond": FPS,
}


class Spread:
    """Count, sum, sum of squares, minimum and maximum of whole numbers in stored units."""

    __slots__ = ("count", "high", "low", "squares", "total")

    def __init__(self) -> None:
        self.count = self.total = self.squares = self.high = 0
        self.low = 1 << 200

    def add(self, value: int) -> None:
        """Counts one value."""
        self.count += 1
        self.total += value
        self.squares += value * value
        self.low = min(self.low, value)
        self.high = max(self.high, value)

    def merge(self, other: "Spread") -> None:
        """Counts all that another spread counted."""
        if other.count:
            self.count += other.count
            self.total += other.total
            self.squares += other.squares
            self.low = min(self.low, other.low)
            self.high = max(self.high, other.high)

    def variation(self) -> float | None:
        """Population standard deviation ÷ mean; None below two values or with mean zero."""
        if self.count < 2 or not self.total:
            return None
        return math.sqrt(max(0, self.count * self.squares - self.total**2)) / self.total

    def answer(self, scale: int) -> dict[str, object]:
        """As the truth file tells it: in the unit that people read, and the sum also exactly, in stored units."""
        if not self.count:
            return {"samples": 0, "value": None, "min": None, "max": None, "stddev": None, "sum": 0.0, "sumStored": "0"}
        deviation = math.sqrt(max(0, self.count * self.squares - self.total**2)) / self.count
        return {
            "samples": self.count,
            "value": self.total / self.count / scale,
            "min": self.low / scale,
            "max": self.high / scale,
            "stddev": deviation / scale,
            "sum": self.total / scale,
            "sumStored": str(self.total),
        }


class Tally:
    """Named counts and named spreads that can be added up."""

    __slots__ = ("counts", "spreads")

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.spreads: dict[str, Spread] = {}

    def add(self, name: str, amount: int = 1) -> None:
        """Adds to a count."""
        self.counts[name] = self.counts.get(name, 0) + amount

    def measure(self, name: str, value: int) -> None:
        """Adds a value in stored units to a spread."""
        self.spread(name).add(value)

    def spread(self, name: str) -> Spread:
        """The spread of this name, empty at first."""
        found = self.spreads.get(name)
        if found is None:
            found = self.spreads[name] = Spread()
        return found

    def merge(self, other: "Tally") -> None:
        """Adds everything that another tally holds."""
        for name, amount in other.counts.items():
            self.counts[name] = self.counts.get(name, 0) + amount
        for name, spread in other.spreads.items():
            self.spread(name).merge(spread)
