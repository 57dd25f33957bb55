"""The raw log in PostgreSQL: one content per identity, an append a transaction. What waits is above the mark."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from backends.backend import LoggedEvent
from backends.identity import hash_of
from backends.log import STAKE, Batch, Event, Identity
from backends.postgres.handle import MARK, Handle, Session
from backends.postgres.partitions import Partitions
from backends.postgres.reads import of_owners
from backends.postgres.tables import beginning, hashed
from backends.records import EVENT_COLUMNS, event_of

DERIVED, WAITING = "derived", "waiting"
RAW = ("owner", "at_ms", "source", "id", "sha", "type", "body", "ver")
IDS = ("hash", "source", "id", "sha", "at_ms", "owner")
CONFLICTS = ("source", "id", "sha", "at_ms", "owner", "type", "body", "ver")
REJECTED = ("source", "sha", "reason", "detail", "body")


class RawLog:
    """The part of the `Log` that keeps events."""

    def __init__(self, handle: Handle, partitions: Partitions) -> None:
        self._handle = handle
        self._partitions = partitions

    def identities(self, source: str, ids: Sequence[str]) -> Mapping[str, Identity]:
        values = {"hashes": [hash_of(source, id) for id in ids], "source": source}
        sql = "SELECT id, sha, at_ms, owner FROM ids WHERE hash = ANY (%(hashes)s::bigint[]) AND source = %(source)s"
        asked = frozenset(ids)
        found = self._handle.query("identities", sql, values)
        return {id: Identity(sha, at_ms, owner) for id, sha, at_ms, owner in found if id in asked}

    def append(self, batch: Batch) -> None:
        self._partitions.ready("raw", (event.at_ms for event in batch.events))

        def work(session: Session, ver: int) -> None:
            _keep_others(session, batch, ver)
            gone = _forget(session, [*batch.events, *batch.superseded])
            rows = ((e.owner, e.at_ms, e.source, e.id, e.sha, e.type, e.body, ver) for e in batch.events)
            session.copy("raw", RAW, rows)
            ids = ((hash_of(e.source, e.id), e.source, e.id, e.sha, e.at_ms, e.owner) for e in batch.events)
            session.copy("ids", IDS, ids)
            _reach(session, batch.events, gone)
            waiting = {"name": WAITING, "count": len(batch.events) + len(batch.superseded)}
            session.run("waiting", "UPDATE marks SET value = value + %(count)s WHERE name = %(name)s", waiting)

        self._handle.write("append", work)

    def pending(self, limit: int) -> Sequence[LoggedEvent]:
        self._handle.claim()
        return [event_of(row) for row in self._handle.query("pending", PENDING, {"limit": limit})]

    def mark_derived(self) -> None:
        def work(session: Session, ver: int) -> None:
            session.run("derived", MARK, {"name": DERIVED, "value": ver})
            session.run("waiting", MARK, {"name": WAITING, "value": 0})

        self._handle.write("mark_derived", work)

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
            f"SELECT {EVENT_COLUMNS} FROM raw WHERE at_ms >= %(start)s AND at_ms < %(end)s {position}"
            f"ORDER BY {beginning('owner')}, owner, at_ms, source, id LIMIT %(limit)s",
            values,
        )
        return [event_of(row) for row in found]

    def session_events(self, owners: Iterable[str]) -> Sequence[LoggedEvent]:
        sql = (
            f"SELECT {EVENT_COLUMNS} FROM raw WHERE {of_owners('%(owners)s::text[]')} ORDER BY owner, at_ms, id, source"
        )
        found = self._handle.query("session_events", sql, {"owners": [owner for owner in owners if owner]})
        return [event_of(row) for row in found]

    def logged(self, keys: Sequence[tuple[str, int, str, str]]) -> Sequence[LoggedEvent]:
        found = self._handle.query("logged", LOGGED, columns_of(keys, LOGGED_KEYS)) if keys else ()
        return [event_of(row) for row in found]

    def conflict_counts(self, keys: Iterable[tuple[str, str]]) -> Sequence[tuple[str, str, bytes, int]]:
        wanted = sorted(set(keys))
        if not wanted:
            return []
        found = self._handle.query("conflict_counts", CONFLICT_COUNTS, columns_of(wanted, ("sources", "ids")))
        # A loser that counts at present is none: its append came in another order the second time.
        counting = {
            (source, id, known.sha)
            for source in {row[0] for row in found}
            for id, known in self.identities(source, [row[1] for row in found if row[0] == source]).items()
        }
        return [(source, id, sha, at_ms) for source, id, sha, at_ms in found if (source, id, sha) not in counting]

    def latest(self) -> Mapping[str, int]:
        return dict(self._handle.query("latest", "SELECT source, last_ms FROM reach"))


def _keep_others(session: Session, batch: Batch, ver: int) -> None:
    """What lost or was rejected, each once."""
    if batch.conflicts:
        losers = {(event.source, event.id, event.sha): event for event in batch.conflicts}
        session.run("forget conflicts", FORGET_CONFLICTS, columns_of(list(losers), ("sources", "ids", "shas")))
        rows = ((e.source, e.id, e.sha, e.at_ms, e.owner, e.type, e.body, ver) for e in losers.values())
        session.copy("conflicts", CONFLICTS, rows)
    if batch.rejected:
        lines = {(line.source, line.sha): line for line in batch.rejected}
        known = session.query("rejected", KNOWN_REJECTED, {"shas": [sha for _, sha in lines]})
        new = [line for key, line in lines.items() if key not in set(known)]
        session.copy("rejected", REJECTED, ((e.source, e.sha, e.reason, e.detail, e.body) for e in new))


def _forget(session: Session, events: Sequence[Event]) -> Sequence[tuple[Any, ...]]:
    """Take away what counts for these identities until now; (owner, at_ms, source, id) of each."""
    asked = {(event.source, event.id) for event in events}
    hashes = [hash_of(*key) for key in asked]
    found = session.query("known", KNOWN, {"hashes": hashes}) if hashes else ()
    gone = [row for row in found if (row[2], row[3]) in asked]
    if gone:
        session.run("forget events", FORGET_EVENTS, columns_of(gone, LOGGED_KEYS))
        keys = [(hash_of(source, id), source, id) for _, _, source, id in gone]
        session.run("forget ids", FORGET_IDS, columns_of(keys, ("hashes", "sources", "ids")))
    return gone


def _reach(session: Session, events: Sequence[Event], gone: Sequence[tuple[Any, ...]]) -> None:
    """How far each source reaches with these events, and without those."""
    spans: dict[str, tuple[int, int]] = {}
    for event in events:
        if event.type != STAKE:
            first, last = spans.get(event.source, (event.at_ms, event.at_ms))
            spans[event.source] = (min(first, event.at_ms), max(last, event.at_ms))
    known = {source: (first, last) for source, first, last in session.query("reach", "SELECT * FROM reach")}
    changed = {}
    for source, (first, last) in spans.items():
        before = known.get(source, (first, last))
        changed[source] = (min(first, before[0]), max(last, before[1]))
    for source in {row[2] for row in gone if row[1] in known.get(row[2], ())}:
        # The first or last event of a source was withdrawn.
        found = session.query("reach anew", REACH, {"source": source, "stake": STAKE})[0]
        changed[source] = (found[0], found[1])
    if changed := {source: span for source, span in changed.items() if known.get(source) != span}:
        session.run("forget reach", "DELETE FROM reach WHERE source = ANY (%(names)s)", {"names": list(changed)})
        rows = ((source, first, last) for source, (first, last) in changed.items() if first is not None)
        session.copy("reach", ("source", "first_ms", "last_ms"), rows)


def columns_of(rows: Sequence[Sequence[Any]], names: Sequence[str]) -> dict[str, object]:
    """Rows by column, to be bound as arrays."""
    return dict(zip(names, (list(column) for column in zip(*rows, strict=True)), strict=True))


LOGGED_KEYS = ("owners", "instants", "sources", "ids")
_KEYS = (
    "unnest(%(owners)s::text[], %(instants)s::bigint[], %(sources)s::text[], %(ids)s::text[]) AS w(owner, at_ms, "
    "source, id)"
)
_SAME = (
    f"{beginning('e.owner')} = {beginning('w.owner')} AND e.at_ms = w.at_ms AND e.owner = w.owner "
    "AND e.source = w.source AND e.id = w.id"
)
LOGGED = (
    f"SELECT e.owner, e.source, e.id, e.at_ms, e.body FROM {_KEYS} JOIN raw AS e ON {_SAME} "
    "ORDER BY e.owner, e.at_ms, e.source, e.id"
)
KNOWN = "SELECT owner, at_ms, source, id FROM ids WHERE hash = ANY (%(hashes)s::bigint[])"
FORGET_EVENTS = f"DELETE FROM raw AS e USING {_KEYS} WHERE {_SAME}"
FORGET_IDS = (
    "DELETE FROM ids AS e USING unnest(%(hashes)s::bigint[], %(sources)s::text[], %(ids)s::text[]) AS w(hash, source, "
    "id) WHERE e.hash = w.hash AND e.source = w.source AND e.id = w.id"
)
FORGET_CONFLICTS = (
    "DELETE FROM conflicts AS e USING unnest(%(sources)s::text[], %(ids)s::text[], %(shas)s::bytea[]) AS w(source, id, "
    f"sha) WHERE {hashed('e.id')} = {hashed('w.id')} AND e.id = w.id AND e.source = w.source AND e.sha = w.sha"
)
KNOWN_REJECTED = "SELECT source, sha FROM rejected WHERE sha = ANY (%(shas)s::bytea[])"
AFTER = (
    f'AND {beginning("owner")} >= {beginning("%(owner)s")} COLLATE "C" '
    "AND (owner, at_ms, source, id) > (%(owner)s, %(at)s, %(source)s, %(id)s) "
)
# Losers count as waiting too: what they stand for (a withdrawn event, one more conflict) must be derived.
PENDING = """
SELECT owner, source, id, at_ms, body FROM (
  SELECT owner, source, id, at_ms, body, ver FROM raw
  WHERE ver > (SELECT coalesce(max(value), 0) FROM marks WHERE name = 'derived')
  UNION ALL
  SELECT owner, source, id, at_ms, ''::bytea, min(ver) FROM conflicts
  WHERE ver > (SELECT coalesce(max(value), 0) FROM marks WHERE name = 'derived')
  GROUP BY owner, source, id, at_ms
) AS waiting ORDER BY ver, owner, at_ms, source, id LIMIT %(limit)s
"""
CONFLICT_COUNTS = (
    "SELECT e.source, e.id, e.sha, e.at_ms FROM unnest(%(sources)s::text[], %(ids)s::text[]) AS w(source, id) "
    f"JOIN conflicts AS e ON {hashed('e.id')} = {hashed('w.id')} AND e.id = w.id AND e.source = w.source "
    "ORDER BY e.source, e.id, e.sha"
)
REACH = "SELECT min(at_ms), max(at_ms) FROM raw WHERE source = %(source)s AND type <> %(stake)s"
