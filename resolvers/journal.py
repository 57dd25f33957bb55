"""What a request did, as those who watch the gateway see it: which plans it made, what they read, how long it took.

It holds no value that was asked for and none that was answered: kinds, counts and times only.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

MOST = 1_000
HASH = 16


@dataclass(slots=True)
class Step:
    """Something that took time, from `start_ns` (Unix, nanoseconds) for `seconds`; `error` is a code."""

    name: str
    what: str
    start_ns: int
    seconds: float = 0.0
    error: str | None = None


@dataclass(slots=True)
class Read(Step):
    """One read of the store. `rows` is how many it gave, None where it gives no rows."""

    rows: int | None = None


@dataclass(slots=True)
class Plan(Step):
    """Questions of one kind and one moment, and the reads that answered them."""

    questions: int = 0
    reads: list[Read] = field(default_factory=list)


# Within it reads belong to a plan; tasks that it begins inherit that.
_CURRENT: ContextVar[Plan | None] = ContextVar("plan", default=None)


@dataclass(slots=True)
class Journal:
    """What one request did: the first MOST plans and reads, for a subscription goes on for ever.

    `watch` hears of every read when it has ended.
    """

    watch: Callable[[Read], None] = lambda _: None
    start_ns: int = field(default_factory=time.time_ns)
    plans: list[Plan] = field(default_factory=list)
    # Reads that nobody planned are told by themselves.
    others: list[Read] = field(default_factory=list)
    # Of the GraphQL documents: the beginnings of their SHA-256.
    documents: list[str] = field(default_factory=list)
    # GraphQL errors by code.
    errors: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def planning(self, name: str, questions: int) -> Iterator[None]:
        """Around answering questions of one kind."""
        plan = Plan(name, name, time.time_ns(), questions=questions)
        if len(self.plans) < MOST:
            self.plans.append(plan)
        token, began = _CURRENT.set(plan), time.perf_counter()
        try:
            yield
        finally:
            plan.seconds = time.perf_counter() - began
            _CURRENT.reset(token)

    def begin(self, name: str, what: str) -> Read:
        """A read that begins now."""
        read, plan = Read(name, what, time.time_ns()), _CURRENT.get()
        kept = self.others if plan is None else plan.reads
        if len(kept) < MOST:
            kept.append(read)
        return read

    def end(self, read: Read) -> None:
        """The read has ended."""
        self.watch(read)

    def executed(self, document: str) -> None:
        """A GraphQL document is executed."""
        if len(self.documents) < MOST:
            self.documents.append(sha256(document.encode(errors="surrogatepass")).hexdigest()[:HASH])

    @property
    def reads(self) -> list[Read]:
        """All reads."""
        return [*(read for plan in self.plans for read in plan.reads), *self.others]

    def told(self) -> dict[str, Any]:
        """As `extensions.plan` has it. Times are milliseconds; `startMs` counts from the beginning of the request."""
        reads = self.reads
        return {
            "reads": len(reads),
            "rows": sum(read.rows or 0 for read in reads),
            "ms": _ms(sum(read.seconds for read in reads)),
            "plans": [
                {"questions": plan.questions, **self._step(plan), "reads": [self._read(read) for read in plan.reads]}
                for plan in self.plans
            ],
            "others": [self._read(read) for read in self.others],
        }

    def _step(self, step: Step) -> dict[str, Any]:
        start_ms = round((step.start_ns - self.start_ns) / 1e6, 3)
        return {"name": step.name, "startMs": start_ms, "ms": _ms(step.seconds)}

    def _read(self, read: Read) -> dict[str, Any]:
        return {**self._step(read), "what": read.what, "rows": read.rows, "error": read.error}


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
