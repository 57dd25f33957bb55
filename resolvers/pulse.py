"""The pulse of live data: a store's changes, noticed once for a process, and what is read at each of them.

Whoever subscribes waits for the next moment. What is read in one is read once, for everybody; and the next one begins
when the answers of the last are there, so that live data never ask a store faster than it answers.
"""

import asyncio
import gc
import logging
from collections.abc import Callable, Coroutine, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar, cast

from backends.backend import Backend
from metrics.errors import GatewayError
from resolvers.journal import Journal
from resolvers.loader import Loader
from resolvers.timed import Timed

log = logging.getLogger("naap.live")

EVERY_S = 0.1
# Events that are kept change nothing yet; with a steady stream of them there is no moment in which all are counted.
UNCOUNTED_S = 0.5
# What was read is forgotten after this, for those who come while nothing changes; and what failed is tried again.
RENEWED_AFTER_S = 5.0
TRIED_AGAIN_AFTER_S = 1.0
# What subscribers leave behind in cycles would else wait for a million others (`gateway.interpreter`): 40 MB a minute.
SWEPT_EVERY_S = 30.0
# Of all subscriptions together: what bounds them is how many there are.
PAGES = 100_000

T = TypeVar("T")


class Closing(Exception):
    """The process ends: whoever subscribes goes on elsewhere."""


@dataclass(slots=True)
class Moment:
    """One state of the store. Moments of one state have one number."""

    number: int
    now: datetime
    view: Backend
    loader: Loader
    failed: bool = False
    _made: dict[Hashable, asyncio.Task[Any]] = field(default_factory=dict)

    async def once(self, key: Hashable, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What `make` gives, made once however many ask for it."""
        if key not in self._made:
            task = self._made[key] = asyncio.ensure_future(make())
            # Where all who asked have left, nobody hears of its failure, and nobody needs to.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        # Whoever leaves meanwhile takes the answer from nobody else.
        return cast(T, await asyncio.shield(self._made[key]))

    async def settled(self) -> None:
        """Return when everything that was asked is answered."""
        while waiting := [task for task in self._made.values() if not task.done()]:
            await asyncio.wait(waiting)


class Pulse:
    """Looks whether a store has changed, as long as somebody watches."""

    def __init__(
        self,
        view: Callable[[], Backend],
        clock: Callable[[], datetime],
        journal: Callable[[], Journal] = Journal,
        every_s: float = EVERY_S,
    ) -> None:
        """`view` gives the store as one moment reads it, `journal` what hears of these reads."""
        self._view, self.now, self._journal, self._every_s = view, clock, journal, every_s
        self._moment: Moment | None = None
        self._version: int | None = None
        self._watching = 0
        self._looking: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self.is_closed = False

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Within this moments follow each other."""
        self._watching += 1
        if self._looking is None:
            self._looking = asyncio.ensure_future(self._look())
        try:
            yield
        finally:
            self._watching -= 1
            if not self._watching and self._looking is not None:
                self._looking.cancel()
                self._looking = self._moment = None

    async def after(self, number: int | None) -> Moment:
        """The present moment, once it is later than this one. Raises Closing at the end of the process."""
        while not self.is_closed:
            if self._moment is not None and (number is None or self._moment.number > number):
                return self._moment
            await self._changed.wait()
        raise Closing

    def close(self) -> None:
        """Tell everybody who watches that this is the end."""
        self.is_closed = True
        self._tell()

    async def _look(self) -> None:
        clock = asyncio.get_running_loop().time
        made_at, same_at, swept_at = 0.0, clock(), clock()
        while True:
            version, pending = await self._seen()
            moment, age_s = self._moment, clock() - made_at
            same_at = clock() if version == self._version else same_at
            is_changed = version != self._version and (not pending or clock() - same_at > UNCOUNTED_S)
            is_new = moment is None or is_changed or (moment.failed and age_s > TRIED_AGAIN_AFTER_S)
            if moment is None or is_new or age_s > RENEWED_AFTER_S:
                number = (0 if moment is None else moment.number) + is_new
                self._version, made_at, same_at = version, clock(), clock()
                view, journal = self._view(), self._journal()
                self._moment = Moment(number, self.now(), view, Loader(Timed(view, journal), PAGES, journal))
            if is_new:
                self._tell()
            await asyncio.sleep(self._every_s)
            if self._moment is not None:
                await self._moment.settled()
            if clock() - swept_at > SWEPT_EVERY_S:
                swept_at = clock()
                gc.collect(1)

    async def _seen(self) -> tuple[int | None, int]:
        """The store's version and what is pending; None while it does not answer, which its askers then find out."""
        try:
            holdings = await self._view().holds()
        except GatewayError:
            return None, 0
        except Exception:
            log.exception("what a store holds cannot be read")
            return None, 0
        return holdings.version, holdings.pending

    def _tell(self) -> None:
        told, self._changed = self._changed, asyncio.Event()
        told.set()
