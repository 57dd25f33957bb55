"""Trying again what a server that is away, starting or overloaded could not do. Bounded in time, backing off."""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from backends.clickhouse.errors import DRIVER_ERRORS, is_passing, translated

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to go on trying: `seconds` in all, pausing twice as long each time, `longest_s` at most."""

    seconds: float = 60
    first_s: float = 0.1
    longest_s: float = 5

    def pauses(self) -> Iterator[float]:
        """The pauses, in seconds."""
        left, pause = self.seconds, self.first_s
        while left > 0:
            yield min(pause, left)
            left -= pause
            pause = min(pause * 2, self.longest_s)


def patiently(name: str, run: Callable[[], T], patience: Patience, sleep: Callable[[float], None] = time.sleep) -> T:
    """What `run` returns, once it does. It must be safe to run twice. Raises our errors, as `translated` chooses."""
    pauses = patience.pauses()
    while True:
        try:
            return run()
        except DRIVER_ERRORS as error:
            pause = next(pauses, None) if is_passing(error) else None
            if pause is None:
                raise translated(name, error) from error
            log.warning("%s failed (%s); trying again in %.1f s", name, type(error).__name__, pause)
        sleep(pause)
