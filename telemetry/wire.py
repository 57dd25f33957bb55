"""The wire: every envelope and event type that occurs, read into a `Reading`.

Envelopes: the Kafka message {id, type, timestamp, gateway, data}; the same in a viewer's export [{…, "value": {…}}];
the form [{id, type, timestamp, payload}]; and the v1 envelope {event_type, timestamp_ms, ids, geo, payload}.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import orjson

from backends.log import STAKE
from telemetry import jobs, v1
from telemetry.names import gateway, place
from telemetry.payments import read_payment
from telemetry.reading import Reading, Said, Stamp, Status, Swap, Transport, What, outside, owner_of, synthetic
from telemetry.snapshots import read_snapshot
from telemetry.stake import read_stake
from telemetry.values import Unreadable, count, fixed, listing, mapping, text, time_ms, word

Json = dict[str, Any]
FUTURE_MS = 600_000
MAX_DEPTH = 64
TIMED_BY_DATA = frozenset(("stream_trace", "ai_stream_status", "stream_ingest_metrics"))
TRACES = {
    "gateway_receive_stream_request": What.REQUEST,
    "gateway_send_first_ingest_segment": What.INPUT_SENT,
    "runner_receive_first_ingest_segment": What.OTHER,
    "runner_send_first_processed_segment": What.OUTPUT_SENT,
    "gateway_receive_first_processed_segment": What.FIRST_SEGMENT,
    "gateway_receive_few_processed_segments": What.FEW_SEGMENTS,
    "gateway_receive_first_data_segment": What.OTHER,
    "gateway_no_orchestrators_available": What.REFUSED,
    "orchestrator_swap": What.SWAP,
    "gateway_ingest_stream_closed": What.CLOSED,
}
SEGMENTS = frozenset((What.FIRST_SEGMENT, What.FEW_SEGMENTS))
# Numbers on which orjson and the standard library differ; digits stand as zeros.
ZEROS = bytes.maketrans(b"123456789", b"0" * 9)
LONG, EXPONENT = re.compile(rb"0{19}"), re.compile(rb"0e[+-]0")
SMALL, BEFORE_NUMBERS = b"0.0000", (b":", b",", b"[", b"-")
LONGEST_NUMBER = 400
BRACKETS = b"[]{}"
NO_BRACKETS = bytes(set(range(256)) - set(BRACKETS))
ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
KNOWN_TYPES = (
    TIMED_BY_DATA
    | jobs.TYPES
    | v1.TYPES
    | {STAKE, "ai_stream_events", "create_new_payment", "network_capabilities", "discovery_results"}
)


def parse(line: bytes) -> Any:
    """The JSON value of a line. Raises Unreadable."""
    try:
        # orjson would make a float of an integer beyond 64 bits.
        value = DECODER.decode(line.decode()) if _has_number(line, LONG) else orjson.loads(line)
    except (ValueError, RecursionError) as error:
        raise Unreadable("not_json", str(error)) from None
    if _too_deep(value, line):
        raise Unreadable("too_deep", f"nested more than {MAX_DEPTH} levels")
    return value


def _too_deep(value: Any, line: bytes) -> bool:
    """Whether a value is nested deeper than we read, however deep the caller's own stack is."""
    if line.count(b"[") + line.count(b"{") <= MAX_DEPTH:
        return False
    brackets = line.translate(None, NO_BRACKETS)
    # Pairs fall away from the inside; brackets in a text may leave a rest, which is looked into below.
    for _ in range(MAX_DEPTH):
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
        if not brackets:
            return False
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for one in level if isinstance(one, dict | list) for inner in _inside(one)]
        if not level:
            return False
    return any(isinstance(one, dict | list) for one in level)


def _inside(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _no_number(literal: str) -> None:
    raise ValueError(f"{literal} is not JSON")


DECODER = json.JSONDecoder(parse_constant=_no_number)


def unwrapped(value: Any) -> Iterator[Any]:
    """The events in a JSON value: itself, the elements of an array, each without a viewer's export wrapper."""
    if isinstance(value, list):
        for one in value:
            yield from unwrapped(one)
    elif isinstance(value, dict) and isinstance(value.get("value"), dict) and not value.keys() & {"type", "event_type"}:
        yield value["value"]
    else:
        yield value


def canonical(event: Any) -> bytes:
    """The canonical content of an event, of which the SHA-256 decides between contents. Raises Unreadable."""
    try:
        fast = orjson.dumps(event, option=orjson.OPT_SORT_KEYS)
        # Only very small and large numbers are spelled otherwise; a test compares the two.
        small = SMALL in fast and (fast.startswith(SMALL) or any(sign + SMALL in fast for sign in BEFORE_NUMBERS))
        rare = small or _has_number(fast, EXPONENT)
        return _encoded(event) if rare else fast
    except orjson.JSONEncodeError:
        return _encoded(event)


def _has_number(line: bytes, form: re.Pattern[bytes]) -> bool:
    """Does a number have this form (or, seldom, a text that looks like one)? Ids and hashes often do."""
    plain = line.translate(ZEROS)
    for found in form.finditer(plain):
        before = plain[max(found.start() - LONGEST_NUMBER, 0) : found.start()].rstrip(b"0.").removesuffix(b"-")
        if before[-1:] in b":,[ \t\r\n":
            return True
    return False


def _encoded(event: Any) -> bytes:
    try:
        return ENCODER.encode(event).encode()
    except (UnicodeEncodeError, RecursionError, ValueError):
        raise Unreadable("not_json", "text that is no Unicode, or nested too deeply") from None


def read(event: Any, source: str, sha: bytes, now_ms: int | None = None, known_id: str = "") -> Reading:
    """What an event says. Raises Unreadable.

    An event that was accepted before comes without `now_ms`, the loading clock, and with its `known_id`.
    """
    if not isinstance(event, dict):
        raise Unreadable("not_an_object", f"an event is an object, not {type(event).__name__}")
    of_v1 = "event_type" in event and "type" not in event
    data = data_of(event)
    at_ms = v1.time_of(event) if of_v1 else _time_of(event, mapping(data))
    if now_ms is not None and at_ms > now_ms + FUTURE_MS:
        raise Unreadable("future", "dated more than 10 minutes after the loading clock")
    stamp = Stamp(source, known_id or text(event.get("id")) or sha.hex(), sha, at_ms, type_of(event))
    return v1.read(event, mapping(data), stamp) if of_v1 else _kafka(event, data, stamp)


def digest(content: bytes) -> bytes:
    """SHA-256 of a canonical content."""
    return hashlib.sha256(content).digest()


def type_of(event: Json) -> str:
    """The type that an event names, "" where none."""
    named = event.get("type", event.get("event_type"))
    return word(named) if isinstance(named, str) else ""


def data_of(event: Json) -> Json | list[Any] | None:
    """The inner part of an event that has a type. Raises Unreadable."""
    if not type_of(event):
        raise Unreadable("no_type", "no type")
    data = event["data"] if "data" in event else event.get("payload")
    if data is not None and not isinstance(data, dict | list):
        raise Unreadable("bad_data", "data is neither an object nor a list")
    return data


def _time_of(event: Json, data: Json) -> int:
    at_ms = time_ms(data.get("timestamp"), "data.timestamp") if type_of(event) in TIMED_BY_DATA else None
    if at_ms is None:
        at_ms = time_ms(event.get("timestamp"), "timestamp")
    if at_ms is None:
        raise Unreadable("no_time", "no timestamp")
    return at_ms


def _kafka(event: Json, data: Json | list[Any] | None, stamp: Stamp) -> Reading:
    reader = READERS.get(stamp.type)
    if reader is not None:
        return reader(event, mapping(data), stamp)
    if stamp.type == "create_new_payment":
        return outside(stamp, What.PAYMENT, read_payment(mapping(data), stamp, event))
    if stamp.type == "network_capabilities":
        return outside(stamp, What.SNAPSHOT, read_snapshot(data, stamp))
    if stamp.type == STAKE:
        return outside(stamp, What.STAKE, read_stake(mapping(data), stamp))
    return outside(stamp, What.OUTSIDE, None)


def _of_session(
    event: Json, data: Json, stamp: Stamp, what: What, said: Said = None, error: str | None = None
) -> Reading:
    named = mapping(data.get("orchestrator_info"))
    stream_id, request_id = word(data.get("stream_id")), word(data.get("request_id"))
    return Reading(
        *stamp,
        subtype=word(data.get("type")),
        what=what,
        stream_id=stream_id,
        request_id=request_id,
        gateway=word(gateway(event.get("gateway"))),
        region=text(mapping(event.get("geo")).get("region")),
        synthetic=synthetic(data),
        place="" if what is What.SWAP else place(named.get("address"), named.get("url")),
        model=word(data.get("pipeline")),
        error=error,
        segment=what in SEGMENTS,
        e2e_us=None,
        said=said,
        owner=owner_of(stamp, what, stream_id, request_id),
    )


def _trace(event: Json, data: Json, stamp: Stamp) -> Reading:
    what = TRACES.get(text(data.get("type")))
    if what is None:
        return outside(stamp, What.OUTSIDE, None)
    swap = None
    if what is What.SWAP:
        named = mapping(data.get("orchestrator_info"))
        left = place(named.get("address"), named.get("url"))
        swap = Swap(left, text(data.get("message")) or text(data.get("reason")))
    return _of_session(event, data, stamp, what, swap)


def _status(event: Json, data: Json, stamp: Stamp) -> Reading:
    inference = mapping(data.get("inference_status"))
    said = Status(
        output_fps=fixed(inference.get("fps"), "inference_status.fps"),
        input_fps=fixed(mapping(data.get("input_status")).get("fps"), "input_status.fps"),
        state=word(text(data.get("state")).upper()),
        restart_count=count(inference.get("restart_count"), "inference_status.restart_count"),
        last_restart_ms=_explaining_ms(inference.get("last_restart_time")),
        start_ms=_explaining_ms(data.get("start_time")),
    )
    return _of_session(event, data, stamp, What.STATUS, said)


def _explaining_ms(value: Any) -> int | None:
    """A time that only explains others: an unreadable one says nothing."""
    try:
        return time_ms(value, "time")
    except Unreadable:
        return None


def _stream_event(event: Json, data: Json, stamp: Stamp) -> Reading:
    error = text(data.get("message")) if text(data.get("type")) == "error" else None
    return _of_session(event, data, stamp, What.OTHER, None, error)


def _transport(event: Json, data: Json, stamp: Stamp) -> Reading:
    stats = mapping(data.get("stats"))
    peer = mapping(stats.get("peer_conn_stats"))
    received, sent = (count(peer.get(name), name) for name in ("BytesReceived", "BytesSent"))
    tracks: list[tuple[str, int | None, int | None]] = []
    positions: dict[str, int] = {}
    for track in map(mapping, listing(stats.get("track_stats"))):
        kind = text(track.get("type"))
        positions[kind] = positions.get(kind, 0) + 1
        lost, arrived = (count(track.get(name), f"track_stats.{name}") for name in ("packets_lost", "packets_received"))
        tracks.append((f"{kind}#{positions[kind]}", lost, arrived))
    return _of_session(event, data, stamp, What.TRANSPORT, Transport(received, sent, tuple(tracks)))


READERS: dict[str, Callable[[Json, Json, Stamp], Reading]] = {
    "stream_trace": _trace,
    "ai_stream_status": _status,
    "ai_stream_events": _stream_event,
    "stream_ingest_metrics": _transport,
    **dict.fromkeys(jobs.TYPES, jobs.read_job),
}
