"""Replacing what a derivation derives, and keeping the rollups up to date.

The order makes a crash harmless: first the paths (too many never hurt) and the stale buckets, then facts and sightings,
then sessions. Whatever is cut off is derived again, because its events are still pending, and whatever was written by
then is found again, because its paths are.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from backends.change import Change, Kept, change, floors, kept_facts, kept_sightings
from backends.clickhouse.derived import (
    FACT,
    SESSION,
    SIGHTING,
    Filed,
    columns_of_facts,
    columns_of_sightings,
    session_rows,
)
from backends.clickhouse.handle import Handle
from backends.clickhouse.refresh import DAYS, HOURS, MINUTES, SEEN_DAYS, SEEN_HOURS, Refresh
from backends.clickhouse.supply import replace_supply
from backends.clickhouse.tide import Tide
from backends.log import Derivation, SupplyHour
from backends.records import columns_of
from backends.stale import Stale, days_due, hours_due, seen_days_due
from backends.tables import FACTS, PATHS, SESSIONS, SIGHTINGS, STALE, Kind, Table
from metrics.window import DAY_MS, HOUR_MS, MINUTE_MS

PATHED = (
    "FINAL WHERE (slot, owner) IN "
    "(SELECT slot, owner FROM paths WHERE kind = {kind:String} AND value IN (SELECT a FROM wanted))"
)


class FactLog:
    """The part of the `Log` that keeps what is derived."""

    def __init__(self, handle: Handle, tide: Tide) -> None:
        self._handle = handle
        self._tide = tide

    def replace(self, derivation: Derivation) -> None:
        ver = self._tide.next()
        named = (stored.record.owner for stored in derivation.sessions)
        self._handle.want(a=list(dict.fromkeys((*derivation.owners, *derivation.gone, *named))))
        new_facts, new_sightings = kept_facts(derivation.facts), kept_sightings(derivation.sightings)
        facts = change(self._kept(FACTS, FACT, "at_ms"), new_facts)
        sightings = change(self._kept(SIGHTINGS, SIGHTING, "first_ms"), new_sightings)
        rows, paths = session_rows(derivation, self._sessions())
        paths += [(FACT, owner, slot, owner) for owner, slot in facts.paths]
        paths += [(SIGHTING, owner, slot, owner) for owner, slot in sightings.paths]
        self._handle.insert(PATHS, columns_of(paths, ("kind", "value", "slot", "owner")))
        self._mark(Stale.MINUTES, floors(facts.touched_ms, MINUTE_MS), ver)
        self._mark(Stale.SEEN_HOURS, floors(sightings.touched_ms, HOUR_MS), ver)
        written = [(derivation.facts[index], new_facts[index][1]) for index in facts.written]
        self._write(FACTS, columns_of_facts(written), facts, ver)
        seen = [(derivation.sightings[index], new_sightings[index][1]) for index in sightings.written]
        self._write(SIGHTINGS, columns_of_sightings(seen), sightings, ver)
        replace_supply(self._handle, derivation.hours, derivation.supply, ver)
        if rows:
            columns: dict[str, Sequence[Any]] = {name: [row[name] for row in rows] for name in rows[0]}
            self._handle.insert(SESSIONS, {**columns, "ver": [ver] * len(rows)})
        self._tide.changed()

    def refresh(self) -> None:
        stale = self._tide.stale
        if not any(stale.values()):
            return
        quiet = not (stale[Stale.MINUTES] or stale[Stale.SEEN_HOURS])
        ver = self._tide.next()
        # Readers pass by a coarser rollup from before its finer one changes until it has caught up.
        self._mark(Stale.HOURS, floors(stale[Stale.MINUTES], HOUR_MS), ver)
        self._mark(Stale.DAYS, floors(stale[Stale.MINUTES], DAY_MS), ver)
        self._mark(Stale.SEEN_DAYS, floors(stale[Stale.SEEN_HOURS], DAY_MS), ver)
        self._tide.show()
        self._settle(Stale.MINUTES, MINUTES, stale[Stale.MINUTES])
        self._settle(Stale.SEEN_HOURS, SEEN_HOURS, stale[Stale.SEEN_HOURS])
        self._settle(Stale.HOURS, HOURS, hours_due(stale[Stale.HOURS], quiet))
        self._settle(Stale.DAYS, DAYS, days_due(stale[Stale.DAYS], stale[Stale.HOURS], quiet))
        self._settle(Stale.SEEN_DAYS, SEEN_DAYS, seen_days_due(stale[Stale.SEEN_DAYS], quiet))
        self._tide.show()
        self._tide.changed()

    def supply_hours(self, source: str) -> Sequence[SupplyHour]:
        sql = "SELECT DISTINCT source, owner, slot FROM supply FINAL WHERE source = {source:String}"
        return [SupplyHour(*row) for row in self._handle.query("supply_hours", sql, {"source": source})]

    def recall_stale(self) -> None:
        """Read back which buckets are stale."""
        for kind, bucket_ms in self._handle.query("stale", "SELECT kind, bucket_ms FROM stale FINAL"):
            self._tide.stale[Stale(kind)].add(bucket_ms)
        self._tide.show()

    def _mark(self, kind: Stale, buckets: set[int], ver: int) -> None:
        new = sorted(buckets - self._tide.stale[kind])
        self._handle.insert(STALE, {"kind": [kind.value] * len(new), "bucket_ms": new, "ver": [ver] * len(new)})
        self._tide.stale[kind].update(new)

    def _settle(self, kind: Stale, how: Refresh, buckets: Iterable[int]) -> None:
        done = sorted(buckets)
        if not done:
            return
        ver = self._tide.next()
        how.run(self._handle, done, ver)
        flags = {"ver": [ver] * len(done), "deleted": [1] * len(done)}
        self._handle.insert(STALE, {"kind": [kind.value] * len(done), "bucket_ms": done, **flags})
        self._tide.stale[kind].difference_update(done)

    def _kept(self, table: Table, kind: str, time: str) -> dict[tuple[str, str], Kept]:
        sql = f"SELECT owner, key, slot, {time}, digest FROM {table.name} {PATHED}"
        rows = self._handle.query(f"kept {table.name}", sql, {"kind": kind})
        return {(owner, key): (slot, at_ms, digest) for owner, key, slot, at_ms, digest in rows}

    def _sessions(self) -> dict[str, Filed]:
        sql = f"SELECT owner, slot, stream_id, request_id FROM sessions {PATHED}"
        rows = self._handle.query("kept sessions", sql, {"kind": SESSION})
        return {owner: (slot, stream_id, request_id) for owner, slot, stream_id, request_id in rows}

    def _write(self, table: Table, columns: dict[str, list[Any]], changed: Change, ver: int) -> None:
        """New rows and withdrawals in one insert, so that no reader sees one without the other."""
        live, dead = len(changed.written), len(changed.withdrawn)
        withdrawn = columns_of(changed.withdrawn, ("slot", "owner", "key"))
        for name, values in columns.items():
            values.extend(withdrawn.get(name, ()) if name in ("slot", "owner", "key") else [_EMPTY.get(name)] * dead)
        columns["ver"], columns["deleted"] = [ver] * (live + dead), [0] * live + [1] * dead
        self._handle.insert(table, columns)


_EMPTY = {"at_ms": 0, "first_ms": 0, "last_ms": 0, "digest": 0} | dict.fromkeys(
    (field.name for table in (FACTS, SIGHTINGS) for field in table.fields[5:] if field.kind is Kind.TAG), ""
)
