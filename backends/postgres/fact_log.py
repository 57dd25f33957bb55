"""Replacing what a derivation derives, and keeping the rollups up to date: a transaction each."""

from collections.abc import Iterable, Sequence
from typing import Any

from backends.change import Change, Kept, Key, change, floors, kept_facts, kept_sightings
from backends.log import Derivation, StoredSession, SupplyHour
from backends.postgres.aggregates import compute
from backends.postgres.handle import Handle, Session
from backends.postgres.partitions import Partitions
from backends.postgres.raw_log import columns_of
from backends.postgres.refresh import REFRESHES
from backends.postgres.stale_log import mark, stale_buckets, unmark
from backends.postgres.tables import among, hashed
from backends.records import row_of, slot_of
from backends.stale import Stale, planned
from backends.tables import FACTS, SESSIONS, SIGHTINGS, SUPPLY
from metrics.dimension import DIMENSIONS
from metrics.fact import Fact
from metrics.window import HOUR_MS, MINUTE_MS

FACT_NAMES, SUPPLY_NAMES, SIGHTING_NAMES, SESSION_NAMES = (
    tuple(field.name for field in table.fields) for table in (FACTS, SUPPLY, SIGHTINGS, SESSIONS)
)
# Rollups that are none of facts, and never left to TimescaleDB.
SEEN = (Stale.SEEN_HOURS, Stale.SEEN_DAYS)
FACT_VALUES, SUPPLY_VALUES = FACT_NAMES[5 + len(DIMENSIONS) :], SUPPLY_NAMES[5 + len(DIMENSIONS) :]


class FactLog:
    """The part of the `Log` that keeps what is derived."""

    def __init__(self, handle: Handle, partitions: Partitions) -> None:
        self._handle = handle
        self._partitions = partitions

    def replace(self, derivation: Derivation) -> None:
        self._partitions.ready("facts", (fact.at_ms for fact in derivation.facts))
        named = (stored.record.owner for stored in derivation.sessions)
        owners = list(dict.fromkeys((*derivation.owners, *derivation.gone, *named)))

        def work(session: Session, ver: int) -> None:
            _facts(session, owners, derivation)
            _sightings(session, owners, derivation)
            _sessions(session, derivation)
            _supply(session, derivation)

        self._handle.write("replace", work)

    def refresh(self) -> None:
        stale = self._handle.read("stale", stale_buckets)
        if not any(stale.values()):
            return
        due, touched = planned(stale)
        self._partitions.ready("facts_minute", due[Stale.MINUTES])
        kept_by_us = SEEN if self._handle.aggregates else tuple(due)

        def work(session: Session, ver: int) -> None:
            """Whoever reads sees all of it or nothing."""
            for kind, buckets in due.items():
                if kind in kept_by_us:
                    if buckets:
                        REFRESHES[kind].run(session, sorted(buckets))
                    unmark(session, kind, buckets)
                mark(session, kind, touched[kind] - (buckets if kind in kept_by_us else frozenset()))

        self._handle.write("refresh", work)
        if self._handle.aggregates:
            compute(self._handle, due)

    def supply_hours(self, source: str) -> Sequence[SupplyHour]:
        sql = "SELECT DISTINCT source, owner, slot FROM supply WHERE source = %(source)s"
        return [SupplyHour(*row) for row in self._handle.query("supply_hours", sql, {"source": source})]


def _facts(session: Session, owners: Sequence[str], derivation: Derivation) -> None:
    new = [(key, _signed(kept)) for key, kept in kept_facts(derivation.facts)]
    changed = change(_kept(session, "facts", "at_ms", owners, new), new)
    rows = (fact_row(derivation.facts[index], new[index][1], FACT_VALUES) for index in changed.written)
    _write(session, "facts", FACT_NAMES, changed, new, rows)
    mark(session, Stale.MINUTES, floors(changed.touched_ms, MINUTE_MS))


def _sightings(session: Session, owners: Sequence[str], derivation: Derivation) -> None:
    new = [(key, _signed(kept)) for key, kept in kept_sightings(derivation.sightings)]
    changed = change(_kept(session, "sightings", "first_ms", owners, new), new)
    written = ((derivation.sightings[index], new[index][1]) for index in changed.written)
    rows = (
        (kept[0], one.owner, one.key, one.first_ms, one.last_ms, kept[2], *(trait or "" for trait in one.traits))
        for one, kept in written
    )
    _write(session, "sightings", SIGHTING_NAMES, changed, new, rows)
    mark(session, Stale.SEEN_HOURS, floors(changed.touched_ms, HOUR_MS))


def _sessions(session: Session, derivation: Derivation) -> None:
    stored = {one.record.owner: one for one in derivation.sessions}
    owners = [*stored, *(owner for owner in derivation.gone if owner not in stored)]
    if owners:
        tests = among("owner", "%(owners)s::text[]")
        session.run("forget sessions", f"DELETE FROM sessions WHERE {tests}", {"owners": owners})
        session.copy("sessions", SESSION_NAMES, map(_session_row, stored.values()))


def _session_row(stored: StoredSession) -> Sequence[Any]:
    row = row_of(stored)
    # An empty array says nothing of what it is an array of.
    values = (row[name] for name in SESSION_NAMES)
    return [list(value) if isinstance(value, tuple) else value for value in values]


def _supply(session: Session, derivation: Derivation) -> None:
    hours = {(hour.source, hour.uri, hour.hour_ms) for hour in derivation.hours}
    if hours:
        session.run("forget supply", FORGET_SUPPLY, columns_of(sorted(hours), ("sources", "uris", "hours")))
    places = [(one.dims[0] or "", one.owner, slot_of(one.at_ms), one.key) for one in derivation.supply]
    # Beside what other hours have, in the place of what has the same key.
    if beside := [place for place in places if place[:3] not in hours]:
        session.run("forget lights", FORGET_LIGHTS, columns_of(beside, ("sources", "uris", "hours", "keys")))
    if derivation.supply:
        rows = (fact_row(one, (slot_of(one.at_ms), one.at_ms, 0), SUPPLY_VALUES) for one in derivation.supply)
        session.copy("supply", SUPPLY_NAMES, rows)


def fact_row(fact: Fact, kept: Kept, names: Sequence[str]) -> Sequence[Any]:
    """A fact as its table keeps it."""
    said = map(fact.values.get, names)
    return (kept[0], fact.owner, fact.key, kept[1], kept[2], *(value or "" for value in fact.dims), *said)


def _kept(
    session: Session, table: str, time: str, owners: Sequence[str], new: Sequence[tuple[Key, Kept]]
) -> dict[Key, Kept]:
    """What these owners have, and what has the key of a new row of another owner."""
    keys = {key for key, _ in new}
    wanted, replaced = sorted({*owners, *(owner for owner, _ in keys)}), frozenset(owners)
    sql = f"SELECT owner, key, slot, {time}, digest FROM {table} WHERE {among('owner', '%(owners)s::text[]')}"
    rows = session.query(f"kept {table}", sql, {"owners": wanted}) if wanted else ()
    return {
        (owner, key): (slot, at_ms, digest)
        for owner, key, slot, at_ms, digest in rows
        if owner in replaced or (owner, key) in keys
    }


def _write(
    session: Session,
    table: str,
    names: Sequence[str],
    changed: Change,
    new: Sequence[tuple[Key, Kept]],
    rows: Iterable[Sequence[Any]],
) -> None:
    """Withdraw what is no longer so, and what gives way to a new row of its key; then write the new rows."""
    gone = {*changed.withdrawn, *((new[index][1][0], *new[index][0]) for index in changed.replaced)}
    if gone:
        sql = (
            f"DELETE FROM {table} AS e USING unnest(%(slots)s::bigint[], %(owners)s::text[], %(keys)s::text[]) "
            f"AS w(slot, owner, key) WHERE {hashed('e.owner')} = {hashed('w.owner')} AND e.owner = w.owner "
            "AND e.slot = w.slot AND e.key = w.key"
        )
        session.run(f"forget {table}", sql, columns_of(sorted(gone), ("slots", "owners", "keys")))
    if changed.written:
        session.copy(table, names, rows)


def _signed(kept: Kept) -> Kept:
    """A digest has 64 bits, the highest of which is a sign here."""
    slot, at_ms, digest = kept
    return slot, at_ms, digest - (1 << 64) if digest >> 63 else digest


FORGET_SUPPLY = (
    "DELETE FROM supply AS e USING unnest(%(sources)s::text[], %(uris)s::text[], %(hours)s::bigint[]) "
    "AS w(source, uri, slot) WHERE e.slot = w.slot AND e.owner = w.uri AND e.source = w.source"
)
FORGET_LIGHTS = (
    "DELETE FROM supply AS e USING unnest(%(sources)s::text[], %(uris)s::text[], %(hours)s::bigint[], "
    "%(keys)s::text[]) AS w(source, uri, slot, key) "
    "WHERE e.slot = w.slot AND e.owner = w.uri AND e.source = w.source AND e.key = w.key"
)
