"""The private part of an event, from every envelope, however it is written."""

import json
from typing import Any

import pytest

from gateway.inside import Within, within


def body(kind: str, data: dict[str, Any]) -> bytes:
    event = {"id": "1", "type": kind, "timestamp": "1767966517287", "gateway": "", "data": data}
    return json.dumps(event).encode()


IDS = {"stream_id": "s", "request_id": "r"}
OF_IDS = {"stream_id": "s", "request_id": "r"}


@pytest.mark.parametrize(
    ("kind", "data", "told"),
    [
        ("ai_stream_events", {"type": "error", "message": " it broke "}, {"error": "it broke"}),
        ("ai_stream_events", {"type": "info", "message": "all is well"}, {}),
        (
            "ai_stream_events",
            {"type": "params_update", "params": {"width": 1, "prompt": "a fox"}},
            {"prompt": "a fox", "parameters": '{"prompt":"a fox","width":1}'},
        ),
        # Several prompts with their weights, and numbers that JSON libraries write otherwise.
        (
            "ai_stream_events",
            {"params": {"prompt": [["a", 0.5]], "n": 2**70}},
            {"prompt": '[["a",0.5]]', "parameters": '{"n":1180591620717411303424,"prompt":[["a",0.5]]}'},
        ),
        ("ai_stream_events", {"params": ["no", "object"]}, {}),
        (
            "ai_stream_status",
            {"inference_status": {"last_error": "oom", "last_restart_logs": ["one", "", 2, "three\n"]}},
            {"error": "oom", "logs": ("one", "2", "three")},
        ),
        ("ai_stream_status", {"inference_status": {"last_restart_logs": "one\ntwo"}}, {"logs": ("one", "two")}),
        ("ai_stream_status", {"inference_status": {"last_error": None, "last_restart_logs": None}}, {}),
        ("stream_ingest_metrics", {"client_ip": "192.0.2.1"}, {"client_address": "192.0.2.1"}),
    ],
)  # fmt: skip
def test_what_an_event_of_a_session_says(kind: str, data: dict[str, Any], told: dict[str, Any]) -> None:
    assert within(body(kind, IDS | data)) == Within(**OF_IDS, **told)


def test_a_payment_tells_the_address_of_the_client() -> None:
    assert within(body("create_new_payment", {"clientIP": "203.0.113.7"})) == Within(client_address="203.0.113.7")


def test_the_first_envelope_tells_why_it_failed() -> None:
    event = {"event_type": "gateway.request.end", "timestamp_ms": 1767966517287, "ids": {"request_id": "r"}}
    event["payload"] = {"failure_reason": "gone"}

    assert within(json.dumps(event).encode()) == Within(request_id="r", error="gone")


@pytest.mark.parametrize("unread", [b"", b"{", b"[]", b'{"type": "x"}'])
def test_what_cannot_be_read_says_nothing(unread: bytes) -> None:
    assert within(unread) == Within()
