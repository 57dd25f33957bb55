"""From bytes to events: envelopes, identity, time, and what is rejected."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from tests.reference.event import Event, read_event
from tests.reference.stake import BadAddress
from tests.reference.values import BadNumber, BadTime, blank, instant, millis, text

TEN_MINUTES = 600_000
DATED_BY_DATA = {"stream_trace", "ai_stream_status", "stream_ingest_metrics"}


class Rejected(ValueError):
    """An event that cannot be read, with its reason."""


@dataclass
class Log:
    """What a whole feed came to: the events that count, and how many did not."""

    events: list[Event] = field(default_factory=list)
    losers: list[Event] = field(default_factory=list)
    duplicates: int = 0
    rejected: Counter[str] = field(default_factory=Counter)


def read_log(feed: Iterable[tuple[str, bytes]], now: datetime) -> Log:
    """Of two events with one identity and different content, the one with the smaller SHA-256 counts; the other is
    kept and counted as a `conflict`. Rejected events take no part in this."""
    log = Log()
    contents: dict[tuple[str, str], dict[str, Event]] = {}
    for source, line in feed:
        for found in read_line(source, line, now):
            if isinstance(found, str):
                log.rejected[found] += 1
            elif found.sha in contents.setdefault((source, found.id), {}):
                log.duplicates += 1
            else:
                contents[source, found.id][found.sha] = found
    for by_sha in contents.values():
        winner, *losers = (by_sha[sha] for sha in sorted(by_sha))
        log.events.append(winner)
        log.losers.extend(losers)
    return log


def read_line(source: str, line: bytes, now: datetime) -> Iterator[Event | str]:
    """Each event of a line, or the reason why it is rejected."""
    if len(line) > 2**20:
        yield "too_large"
        return
    try:
        exact = json.loads(line.decode("utf-8"), parse_float=Decimal, parse_constant=not_json)
        plain = json.loads(line.decode("utf-8"), parse_constant=not_json)
    except (ValueError, RecursionError):
        yield "not_json"
        return
    for one, same in zip(unwrapped(exact), unwrapped(plain), strict=True):
        try:
            yield one_event(source, one, same, now)
        except Rejected as reason:
            yield str(reason)


def not_json(constant: str) -> None:
    """NaN and Infinity are no JSON."""
    raise ValueError(constant)


def unwrapped(parsed: Any) -> list[Any]:
    """A message; the same inside a viewer's export (`[{…, "value": {…}}]`); or the one-element-array form."""
    return [without_wrapper(each) for each in (parsed if isinstance(parsed, list) else [parsed])]


def without_wrapper(each: Any) -> Any:
    """The event inside an export's record; a record has no type of its own."""
    is_record = isinstance(each, dict) and isinstance(each.get("value"), dict)
    return each["value"] if is_record and not ({"type", "event_type"} & each.keys()) else each


def one_event(source: str, event: Any, plain: Any, now: datetime) -> Event:
    """`not_an_object`, `no_type`, `bad_data`, `no_time`, `bad_time`, `future`, `bad_number`, in this order. (0001
    §4)"""
    if not isinstance(event, dict):
        raise Rejected("not_an_object")
    is_v1 = not isinstance(event.get("type"), str) and isinstance(event.get("event_type"), str)
    named = event.get("event_type") if is_v1 else event.get("type")
    kind = text(named) if isinstance(named, str) else None
    if kind is None:
        raise Rejected("no_type")
    data = stated_first(event, "payload", "data") if is_v1 else stated_first(event, "data", "payload")
    if not blank(data) and not isinstance(data, dict | list):
        raise Rejected("bad_data")
    data = None if blank(data) else data
    at = time_of(event, data, kind, is_v1)
    # An event dated more than 10 minutes after the loading clock is rejected (`future`).
    if at > millis(now) + TEN_MINUTES:
        raise Rejected("future")
    sha = content_hash(plain)
    try:
        return read_event(source, text(event.get("id")) or sha, sha, at, kind, is_v1, event, data)
    except BadAddress as error:
        raise Rejected("bad_address") from error
    except BadNumber as error:
        raise Rejected("bad_number") from error


def stated_first(event: dict[str, Any], first: str, second: str) -> Any:
    """`data` of a message, `payload` of the array form and of v1."""
    return event.get(second) if blank(event.get(first)) else event.get(first)


def time_of(event: dict[str, Any], data: Any, kind: str, is_v1: bool) -> int:
    """A status, trace or transport event happened at its `data.timestamp`; where that is missing, at the envelope's
    `timestamp`. Every other type: the envelope's. v1: `timestamp_ms`. (0001 §3)"""
    stated = event.get("timestamp_ms") if is_v1 else event.get("timestamp")
    if not is_v1 and kind in DATED_BY_DATA and isinstance(data, dict) and not blank(data.get("timestamp")):
        stated = data["timestamp"]
    if blank(stated):
        raise Rejected("no_time")
    try:
        return instant(stated)
    except BadTime as error:
        raise Rejected("bad_time") from error


def content_hash(event: Any) -> str:
    """SHA-256 of its canonical content, without any export wrapper."""
    content = json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()
