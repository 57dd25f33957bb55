"""Answers that are told again to whoever asks the same, as long as the data stand: a thousand dashboards, one read.

An answer is kept with the version of the data that it was made from and told while the store still says that version,
so that it never differs from one that would be made now. What looked at the clock is told for a moment only.
"""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Generic, TypeVar

from backends.backend import Holdings
from metrics.errors import GatewayError
from resolvers.flights import Flights

T = TypeVar("T")

KEPT_BYTES = 64 * 2**20
# One answer may take this share of it.
SHARE = 8
# What an answer costs beside its bytes.
OVERHEAD_BYTES = 1_000


@dataclass(frozen=True, slots=True)
class Made(Generic[T]):
    """An answer as it was made."""

    value: T
    size_bytes: int
    # May others have it, who asked the same in the same moment?
    shared: bool = True
    # For how long it may be told while the data stand; 0: not at all, None: as long as they do.
    keep_s: float | None = None


@dataclass(slots=True)
class Counts:
    """What became of requests, and what is kept now: for whoever watches."""

    # Told from memory; made by another request that was under way; made anew.
    hits: int = 0
    joined: int = 0
    misses: int = 0
    # Forgotten to make room.
    evicted: int = 0
    answers: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class _Kept(Generic[T]):
    value: T
    version: int
    size_bytes: int
    until: float | None


class Results(Generic[T]):
    """The answers of one process, the one told last at the end. `most_bytes` 0: none are kept or shared."""

    def __init__(
        self,
        holds: Callable[[], Awaitable[Holdings]],
        most_bytes: int = KEPT_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`holds` says what the store holds now."""
        self._holds, self._most_bytes, self._clock = holds, most_bytes, clock
        self._kept: OrderedDict[bytes, _Kept[T]] = OrderedDict()
        self._making: Flights[tuple[bytes, int], Made[T]] = Flights()
        self._asking: Flights[None, Holdings] = Flights()
        self.counts = Counts()

    async def get(self, key: bytes, make: Callable[[Holdings | None], Awaitable[Made[T]]]) -> T:
        """The answer under `key`, which says everything that is asked. `make` gives it anew; what it raises is raised.

        It gets what the store holds at the time; None where the store does not say.
        """
        held = await self._held()
        if self._most_bytes == 0 or held is None:
            self.counts.misses += 1
            return (await make(held)).value
        found = self._kept.get(key)
        if found is not None and found.version == held.version and (found.until is None or self._clock() < found.until):
            self._kept.move_to_end(key)
            self.counts.hits += 1
            return found.value
        made, is_joined = await self._making.do((key, held.version), lambda: self._made(key, held, make))
        if is_joined and not made.shared:
            self.counts.misses += 1
            return (await make(held)).value
        self.counts.joined += is_joined
        self.counts.misses += not is_joined
        return made.value

    async def _made(self, key: bytes, held: Holdings, make: Callable[[Holdings | None], Awaitable[Made[T]]]) -> Made[T]:
        began = self._clock()
        made = await make(held)
        # What was read while the data changed may be a part of both.
        if made.shared and made.keep_s != 0 and (now := await self._held()) is not None and now.version == held.version:
            until = None if made.keep_s is None else began + made.keep_s
            self._keep(key, _Kept(made.value, held.version, made.size_bytes + OVERHEAD_BYTES, until))
        return made

    async def _held(self) -> Holdings | None:
        """What the store holds, asked once by all who want to know in the same moment; None where it does not say."""
        try:
            return (await self._asking.do(None, self._holds))[0]
        except GatewayError:  # not every answer needs the store
            return None

    def _keep(self, key: bytes, kept: _Kept[T]) -> None:
        if kept.size_bytes > self._most_bytes // SHARE:
            return
        self._forget(key)
        self._kept[key] = kept
        self.counts.bytes += kept.size_bytes
        while self.counts.bytes > self._most_bytes:
            self._forget(next(iter(self._kept)))
            self.counts.evicted += 1
        self.counts.answers = len(self._kept)

    def _forget(self, key: bytes) -> None:
        found = self._kept.pop(key, None)
        if found is not None:
            self.counts.bytes -= found.size_bytes


def digest(*parts: str | bytes) -> bytes:
    """A key for these parts: other parts, or the same cut otherwise, have another one."""
    found = sha256()
    for part in parts:
        written = part if isinstance(part, bytes) else part.encode(errors="surrogatepass")
        found.update(b"%d:" % len(written))
        found.update(written)
    return found.digest()
