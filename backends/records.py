"""Rows as values and values as rows: sessions, events, facts, statements. None is kept as ""."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from backends.backend import LoggedEvent, SessionRecord
from backends.log import Event, StoredSession
from backends.tables import RECORD_FIELDS, STORED_FIELDS
from metrics.dimension import DIMENSIONS
from metrics.fact import Fact
from metrics.row import Sum
from metrics.window import DAY_MS, HOUR_MS

KEY_PLACE = "key:"
FOREVER_MS = 2**62
RECORD_COLUMNS = ", ".join(f"`{field.name}`" for field in RECORD_FIELDS)
STORED_COLUMNS = ", ".join(f"`{field.name}`" for field in (*RECORD_FIELDS, *STORED_FIELDS))
EVENT_COLUMNS = "owner, source, id, at_ms, body"
RECORD_NAMES = tuple(field.name for field in RECORD_FIELDS)
STORED_NAMES = tuple(field.name for field in STORED_FIELDS)
OPTIONAL_TEXTS = frozenset(("orchestrator", "gpu", "gpu_model", "workflow", "gateway", "region"))
FLAGS = frozenset(("ended", "open", "workflow_by_uri"))
assert {field.name for field in fields(SessionRecord)} == set(RECORD_NAMES)
assert {field.name for field in fields(StoredSession)} == {"record", *STORED_NAMES}


def slot_of(at_ms: int) -> int:
    """The hour that a row is filed under."""
    return at_ms // HOUR_MS * HOUR_MS


def event_of(row: Sequence[Any]) -> LoggedEvent:
    """An event from EVENT_COLUMNS."""
    return LoggedEvent(*row)


def fact_of(row: Sequence[Any], names: Sequence[str]) -> Fact:
    """A fact from its owner, key, instant, dimensions and the columns of these names."""
    dims = 3 + len(DIMENSIONS)
    said = {name: value for name, value in zip(names, row[dims:], strict=True) if value is not None}
    return Fact(row[0], row[1], row[2], tuple(text or None for text in row[3:dims]), said)


def record_of(row: Sequence[Any]) -> SessionRecord:
    """A session as it is shown, from RECORD_COLUMNS."""
    values = dict(zip(RECORD_NAMES, row, strict=True))
    for name in OPTIONAL_TEXTS:
        values[name] = values[name] or None
    values["ended"] = bool(values["ended"])
    values["synthetic"] = values["synthetic"] == "true"
    values["sums"] = sums_of(values["sums"])
    values["wallets"] = json.loads(values["wallets"] or "{}")
    return SessionRecord(**values)


def stored_of(row: Sequence[Any]) -> StoredSession:
    """A session as the log keeps it, from STORED_COLUMNS."""
    values = dict(zip(STORED_NAMES, row[len(RECORD_NAMES) :], strict=True))
    for name in ("open", "workflow_by_uri"):
        values[name] = bool(values[name])
    for name in ("places", "named_ms", "claim_ms", "offer_ms"):
        values[name] = tuple(values[name])
    return StoredSession(record=record_of(row[: len(RECORD_NAMES)]), **values)


def row_of(stored: StoredSession) -> dict[str, Any]:
    """The columns of a stored session."""
    record = stored.record
    row: dict[str, Any] = {name: getattr(record, name) for name in RECORD_NAMES}
    row |= {name: getattr(stored, name) for name in STORED_NAMES}
    for name in OPTIONAL_TEXTS:
        row[name] = row[name] or ""
    for name in FLAGS:
        row[name] = int(row[name])
    row["synthetic"] = "true" if record.synthetic else "false"
    row["sums"] = json_of(record.sums)
    row["wallets"] = json.dumps(dict(record.wallets), separators=(",", ":"))
    row["slot"] = slot_of(record.requested_ms)
    row["claim_reach_ms"] = max(map(_reach, stored.places, stored.named_ms, stored.claim_ms), default=-FOREVER_MS)
    row["named_first_ms"] = min(stored.named_ms, default=FOREVER_MS)
    row["named_last_ms"] = max(stored.named_ms, default=-FOREVER_MS)
    return row


def _reach(place: str, named_ms: int, claim_ms: int) -> int:
    """Claims later than this cannot change what explains the place."""
    if place.startswith(KEY_PLACE):
        return named_ms + DAY_MS
    return FOREVER_MS if claim_ms == 0 else max(named_ms, claim_ms)


def json_of(sums: Mapping[str, Sum]) -> str:
    """Sums as text; histograms become objects."""
    plain = {name: dict(value) if isinstance(value, Mapping) else value for name, value in sums.items()}
    return json.dumps(plain, separators=(",", ":"))


def sums_of(text: str) -> dict[str, Sum]:
    """The sums again; buckets of histograms are integers."""
    found: dict[str, Sum] = {}
    for name, value in json.loads(text).items():
        found[name] = {int(bucket): n for bucket, n in value.items()} if isinstance(value, dict) else value
    return found


def columns_of_events(events: Sequence[Event], ver: int, deleted: int) -> dict[str, list[Any]]:
    """Events by column."""
    owners, sources, ids = ([getattr(event, name) for event in events] for name in ("owner", "source", "id"))
    return {
        "owner": owners,
        "at_ms": [event.at_ms for event in events],
        "source": sources,
        "id": ids,
        "sha": [event.sha for event in events],
        "type": [event.type for event in events],
        "body": [event.body for event in events],
        "ver": [ver] * len(events),
        "deleted": [deleted] * len(events),
    }


def columns_of(rows: Sequence[tuple[Any, ...]], names: Sequence[str]) -> dict[str, Sequence[Any]]:
    """Named tuples by column."""
    return dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else {}
