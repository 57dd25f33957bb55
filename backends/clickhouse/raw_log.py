"""The raw log in ClickHouse: append-only, one content per identity, nothing lost and nothing doubled by a crash.

An append is four inserts, each all or nothing: what lost or was rejected, then the events with the withdrawals (`raw`),
then their identities (`ids`). A crash before `raw` leaves nothing that counts; one after it is repaired at the next
opening, which gives `ids` the rows that it lacks. What waits to be derived is every version above the mark `derived`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from backends.backend import LoggedEvent
from backends.clickhouse.handle import Handle
from backends.clickhouse.tide import Tide
from backends.identity import hash_of
from backends.log import STAKE, Batch, Event, Identity, Rejected
from backends.records import EVENT_COLUMNS, columns_of, columns_of_events, event_of
from backends.tables import CONFLICTS, IDS, MARKS, RAW, REJECTED

DERIVED = "derived"
IDENTITY = "owner, at_ms, source, id"
IDENTIFIED = ("source", "id", "sha", "at_ms", "owner", "ver")


class RawLog:
    """The part of the `Log` that keeps events."""

    def __init__(self, handle: Handle, tide: Tide) -> None:
        self._handle = handle
        self._tide = tide

    def identities(self, source: str, ids: Sequence[str]) -> Mapping[str, Identity]:
        self._handle.want(n=[hash_of(source, id) for id in ids])
        rows = self._handle.query(
            "identities",
            # Without FINAL, which would merge far more rows than are asked for: the highest version is chosen here.
            "SELECT ver, id, sha, at_ms, owner FROM ids "
            "WHERE hash IN (SELECT n FROM wanted) AND source = {source:String}",
            {"source": source},
        )
        asked = frozenset(ids)
        return {id: Identity(sha, at_ms, owner) for _, id, sha, at_ms, owner in sorted(rows) if id in asked}

    def append(self, batch: Batch) -> None:
        ver = self._tide.next()
        self._handle.insert(CONFLICTS, columns_of_events(batch.conflicts, ver, 0))
        self._handle.insert(REJECTED, _columns_of_rejected(batch.rejected, ver))
        # A winner with the loser's own key takes its place by itself; a withdrawal beside it would be a tie.
        kept = {(event.owner, event.at_ms, event.source, event.id) for event in batch.events}
        lost = [e for e in batch.superseded if (e.owner, e.at_ms, e.source, e.id) not in kept]
        live, dead = columns_of_events(batch.events, ver, 0), columns_of_events(lost, ver, 1)
        dead["body"] = [b""] * len(lost)
        self._handle.insert(RAW, {name: live[name] + dead[name] for name in live})
        self._identify({name: live[name] for name in IDENTIFIED})
        self._note(batch, lost)

    def _identify(self, columns: dict[str, Sequence[Any]]) -> None:
        self._handle.insert(IDS, {"hash": list(map(hash_of, columns["source"], columns["id"])), **columns})

    def _note(self, batch: Batch, lost: Sequence[Event]) -> None:
        self._tide.appended(
            ((e.source, e.at_ms) for e in batch.events if e.type != STAKE), len(batch.events) + len(batch.superseded)
        )
        sources = self._tide.holdings.sources
        if any(event.at_ms in sources.get(event.source, ()) for event in lost):
            # The first or last event of a source was withdrawn.
            self._tide.reaches(self.reach())

    def pending(self, limit: int) -> Sequence[LoggedEvent]:
        self.repair()
        self._tide.reaches(self.reach())
        found = self._handle.query("pending", PENDING, {"derived": self._tide.derived, "limit": limit}, ("body",))
        return [event_of(row) for row in found]

    def mark_derived(self) -> None:
        ver = self._tide.ver
        self._handle.insert(MARKS, {"name": [DERIVED], "value": [ver], "ver": [self._tide.next()]})
        self._tide.settled(ver)

    def event_log(
        self, start_ms: int, end_ms: int, limit: int, after: tuple[str, int, str, str] | None
    ) -> Sequence[LoggedEvent]:
        values: dict[str, object] = {"start": start_ms, "end": end_ms, "limit": limit}
        position = ""
        if after is not None:
            values |= zip(("owner", "at", "source", "id"), after, strict=True)
            position = AFTER
        found = self._handle.query(
            "event_log",
            f"SELECT {EVENT_COLUMNS} FROM raw FINAL WHERE at_ms >= {{start:Int64}} AND at_ms < {{end:Int64}} {position}"
            f"ORDER BY {IDENTITY} LIMIT {{limit:UInt64}}",
            values,
            ("body",),
        )
        return [event_of(row) for row in found]

    def session_events(self, owners: Iterable[str]) -> Sequence[LoggedEvent]:
        self._handle.want(a=[owner for owner in owners if owner])
        found = self._handle.query(
            "session_events",
            f"SELECT {EVENT_COLUMNS} FROM raw FINAL WHERE owner IN (SELECT a FROM wanted) "
            "ORDER BY owner, at_ms, id, source",
            as_bytes=("body",),
        )
        return [event_of(row) for row in found]

    def logged(self, keys: Sequence[tuple[str, int, str, str]]) -> Sequence[LoggedEvent]:
        if not keys:
            return []
        owners, _, sources, ids = zip(*keys, strict=True)
        self._handle.want(a=owners, b=ids)
        found = self._handle.query(
            "logged",
            f"SELECT {EVENT_COLUMNS} FROM raw FINAL WHERE owner IN (SELECT a FROM wanted) "
            "AND at_ms IN {instants:Array(Int64)} AND source IN {sources:Array(String)} "
            f"AND id IN (SELECT b FROM wanted) ORDER BY {IDENTITY}",
            {"instants": sorted({at_ms for _, at_ms, _, _ in keys}), "sources": sorted(set(sources))},
            ("body",),
        )
        asked = frozenset(keys)
        return [event for event in map(event_of, found) if (event.owner, event.at_ms, event.source, event.id) in asked]

    def conflict_counts(self, keys: Iterable[tuple[str, str]]) -> Sequence[tuple[str, str, bytes, int]]:
        sources, ids = zip(*set(keys), strict=True) if (keys := list(keys)) else ((), ())
        self._handle.want(a=sources, b=ids)
        found = self._handle.query("conflict_counts", CONFLICT_COUNTS)
        # A loser that counts at present is none: its append was cut off, or came in another order the second time.
        counting = {
            (source, id, known.sha)
            for source in {row[0] for row in found}
            for id, known in self.identities(source, [row[1] for row in found if row[0] == source]).items()
        }
        return [(source, id, sha, at_ms) for source, id, sha, at_ms in found if (source, id, sha) not in counting]

    def latest(self) -> Mapping[str, int]:
        return {source: last for source, (_, last) in self._tide.holdings.sources.items()}

    def reach(self) -> dict[str, tuple[int, int]]:
        """The first and the last time of every source, over the events that count, from the tables."""
        return {source: (first, last) for source, first, last in self._handle.query("reach", REACH)}

    def repair(self) -> None:
        """Give `ids` what an append that was cut off left out."""
        missing = self._handle.query("missing ids", MISSING_IDS)
        self._identify(dict(columns_of(missing, IDENTIFIED) or dict.fromkeys(IDENTIFIED, ())))

    def recall(self) -> None:
        """Read back what is derived, what waits, and how far sources reach."""
        marks = self._handle.query(
            "marks", "SELECT value FROM marks FINAL WHERE name = {name:String}", {"name": DERIVED}
        )
        self._tide.settled(marks[0][0] if marks else 0)
        self._tide.reaches(self.reach())
        waiting = self._handle.query(
            "count pending", "SELECT count() FROM raw WHERE ver > {derived:UInt64}", {"derived": self._tide.derived}
        )
        self._tide.appended((), waiting[0][0])


def _columns_of_rejected(lines: Sequence[Rejected], ver: int) -> dict[str, list[object]]:
    return {
        "source": [line.source for line in lines],
        "sha": [line.sha for line in lines],
        "reason": [line.reason for line in lines],
        "detail": [line.detail for line in lines],
        "body": [line.body for line in lines],
        "ver": [ver] * len(lines),
    }


AFTER = (
    "AND (owner > {owner:String} OR (owner = {owner:String} AND (at_ms > {at:Int64} OR (at_ms = {at:Int64} "
    "AND (source, id) > ({source:String}, {id:String}))))) "
)
# Losers count as waiting too: what they stand for (a withdrawn event, one more conflict) must be derived.
PENDING = f"""
SELECT owner, source, id, at_ms, content AS body FROM (
  SELECT {IDENTITY}, argMax(if(deleted = 1, '', body), ver) AS content, min(ver) AS first
  FROM raw WHERE ver > {{derived:UInt64}} GROUP BY {IDENTITY}
  UNION ALL
  SELECT {IDENTITY}, '' AS content, min(ver) AS first
  FROM conflicts WHERE ver > {{derived:UInt64}}
  GROUP BY {IDENTITY}
)
ORDER BY first, {IDENTITY} LIMIT {{limit:UInt64}}
"""
CONFLICT_COUNTS = """
SELECT source, id, sha, at_ms FROM conflicts FINAL WHERE (source, id) IN (SELECT a, b FROM wanted)
ORDER BY source, id, sha
"""
# Withdrawals are rare: only keys that have one need the exact and slower reading.
REACH = f"""
SELECT source, min(at_ms), max(at_ms) FROM (
  SELECT source, type, at_ms FROM raw WHERE ({IDENTITY}) NOT IN (SELECT {IDENTITY} FROM raw WHERE deleted = 1)
  UNION ALL
  SELECT source, type, at_ms FROM raw FINAL WHERE ({IDENTITY}) IN (SELECT {IDENTITY} FROM raw WHERE deleted = 1)
) WHERE type != '{STAKE}' GROUP BY source
"""
MISSING_IDS = f"""
SELECT {", ".join(IDENTIFIED)} FROM raw WHERE deleted = 0 AND ver > (SELECT max(ver) FROM ids) ORDER BY {IDENTITY}
"""
