"""A session: what its own events say, in time order, and nothing else. Pure, whatever order the events came in."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from telemetry.reading import Reading, Status, Swap, What

SILENCE_MS = 300_000
LEAVES_EARLY_MS = 5_000
NO_ORCHESTRATORS = "no orchestrators available"
OWN_CONNECTION = ("ice connection state failed", "missing video", "mediamtx ingest disconnected")
USER_LEFT = ("whip disconnected", "user disconnected")


class Outcome(StrEnum):
    """How a session went; exactly one, the first that matches."""

    SERVED = "SERVED"
    UNSERVED = "UNSERVED"
    ABANDONED = "ABANDONED"
    STARTUP_FAILED = "STARTUP_FAILED"
    OUTPUT_FAILED = "OUTPUT_FAILED"
    OPEN = "OPEN"


ATTEMPTED = frozenset((Outcome.SERVED, Outcome.STARTUP_FAILED, Outcome.OUTPUT_FAILED))


class Leg(NamedTuple):
    """The session at one place ("": nobody named), from `start_ms` to `end_ms`. Legs tile [request, last event]."""

    place: str
    start_ms: int
    end_ms: int


class Edge(NamedTuple):
    """The first event of a kind: when, at which place, and whether a swap came before it."""

    at_ms: int
    place: str
    after_swap: bool


@dataclass(frozen=True)
class Session:
    """One attempt: its readings in order, each with the index of the leg that runs then."""

    owner: str
    readings: Sequence[Reading]
    legs: Sequence[Leg]
    leg_of: Sequence[int]
    named_ms: dict[str, int]  # place → first event that names it, in order
    swaps: Sequence[tuple[Reading, str]]  # each swap with the place it leaves, "" if unknown

    @property
    def source(self) -> str:
        """The feed."""
        return self.readings[0].source

    @property
    def stream_id(self) -> str:
        """The stream, or ""."""
        return self.readings[0].stream_id

    @property
    def request_id(self) -> str:
        """The request, or ""."""
        return self.readings[0].request_id

    @cached_property
    def is_job(self) -> bool:
        """Is this a job, which is kept as a session is?"""
        return any(r.what is What.JOB for r in self.readings)

    @cached_property
    def request_ms(self) -> int | None:
        """When the request event came, if one did."""
        return next((r.at_ms for r in self.readings if r.what is What.REQUEST), None)

    @cached_property
    def requested_ms(self) -> int:
        """When the session was requested."""
        return self.readings[0].at_ms if self.request_ms is None else self.request_ms

    @property
    def first_ms(self) -> int:
        """The earliest event."""
        return self.readings[0].at_ms

    @property
    def last_ms(self) -> int:
        """The latest event."""
        return self.readings[-1].at_ms

    @cached_property
    def errors(self) -> list[tuple[int, Reading]]:
        """The error events, each with its leg."""
        return [(leg, r) for leg, r in zip(self.leg_of, self.readings, strict=True) if r.error is not None]

    @cached_property
    def statuses(self) -> list[tuple[int, Reading, Status]]:
        """The status samples, each with its leg."""
        both = zip(self.leg_of, self.readings, strict=True)
        return [(leg, r, r.said) for leg, r in both if isinstance(r.said, Status)]

    @cached_property
    def open(self) -> bool:
        """Neither closed nor broken: only silence would end it."""
        return not self.errors and not any(r.what is What.CLOSED for r in self.readings)

    def place_of(self, index: int) -> str:
        """The place that the reading names, else the one running then."""
        return self.readings[index].place or self.legs[self.leg_of[index]].place

    def edge(self, what: What) -> Edge | None:
        """The first reading of this kind."""
        swapped = False
        for index, reading in enumerate(self.readings):
            if reading.what is what:
                return Edge(reading.at_ms, self.place_of(index), swapped)
            swapped = swapped or reading.what is What.SWAP
        return None

    def ended(self, latest_ms: int) -> bool:
        """Has it ended, where the source's latest event is of `latest_ms`?"""
        return not self.open or latest_ms - self.last_ms >= SILENCE_MS

    def outcome(self, latest_ms: int) -> Outcome:
        """How it went, where the source's latest event is of `latest_ms`."""
        segment = any(r.segment for r in self.readings)
        output = any(status.output_fps for _, _, status in self.statuses)
        if output or (segment and not self.statuses):
            return Outcome.SERVED
        if not self.named_ms and self._refused():
            return Outcome.UNSERVED
        if not self.ended(latest_ms):
            return Outcome.OPEN
        if not segment:
            return Outcome.ABANDONED if self._abandoned() else Outcome.STARTUP_FAILED
        return Outcome.OUTPUT_FAILED

    def _refused(self) -> bool:
        return any(r.what is What.REFUSED for r in self.readings) or any(
            _says(reading, (NO_ORCHESTRATORS,)) for _, reading in self.errors
        )

    def _abandoned(self) -> bool:
        if not self.named_ms or any(_says(reading, OWN_CONNECTION) for _, reading in self.errors):
            return True
        if not all(_says(reading, USER_LEFT) for _, reading in self.errors):
            return False
        leaves = [r.at_ms for _, r in self.errors] + [r.at_ms for r in self.readings if r.what is What.CLOSED]
        return any(at_ms <= self.requested_ms + LEAVES_EARLY_MS for at_ms in leaves)


def _says(reading: Reading, phrases: Iterable[str]) -> bool:
    told = (reading.error or "").lower()
    return any(phrase in told for phrase in phrases)


def session_of(readings: Iterable[Reading]) -> Session:
    """The session that these readings make; there is at least one, and they share their ids."""
    ordered = sorted(readings, key=lambda r: (r.at_ms, r.id))
    requested_ms = next((r.at_ms for r in ordered if r.what is What.REQUEST), ordered[0].at_ms)
    cuts: list[tuple[str, int]] = []  # (place, start)
    leg_of: list[int] = []
    named: dict[str, int] = {}
    swaps: list[tuple[Reading, str]] = []
    for reading in ordered:
        place = reading.place
        if isinstance(reading.said, Swap):
            left = reading.said.left or (cuts[-1][0] if cuts else "")
            swaps.append((reading, left))
            if left:
                named.setdefault(left, reading.at_ms)
            place = "" if cuts else left
        if place:
            named.setdefault(place, reading.at_ms)
            if not cuts or cuts[-1][0] != place:
                cuts.append((place, reading.at_ms if cuts else requested_ms))
        leg_of.append(len(cuts) - 1 if place else -1)
    legs = _tiled(cuts or [("", requested_ms)], requested_ms, max(requested_ms, ordered[-1].at_ms))
    starts = [leg.start_ms for leg in legs]
    # The instant of the event that names another belongs to the new leg; what comes before the request, to the first.
    running = (max(0, bisect_right(starts, reading.at_ms) - 1) for reading in ordered)
    leg_of = [then if leg < 0 else leg for leg, then in zip(leg_of, running, strict=True)]
    return Session(ordered[0].owner, ordered, legs, leg_of, named, swaps)


def _tiled(cuts: list[tuple[str, int]], start_ms: int, end_ms: int) -> list[Leg]:
    starts = [max(start_ms, at_ms) for _, at_ms in cuts]
    ends = [*starts[1:], end_ms]
    return [Leg(place, start, end) for (place, _), start, end in zip(cuts, starts, ends, strict=True)]
