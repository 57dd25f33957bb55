"""Rankings: orders by something that moves, kept as they were at the first page.

A value may change between two pages, and whoever is paging would then miss some and meet others twice. So the keys in
their order are kept while somebody reads on; a cursor says a place in them and as of when they are.
"""

import sys
from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, pairwise
from time import monotonic
from typing import Any, NamedTuple

from metrics.errors import BadRequest
from metrics.window import Window

KEPT_BYTES = 64 * 2**20
KEPT_S = 900.0
# What an entry costs beside its keys.
OVERHEAD_BYTES = 600


class AsOf(NamedTuple):
    """Which order is meant: the data's version at the first page, and the window that its order was over."""

    version: int
    window: Window | None

    @classmethod
    def of_cursor(cls, version: Any, start_ms: Any, end_ms: Any) -> "AsOf":
        """As a cursor says it. Raises TypeError, ValueError or BadRequest for anything else."""
        return cls(int(version), None if start_ms is None else Window.of_ms(int(start_ms), int(end_ms)))

    @property
    def in_cursor(self) -> tuple[int, int | None, int | None]:
        """As a cursor says it."""
        if self.window is None:
            return self.version, None, None
        return self.version, self.window.start_ms, self.window.end_ms


class Ranking:
    """Keys in an order, in little more memory than their letters."""

    __slots__ = ("_ends", "_text")

    def __init__(self, keys: Iterable[str]) -> None:
        held = [*keys]
        self._text = "".join(held)
        self._ends = array("Q", accumulate(map(len, held), initial=0))

    def __len__(self) -> int:
        return len(self._ends) - 1

    def keys(self, low: int, high: int) -> list[str]:
        """The keys from one place up to, not including, another."""
        return [self._text[start:end] for start, end in pairwise(self._ends[low : high + 1])]

    @property
    def size_bytes(self) -> int:
        """What it takes to keep it."""
        return sys.getsizeof(self._text) + sys.getsizeof(self._ends) + OVERHEAD_BYTES


Name = tuple[str, AsOf]


class Rankings:
    """The rankings of one process that are still read, the one used last at the end. Bounded in bytes and in time."""

    def __init__(
        self, most_bytes: int = KEPT_BYTES, most_s: float = KEPT_S, clock: Callable[[], float] = monotonic
    ) -> None:
        self._most_bytes, self._most_s, self._clock = most_bytes, most_s, clock
        self._kept: OrderedDict[Name, tuple[Ranking, float]] = OrderedDict()
        self._bytes = 0

    def get(self, name: Name) -> Ranking | None:
        """The ranking, where it is still kept."""
        self._forget_old()
        if name not in self._kept:
            return None
        ranking, _ = self._kept.pop(name)
        self._kept[name] = ranking, self._clock()
        return ranking

    def keep(self, name: Name, ranking: Ranking) -> Ranking:
        """Keep a ranking; if one of this name is kept already, that one stands, for somebody reads it."""
        if (held := self.get(name)) is not None:
            return held
        self._kept[name] = ranking, self._clock()
        self._bytes += ranking.size_bytes
        while self._bytes > self._most_bytes:
            self._forget()
        return ranking

    def _forget_old(self) -> None:
        oldest = self._clock() - self._most_s
        while self._kept and next(iter(self._kept.values()))[1] < oldest:
            self._forget()

    def _forget(self) -> None:
        _, (ranking, _) = self._kept.popitem(last=False)
        self._bytes -= ranking.size_bytes


def gone(argument: str) -> BadRequest:
    """The error of a cursor into a ranking that nobody can make again."""
    return BadRequest(
        f"{argument} goes on in an order that is no longer kept, and the data have changed since its first page. "
        "Ask for the first page again.",
        argument,
    )


def between(length: int, size: int, backward: bool, after: int | None, before: int | None) -> Sequence[int]:
    """From where to where a page goes, of a list of this length, between two places in it."""
    low = 0 if after is None else min(after + 1, length)
    high = length if before is None else max(low, min(before, length))
    return (max(low, high - size), high) if backward else (low, min(high, low + size))
