"""The private part of a logged event: for the eyes of those whom auth/rights.py entitles, and nobody else's."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from telemetry.reading import What
from telemetry.values import Unreadable, listing, mapping, text
from telemetry.wire import canonical, data_of, parse, read

ADDRESSES = ("clientIP", "client_ip", "clientAddress", "client_address", "remote_addr")


class Within(NamedTuple):
    """What an event says beside its public part; None and blank where it says nothing."""

    stream_id: str = ""
    request_id: str = ""
    error: str | None = None
    logs: tuple[str, ...] = ()
    prompt: str | None = None
    parameters: str | None = None
    client_address: str | None = None


def within(body: bytes) -> Within:
    """The private part of an event of the raw log."""
    if not body:
        return Within()
    try:
        event = parse(body)
        reading, data = read(event, "", b""), mapping(data_of(event))
    except Unreadable:  # was accepted by an earlier version of the wire
        return Within()
    status = mapping(data.get("inference_status"))
    given = data.get("params") or status.get("last_params")
    return Within(
        stream_id=reading.stream_id,
        request_id=reading.request_id,
        error=reading.error or (text(status.get("last_error")) or None if reading.what is What.STATUS else None),
        logs=tuple(filter(None, map(_line, _lines(status.get("last_restart_logs"))))),
        prompt=_prompt(given),
        parameters=_json(given) if isinstance(given, dict) and given else None,
        client_address=next((said for name in ADDRESSES if (said := text(data.get(name)))), None),
    )


def _lines(logs: Any) -> list[Any]:
    return logs.splitlines() if isinstance(logs, str) else listing(logs)


def _line(line: Any) -> str:
    return line.rstrip() if isinstance(line, str) else _json(line)


def _prompt(given: Any) -> str | None:
    prompt = given.get("prompt") if isinstance(given, Mapping) else None
    if prompt is None or isinstance(prompt, str):
        return prompt
    return _json(prompt)  # several prompts with their weights


def _json(value: Any) -> str:
    return canonical(value).decode()
