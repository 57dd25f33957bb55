"""Loading: lines in, a durable log and right answers out.

A batch is read, compared with what is known, and appended: from then on it is safe. What it touches is derived when
enough has come together, or when the caller asks. A crash in between leaves events pending; `recover` derives those.
"""

import logging
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TypeVar

from backends.log import Batch, Event, Identity, Log, Rejected
from metrics.window import Window, to_ms
from telemetry.derive import Deriver
from telemetry.files import MAX_LINE
from telemetry.flops import Flops, packaged
from telemetry.reading import Reading
from telemetry.readings import reread
from telemetry.regions import Regions
from telemetry.touched import Touched
from telemetry.values import Unreadable
from telemetry.wire import KNOWN_TYPES, canonical, digest, parse, read, unwrapped

LINES = 10_000  # read and appended together
CHUNKS_AHEAD = 6
DERIVE_AT = 100_000  # events that may wait to be derived while loading
MOST_REPORTED = 1_000
log = logging.getLogger("naap.loader")
T = TypeVar("T")
EVERYTHING = -(2**62), 2**62


@dataclass
class Report:
    """What became of the lines."""

    accepted: int = 0
    duplicate: int = 0
    conflicting: int = 0
    rejected: list[tuple[int, str]] = field(default_factory=list)  # (line, reason), the first thousand
    rejected_by_reason: Counter[str] = field(default_factory=Counter)
    unknown_types: Counter[str] = field(default_factory=Counter)

    def reject(self, line: int, reason: str) -> None:
        """Count a line that could not be read."""
        self.rejected_by_reason[reason] += 1
        if len(self.rejected) < MOST_REPORTED:
            self.rejected.append((line, reason))

    def add(self, other: "Report") -> None:
        """Count what another report counted."""
        self.accepted += other.accepted
        self.duplicate += other.duplicate
        self.conflicting += other.conflicting
        self.rejected += other.rejected[: MOST_REPORTED - len(self.rejected)]
        self.rejected_by_reason.update(other.rejected_by_reason)
        self.unknown_types.update(other.unknown_types)


@dataclass(frozen=True, slots=True)
class Incoming:
    """An event on its way in."""

    event: Event
    reading: Reading


class Loader:
    """The one writer of a store."""

    def __init__(
        self,
        log: Log,
        clock: Callable[[], datetime],
        regions: Regions | None = None,
        flops: Flops | None = None,
    ) -> None:
        self.log = log
        self.clock = clock
        self.deriver = Deriver(log, regions or Regions(), flops or packaged())
        self._touched: dict[str, Touched] = {}
        self.waiting = 0  # events appended and not derived
        self._unsure = False

    def recover(self) -> int:
        """Derive what a crash left behind; call once after opening. Returns how many events that were."""
        self.deriver.forget()
        left = self.log.pending(2**31)
        alive = {(event.source, event.id) for event in left if event.body}
        lost = [e for e in left if not (e.body or e.owner) and (e.source, e.id) in alive]
        for event in left:
            touched = self._touch(event.source)
            touched.owners.update({event.owner} - {""})
            touched.conflicts.add(event.id)
            if event.body and not lost:
                touched.add(reread(event))
        if lost:
            # A payment or snapshot was withdrawn and what it said is not at hand: anything may have changed.
            for event in lost:
                self._touch(event.source).lost.add(event.id)
            self._rebuild(EVERYTHING, None)
        self._derive()
        self.log.mark_derived()
        self._unsure = False
        return len(left)

    def load(self, source: str, lines: Iterable[bytes], step: Callable[[Report], None] | None = None) -> Report:
        """Append lines (one event, array or wrapper each). Durable on return; `step` sees a report after each batch."""
        report = Report()
        for chunk in ahead(chunks(source, lines, self.clock)):
            report.add(self._append(source, chunk))
            if self.waiting >= DERIVE_AT:
                self.derive()
            if step is not None:
                step(report)
        return report

    def derive(self) -> None:
        """Derive everything that waits, and bring the rollups up to date."""
        if self._unsure:
            self.recover()
            return
        self._derive()
        self.log.mark_derived()

    def _derive(self) -> None:
        for source in sorted(self._touched):
            self.deriver.derive(self._touched[source])
        self.log.refresh()
        self._touched.clear()
        self.waiting = 0

    def rebuild(self, window: Window | None = None, step: Callable[[int], None] | None = None) -> int:
        """Derive every event of the window (None: all) again from the raw log. Returns how many that were."""
        self.recover()
        return self._rebuild(EVERYTHING if window is None else (window.start_ms, window.end_ms), step)

    def _rebuild(self, span_ms: tuple[int, int], step: Callable[[int], None] | None) -> int:
        self.deriver.forget()
        after, count = None, 0
        while page := self.log.event_log(*span_ms, DERIVE_AT, after):
            for event in page:
                self._touch(event.source).add(reread(event))
            for source, event_id, _, _ in self.log.conflict_counts([(e.source, e.id) for e in page]):
                self._touch(source).conflicts.add(event_id)
            count += len(page)
            self._derive()
            after = (page[-1].owner, page[-1].at_ms, page[-1].source, page[-1].id)
            if step is not None:
                step(count)
        self.log.refresh()
        return count

    def _touch(self, source: str) -> Touched:
        return self._touched.setdefault(source, Touched(source))

    def _append(self, source: str, arrived: Sequence[tuple[int, Incoming | Rejected]]) -> Report:
        report = Report()
        rejected = {found.sha: found for _, found in arrived if isinstance(found, Rejected)}
        for number, found in arrived:
            if isinstance(found, Rejected):
                report.reject(number, found.reason)
        incoming = [found for _, found in arrived if isinstance(found, Incoming)]
        if self._unsure:
            self.recover()
        batch, touched = self._sort(source, incoming, report)
        try:
            self.log.append(Batch(batch.events, batch.conflicts, batch.superseded, list(rejected.values())))
        except BaseException:
            self._unsure = True
            raise
        self._touch(source).merge(touched)
        self.waiting += len(batch.events) + len(batch.superseded)
        return report

    def _sort(self, source: str, incoming: list[Incoming], report: Report) -> tuple[Batch, Touched]:
        """Tell new events from duplicates and conflicts; of two contents the smaller SHA-256 counts."""
        known = dict(self.log.identities(source, sorted({one.event.id for one in incoming})))
        contested = sorted(
            {o.event.id for o in incoming if o.event.id in known and known[o.event.id].sha != o.event.sha}
        )
        lost = (
            {(i, sha) for _, i, sha, _ in self.log.conflict_counts([(source, i) for i in contested])}
            if contested
            else set()
        )
        counting: dict[str, Incoming] = {}
        conflicts: list[Event] = []
        replaced: dict[str, Identity] = {}
        touched = Touched(source)
        for one in incoming:
            event = one.event
            present = counting[event.id].event if event.id in counting else known.get(event.id)
            if present is None:
                counting[event.id] = one
                report.accepted += 1
                self._count_type(one.reading, report)
            elif present.sha == event.sha or (event.id, event.sha) in lost:
                report.duplicate += 1
            else:
                report.conflicting += 1
                touched.conflicts.add(event.id)
                loser = event
                if event.sha < present.sha:
                    if isinstance(present, Event):
                        loser = present
                    else:
                        replaced[event.id] = present
                    counting[event.id] = one
                if loser is not event or event.sha > present.sha:
                    conflicts.append(loser)
                lost.add((event.id, max(event.sha, present.sha)))
        superseded = self._withdraw(source, replaced, touched)
        for one in counting.values():
            touched.add(one.reading)
        events = [one.event for one in counting.values()]
        return Batch(events, [*conflicts, *superseded], superseded), touched

    def _withdraw(self, source: str, replaced: dict[str, Identity], touched: Touched) -> list[Event]:
        """The stored events that lose to new ones, with what they said."""
        keys = [(identity.owner, identity.at_ms, source, event_id) for event_id, identity in replaced.items()]
        found = self.log.logged(keys) if keys else ()
        for logged in found:
            touched.withdraw(reread(logged))
        return [
            Event(source, e.id, replaced[e.id].sha, e.at_ms, e.owner, "", e.body) for e in found
        ]  # fmt: skip

    def _count_type(self, reading: Reading, report: Report) -> None:
        if reading.type not in KNOWN_TYPES:
            report.unknown_types[reading.type[:100]] += 1


def chunks(
    source: str, lines: Iterable[bytes], clock: Callable[[], datetime]
) -> Iterator[list[tuple[int, Incoming | Rejected]]]:
    """Lines read, a few thousand together, each with its number."""
    numbered = enumerate(lines, 1)
    while chunk := list(islice(numbered, LINES)):
        now_ms = to_ms(clock())
        yield [(number, found) for number, line in chunk for found in arrivals(line, source, now_ms)]


def ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items, the next few already made in a thread while the store is busy."""
    with ThreadPoolExecutor(1, thread_name_prefix="reader") as reader:
        coming = deque(reader.submit(next, items, None) for _ in range(CHUNKS_AHEAD))
        while (item := coming.popleft().result()) is not None:
            coming.append(reader.submit(next, items, None))
            yield item


def arrivals(line: bytes, source: str, now_ms: int) -> Iterator[Incoming | Rejected]:
    """The events of a line, read; what cannot be read, with the reason."""
    try:
        if len(line.rstrip(b"\r\n")) > MAX_LINE:
            raise Unreadable("too_large", f"a line may have {MAX_LINE:,} bytes")
        value = parse(line)
    except Unreadable as error:
        yield rejected_as(error, source, line.strip())
        return
    for event in unwrapped(value):
        content = None
        try:
            content = canonical(event)
            yield arrived(event, content, line.strip() if event is value else content, source, now_ms)
        except Unreadable as error:
            yield rejected_as(error, source, content or line.strip())
        except (ArithmeticError, ValueError, TypeError, RecursionError) as error:
            # Not foreseen: one event never stops a load.
            log.exception("an event of source %r could not be read", source)
            yield rejected_as(Unreadable("unreadable", type(error).__name__), source, content or line.strip())


def rejected_as(error: Unreadable, source: str, body: bytes) -> Rejected:
    """A line or event that cannot be read, kept with its reason."""
    return Rejected(source, digest(body), error.reason, str(error)[:500], body)


def arrived(event: object, content: bytes, body: bytes, source: str, now_ms: int) -> Incoming:
    """An event, read. Raises Unreadable."""
    sha = digest(content)
    reading = read(event, source, sha, now_ms)
    return Incoming(Event(source, reading.id, sha, reading.at_ms, reading.owner, reading.type, body), reading)
