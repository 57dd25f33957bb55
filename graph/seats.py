"""Seats: how many connections and subscriptions there may be at the same time, in all and of one caller."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from metrics.errors import RateLimited

RETRY_AFTER_S = 30


@dataclass(slots=True)
class Seats:
    """What is taken, and by whom."""

    what: str
    most: int
    most_each: int
    _taken: Counter[str] = field(default_factory=Counter)
    _all: int = 0

    @property
    def count(self) -> int:
        """How many are taken."""
        return self._all

    @contextmanager
    def taken(self, who: str) -> Iterator[None]:
        """A seat for as long as this lasts. Raises RateLimited where none is free, or `who` has enough."""
        if self._all >= self.most:
            raise RateLimited(f"all {self.most:,} {self.what} are taken. Try again later.", RETRY_AFTER_S)
        if self._taken[who] >= self.most_each:
            raise RateLimited(
                f"you have {self.most_each:,} {self.what} already, which is as many as one caller may have. "
                "End one of them first.",
                RETRY_AFTER_S,
            )
        self._all += 1
        self._taken[who] += 1
        try:
            yield
        finally:
            self._all -= 1
            self._taken[who] -= 1
            if not self._taken[who]:
                del self._taken[who]
