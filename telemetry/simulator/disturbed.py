"""Single events said wrongly or otherwise: the same facts in other words, a rival content, or plain nonsense."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from random import Random
from typing import Any

import orjson

from telemetry.simulator.chance import uuid_of

Event = dict[str, Any]
TRIES = 24
FUTURE_MS = 4_070_908_800_000
MIB = 1024 * 1024


def line_of(event: object) -> bytes:
    """An event as one line."""
    return orjson.dumps(event) + b"\n"


def content_hash(line: bytes) -> str:
    """The hash by which two events of one id are compared, as definitions.md states it."""
    text = json.dumps(json.loads(line), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(text.encode()).hexdigest()


# --- the same facts in other words ------------------------------------------------------------------------------


def reworded(line: bytes, rng: Random) -> tuple[bytes, str] | None:
    """An event with the same meaning in another form, and the form's name; None where no form fits."""
    event: Event = orjson.loads(line)
    for _ in range(4):
        name = rng.choice(tuple(WORDINGS))
        if WORDINGS[name](event):
            return line_of(event), name
    return None


def _integer_time(event: Event) -> bool:
    event["timestamp"] = int(event["timestamp"])
    return True


def _written_time(event: Event) -> bool:
    moment = datetime.fromtimestamp(int(event["timestamp"]) / 1000, UTC)
    event["timestamp"] = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return True


def _no_id(event: Event) -> bool:
    del event["id"]
    return True


def _text_time(event: Event) -> bool:
    data = event["data"]
    if not isinstance(data, dict) or "timestamp" not in data:
        return False
    data["timestamp"] = str(data["timestamp"])
    return True


def _text_numbers(event: Event) -> bool:
    data = event["data"]
    if event["type"] == "ai_stream_status":
        for part in (data["inference_status"], data["input_status"]):
            part["fps"] = repr(part["fps"])
        data["inference_status"]["restart_count"] = str(data["inference_status"]["restart_count"])
        return True
    if event["type"] == "stream_ingest_metrics":
        counters = data["stats"]["peer_conn_stats"]
        counters |= {"BytesReceived": str(counters["BytesReceived"]), "BytesSent": str(counters["BytesSent"])}
        for track in data["stats"]["track_stats"]:
            track["packets_received"] = str(track["packets_received"])
        return True
    return False


def _nulls(event: Event) -> bool:
    """Null where nothing stood: blank strings, blank orchestrators, prices that nobody reads."""
    data = event["data"]
    event["gateway"] = event["gateway"] or None
    if isinstance(data, dict):
        for key in ("pipeline_id", "capability", "clientIP"):
            if data.get(key) == "":
                data[key] = None
        if data.get("orchestrator_info") == {"address": "", "url": ""}:
            data["orchestrator_info"] = None
    elif event["type"] == "network_capabilities":
        for row in data:
            row["capabilities_prices"] = None
    elif event["type"] == "discovery_results":
        event["data"] = None
    return True


def _blanks(event: Event) -> bool:
    """White space or nothing at all where nothing stood."""
    data = event["data"]
    if not event["gateway"]:
        event["gateway"] = "  "
    if not isinstance(data, dict) or "stream_id" not in data:
        return False
    data.pop("pipeline_id", None)
    if data.get("orchestrator_info") == {"address": "", "url": ""}:
        data["orchestrator_info"] = {"address": " ", "url": ""}
    return True


def _other_case(event: Event) -> bool:
    """Addresses and URIs in another case, URIs with a slash at the end."""
    data = event["data"]
    if event["type"] == "create_new_payment":
        data["orchestrator"] = data["orchestrator"].upper().replace("HTTPS", "https") + "/"
        data["recipient"] = data["recipient"].lower()
        return True
    if isinstance(data, dict) and (data.get("orchestrator_info") or {}).get("url"):
        data["orchestrator_info"]["url"] += "/"
        return True
    return False


WORDINGS: dict[str, Callable[[Event], bool]] = {
    "integerTime": _integer_time,
    "rfc3339Time": _written_time,
    "noId": _no_id,
    "textTime": _text_time,
    "textNumbers": _text_numbers,
    "nulls": _nulls,
    "blanks": _blanks,
    "otherCase": _other_case,
}

# --- a rival content under the same id --------------------------------------------------------------------------


def rival(line: bytes) -> bytes | None:
    """Another content under the same id, whose hash is larger, so that the first content is the one that counts."""
    event: Event = orjson.loads(line)
    data = event["data"]
    if not isinstance(data, dict) or "id" not in event:
        return None
    own_hash = content_hash(line)
    for salt in range(1, TRIES):
        other = line_of({**event, "data": _changed(event["type"], data, salt)})
        if content_hash(other) > own_hash:
            return other
    return None


def _changed(kind: str, data: Event, salt: int) -> Event:
    if kind == "ai_stream_status":
        return {**data, "inference_status": {**data["inference_status"], "fps": 1.5 + salt}}
    if kind == "create_new_payment":
        return {**data, "numTickets": str(7 + salt)}
    if kind == "stream_ingest_metrics":
        counters = {**data["stats"]["peer_conn_stats"], "BytesReceived": 1_000_000 * salt}
        return {**data, "stats": {**data["stats"], "peer_conn_stats": counters}}
    return {**data, "capability": f"rival-{salt}"}


# --- nonsense ---------------------------------------------------------------------------------------------------


def nonsense(line: bytes, reason: str, rng: Random) -> bytes | None:
    """A line like this one, but with an id of its own, that must be rejected for this reason; None where unfit."""
    event: Event = orjson.loads(line)
    event["id"] = uuid_of(rng.getrandbits(128))
    return NONSENSE[reason](event, rng)


def _not_json(event: Event, rng: Random) -> bytes:
    text = line_of(event)
    return text[: rng.randint(2, len(text) - 4)] + b"\n"


def _not_an_object(event: Event, rng: Random) -> bytes:
    return rng.choice((b"[17]\n", b"17\n", b'"ai_stream_status"\n', b"null\n"))


def _no_type(event: Event, rng: Random) -> bytes:
    event["type"] = rng.choice((None, "", "  "))
    return line_of(event)


def _no_time(event: Event, rng: Random) -> bytes:
    del event["timestamp"]
    if isinstance(event["data"], dict):
        event["data"].pop("timestamp", None)
    return line_of(event)


def _bad_time(event: Event, rng: Random) -> bytes:
    return line_of(_dated(event, rng.choice(("yesterday", "1", "2026-13-45T00:00:00Z"))))


def _future(event: Event, rng: Random) -> bytes:
    return line_of(_dated(event, str(FUTURE_MS + rng.randrange(10**9))))


def _dated(event: Event, text: str) -> Event:
    event["timestamp"] = text
    if isinstance(event["data"], dict) and "timestamp" in event["data"]:
        event["data"]["timestamp"] = int(text) if text.isdigit() else text
    return event


def _bad_data(event: Event, rng: Random) -> bytes:
    event["data"] = rng.choice(("lost", 12, True))
    return line_of(event)


def _bad_number(event: Event, rng: Random) -> bytes | None:
    data = event["data"]
    if event["type"] == "ai_stream_status":
        data["inference_status"]["fps"] = rng.choice((-4.5, "fast", 1_000_000, "NaN"))
    elif event["type"] == "stream_ingest_metrics":
        data["stats"]["peer_conn_stats"]["BytesReceived"] = rng.choice((-1, "many", 1 << 60))
    elif event["type"] == "create_new_payment":
        data |= rng.choice(({"faceValue": "lots"}, {"winProb": "1.5"}, {"numTickets": "-2"}))
    else:
        return None
    return line_of(event)


def _too_large(event: Event, rng: Random) -> bytes:
    return line_of({**event, "padding": "x" * MIB})


NONSENSE: dict[str, Callable[[Event, Random], bytes | None]] = {
    "not_json": _not_json,
    "not_an_object": _not_an_object,
    "no_type": _no_type,
    "no_time": _no_time,
    "bad_time": _bad_time,
    "future": _future,
    "bad_data": _bad_data,
    "bad_number": _bad_number,
    "too_large": _too_large,
}
