"""Canaries where they may be: in what a store keeps and never answers, and in every event that is loaded."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import pytest

import telemetry.loader
from backends.log import Event, Rejected
from backends.memory import MemoryStore
from tests.canaries.planted import ANYBODY


def plant(store: MemoryStore) -> MemoryStore:
    """Canaries in what a store keeps and never answers: losers of conflicts, and lines that could not be read."""
    body = json.dumps({name: canary.text for name, canary in ANYBODY.items()}).encode()
    loser = Event("default", "canary", b"c" * 32, 1_767_966_517_287, "", "ai_stream_events", body)
    store.conflicts["default", "canary", loser.sha] = loser
    store.rejected["default", loser.sha] = Rejected("default", loser.sha, "not_json", ANYBODY["error"].text, body)
    return store


@contextmanager
def planting() -> Iterator[None]:
    """Canaries in every event that is loaded meanwhile."""
    arrivals = telemetry.loader.arrivals
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(telemetry.loader, "arrivals", lambda line, *more: arrivals(salted(line), *more))
        yield


def salted(line: bytes) -> bytes:
    """A line whose events hold canaries wherever the wire has place for what is private."""
    try:
        value = orjson.loads(line)
        events = value if isinstance(value, list) else [value]
        for event in events:
            if isinstance(event, dict) and isinstance(event.get("data"), dict):
                _salt(event["data"])
        return orjson.dumps(value)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return line


def _salt(data: dict[str, Any]) -> None:
    data["clientIP"] = ANYBODY["address"].text
    if isinstance(params := data.setdefault("params", {}), dict):
        params["prompt"] = ANYBODY["prompt"].text
    if data.get("type") == "error":
        data["message"] = f"{data.get('message', '')} {ANYBODY['error'].text}"
    if isinstance(status := data.get("inference_status"), dict):
        status |= {"last_restart_logs": [ANYBODY["log"].text], "last_error": ANYBODY["error"].text}
