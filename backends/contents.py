"""A store's whole content, shelf by shelf and page by page: what is copied from one store to another, and compared.

An item is told in the words of `backends.log`, the same by every store, so that digests of items can be compared.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from hashlib import blake2b
from operator import attrgetter
from typing import Any, NamedTuple

from backends.backend import PAYMENT_OWNER
from backends.part import Part
from metrics.dimension import INDEX, Dimension
from metrics.sighting import TRAIT_INDEX, Trait
from metrics.window import DAY_MS


class Shelf(StrEnum):
    """One kind of content, in an order in which it can be copied: the raw log, which a crash makes derive, last."""

    REJECTED = "rejected"  # backends.log.Rejected
    CLAIMS = "claims"  # Claim
    OFFERS = "offers"  # Offer
    PAYMENTS = "payments"  # Payment
    STAKES = "stakes"  # Stake
    SESSIONS = "sessions"  # StoredSession, jobs and samples that stand alone included
    SIGHTINGS = "sightings"  # metrics.sighting.Sighting
    FACTS = "facts"  # metrics.fact.Fact, of measured things
    SUPPLY = "supply"  # Fact, of supply
    CONFLICTS = "conflicts"  # Event, losers only
    EVENTS = "events"  # Event, those that count


# Where a page ends: a store's own total order, in values that JSON keeps.
Position = tuple[str | int, ...]


class Page(NamedTuple):
    """Some items, and where the next page begins; None behind the last."""

    items: Sequence[Any]
    after: Position | None


def _plain(name: str) -> Callable[[Any], Any]:
    return attrgetter(name)


def _dimension(dimension: Dimension) -> Callable[[Any], str]:
    return lambda fact: fact.dims[INDEX[dimension]] or ""


def _trait(trait: Trait) -> Callable[[Any], str]:
    return lambda sighting: sighting.traits[TRAIT_INDEX[trait]] or ""


class Way(NamedTuple):
    """How to read an item's source and instant (None: it has none), and its region (None: it has none of its own)."""

    source: Callable[[Any], str]
    at_ms: Callable[[Any], int] | None
    region: Callable[[Any], str] | None = None


_STATED = Way(_plain("source"), _plain("at_ms"))
_FACT = Way(_dimension(Dimension.SOURCE), _plain("at_ms"), _dimension(Dimension.REGION))
WAYS: Mapping[Shelf, Way] = {
    Shelf.REJECTED: Way(_plain("source"), None),
    Shelf.CLAIMS: _STATED,
    Shelf.OFFERS: _STATED,
    Shelf.PAYMENTS: _STATED,
    Shelf.STAKES: _STATED,
    Shelf.SESSIONS: Way(
        _plain("record.source"), _plain("record.requested_ms"), lambda stored: stored.record.region or ""
    ),
    Shelf.SIGHTINGS: Way(_trait(Trait.SOURCE), _plain("first_ms"), _trait(Trait.REGION)),
    Shelf.FACTS: _FACT,
    Shelf.SUPPLY: _FACT,
    Shelf.CONFLICTS: _STATED,
    Shelf.EVENTS: _STATED,
}


def owner_of(shelf: Shelf, item: Any) -> str | None:
    """Whose regions an item has that has none of its own: what is derived from it; None: nobody's."""
    if shelf is Shelf.PAYMENTS or (shelf in (Shelf.EVENTS, Shelf.CONFLICTS) and not item.owner):
        return f"{PAYMENT_OWNER}{item.source}/{item.id}"
    return str(item.owner) if shelf in (Shelf.EVENTS, Shelf.CONFLICTS) else None


def belongs(shelf: Shelf, item: Any, part: Part, regions_of: Callable[[str], Set[str]]) -> bool:
    """Is the item of that part?

    `regions_of` tells the regions ("": none) of the session and of the facts with an owner's name; none: nothing has
    that name. An event, a conflict or a payment is in all of those, so that it lies beside what tells of it. What
    has no region is in "", and what has no time of its own goes with the part that has no end.
    """
    way = WAYS[shelf]
    if way.region is not None:
        regions: Set[str] = {way.region(item)}
    else:
        owner = owner_of(shelf, item)
        regions = (regions_of(owner) if owner is not None else set()) or {""}
    if way.at_ms is None:
        at_ms = part.from_ms or 0
        return part.until_ms is None and any(part.covers(way.source(item), region, at_ms) for region in regions)
    return any(part.covers(way.source(item), region, way.at_ms(item)) for region in regions)


class Box(NamedTuple):
    """Items are counted by shelf, source and day (Unix ms of its begin; 0 for what has no time)."""

    shelf: Shelf
    source: str
    day_ms: int


@dataclass(slots=True)
class Tally:
    """How many items there are in each box, and a sum of their digests that does not depend on their order."""

    boxes: dict[Box, tuple[int, int]]

    def add(self, shelf: Shelf, items: Iterable[Any]) -> None:
        """Count these too."""
        way = WAYS[shelf]
        for item in items:
            at_ms = 0 if way.at_ms is None else way.at_ms(item)
            box = Box(shelf, way.source(item), at_ms // DAY_MS * DAY_MS)
            count, total = self.boxes.get(box, (0, 0))
            self.boxes[box] = count + 1, (total + digest(item)) % 2**128

    def differing(self, other: "Tally") -> list[Box]:
        """The boxes of this one that the other does not have, or has otherwise."""
        return sorted(box for box, told in self.boxes.items() if other.boxes.get(box) != told)


def digest(item: Any) -> int:
    """128 bits that are the same for equal items, whichever store tells them."""
    return int.from_bytes(blake2b(repr(_settled(item)).encode("utf-8", "surrogatepass"), digest_size=16).digest())


def _settled(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return [_settled(getattr(value, field.name)) for field in fields(value)]
    if isinstance(value, Mapping):
        return sorted((key, _settled(inner)) for key, inner in value.items())
    if isinstance(value, list | tuple):
        return [_settled(inner) for inner in value]
    return value


def page_of(rows: Sequence[Sequence[Any]], width: int, item: Callable[[Sequence[Any]], Any], limit: int) -> Page:
    """A page of rows: `width` columns make an item, the rest is its key, which of a full page is the position."""
    last = rows[-1][width:] if len(rows) == limit else None
    position = None if last is None else tuple(value.hex() if isinstance(value, bytes) else value for value in last)
    return Page([item(row[:width]) for row in rows], position)
