"""Which of several stores answers for what. Pure.

Everything that stores hold is cut into cells: one source, one region (or all that no store names), a stretch of time.
For each cell one store answers, or several whose data in it do not meet. Where more hold it, the fresher one answers,
then the one listed first; a store that is away is passed over, and what nobody else holds is lost.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from backends.part import WHOLE, Part
from metrics.window import DAY_MS, HOUR_MS

FOREVER_MS = 2**62
# Facts begin up to 24 hours beyond the events that they are told by: a GPU counts as advertised for so long.
BEYOND_MS = DAY_MS + HOUR_MS


@dataclass(frozen=True, slots=True)
class Holder:
    """What a store states that it holds, and how far each source was found to reach in it (Unix ms, last included).

    `reach` is None where nothing is known of the store yet.
    """

    part: Part
    reach: Mapping[str, tuple[int, int]] | None

    def claims(self, source: str) -> bool:
        """May it hold something of this source? What is stated is believed; what is not is as found."""
        if self.part.sources is not None:
            return source in self.part.sources
        return self.part != WHOLE or source in (self.reach or {})

    def span(self, source: str) -> tuple[int, int] | None:
        """How far the source reaches in it."""
        return (self.reach or {}).get(source)


class Cell(NamedTuple):
    """A source, a region (None: every one that no store names), a stretch of time, and the stores (by number)."""

    source: str
    region: str | None
    start_ms: int
    end_ms: int
    answering: tuple[int, ...]
    # Hold it too and leave it to those.
    yielding: tuple[int, ...] = ()
    # Hold it, are away, and nobody answers in their place.
    lost: tuple[int, ...] = ()


class Regions(NamedTuple):
    """Only these regions, or all but these; "" is where none is known."""

    names: frozenset[str]
    only: bool

    def admit(self, region: str | None) -> bool:
        """Is it one of them?"""
        return ((region or "") in self.names) is self.only

    @property
    def plain(self) -> bool:
        """Can a filter on values say it?"""
        return self.only and "" not in self.names


class Ask(NamedTuple):
    """What one store is asked: of these sources and regions (None: of all it holds), in [start_ms, end_ms)."""

    store: int
    start_ms: int
    end_ms: int
    sources: frozenset[str] | None = None
    regions: Regions | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question is about: a stretch of time, and sources and regions where it names them."""

    start_ms: int = -FOREVER_MS
    end_ms: int = FOREVER_MS
    sources: frozenset[str] | None = None
    regions: frozenset[str] | None = None


EVERYTHING = Asked()


@dataclass(frozen=True, slots=True)
class Map:
    """Which store answers for what, at one moment."""

    holders: tuple[Holder, ...]
    away: frozenset[int]
    cells: tuple[Cell, ...]
    regions: Mapping[str, frozenset[str | None]]  # of each source: all that cells tell apart

    @classmethod
    def of(cls, holders: Sequence[Holder], away: Set[int] = frozenset()) -> "Map":
        """The map of these stores while some are away."""
        cells = tuple(_cells(holders, away))
        regions: dict[str, set[str | None]] = defaultdict(set)
        for source, region in _fields(holders):
            regions[source].add(region)
        told = {source: frozenset(names) for source, names in regions.items()}
        return cls(tuple(holders), frozenset(away), cells, told)

    def about(self, asked: Asked) -> list[Cell]:
        """The cells that a question touches, cut to its stretch of time."""
        return [
            cell._replace(start_ms=max(cell.start_ms, asked.start_ms), end_ms=min(cell.end_ms, asked.end_ms))
            for cell in self.cells
            if cell.start_ms < asked.end_ms
            and cell.end_ms > asked.start_ms
            and (asked.sources is None or cell.source in asked.sources)
            and (asked.regions is None or self._touches(cell, asked.regions))
        ]

    def asks(self, asked: Asked, any_time: bool = False) -> list[Ask]:
        """What to ask of whom. With `any_time` the answer cannot be cut in time: each store is asked for all of it."""
        if not self.regions:
            # Nothing is known of any: whatever there is may be told by all.
            return [Ask(store, asked.start_ms, asked.end_ms) for store in range(len(self.holders)) if self._here(store)]
        won: dict[tuple[int, int, int], dict[str, set[str | None]]] = defaultdict(lambda: defaultdict(set))
        for cell in self.about(asked):
            stretch = (asked.start_ms, asked.end_ms) if any_time else (cell.start_ms, cell.end_ms)
            for store in cell.answering:
                won[store, *stretch][cell.source].add(cell.region)
        return [ask for key, sources in sorted(won.items()) for ask in self._asks_of(key, sources)]

    def lost(self, asked: Asked) -> dict[int, list[Cell]]:
        """What stores that are away leave unanswered. One of which nothing is known may hold anything."""
        found: dict[int, list[Cell]] = {store: [] for store in self.away if self.holders[store] == Holder(WHOLE, None)}
        for cell in self.about(asked):
            for store in cell.lost:
                found.setdefault(store, []).append(cell)
        return found

    def present(self) -> list[int]:
        """The stores that are not away."""
        return [store for store in range(len(self.holders)) if self._here(store)]

    def _here(self, store: int) -> bool:
        return store not in self.away

    def _touches(self, cell: Cell, wanted: frozenset[str]) -> bool:
        if cell.region is None:
            return bool(wanted - self.regions[cell.source])
        return cell.region in wanted

    def _asks_of(self, key: tuple[int, int, int], sources: Mapping[str, Set[str | None]]) -> Iterator[Ask]:
        """One question for all sources of which the store answers for the same regions."""
        alike: dict[Regions | None, set[str]] = defaultdict(set)
        for source, regions in sources.items():
            alike[_selector(frozenset(regions), self.regions[source])].add(source)
        for selector, names in alike.items():
            # A store may hold facts of a source that it has no event of: a GPU advertised before it begins.
            yield Ask(*key, None if names >= self.regions.keys() else frozenset(names), selector)


def _selector(won: frozenset[str | None], every: frozenset[str | None]) -> Regions | None:
    if won == every:
        return None
    if None in won:
        return Regions(frozenset(name for name in every - won if name is not None), only=False)
    return Regions(frozenset(name for name in won if name is not None), only=True)


def _fields(holders: Sequence[Holder]) -> Iterator[tuple[str, str | None]]:
    """Every source and region that cells tell apart."""
    sources = {source for one in holders for source in (*(one.part.sources or ()), *(one.reach or ()))}
    for source in sorted(sources):
        named = {name for one in holders if one.claims(source) for name in one.part.regions or ()}
        yield from ((source, name) for name in sorted(named))
        yield source, None


def _cells(holders: Sequence[Holder], away: Set[int]) -> Iterator[Cell]:
    for source, region in _fields(holders):
        claiming = [
            number
            for number, one in enumerate(holders)
            if one.claims(source) and (one.part.regions is None or region in one.part.regions)
        ]
        cells = (
            _cell(source, region, start_ms, end_ms, holders, claiming, away)
            for start_ms, end_ms in pairwise(sorted(_edges(source, [holders[number] for number in claiming])))
        )
        yield from _run_together(cells)


def _edges(source: str, holders: Sequence[Holder]) -> set[int]:
    edges = {-FOREVER_MS, FOREVER_MS}
    for one in holders:
        edges.update(edge for edge in (one.part.from_ms, one.part.until_ms) if edge is not None)
        if len(holders) > 1 and (span := one.span(source)) is not None:
            first, end = _floor(span[0]), _floor(span[1]) + HOUR_MS
            edges.update((first - BEYOND_MS, first, end, end + BEYOND_MS))
    return edges


def _cell(
    source: str,
    region: str | None,
    start_ms: int,
    end_ms: int,
    holders: Sequence[Holder],
    claiming: Sequence[int],
    away: Set[int],
) -> Cell:
    """Who answers in one stretch of time, no edge of any store lying within it."""
    stating = [number for number in claiming if holders[number].part.reaches(start_ms, end_ms)]
    if len(stating) < 2:
        return Cell(source, region, start_ms, end_ms, *_parted(stating, (), away))
    spans = {number: span for number in stating if (span := holders[number].span(source)) is not None}
    unknown = [number for number in stating if holders[number].reach is None]
    within = [number for number, (first, last) in spans.items() if first < end_ms and last >= start_ms]
    near = within or [n for n, (first, last) in spans.items() if _is_near(first, last, start_ms, end_ms)]
    # Whoever has the beginning of the stretch or begins next, then the fresher, then the one listed first; who is away
    # comes last.
    best = sorted(near or spans, key=lambda n: (n in away, max(0, spans[n][0] - start_ms), -spans[n][1], n))
    chosen: list[int] = []
    # Far from all one answers: what was counted of an event that lost to another stands at its time, whatever that is.
    for number in best if near else best[:1]:
        if all(_apart(spans[number], spans[other]) for other in chosen):
            chosen.append(number)
    yielding = [number for number in within if number not in chosen and number not in away]
    return Cell(source, region, start_ms, end_ms, *_parted([*chosen, *unknown], yielding, away))


def _is_near(first: int, last: int, start_ms: int, end_ms: int) -> bool:
    return _floor(first) - BEYOND_MS < end_ms and _floor(last) + HOUR_MS + BEYOND_MS > start_ms


def _floor(at_ms: int) -> int:
    return at_ms // HOUR_MS * HOUR_MS


def _parted(
    chosen: Iterable[int], yielding: Iterable[int], away: Set[int]
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    found = sorted(chosen)
    here, lost = (number for number in found if number not in away), (number for number in found if number in away)
    return tuple(here), tuple(sorted(yielding)), tuple(lost)


def _apart(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[1] < other[0] or other[1] < one[0]


def _run_together(cells: Iterable[Cell]) -> Iterator[Cell]:
    """Neighbours with the same stores as one; those that nobody has are left out."""
    last: Cell | None = None
    for cell in cells:
        if last is not None and last[4:] == cell[4:] and last.end_ms == cell.start_ms:
            last = last._replace(end_ms=cell.end_ms)
            continue
        if last is not None and any(last[4:]):
            yield last
        last = cell
    if last is not None and any(last[4:]):
        yield last
