"""A progress line for people: drawn on a terminal, silent everywhere else."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TextIO

EVERY_S = 0.1
WIDTH = 24


class Progress:
    """Counts events, and draws how far they are. `total_bytes` gives a bar; without it there is only the count.

    Other things than events, of which the total is known, are counted by `advance`.
    """

    def __init__(
        self, label: str, total_bytes: int | None = None, to: TextIO | None = None, noun: str = "events"
    ) -> None:
        self._label, self._total, self._to, self._noun = label, total_bytes, to or sys.stderr, noun
        self._shown = self._to.isatty()
        self._began = self._drawn = time.monotonic()
        self.events = self.bytes = 0

    def read(self, count: int) -> None:
        """So many more bytes of the file were read."""
        self.bytes += count

    def over(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """The same lines, counted as they pass."""
        for line in lines:
            self.events += 1
            yield line
            if self._shown and self.events % 256 == 0 and time.monotonic() - self._drawn >= EVERY_S:
                self._draw()

    def advance(self, count: int) -> None:
        """So many more of the things that the total is of."""
        self.events += count
        self.bytes += count
        if self._shown and time.monotonic() - self._drawn >= EVERY_S:
            self._draw()

    def done(self, note: str = "") -> None:
        """Draw the last state and leave it standing."""
        if self._shown:
            self._total = self._total and self.bytes
            self._draw()
            self._to.write(f"{note}\n")
            self._to.flush()

    def say(self, text: str) -> None:
        """Put a passing remark behind the label, such as what is being waited for."""
        if self._shown:
            self._to.write(f"\r\033[K{self._label}: {text}")
            self._to.flush()

    def warn(self, text: str) -> None:
        """Say something that everybody should see, on a line of its own."""
        self._to.write(("\r\033[K" if self._shown else "") + f"{text}\n")
        self._to.flush()

    def _draw(self) -> None:
        self._drawn = time.monotonic()
        rate = self.events / max(self._drawn - self._began, 1e-3)
        bar = ""
        if self._total:
            share = min(1.0, self.bytes / self._total)
            bar = f" [{'█' * round(share * WIDTH):<{WIDTH}}] {share:4.0%}"
        self._to.write(f"\r\033[K{self._label}:{bar} {self.events:,} {self._noun}, {rate:,.0f}/s")
        self._to.flush()
