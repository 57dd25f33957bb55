"""The v1 envelope: {schema_version, event_type, timestamp_ms, source_type, publisher, ids, geo, payload}."""

from typing import Any

from metrics.columns import MICROSECONDS_PER_MS
from telemetry.names import gateway, wallet_place
from telemetry.reading import Reading, Said, Stamp, Status, Swap, What, outside, owner_of, synthetic
from telemetry.values import Unreadable, count, fixed, mapping, text, time_ms

PARTS = {
    "gateway.request.start": What.REQUEST,
    "gateway.request.first_frame": What.FIRST_SEGMENT,
    "gateway.request.end": What.CLOSED,
    "gateway.swap": What.SWAP,
    "orch.assignment": What.OTHER,
    "orch.health": What.OUTSIDE,
    "runner.metrics.sample": What.STATUS,
    "runner.inference.summary": What.OTHER,
}
TYPES = frozenset(PARTS)
MAX_FLOPS = 10**30
MAX_LATENCY_MS = 10**12


def time_of(event: dict[str, Any]) -> int:
    """When a v1 event happened, in Unix ms. Raises Unreadable."""
    at_ms = time_ms(event.get("timestamp_ms"), "timestamp_ms")
    if at_ms is None:
        raise Unreadable("no_time", "no timestamp_ms")
    return at_ms


def read(event: dict[str, Any], data: dict[str, Any], stamp: Stamp) -> Reading:
    """What a v1 event with this payload says. Raises Unreadable."""
    what = PARTS.get(stamp.type, What.OUTSIDE)
    if what is What.OUTSIDE:
        return outside(stamp, what, None)
    ids = mapping(event.get("ids"))
    stream_id, request_id = text(ids.get("stream_id")), text(ids.get("request_id")) or text(ids.get("trace_id"))
    return Reading(
        *stamp,
        subtype="",
        what=what,
        stream_id=stream_id,
        request_id=request_id,
        gateway=gateway(ids.get("gateway_id")),
        region=text(mapping(event.get("geo")).get("region")),
        synthetic=synthetic(data),
        place="" if what is What.SWAP else wallet_place(ids.get("orchestrator_address")),
        model=text(ids.get("model_id")).rsplit("#", 1)[-1].strip(),
        error=text(data.get("failure_reason")) or None,
        segment=what is What.FIRST_SEGMENT or (what is What.CLOSED and text(data.get("status")).lower() == "success"),
        e2e_us=_e2e_us(data.get("e2e_latency_ms")),
        said=_said(what, data, ids),
        owner=owner_of(stamp, what, stream_id, request_id),
    )


def _said(what: What, data: dict[str, Any], ids: dict[str, Any]) -> Said:
    if what is What.SWAP:
        left = wallet_place(data.get("from_orch")) or wallet_place(ids.get("orchestrator_address"))
        return Swap(left, text(data.get("reason")))
    if what is not What.STATUS:
        return None
    return Status(
        output_fps=fixed(data.get("fps"), "payload.fps"),
        input_fps=None,
        state=text(data.get("state")).upper(),
        restart_count=count(data.get("restart_count"), "payload.restart_count"),
        last_restart_ms=None,
        gpu=text(data.get("gpu_id")),
        sent_bytes=count(data.get("tx_bytes"), "payload.tx_bytes"),
        received_bytes=count(data.get("rx_bytes"), "payload.rx_bytes"),
        achieved_flops=fixed(data.get("achieved_flops"), "payload.achieved_flops", 1, MAX_FLOPS),
        peak_flops=fixed(data.get("peak_flops"), "payload.peak_flops", 1, MAX_FLOPS),
    )


def _e2e_us(value: Any) -> int | None:
    return fixed(value, "payload.e2e_latency_ms", MICROSECONDS_PER_MS, MAX_LATENCY_MS)
