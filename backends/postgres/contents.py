"""A PostgreSQL store's content, page by page in the order of each table's key."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from backends import tables as declared
from backends.backend import PAYMENT_OWNER
from backends.contents import Page, Position, Shelf, page_of
from backends.log import Claim, Event, Offer, Payment, Rejected, Stake
from backends.part import Part
from backends.postgres.handle import Handle
from backends.postgres.tables import beginning, hashed
from backends.records import RECORD_NAMES, STORED_NAMES, fact_of, stored_of
from backends.tables import Kind, Table
from metrics import supply
from metrics.columns import COLUMNS
from metrics.dimension import DIMENSIONS
from metrics.measure import Column
from metrics.sighting import TRAITS, Sighting

Row = Sequence[Any]


class Place(NamedTuple):
    """Where a shelf's items are kept: the table, its columns, how a row becomes an item, and its column of time."""

    table: Table
    columns: tuple[str, ...]
    item: Callable[[Row], Any]
    at_ms: str | None
    # A test for "of one of %(regions)s"; without one, what is kept there has no region.
    region: str | None = None


_OWN = "e.region = ANY (%(regions)s::text[])"


def _by_owner(owner: str) -> str:
    """A test of the regions of whatever is derived under that name: its session, its facts."""

    def told(test: str) -> str:
        of = f"WHERE {hashed('d.owner')} = {hashed(owner)} AND d.owner = {owner} {test}"
        return f"(EXISTS (SELECT FROM sessions AS d {of}) OR EXISTS (SELECT FROM facts AS d {of}))"

    return (
        f"({told('AND d.region = ANY (%(regions)s::text[])')} OR ('' = ANY (%(regions)s::text[]) AND NOT {told('')}))"
    )


def _facts(table: Table, columns: Sequence[Column]) -> Place:
    names = [column.name for column in columns]
    told = ("owner", "key", "at_ms", *(dimension.value for dimension in DIMENSIONS), *names)
    return Place(table, told, lambda row: fact_of(row, names), "at_ms", _OWN)


def _sighting(row: Row) -> Sighting:
    owner, key, first_ms, last_ms, *traits = row
    return Sighting(owner, key, first_ms, last_ms, tuple(text or None for text in traits))


def _stated(table: Table, kind: Any, region: str | None = None) -> Place:
    return Place(table, kind._fields, lambda row: kind(*row), "at_ms", region)


_PAYMENT = f"('{PAYMENT_OWNER}' || e.source || '/' || e.id)"
_EVENT = _by_owner(f"(CASE WHEN e.owner = '' THEN {_PAYMENT} ELSE e.owner END)")
PLACES: Mapping[Shelf, Place] = {
    Shelf.REJECTED: Place(declared.REJECTED, Rejected._fields, lambda row: Rejected(*row), None),
    Shelf.CLAIMS: _stated(declared.CLAIMS, Claim),
    Shelf.OFFERS: _stated(declared.OFFERS, Offer),
    Shelf.PAYMENTS: _stated(declared.PAYMENTS, Payment, _by_owner(_PAYMENT)),
    Shelf.STAKES: _stated(declared.STAKES, Stake),
    Shelf.SESSIONS: Place(declared.SESSIONS, (*RECORD_NAMES, *STORED_NAMES), stored_of, "requested_ms", _OWN),
    Shelf.SIGHTINGS: Place(
        declared.SIGHTINGS,
        ("owner", "key", "first_ms", "last_ms", *(trait.value for trait in TRAITS)),
        _sighting,
        "first_ms",
        _OWN,
    ),
    Shelf.FACTS: _facts(declared.FACTS, COLUMNS),
    Shelf.SUPPLY: _facts(declared.SUPPLY, supply.COLUMNS),
    Shelf.CONFLICTS: _stated(declared.CONFLICTS, Event, _EVENT),
    Shelf.EVENTS: _stated(declared.RAW, Event, _EVENT),
}


class Contents:
    """The part of the `Log` that tells all of it."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def page(self, shelf: Shelf, part: Part, after: Position | None, limit: int) -> Page:
        place = PLACES[shelf]
        tests, values = _tests(place, part)
        key = place.table.key
        if after is not None:
            bound = [_bound(n, place.table.field(name).kind) for n, name in enumerate(key)]
            values |= {f"after{n}": value for n, value in enumerate(after)}
            tests.append(f"({_listed(key)}) > ({', '.join(bound)})")
            if key[0] == "owner":
                # The index is over the beginning of what may be long.
                tests.append(f'{beginning("e.owner")} >= {beginning(bound[0])} COLLATE "C"')
        order = f"{beginning('e.owner')}, " if key[0] == "owner" else ""
        rows = self._handle.query(
            f"page of {shelf.value}",
            f"SELECT {_listed((*place.columns, *key))} FROM {place.table.name} AS e WHERE {_all(tests)} "
            f"ORDER BY {order}{_listed(key)} LIMIT %(limit)s",
            values | {"limit": limit},
        )
        return page_of(rows, len(place.columns), place.item, limit)

    def size(self, shelf: Shelf, part: Part) -> int:
        place = PLACES[shelf]
        tests, values = _tests(place, part)
        sql = f"SELECT count(*) FROM {place.table.name} AS e WHERE {_all(tests)}"
        return int(self._handle.query(f"size of {shelf.value}", sql, values)[0][0])


def _tests(place: Place, part: Part) -> tuple[list[str], dict[str, object]]:
    tests: list[str] = []
    values: dict[str, object] = {}
    if part.sources is not None:
        tests.append("e.source = ANY (%(sources)s::text[])")
        values["sources"] = sorted(part.sources)
    if part.regions is not None and place.region is None and "" not in part.regions:
        tests.append("false")
    elif part.regions is not None and place.region is not None:
        tests.append(place.region)
        values["regions"] = sorted(part.regions)
    if place.at_ms is None:
        tests += ["false"] if part.until_ms is not None else []
        return tests, values
    if part.from_ms is not None:
        tests.append(f"e.{place.at_ms} >= %(from)s")
        values["from"] = part.from_ms
    if part.until_ms is not None:
        tests.append(f"e.{place.at_ms} < %(until)s")
        values["until"] = part.until_ms
    return tests, values


def _bound(number: int, kind: Kind) -> str:
    if kind is Kind.DIGEST:
        return f"decode(%(after{number})s::text, 'hex')"
    return f"%(after{number})s::{'bigint' if kind is Kind.INT else 'text'}"


def _all(tests: Sequence[str]) -> str:
    return " AND ".join(tests) or "true"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"e.{name}" for name in names)
