"""Sliding windows in this process's memory, as a storage of the `limits` library: bounded, and as fast with many keys.

The library's own look through all their keys at every hit (4 ms at 50,000 addresses), and keep as many as come.
"""

import time
from collections import OrderedDict
from collections.abc import Callable

from limits.storage import SlidingWindowCounterSupport, Storage

# About 20 MB. Beyond it the keys that were not used for longest are forgotten: the caller's window starts anew.
MOST_KEYS = 100_000


class Windows(Storage, SlidingWindowCounterSupport):
    """Counters by key: (stretch, spent in it, spent in the one before it)."""

    STORAGE_SCHEME = ["naap-windows"]  # noqa: RUF012  # as the library declares it

    def __init__(
        self, uri: str | None = None, clock: Callable[[], float] = time.time, most: int = MOST_KEYS, **_: object
    ) -> None:
        super().__init__(uri)
        self._clock = clock
        self._most = most
        self._counts: OrderedDict[str, tuple[int, int, int]] = OrderedDict()

    def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Spend so much where it fits; a negative amount gives back, never more than the stretch has spent.

        What was spent in the stretch before sinks by itself; given back here it would be there twice.
        """
        stretch, current, previous, gone = self._now(key, expiry)
        amount = max(amount, -current)
        if int(previous * (1 - gone) + current) + amount > limit:
            return False
        self._counts[key] = (stretch, current + amount, previous)
        self._counts.move_to_end(key)
        if len(self._counts) > self._most:
            self._counts.popitem(last=False)
        return True

    def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """(previous count, seconds it still counts, current count, seconds it still counts)."""
        _, current, previous, gone = self._now(key, expiry)
        return previous, (1 - gone) * expiry, current, (2 - gone) * expiry

    def _now(self, key: str, expiry: int) -> tuple[int, int, int, float]:
        stretch, gone = divmod(self._clock() / expiry, 1)
        then, current, previous = self._counts.get(key, (int(stretch), 0, 0))
        if then == int(stretch):
            return then, current, previous, gone
        return int(stretch), 0, current if then == int(stretch) - 1 else 0, gone

    def clear_sliding_window(self, key: str, expiry: int) -> None:
        """Forget a key."""
        self._counts.pop(key, None)

    @property
    def base_exceptions(self) -> type[Exception]:
        """What can go wrong: nothing."""
        return ValueError

    def check(self) -> bool:
        """Always there."""
        return True

    def reset(self) -> int:
        """Forget everything."""
        count = len(self._counts)
        self._counts.clear()
        return count

    def clear(self, key: str) -> None:
        """Forget a key."""
        self._counts.pop(key, None)

    # What only other strategies need.

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Not kept."""
        raise NotImplementedError

    def get(self, key: str) -> int:
        """Not kept."""
        raise NotImplementedError

    def get_expiry(self, key: str) -> float:
        """Not kept."""
        raise NotImplementedError
