"""One event, with everything read out of it that the definitions use."""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from tests.reference import job_wire, stake
from tests.reference.values import (
    address,
    fixed,
    gateway_name,
    instant_or_none,
    listed,
    mapped,
    number,
    service_uri,
    text,
    wei,
)

Place = tuple[str, str]  # ("wallet" | "uri" | "key", what it says)

REQUEST, CLOSED, NO_ORCHESTRATORS = (
    "gateway_receive_stream_request",
    "gateway_ingest_stream_closed",
    "gateway_no_orchestrators_available",
)
FIRST_SEGMENT, FEW_SEGMENTS = "gateway_receive_first_processed_segment", "gateway_receive_few_processed_segments"
RUNNER_SENT, GATEWAY_SENT = "runner_send_first_processed_segment", "gateway_send_first_ingest_segment"
SWAP = "orchestrator_swap"
TRACES = {
    REQUEST,
    CLOSED,
    NO_ORCHESTRATORS,
    FIRST_SEGMENT,
    FEW_SEGMENTS,
    RUNNER_SENT,
    GATEWAY_SENT,
    SWAP,
    "runner_receive_first_ingest_segment",
    "gateway_receive_first_data_segment",
}
V1_EDGES = {"gateway.request.start": REQUEST, "gateway.request.first_frame": FIRST_SEGMENT}
V1_EDGES |= {"gateway.request.end": CLOSED, "gateway.swap": SWAP}
V1_TYPES = {*V1_EDGES, "orch.assignment", "runner.metrics.sample", "runner.inference.summary"}
WIRE_TYPES = {"ai_stream_status", "ai_stream_events", "stream_ingest_metrics"}
COUNTER, FPS = 2**53, 10_000


@dataclass(frozen=True)
class Event:
    """What one accepted event says."""

    source: str
    id: str
    sha: str
    at: int
    kind: str
    edge: str | None = None  # the trace subtype, v1 translated
    stream: str | None = None
    request: str | None = None
    names: Place | None = None  # the orchestrator it names; for a swap, the one that is left
    model: str | None = None
    gateway: str | None = None
    region: str | None = None
    synthetic: bool = False
    in_session: bool = False
    is_sample: bool = False
    success: bool = False  # v1 end with `status: success`
    error: str | None = None  # the text of an error event, lower case; "" where it has none
    reason: str | None = None
    state: str | None = None
    gpu: str | None = None
    restarted: int | None = None
    started: int | None = None  # a status's `start_time`
    numbers: dict[str, Fraction | None] = field(default_factory=dict)
    tracks: tuple[tuple[str, Fraction | None, Fraction | None], ...] = ()
    data: Any = None

    @property
    def key(self) -> tuple[int, str]:
        """Order of events is (time, id). (0001 §2)"""
        return self.at, self.id


def read_event(
    source: str, identity: str, sha: str, at: int, kind: str, is_v1: bool, event: dict[str, Any], data: Any
) -> Event:
    """The event with its fields read; raises BadNumber."""
    body = mapped(data)
    said = v1_fields(kind, event, body) if is_v1 else wire_fields(kind, event, body)
    return Event(
        source, identity, sha, at, kind, data=data, region=text(mapped(event.get("geo")).get("region")), **said
    )


def wire_fields(kind: str, event: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """The Kafka message and the array form."""
    subtype = text(body.get("type"))
    edge = subtype if kind == "stream_trace" and subtype in TRACES else None
    stream, request = text(body.get("stream_id")), text(body.get("request_id"))
    # A trace of an unknown subtype is not an event of a session. (0001 §6)
    belongs = (kind in WIRE_TYPES or edge is not None) and bool(stream or request)
    is_error = kind == "ai_stream_events" and subtype == "error"
    return {
        "edge": edge,
        "stream": stream,
        "request": request,
        "names": wire_place(body) if kind in WIRE_TYPES | {"stream_trace"} else None,
        # A status event's `pipeline` field really holds the model.
        "model": text(body.get("pipeline")),
        "gateway": gateway_name(event.get("gateway")),
        "synthetic": is_synthetic(body),
        "in_session": belongs,
        "is_sample": kind == "ai_stream_status",
        "error": (text(body.get("message")) or "").lower() if is_error else None,
        "reason": text(body.get("message")) if edge == SWAP else None,
        "state": text(body.get("state")),
        "restarted": instant_or_none(mapped(body.get("inference_status")).get("last_restart_time")),
        "started": instant_or_none(body.get("start_time")) if kind == "ai_stream_status" else None,
        "numbers": wire_numbers(kind, body),
        "tracks": tracks(body) if kind == "stream_ingest_metrics" else (),
    }


def wire_place(body: dict[str, Any]) -> Place | None:
    """By a service URI (`orchestrator_info.url`), or by a node key alone (`.address` without a URI). (0001 §7)"""
    info = mapped(body.get("orchestrator_info"))
    uri, node_key = service_uri(info.get("url")), address(info.get("address"))
    return ("uri", uri) if uri else ("key", node_key) if node_key else None


def wire_numbers(kind: str, body: dict[str, Any]) -> dict[str, Fraction | None]:
    """The numbers that we would use, of the types that have any."""
    if kind == "ai_stream_status":
        inference, given = mapped(body.get("inference_status")), mapped(body.get("input_status"))
        return {
            "fps": billionths(number(inference.get("fps"), FPS)),
            "input_fps": billionths(number(given.get("fps"), FPS)),
            "restarts": number(inference.get("restart_count")),
        }
    if kind == "stream_ingest_metrics":
        stats = mapped(mapped(body.get("stats")).get("peer_conn_stats"))
        return {
            "received": number(stats.get("BytesReceived"), COUNTER),
            "sent": number(stats.get("BytesSent"), COUNTER),
        }
    if kind == "create_new_payment":
        face = wei(body.get("faceValue"))
        return {
            "face": None if face is None else Fraction(face),
            "probability": number(body.get("winProb"), 1),
            "tickets": number(body.get("numTickets")),
        }
    if kind == "orchestrator_stake":
        return stake.numbers(body)
    if kind in job_wire.SUBTYPES:
        return job_wire.numbers(kind, body)
    return {}


def tracks(body: dict[str, Any]) -> tuple[tuple[str, Fraction | None, Fraction | None], ...]:
    """(type, lost, received) of each track, in their order."""
    rows = [mapped(row) for row in listed(mapped(body.get("stats")).get("track_stats"))]
    return tuple(
        (text(r.get("type")) or "", number(r.get("packets_lost"), COUNTER), number(r.get("packets_received"), COUNTER))
        for r in rows
    )


def v1_fields(kind: str, event: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """`ids.orchestrator_address` is a wallet; the model is the text after the last `#` of `ids.model_id`; the request
    id is `request_id`, else `trace_id`."""
    ids = mapped(event.get("ids"))
    stream, request = text(ids.get("stream_id")), text(ids.get("request_id")) or text(ids.get("trace_id"))
    wallet = address(ids.get("orchestrator_address"))
    # `gateway.swap` names `payload.from_orch`, else `ids.orchestrator_address`, as the one left. (0001 §7)
    if kind == "gateway.swap":
        wallet = address(body.get("from_orch")) or wallet
    belongs = kind in V1_TYPES and bool(stream or request)
    failure = text(body.get("failure_reason"))
    return {
        "edge": V1_EDGES.get(kind),
        "stream": stream,
        "request": request,
        "names": ("wallet", wallet) if wallet and kind in V1_TYPES else None,
        "model": text((text(ids.get("model_id")) or "").rpartition("#")[2]),
        "gateway": gateway_name(ids.get("gateway_id")),
        "synthetic": is_synthetic(body),
        "in_session": belongs,
        "is_sample": kind == "runner.metrics.sample",
        "success": kind == "gateway.request.end" and (text(body.get("status")) or "").lower() == "success",
        "error": failure.lower() if failure and kind in V1_TYPES else None,
        "reason": text(body.get("reason")) if kind == "gateway.swap" else None,
        "gpu": text(body.get("gpu_id")) if kind == "runner.metrics.sample" else None,
        "numbers": v1_numbers(kind, body),
    }


def v1_numbers(kind: str, body: dict[str, Any]) -> dict[str, Fraction | None]:
    """A sample's `fps, tx_bytes, rx_bytes, achieved_flops, peak_flops`, and any event's `e2e_latency_ms`."""
    found: dict[str, Fraction | None] = {}
    if kind in V1_TYPES:
        latency = number(body.get("e2e_latency_ms"))
        found["e2e"] = None if latency is None else fixed(latency, 3)
    if kind == "runner.metrics.sample":
        found["fps"] = billionths(number(body.get("fps"), FPS))
        found["tx"], found["rx"] = number(body.get("tx_bytes"), COUNTER), number(body.get("rx_bytes"), COUNTER)
        found["achieved"], found["peak"] = number(body.get("achieved_flops")), number(body.get("peak_flops"))
    return found


def billionths(value: Fraction | None) -> Fraction | None:
    """Rates and fps are billionths."""
    return None if value is None else fixed(value, 9)


def is_synthetic(body: dict[str, Any]) -> bool:
    """Carries `synthetic: true` (in data, params or the v1 payload)."""
    stated = (body.get("synthetic"), mapped(body.get("params")).get("synthetic"))
    return any(value is True or (text(value) or "").lower() == "true" for value in stated)
