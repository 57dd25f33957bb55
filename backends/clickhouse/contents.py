"""A ClickHouse store's content, page by page in the order of each table's key."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from backends.backend import PAYMENT_OWNER
from backends.clickhouse.handle import Handle
from backends.contents import Page, Position, Shelf, page_of
from backends.log import Claim, Event, Offer, Payment, Rejected, Stake
from backends.part import Part
from backends.records import RECORD_NAMES, STORED_NAMES, fact_of, stored_of
from backends.tables import (
    CLAIMS,
    CONFLICTS,
    FACTS,
    OFFERS,
    PAYMENTS,
    RAW,
    REJECTED,
    SESSIONS,
    SIGHTINGS,
    STAKES,
    SUPPLY,
    Kind,
    Table,
)
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
    # A test for "of one of {regions}"; without one, what is kept there has no region.
    region: str | None = None
    as_bytes: tuple[str, ...] = ()


def _by_owner(owner: str) -> str:
    """A test of the regions of whatever is derived under that name: its session, its facts."""
    told = " UNION ALL ".join(f"SELECT owner FROM {table} FINAL WHERE {{0}}" for table in ("sessions", "facts"))
    return (
        f"({owner} IN ({told.format('region IN {regions:Array(String)}')}) "
        f"OR (has({{regions:Array(String)}}, '') AND {owner} NOT IN ({told.format('1')})))"
    )


_PAYMENT = f"concat('{PAYMENT_OWNER}', source, '/', id)"
_OWN = "region IN {regions:Array(String)}"


def _facts(table: Table, columns: Sequence[Column]) -> Place:
    names = [column.name for column in columns]
    told = ("owner", "key", "at_ms", *(dimension.value for dimension in DIMENSIONS), *names)
    return Place(table, told, lambda row: fact_of(row, names), "at_ms", _OWN)


def _sighting(row: Row) -> Sighting:
    owner, key, first_ms, last_ms, *traits = row
    return Sighting(owner, key, first_ms, last_ms, tuple(text or None for text in traits))


def _stated(table: Table, kind: Any, region: str | None = None) -> Place:
    return Place(table, kind._fields, lambda row: kind(*row), "at_ms", region)


def _events(table: Table) -> Place:
    return Place(
        table,
        Event._fields,
        lambda row: Event(*row),
        "at_ms",
        _by_owner(f"if(owner = '', {_PAYMENT}, owner)"),
        ("body",),
    )


PLACES: Mapping[Shelf, Place] = {
    Shelf.REJECTED: Place(REJECTED, Rejected._fields, lambda row: Rejected(*row), None, None, ("body",)),
    Shelf.CLAIMS: _stated(CLAIMS, Claim),
    Shelf.OFFERS: _stated(OFFERS, Offer),
    Shelf.PAYMENTS: _stated(PAYMENTS, Payment, _by_owner(_PAYMENT)),
    Shelf.STAKES: _stated(STAKES, Stake),
    Shelf.SESSIONS: Place(SESSIONS, (*RECORD_NAMES, *STORED_NAMES), stored_of, "requested_ms", _OWN, ("state",)),
    Shelf.SIGHTINGS: Place(
        SIGHTINGS,
        ("owner", "key", "first_ms", "last_ms", *(trait.value for trait in TRAITS)),
        _sighting,
        "first_ms",
        _OWN,
    ),
    Shelf.FACTS: _facts(FACTS, COLUMNS),
    Shelf.SUPPLY: _facts(SUPPLY, supply.COLUMNS),
    Shelf.CONFLICTS: _events(CONFLICTS),
    Shelf.EVENTS: _events(RAW),
}


class Contents:
    """The part of the `Log` that tells all of it."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def page(self, shelf: Shelf, part: Part, after: Position | None, limit: int) -> Page:
        place = PLACES[shelf]
        tests, values = _tests(place, part)
        key = place.table.key
        keys = [f"`{name}` AS at{number}" for number, name in enumerate(key)]
        if after is not None:
            bound = [_bound(f"after{n}", place.table.field(name).kind) for n, name in enumerate(key)]
            values |= {f"after{n}": value for n, value in enumerate(after)}
            # The first column apart: that test skips what lies before it.
            tests.append(f"`{key[0]}` >= {bound[0]} AND ({_listed(key)}) > ({', '.join(bound)})")
        rows = self._handle.query(
            f"page of {shelf.value}",
            f"SELECT {_listed(place.columns)}, {', '.join(keys)} FROM {place.table.name} FINAL WHERE {_all(tests)} "
            f"ORDER BY {_listed(key)} LIMIT {{limit:UInt64}}",
            values | {"limit": limit},
            place.as_bytes,
        )
        return page_of(rows, len(place.columns), place.item, limit)

    def size(self, shelf: Shelf, part: Part) -> int:
        place = PLACES[shelf]
        tests, values = _tests(place, part)
        sql = f"SELECT count() FROM {place.table.name} FINAL WHERE {_all(tests)}"
        return int(self._handle.query(f"size of {shelf.value}", sql, values)[0][0])


def _tests(place: Place, part: Part) -> tuple[list[str], dict[str, object]]:
    tests: list[str] = []
    values: dict[str, object] = {}
    if part.sources is not None:
        tests.append("source IN {sources:Array(String)}")
        values["sources"] = sorted(part.sources)
    if part.regions is not None and place.region is None and "" not in part.regions:
        tests.append("0")
    elif part.regions is not None and place.region is not None:
        tests.append(place.region)
        values["regions"] = sorted(part.regions)
    if place.at_ms is None:
        tests += ["0"] if part.until_ms is not None else []
        return tests, values
    if part.from_ms is not None:
        tests.append(f"{place.at_ms} >= {{from:Int64}}")
        values["from"] = part.from_ms
    if part.until_ms is not None:
        tests.append(f"{place.at_ms} < {{until:Int64}}")
        values["until"] = part.until_ms
    return tests, values


def _bound(name: str, kind: Kind) -> str:
    if kind is Kind.DIGEST:
        return f"unhex({{{name}:String}})"
    return f"{{{name}:{'Int64' if kind is Kind.INT else 'String'}}}"


def _all(tests: Sequence[str]) -> str:
    return " AND ".join(tests) or "1"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
