"""Who contributed to an answer, and what is missing from it."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from backends.backend import Holdings
from backends.routing import FOREVER_MS, Cell
from metrics.errors import GatewayError


@dataclass(frozen=True, slots=True)
class Stretch:
    """A source, a region (None: all that no store names; "": where none is known), from when until when (Unix ms)."""

    source: str
    region: str | None
    start_ms: int | None
    end_ms: int | None
    # The stores that answer for it instead; none where it is missing.
    answered_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one store had to do with an answer."""

    name: str
    rows: int
    milliseconds: float
    # The latest event that the store has.
    reached_ms: int | None
    # Why it did not answer, as a code and a sentence.
    error: tuple[str, str] | None
    # Does the answer go without its part, and what that is. Nobody knows of a store that was never reached.
    is_missing: bool
    missing: tuple[Stretch, ...]
    # What it holds and left to others.
    yielding: tuple[Stretch, ...]


@dataclass(slots=True)
class Told:
    """What one request has found out about its stores, by their number. Grows while the request is answered."""

    held: dict[int, Holdings] = field(default_factory=dict)
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    failed: dict[int, GatewayError] = field(default_factory=dict)
    rows: dict[int, int] = field(default_factory=dict)
    seconds: dict[int, float] = field(default_factory=dict)
    # Of stores whose part an answer went without.
    lost: dict[int, dict[Cell, None]] = field(default_factory=dict)
    yielded: dict[Cell, None] = field(default_factory=dict)

    def read(self, store: int, seconds: float, rows: int) -> None:
        """A store answered."""
        self.rows[store] = self.rows.get(store, 0) + rows
        self.seconds[store] = self.seconds.get(store, 0.0) + seconds

    def without(self, lost: Mapping[int, Sequence[Cell]]) -> None:
        """An answer goes without these."""
        for store, cells in lost.items():
            self.lost.setdefault(store, {}).update(dict.fromkeys(cells))

    def contributions(self, names: Sequence[str], timeout_s: float) -> list[Contribution]:
        """One for each store that had to do with the answer, in the order in which they are listed."""
        found = []
        for store, name in enumerate(names):
            yielded = [cell for cell in self.yielded if store in cell.yielding]
            if store not in self.seconds and store not in self.lost and not yielded:
                continue
            held = self.held.get(store)
            found.append(
                Contribution(
                    name,
                    self.rows.get(store, 0),
                    1000 * self.seconds.get(store, 0.0),
                    None if held is None else held.latest_ms,
                    _reason(self.failed.get(store), timeout_s),
                    store in self.lost,
                    tuple(_stretches(self.lost.get(store, ()), names, ())),
                    tuple(_stretches(yielded, names, None)),
                )
            )
        return found


def _reason(error: GatewayError | None, timeout_s: float) -> tuple[str, str] | None:
    """Never the error's own words: they may name a host, a path or a statement."""
    if error is None:
        return None
    if error.code == "STORE_TIMEOUT":
        return error.code, f"the store did not answer within {timeout_s:g} s."
    return error.code, "the store cannot be reached or used; the reason is in the gateway's log."


def _stretches(cells: Iterable[Cell], names: Sequence[str], answered_by: tuple[str, ...] | None) -> Iterable[Stretch]:
    """Cells as they are told: those that meet or overlap as one."""
    kinds: dict[tuple[str, str | None, tuple[str, ...]], list[tuple[int, int]]] = {}
    for cell in cells:
        by = tuple(names[store] for store in cell.answering) if answered_by is None else answered_by
        kinds.setdefault((cell.source, cell.region, by), []).append((cell.start_ms, cell.end_ms))
    for (source, region, by), spans in sorted(kinds.items(), key=lambda one: (one[0][0], one[0][1] or "", one[0][2])):
        start_ms, end_ms = None, None
        for first, last in sorted(spans):
            if start_ms is None or end_ms is None or first > end_ms:
                if start_ms is not None and end_ms is not None:
                    yield Stretch(source, region, _edge(start_ms), _edge(end_ms), by)
                start_ms, end_ms = first, last
            else:
                end_ms = max(end_ms, last)
        if start_ms is not None and end_ms is not None:
            yield Stretch(source, region, _edge(start_ms), _edge(end_ms), by)


def _edge(at_ms: int) -> int | None:
    return None if abs(at_ms) >= FOREVER_MS else at_ms
