"""The public part of an event: what happened and to whom, never prompts, texts or addresses."""

import json

from gateway.timeline import Entry, entry


def body(type: str, data: dict[str, object]) -> bytes:
    return json.dumps({"id": "1", "type": type, "timestamp": "1767966517287", "gateway": "", "data": data}).encode()


def test_a_status_tells_its_state_and_frames() -> None:
    said = {"stream_id": "s", "state": "ONLINE", "inference_status": {"fps": 19.5, "last_params": {"prompt": "secret"}}}

    assert entry(body("ai_stream_status", said)) == Entry("ai_stream_status", None, "", "ONLINE", 19.5)


def test_a_swap_tells_its_subtype_and_the_place_that_is_left() -> None:
    said = {"stream_id": "s", "type": "orchestrator_swap", "orchestrator_info": {"url": "https://10.0.0.1:8935"}}

    assert entry(body("stream_trace", said)) == Entry(
        "stream_trace", "orchestrator_swap", "https://10.0.0.1:8935", None, None
    )


def test_a_wallet_is_a_place_of_its_own() -> None:
    wallet = "0x" + "ab" * 20
    event = {"event_type": "orch.assignment", "timestamp_ms": 1767966517287, "payload": {}}
    event["ids"] = {"request_id": "r", "orchestrator_address": wallet.upper().replace("X", "x")}

    assert entry(json.dumps(event).encode()).place == "wallet:" + wallet


def test_what_cannot_be_read_any_more_is_said_to_be_so() -> None:
    assert entry(b"{").type == "unreadable"
