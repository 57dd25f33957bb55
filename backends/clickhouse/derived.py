"""What a derivation derives, as rows: facts, sightings, sessions. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from backends.change import Kept
from backends.log import Derivation, StoredSession
from backends.records import row_of, slot_of
from metrics.dimension import DIMENSIONS
from metrics.fact import Fact
from metrics.sighting import TRAITS, Sighting

# Kinds of paths, beside those of statements.
FACT, SIGHTING, SESSION, STREAM, REQUEST = "fact", "sighting", "session", "stream", "request"
Path = tuple[str, str, int, str]  # (kind, value, slot, owner)
Filed = tuple[int, str, str]  # a session's slot, stream and request


def columns_of_facts(rows: Sequence[tuple[Fact, Kept]]) -> dict[str, list[Any]]:
    """Facts by column; only columns that some fact says anything of. Facts that say the same columns come together."""
    alike: dict[tuple[str, ...], list[tuple[Fact, Kept]]] = {}
    for row in rows:
        alike.setdefault(tuple(row[0].values), []).append(row)
    facts = [fact for group in alike.values() for fact, _ in group]
    kept = [known for group in alike.values() for _, known in group]
    columns: dict[str, list[Any]] = {
        "slot": [slot for slot, _, _ in kept],
        "owner": [fact.owner for fact in facts],
        "key": [fact.key for fact in facts],
        "at_ms": [at_ms for _, at_ms, _ in kept],
        "digest": [digest for _, _, digest in kept],
    }
    columns |= _texts(DIMENSIONS, [fact.dims for fact in facts])
    for name in sorted(set().union(*alike)):
        column = columns[name] = []
        for said, group in alike.items():
            column += [fact.values[name] for fact, _ in group] if name in said else [None] * len(group)
    return columns


def columns_of_sightings(rows: Sequence[tuple[Sighting, Kept]]) -> dict[str, list[Any]]:
    """Sightings by column."""
    columns: dict[str, list[Any]] = {
        "slot": [kept[0] for _, kept in rows],
        "owner": [one.owner for one, _ in rows],
        "key": [one.key for one, _ in rows],
        "first_ms": [kept[1] for _, kept in rows],
        "last_ms": [one.last_ms for one, _ in rows],
        "digest": [kept[2] for _, kept in rows],
    }
    return columns | _texts(TRAITS, [one.traits for one, _ in rows])


def _texts(names: Sequence[str], rows: Sequence[Sequence[str | None]]) -> dict[str, list[Any]]:
    return {str(name): [row[index] or "" for row in rows] for index, name in enumerate(names)}


def session_rows(derivation: Derivation, old: Mapping[str, Filed]) -> tuple[list[dict[str, Any]], list[Path]]:
    """The rows of sessions, withdrawals included, and the new paths to them. `old` says how owners are filed now."""
    rows: list[dict[str, Any]] = []
    paths: list[Path] = []
    slots: dict[str, int] = {}
    for stored in derivation.sessions:
        row = {**row_of(stored), "deleted": 0}
        rows.append(row)
        slots[stored.record.owner] = row["slot"]
        if old.get(stored.record.owner) != (row["slot"], row["stream_id"], row["request_id"]):
            paths += _paths_of(stored)
    blank = {name: _blank(value) for name, value in rows[0].items()} if rows else {}
    gone = frozenset(derivation.gone)
    for owner, (slot, _, _) in old.items():
        if (owner in slots and slots[owner] != slot) or (owner in gone and owner not in slots):
            rows.append({**blank, "slot": slot, "owner": owner, "deleted": 1})
    return rows, paths


def _blank(value: Any) -> Any:
    return None if value is None else type(value)()


def _paths_of(stored: StoredSession) -> list[Path]:
    record = stored.record
    slot = slot_of(record.requested_ms)
    found = [(SESSION, record.owner, slot, record.owner)]
    if record.stream_id:
        found.append((STREAM, record.stream_id, slot, record.owner))
    if record.request_id:
        found.append((REQUEST, record.request_id, slot, record.owner))
    return found
