"""The reference against answers worked out by hand, against the real files, and against the laws."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.reference import strategies
from tests.reference.oracle import Oracle

DATA = Path(__file__).parents[3] / "shared" / "data"
T = 1_772_445_600_000  # Monday 2026-03-02 10:00 UTC
NOW = datetime(2026, 3, 6, tzinfo=UTC)
DAY = (datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC))
A, B, C = ("0x" + letter * 40 for letter in "abc")
ONE, TWO = "https://one.example:8935", "https://two.example:8935"
REQUEST, CLOSED = "gateway_receive_stream_request", "gateway_ingest_stream_closed"
FIRST, FEW = "gateway_receive_first_processed_segment", "gateway_receive_few_processed_segments"
SENT, RUNNER, SWAP = "gateway_send_first_ingest_segment", "runner_send_first_processed_segment", "orchestrator_swap"


def message(kind: str, seconds: float, data: Any, **more: Any) -> dict[str, Any]:
    """A Kafka message some seconds after ten o'clock."""
    return {"type": kind, "timestamp": str(T + round(seconds * 1000)), "gateway": "", "data": data, **more}


def body(uri: str | None, request: str, **more: Any) -> dict[str, Any]:
    """What every event of a session carries."""
    return {"stream_id": "s" + request, "request_id": request, "orchestrator_info": {"url": uri or ""}, **more}


def trace(seconds: float, subtype: str, uri: str | None = None, request: str = "r", **more: Any) -> dict[str, Any]:
    """A `stream_trace`."""
    return message("stream_trace", seconds, body(uri, request, type=subtype, **more))


def status(seconds: float, fps: Any, uri: str | None = ONE, request: str = "r", **more: Any) -> dict[str, Any]:
    """An `ai_stream_status`."""
    inference = {
        "fps": fps,
        "restart_count": more.pop("restarts", None),
        "last_restart_time": more.pop("restarted", None),
    }
    given = {"fps": more.pop("input_fps", None)}
    return message(
        "ai_stream_status", seconds, body(uri, request, inference_status=inference, input_status=given, **more)
    )


def error(seconds: float, said: str, request: str = "r") -> dict[str, Any]:
    """An error event."""
    return message("ai_stream_events", seconds, body(None, request, type="error", message=said))


def transport(seconds: float, received: Any, lost: int = 0, packets: int = 0) -> dict[str, Any]:
    """A `stream_ingest_metrics` with two video tracks of the same counts."""
    track = {"type": "video", "packets_lost": lost, "packets_received": packets}
    stats = {"peer_conn_stats": {"BytesReceived": received, "BytesSent": ""}, "track_stats": [track, track]}
    return message("stream_ingest_metrics", seconds, body(None, "r", stats=stats))


def payment(seconds: float, **more: Any) -> dict[str, Any]:
    """A `create_new_payment`."""
    return message("create_new_payment", seconds, {"orchestrator": ONE, "recipient": A, **more})


def capabilities(seconds: float, uri: str, wallet: str, *gpus: tuple[str, str, str], key: str = "") -> dict[str, Any]:
    """A snapshot with one row: (workflow, gpu, model) each."""
    hardware = [{"model_id": w, "gpu_info": {"0": {"id": g, "name": m}}} for w, g, m in gpus]
    row = {"orch_uri": uri, "address": wallet, "local_address": key, "hardware": hardware}
    return message("network_capabilities", seconds, [row])


def loaded(*events: dict[str, Any], config: dict[str, Any] | None = None, source: str = "x") -> Oracle:
    """An oracle over events; ids are given in their order."""
    numbered = [{"id": f"e{position:03}", **event} for position, event in enumerate(events)]
    return Oracle([(source, json.dumps(event).encode()) for event in numbered], NOW, config)


def one(*events: dict[str, Any], config: dict[str, Any] | None = None) -> dict[str, Any]:
    """The only session of some events."""
    (session,) = loaded(*events, config=config).sessions()
    return session


LATER = message("something_new", 3600, None)  # so that silence has passed


@pytest.mark.parametrize(
    ("events", "outcome"),
    [
        ([trace(0, REQUEST), trace(1, SENT, ONE), status(2, 0), status(3, 12)], "SERVED"),
        ([trace(0, REQUEST), trace(1, FIRST, ONE)], "SERVED"),
        ([trace(0, REQUEST), error(2, "No Orchestrators Available within 2s")], "UNSERVED"),
        ([trace(0, REQUEST), trace(1, "gateway_no_orchestrators_available")], "UNSERVED"),
        ([trace(0, REQUEST), trace(1, SENT, ONE), error(2, "no orchestrators available")], "STARTUP_FAILED"),
        ([trace(0, REQUEST), trace(9, CLOSED)], "ABANDONED"),
        ([trace(0, REQUEST), trace(1, SENT, ONE), error(60, "ICE connection state failed")], "ABANDONED"),
        ([trace(0, REQUEST), trace(1, SENT, ONE), trace(5, CLOSED)], "ABANDONED"),
        ([trace(0, REQUEST), trace(1, SENT, ONE), trace(5.001, CLOSED)], "STARTUP_FAILED"),
        ([trace(0, REQUEST), trace(1, SENT, ONE), trace(3, CLOSED), error(4, "boom")], "STARTUP_FAILED"),
        ([trace(0, REQUEST), trace(1, SENT, ONE), error(3, "whip disconnected"), trace(4, CLOSED)], "ABANDONED"),
        ([trace(0, REQUEST), trace(1, FIRST, ONE), status(2, 0), trace(3, CLOSED)], "OUTPUT_FAILED"),
        ([trace(0, REQUEST), trace(1, SENT, ONE)], "OPEN"),
        ([trace(0, REQUEST), trace(1, FIRST, ONE), status(2, 0)], "OPEN"),
        ([trace(0, REQUEST), trace(1, SENT, ONE), LATER], "STARTUP_FAILED"),
        ([trace(0, REQUEST), trace(1, SENT, ONE), message("new", 300.999, None)], "OPEN"),
        ([trace(0, REQUEST), trace(1, SENT, ONE), message("new", 301, None)], "STARTUP_FAILED"),
    ],
)
def test_outcomes(events: list[dict[str, Any]], outcome: str) -> None:
    assert one(*events)["outcome"] == outcome


def test_identity_conflict_and_order() -> None:
    first, second = trace(0, REQUEST) | {"id": "same"}, trace(5, REQUEST) | {"id": "same"}
    shas = {hashlib.sha256(canonical(event)).hexdigest(): event for event in (first, second)}
    winner = shas[min(shas)]

    for order in ([first, second, first], [second, first, second]):
        oracle = loaded(*order)

        assert (oracle.accepted, oracle.duplicates, oracle.conflicts) == (1, 1, 1)
        assert oracle.sessions()[0]["requestedAt"] == int(winner["timestamp"])
        assert oracle.metrics(*DAY)["conflicts"] == oracle.metrics(*DAY, source="x")["conflicts"] == 1
        assert oracle.metrics(*DAY, orchestrator=A)["conflicts"] == 0


def canonical(event: dict[str, Any]) -> bytes:
    return json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def test_an_event_without_an_id_is_its_content_whatever_the_wrapper() -> None:
    event = trace(0, REQUEST)
    lines = [canonical(event), json.dumps([{"offset": 1, "value": event}]).encode(), json.dumps([event]).encode()]

    oracle = Oracle([("x", line) for line in lines], NOW)

    assert (oracle.accepted, oracle.duplicates) == (1, 2)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "not_json"),
        (b"NaN", "not_json"),
        (b"[3]", "not_an_object"),
        (b'{"timestamp": 1}', "no_type"),
        (b'{"type": "t"}', "no_time"),
        (b'{"type": "t", "timestamp": "2001-02-30T00:00:00Z"}', "bad_time"),
        (b'{"type": "t", "timestamp": 946684799}', "bad_time"),
        (b'{"type": "t", "timestamp": "2026-03-06T00:10:00.001Z"}', "future"),
        (b'{"type": "t", "timestamp": 1772445600, "data": "text"}', "bad_data"),
        (b'{"type": "create_new_payment", "timestamp": 1772445600, "data": {"winProb": "1.1"}}', "bad_number"),
        (b'{"type": "ai_stream_status", "timestamp": 1772445600, "data": {"input_status": {"fps": -1}}}', "bad_number"),
        (b" " * 2**20 + b"{}", "too_large"),
    ],
)
def test_rejections(line: bytes, reason: str) -> None:
    assert Oracle([("x", line)], NOW).rejected == {reason: 1}


@pytest.mark.parametrize(
    "stamp", [T, str(T), f"{T}.9", T // 1000, "2026-03-02T11:00:00.0009+01:00", "2026-03-02T10:00:00Z"]
)
def test_times_wander(stamp: Any) -> None:
    assert one({"type": "stream_trace", "timestamp": stamp, "data": body(None, "r", type=REQUEST)})["requestedAt"] == T


def test_latencies_skew_and_cold_start() -> None:
    events = [
        *(trace(0, REQUEST), trace(1, SENT, ONE), trace(3.5, RUNNER, ONE), trace(4, FIRST, ONE), trace(9, FEW, ONE)),
        *(
            trace(100, REQUEST, request="q"),
            trace(101, SENT, ONE, "q"),
            trace(101, RUNNER, ONE, "q"),
            trace(102, FIRST, ONE, "q"),
        ),
        trace(909 + 0.001, REQUEST, request="p"),
        trace(911, FIRST, TWO, "p"),
        capabilities(0, ONE, A),
    ]
    found = loaded(*events).metrics(*DAY)

    # The second session is warm: the first one's leg reaches into its 15 minutes. The third runs elsewhere.
    assert found["promptToFirstFrameMs"]["samples"] == 3
    assert [found["promptToFirstFrameMs"][name] for name in ("min", "p50", "p95", "max")] == [1999, 2000, 4000, 4000]
    assert found["startupTimeS"]["samples"] == 2
    assert (found["e2eLatencyMs"]["value"], found["e2eLatencyMs"]["samples"]) == (2500, 1)
    assert found["clockSkew"] == 1
    assert found["promptToPlayableMs"]["value"] == 9000


def test_a_restart_makes_a_warm_place_cold() -> None:
    warm = [trace(0, REQUEST), trace(1, FIRST, ONE), trace(60, REQUEST, request="q"), trace(62, FIRST, ONE, "q")]

    assert loaded(*warm).metrics(*DAY)["startupTimeS"]["samples"] == 1
    restarted = status(70, 20, request="q", restarted=T + 61_000)
    assert loaded(*warm, restarted).metrics(*DAY)["startupTimeS"]["samples"] == 2


def test_latency_after_a_swap_counts_for_no_orchestrator() -> None:
    events = [trace(0, REQUEST), trace(1, SWAP, ONE, message="timed out"), trace(3, FIRST, TWO), trace(8, CLOSED)]
    oracle = loaded(*events, capabilities(0, ONE, A), capabilities(0, TWO, B))
    session = oracle.sessions()[0]

    assert [(leg["orchestrator"], leg["start"] - T, leg["end"] - T) for leg in session["legs"]] == [
        (A, 0, 3000),
        (B, 3000, 8000),
    ]
    assert oracle.metrics(*DAY)["promptToFirstFrameMs"]["samples"] == 1
    assert oracle.metrics(*DAY, orchestrator=B)["promptToFirstFrameMs"]["samples"] == 0
    assert oracle.metrics(*DAY)["swapRatePct"] == {"value": 50.0, "samples": 2}
    assert oracle.metrics(*DAY, orchestrator=A)["swapReasons"] == {"timeout": 1}
    assert oracle.metrics(*DAY, orchestrator=B)["swapRatePct"] == {"value": 0.0, "samples": 1}
    assert oracle.metrics(*DAY, orchestrator=A)["sessions"] == 0


def test_warm_up_and_stalls() -> None:
    rates = [(1, 0), (2, 0), (3, 10), (4, 0), (5, 20)]
    events = [
        status(second, fps, state="DEGRADED_INPUT" if fps == 0 else "ONLINE", input_fps=30) for second, fps in rates
    ]
    found = loaded(*events).metrics(*DAY)

    assert (found["outputFps"]["value"], found["outputFps"]["samples"], found["inputFps"]["samples"]) == (10.0, 3, 3)
    assert found["jitterCoefficient"]["value"] == pytest.approx((200 / 3) ** 0.5 / 10)
    assert found["degradedPct"] == found["degradedInputPct"] == {"value": 60.0, "samples": 5}
    assert loaded(status(1, 0), status(2, "0")).metrics(*DAY)["outputFps"]["samples"] == 2
    # Strictly earlier in time: a zero of the same instant counts.
    assert loaded(status(1, 0), status(1, 5)).metrics(*DAY)["outputFps"]["samples"] == 2


def test_restarts_count_rises_within_a_leg() -> None:
    counts = [(1, 0, ONE), (2, 2, ONE), (3, 1, ONE), (4, 2, ONE), (5, 9, TWO), (6, 10, TWO)]
    oracle = loaded(*(status(at, 5, uri, restarts=count) for at, count, uri in counts), capabilities(0, TWO, B))

    assert oracle.metrics(*DAY)["restarts"] == 4
    assert oracle.metrics(*DAY, orchestrator=B)["restarts"] == 1


def test_transport_deltas() -> None:
    events = [
        transport(0, 0, 0, 0),
        transport(8, "1000000", 1, 99),
        transport(10, 5, 0, 200),
        transport(12, 500_005, 0, 300),
    ]
    found = loaded(*events).metrics(*DAY)

    assert (found["ingestMbps"]["min"], found["ingestMbps"]["max"], found["ingestMbps"]["samples"]) == (1.0, 2.0, 2)
    assert found["egressMbps"] == loaded().metrics(*DAY)["egressMbps"]
    # The middle pair lost a falling counter; two tracks of (1, 99) and (0, 100).
    assert found["packetLossPct"]["value"] == 0.5


def test_wallets_resolve_at_the_first_event_that_names_the_uri() -> None:
    life = [trace(100, REQUEST), status(101, 5), status(500, 5)]

    assert one(*life, capabilities(50, ONE, A), capabilities(200, ONE, B))["orchestrator"] == A
    assert one(*life, capabilities(200, ONE + "/", B.upper()))["orchestrator"] == B
    assert one(*life, capabilities(101, ONE, A), payment(101, recipient=B))["orchestrator"] is None
    assert loaded(*life).metrics(*DAY)["unresolvedSessions"] == 1


def test_a_node_key_alone_needs_one_wallet_within_a_day() -> None:
    named = trace(1, SENT, None) | {}
    named["data"] = named["data"] | {"orchestrator_info": {"address": C.upper(), "url": ""}}

    assert one(named, capabilities(-86_399, ONE, A, key=C))["orchestrator"] == A
    assert one(named, capabilities(-86_399, ONE, A, key=C), capabilities(9, TWO, B, key=C))["orchestrator"] is None
    assert one(named, capabilities(-86_399.001, ONE, A, key=C))["orchestrator"] is None


def test_gpu_attribution() -> None:
    life = [trace(0, REQUEST), status(1, 5, pipeline="x")]
    shown = [("x", "G1", "5090"), ("x", "G2", "5090"), ("y", "G3", "4090")]

    def card(*gpus: tuple[str, str, str]) -> tuple[Any, Any, Any]:
        session = one(*life, capabilities(0, ONE, A, *gpus))
        return session["gpu"], session["gpuModel"], session["gpuAttribution"]

    assert card(shown[0], shown[2]) == ("G1", "5090", "EXACT")
    assert card(*shown) == (None, "5090", "AMBIGUOUS")
    assert card(shown[2]) == (None, None, "UNKNOWN")
    assert card(("", "G4", "4090")) == ("G4", "4090", "EXACT")
    early, late = capabilities(-9, ONE, A, shown[0]), capabilities(0.5, ONE, A)
    assert one(*life, early, late)["gpu"] == "G1"  # only snapshots that name a GPU count


def test_money_joins_and_minutes() -> None:
    shared = {"sender": C, "sessionID": "m"}
    events = [
        *(trace(0, REQUEST), trace(4, FIRST, ONE), trace(90, CLOSED), capabilities(0, ONE, A, ("x", "G1", "5090"))),
        payment(1, requestID="r", manifestID="35_x", faceValue="0.012 ETH", winProb="0.5", numTickets="2", **shared),
        payment(50, manifestID="abc", faceValue="3 WEI", winProb="0.5", numTickets=1, **shared),
        payment(55, faceValue="", numTickets=1),
    ]
    oracle = loaded(*events)
    session = oracle.sessions()[0]
    found = oracle.demand(*DAY, orchestrator=A)

    assert (session["workflow"], session["gateway"], session["gpu"]) == ("x", C, "G1")
    assert (found["feesWei"], found["faceValueWei"]) == (12 * 10**15 + 2, 24 * 10**15 + 3)
    assert (found["tickets"], found["payments"]) == (4, 3)
    assert oracle.demand(*DAY, workflow="x", gpu="G1")["payments"] == 2
    assert found["inferenceMinutesByGpuModel"] == {"5090": 1.5}
    minute = datetime(2026, 3, 2, 10, 1, tzinfo=UTC)
    assert oracle.demand(minute, DAY[1])["inferenceMinutes"] == 0.5
    assert (oracle.demand(minute, DAY[1])["sessions"], oracle.demand(*DAY)["streams"]) == (0, 1)


def test_regions_and_testers() -> None:
    config = {"regions": {"north": {"name": "N", "gateways": ["gw"], "uris": []}}, "testers": ["gw"]}
    event = trace(0, REQUEST) | {"gateway": "gw"}

    assert (one(event, config=config)["region"], one(event, config=config)["synthetic"]) == ("north", True)
    assert one(event)["region"] is None
    assert loaded(event, config=config).metrics(*DAY, synthetic=False)["sessions"] == 0


def test_v1_session() -> None:
    def v1(seconds: float, kind: str, **payload: Any) -> dict[str, Any]:
        ids = {"gateway_id": "gw", "orchestrator_address": A, "model_id": "p#x", "stream_id": "s", "trace_id": "t"}
        stamp = T + round(seconds * 1000)
        return {"event_type": kind, "timestamp_ms": stamp, "ids": ids, "geo": {"region": "eu"}, "payload": payload}

    sample = {"fps": 20, "gpu_id": "G1", "achieved_flops": 30, "peak_flops": 40}
    oracle = loaded(
        v1(0, "gateway.request.start"),
        v1(2, "gateway.request.first_frame", e2e_latency_ms="850.25"),
        v1(3, "runner.metrics.sample", tx_bytes=0, rx_bytes="0", **sample),
        v1(5, "runner.metrics.sample", tx_bytes=10**6, rx_bytes=5 * 10**5, **sample),
        v1(9, "gateway.request.end", status="failure", failure_reason="boom"),
    )
    session, found = oracle.sessions()[0], oracle.metrics(*DAY, region="eu", gpu="G1", workflow="x", gateway="gw")

    assert (session["outcome"], session["requestId"], session["orchestrator"]) == ("SERVED", "t", A)
    assert (found["e2eLatencyMs"]["value"], found["bandwidthUpMbps"]["value"]) == (850.25, 4.0)
    assert (found["bandwidthDownMbps"]["value"], found["errorEvents"]) == (2.0, 1)
    expected = {"value": 75.0, "samples": 2, "tier": "MEASURED", "confidence": "HIGH"}
    assert found["cudaUtilizationEfficiencyPct"] == expected


def test_nothing_is_null_and_zero_is_a_measurement() -> None:
    found = loaded().metrics(*DAY)

    assert (
        found["failureRatePct"] == found["unservedRatePct"] == found["packetLossPct"] == {"value": None, "samples": 0}
    )
    assert found["outputFps"]["value"] is None
    assert loaded(trace(0, REQUEST), trace(1, FIRST, ONE)).metrics(*DAY)["failureRatePct"]["value"] == 0.0


def test_series_is_aligned_and_clipped() -> None:
    oracle = loaded(trace(0, REQUEST), trace(3600, REQUEST, request="q"))
    start, end = datetime(2026, 3, 2, 9, 30, tzinfo=UTC), datetime(2026, 3, 2, 11, 0, tzinfo=UTC)
    weeks = oracle.series(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC), 7 * 86_400)

    assert [(at.hour, found["sessions"]) for at, found in oracle.series(start, end, 3600)] == [(9, 0), (10, 1)]
    assert [(at.month, at.day, found["sessions"]) for at, found in weeks] == [(2, 23, 0), (3, 2, 2)]


@pytest.fixture(scope="module")
def real() -> Oracle:
    """The 100 real events."""
    files = sorted(DATA.glob("*.ndjson"))
    if not files:
        pytest.skip(f"no real events: {DATA} is absent")
    lines = [line for file in files for line in file.read_bytes().splitlines()]
    return Oracle([("default", line) for line in lines], datetime(2026, 1, 10, tzinfo=UTC))


def test_real_events(real: Oracle) -> None:
    day = (datetime(2026, 1, 9, tzinfo=UTC), datetime(2026, 1, 10, tzinfo=UTC))
    found, asked = real.metrics(*day), real.demand(*day)
    wallet, gpu = "0xd00354656922168815fcd1e51cbddb9e359e3c7f", "GPU-a8d13655-197b-2226-d09f-b4b81e07504b"

    assert (real.accepted, real.duplicates, real.conflicts, real.rejected) == (100, 0, 0, {})
    assert (found["streams"], found["outcomes"]["unserved"], found["outcomes"]["served"]) == (4, 2, 2)
    assert [found["promptToFirstFrameMs"][name] for name in ("min", "p50", "p95", "max")] == [2847, 2847, 3300, 3300]
    assert (found["e2eLatencyMs"]["samples"], found["e2eLatencyMs"]["value"], found["clockSkew"]) == (0, None, 2)
    assert (round(found["outputFps"]["value"], 6), found["outputFps"]["samples"]) == (19.705501, 21)
    assert round(found["jitterCoefficient"]["value"], 3) == 0.037
    assert (found["startupTimeS"]["samples"], found["startupTimeS"]["value"]) == (1, 3.3)
    assert (asked["feesWei"], asked["tickets"], asked["payments"]) == (24000000086328, 10, 8)
    assert asked["faceValueWei"] == 24008160000000000
    served = [session for session in real.sessions() if session["outcome"] == "SERVED"]
    assert [(s["orchestrator"], s["gpu"], s["gpuAttribution"]) for s in served] == [(wallet, gpu, "EXACT")] * 2
    assert real.groups(*day, "orchestrator") == [wallet]
    assert real.groups(*day, "gpu") == [gpu]


QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@QUICK
@given(feed=strategies.feeds(), config=strategies.configs(), window=strategies.windows(), where=strategies.wheres())
def test_order_and_repetition_change_nothing(feed: Any, config: Any, window: Any, where: Any) -> None:
    again = feed + feed
    Random(7).shuffle(again)
    once, twice = Oracle(feed, NOW, config), Oracle(again, NOW, config)

    assert once.sessions() == twice.sessions()
    assert once.metrics(*window, **where) == twice.metrics(*window, **where)
    assert once.demand(*window, **where) == twice.demand(*window, **where)
    assert (once.accepted, once.conflicts) == (twice.accepted, twice.conflicts)


@QUICK
@given(feed=strategies.feeds(), config=strategies.configs(), window=strategies.windows(), where=strategies.wheres())
def test_shares_stay_in_range_and_outcomes_add_up(feed: Any, config: Any, window: Any, where: Any) -> None:
    found = Oracle(feed, NOW, config).metrics(*window, **where)
    outcomes = dict(found["outcomes"])
    requested, attempted = outcomes.pop("requested"), outcomes.pop("attempted")

    assert requested == sum(outcomes.values()) == found["sessions"]
    assert attempted == outcomes["served"] + outcomes["startupFailed"] + outcomes["outputFailed"]
    shares = [found[name]["value"] for name in found if name.endswith("Pct")]
    assert all(share is None or 0 <= share <= 100 for share in shares)
    assert all(found[name]["min"] is None or found[name]["min"] > 0 for name in found if name.endswith(("Ms", "TimeS")))


@QUICK
@given(feed=strategies.feeds(), window=strategies.windows(), where=strategies.wheres())
def test_windows_and_sources_add_up(feed: Any, window: Any, where: Any) -> None:
    oracle, (start, end) = Oracle(feed, NOW), window
    middle = start + (end - start) // 2 // timedelta(milliseconds=1) * timedelta(milliseconds=1)
    counts = ("sessions", "streams", "errorEvents", "restarts", "clockSkew", "conflicts", "unresolvedSessions")
    for parts in ([(start, middle, where), (middle, end, where)], [(start, end, where | {"source": s}) for s in "ab"]):
        if "source" in where and len({part[2]["source"] for part in parts}) > 1:
            continue
        found = [oracle.metrics(a, b, **w) for a, b, w in parts]
        money = [oracle.demand(a, b, **w) for a, b, w in parts]
        whole, total = oracle.metrics(start, end, **where), oracle.demand(start, end, **where)

        assert all(whole[name] == sum(part[name] for part in found) for name in counts)
        assert total["feesWei"] == sum(part["feesWei"] for part in money)
        assert total["inferenceMinutes"] == pytest.approx(sum(part["inferenceMinutes"] for part in money))
