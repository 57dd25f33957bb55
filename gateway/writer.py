"""The one writer of a store: a thread that owns the loader, appends bodies as they come, and derives soon after.

A body is acknowledged once it is durable. Deriving follows within a second, in the same thread, so that readers are
never waited for and never wait; a large body is derived before it is acknowledged, which keeps the promise that
answers show an event within five seconds of its acknowledgement.
"""

import asyncio
import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field

from metrics.errors import GatewayError, RateLimited, StoreInUse, StoreUnavailable
from telemetry.loader import Loader, Report

log = logging.getLogger("naap.writer")

DERIVE_AFTER_S = 0.5
LARGE = 5_000
RETRY_DERIVE_S = 5.0
RETRY_AFTER_S = 2
BEHIND_S = 30.0
# Another gateway writes to the store; this one answers, and takes over when the other is gone.
STANDBY = "standby"

Lines = Callable[[], Iterable[bytes]]


@dataclass(slots=True)
class Job:
    """One body that waits for the loader. `lines` is called in the writer's thread."""

    source: str
    lines: Lines
    since: float
    done: Future[Report] = field(default_factory=Future)


class Writer:
    """Takes bodies from any number of requests, one at a time. `loader` is used in the writer's thread only."""

    def __init__(self, loader: Loader, waiting: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._loader = loader
        self._clock = clock
        self._jobs: queue.Queue[Job | None] = queue.Queue(maxsize=waiting)
        self._thread = threading.Thread(target=self._run, name="naap-writer", daemon=True)
        self._due: float | None = None
        self._uncounted: float | None = None
        self._stopping = False
        self.recovered = threading.Event()
        self.failure: str | None = None
        self.standby = False
        # Events since the start, by what became of them.
        self.taken: Counter[str] = Counter()

    @property
    def state(self) -> str:
        """`ready`; `standby`; `recovering`; `behind` where a body waits too long to be counted; `failing: …`."""
        if self.standby:
            return STANDBY
        if self.failure is not None:
            return f"failing: {self.failure}"
        if not self.recovered.is_set():
            return "recovering"
        since = self.pending_since
        return "behind" if since is not None and self._clock() - since > BEHIND_S else "ready"

    @property
    def waiting(self) -> int:
        """How many bodies wait for the loader."""
        return self._jobs.qsize()

    @property
    def waited_s(self) -> float:
        """How long the oldest body that is not yet counted has waited; 0 where all are."""
        since = self.pending_since
        return 0.0 if since is None else self._clock() - since

    @property
    def pending_since(self) -> float | None:
        """When the oldest body that is not yet counted came in, by the clock; None where all are."""
        with self._jobs.mutex:
            first = self._jobs.queue[0] if self._jobs.queue else None
        # What the thread has in hand came before whatever waits.
        return self._uncounted if self._uncounted is not None or first is None else first.since

    def start(self) -> None:
        """Begin: what an earlier crash left behind is derived first."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the body in hand, refuse the others, derive what is pending, and end."""
        self._stopping = True
        if self._thread.is_alive():
            self._jobs.put(None)
            self._thread.join()
        # A body that came in just then stands behind the end.
        while not self._jobs.empty():
            if (job := self._jobs.get_nowait()) is not None and job.done.set_running_or_notify_cancel():
                job.done.set_exception(_shutting_down())

    async def load(self, source: str, lines: Lines) -> Report:
        """Append the lines of one body; returns when they are durable. Raises RateLimited where too many wait."""
        if self._stopping:
            raise _shutting_down()
        job = Job(source, lines, self._clock())
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            raise RateLimited(
                f"the loader is behind: {self._jobs.maxsize} bodies wait. Send this one again in {RETRY_AFTER_S} s.",
                RETRY_AFTER_S,
            ) from None
        return await asyncio.wrap_future(job.done)

    def _run(self) -> None:
        self._derive()
        while (job := self._next()) is not None:
            if job.done.set_running_or_notify_cancel():
                self._do(job)
        if self._due is not None:
            self._derive()

    def _next(self) -> Job | None:
        """The next body, deriving whenever it is time to; None at the end."""
        while True:
            if self._due is not None and self._clock() >= self._due:
                self._derive()
            try:
                return self._jobs.get(timeout=None if self._due is None else max(0.0, self._due - self._clock()))
            except queue.Empty:
                continue

    def _do(self, job: Job) -> None:
        if self._stopping:
            job.done.set_exception(_shutting_down())
            return
        if self._due is None:
            self._due = self._clock() + DERIVE_AFTER_S
        if self._uncounted is None:
            self._uncounted = job.since
        try:
            report = self._loader.load(job.source, job.lines())
        except Exception as error:  # whatever it was belongs to the request; this thread goes on
            job.done.set_exception(error)
            return
        self.taken.update(
            accepted=report.accepted,
            duplicate=report.duplicate,
            conflicting=report.conflicting,
            rejected=report.rejected_by_reason.total(),
        )
        if report.accepted > LARGE:
            self._derive()
        job.done.set_result(report)

    def _derive(self) -> None:
        """Derive what is pending. Where that fails it stays pending, durably, and is tried again."""
        try:
            (self._loader.derive if self.recovered.is_set() else self._loader.recover)()
        except StoreInUse as error:
            # What this one knows may be old by the time it writes again.
            self.recovered.clear()
            self._due = self._clock() + RETRY_DERIVE_S
            if not self.standby:
                log.warning("standing by: %s", error)
            self.standby = True
        except Exception as error:
            known = isinstance(error, GatewayError)
            self.failure = str(error) if known else type(error).__name__
            self._due = self._clock() + RETRY_DERIVE_S
            log.error("deriving failed, trying again in %d s: %s", RETRY_DERIVE_S, self.failure, exc_info=not known)
        else:
            self.failure = self._due = self._uncounted = None
            self.standby = False
            self.recovered.set()


def _shutting_down() -> StoreUnavailable:
    return StoreUnavailable("this gateway is shutting down. Send the events again in a moment.")
