"""The events of made-up sessions, as they would come over the wire, for `strategies.py`."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

T0 = 1_772_445_600_000  # Monday 2026-03-02 10:00 UTC
NOW = datetime(2026, 3, 6, tzinfo=UTC)
URIS = ("https://one.example:8935", "https://two.example:8935", "https://three.example:8935")
WALLETS = tuple("0x" + digit * 40 for digit in "abc")
NODE_KEYS = tuple("0x" + digit * 40 for digit in "12")
SENDERS = tuple("0x" + digit * 40 for digit in "ef")
WORKFLOWS = ("model-x", "model-y")
GPUS = (("GPU-1", "RTX 4090"), ("GPU-2", "RTX 4090"), ("GPU-3", "RTX 5090"), ("GPU-4", ""))
ERRORS = (
    "",
    "",
    "no orchestrators available within 2s timeout",
    "No Orchestrators Available",
    "ICE connection state failed",
    "missing video",
    "mediamtx ingest disconnected",
    "whip disconnected",
    "User disconnected early",
    "something else broke",
)
REASONS = (
    "timeout",
    "Model_Error",
    "runner_disconnect",
    "no capacity left",
    "gateway reset",
    "orchestrator_reset",
    "odd",
    "",
)
STATES = ("ONLINE", "ONLINE", "DEGRADED_INFERENCE", "DEGRADED_INPUT", "LOADING", "OFFLINE", "")
REQUEST, CLOSED = "gateway_receive_stream_request", "gateway_ingest_stream_closed"
SENT, RECEIVED = "gateway_send_first_ingest_segment", "runner_receive_first_ingest_segment"
RUNNER, FIRST = "runner_send_first_processed_segment", "gateway_receive_first_processed_segment"
FEW, SWAP = "gateway_receive_few_processed_segments", "orchestrator_swap"


@dataclass
class Draft:
    """An event that is not written yet."""

    source: str
    event: dict[str, Any]
    fixed_form: bool = False  # broken on purpose: written as it is

    def copy(self) -> "Draft":
        """The same once more."""
        return copy.deepcopy(self)

    @property
    def body(self) -> dict[str, Any]:
        """`data` or `payload`, if it is an object."""
        found = self.event.get("data", self.event.get("payload"))
        return found if isinstance(found, dict) else {}

    def shift(self, ms: int) -> None:
        """Another time, in every place that states it."""
        for holder, name in ((self.event, "timestamp"), (self.event, "timestamp_ms"), (self.body, "timestamp")):
            if str(holder.get(name)).isdigit():
                holder[name] = type(holder[name])(int(holder[name]) + ms)

    def forget_orchestrator(self) -> None:
        """Names nobody any more."""
        if "orch_url" in self.body:
            self.body["orch_url"] = ""
        if "orchestrator_info" in self.body:
            self.body["orchestrator_info"] = {"address": "", "url": ""}
        if "ids" in self.event:
            self.event["ids"]["orchestrator_address"] = ""

    def change(self, name: str, value: Any) -> None:
        """One field of the envelope is not what it should be."""
        v1 = {"timestamp": "timestamp_ms", "data": "payload"}
        self.body.pop("timestamp", None)
        self.event[v1[name] if "event_type" in self.event else name] = value
        self.fixed_form = True

    def bad_number(self, value: Any) -> None:
        """A number that we would use is none, or out of bounds."""
        stats = self.body.get("stats", {}).get("peer_conn_stats", {})
        for holder, name in (
            (self.body.get("inference_status") or {}, "fps"),
            (stats, "BytesSent"),
            (self.body, "winProb"),
            (self.body, "tx_bytes"),
            (self.body, "tokens_per_second"),
            (self.body, "duration_ms"),
            (self.body, "attempt_index"),
        ):
            if name in holder:
                holder[name] = value
                self.fixed_form = True
                return


@dataclass(frozen=True)
class Life:
    """The plan of one session."""

    kind: str
    source: str
    stream: str
    request: str
    start: int
    uris: list[int]
    workflow: str
    gateway: str
    fps: list[Any]
    gap: int
    error: str
    payments: int
    session_id: str
    synthetic: bool
    seed: int


def events_of(life: Life, rng: Random) -> list[Draft]:
    """Every event of a life, with the payments made for it."""
    return [*KINDS[life.kind](life, rng), *payments_of(life, rng)]


# ---- go-livepeer's messages ----------------------------------------------------------------------


def message(life: Life, kind: str, at: int, data: dict[str, Any]) -> Draft:
    """The Kafka message `{id, type, timestamp, gateway, data}` of a session."""
    marks = {"synthetic": True} if life.synthetic else {}
    body = {"stream_id": life.stream, "request_id": life.request, "pipeline_id": "", **data, **marks}
    return Draft(life.source, {"type": kind, "timestamp": str(at), "gateway": life.gateway, "data": body})


def info(place: int | None) -> dict[str, Any]:
    """`orchestrator_info`: a URI with its node key; 10 and above: the node key alone; None: nobody."""
    if place is None:
        return {"orchestrator_info": {"address": "", "url": ""}}
    node_key = NODE_KEYS[place % len(NODE_KEYS)]
    return {"orchestrator_info": {"address": node_key, "url": "" if place >= 10 else URIS[place]}}


def trace(life: Life, at: int, subtype: str, place: int | None = None, **more: Any) -> Draft:
    """A `stream_trace`."""
    return message(life, "stream_trace", at, {"type": subtype, "timestamp": at, **info(place), **more})


def status(life: Life, at: int, place: int | None, fps: Any, rng: Random, restarts: int = 0) -> Draft:
    """An `ai_stream_status`, dated now and then by its envelope."""
    restarted = at - rng.choice((1_000, 14 * 60_000, 20 * 60_000)) if restarts and rng.random() < 0.5 else None
    data = {
        "type": "status",
        "pipeline": life.workflow,
        "state": rng.choice(STATES),
        "inference_status": {"fps": fps, "restart_count": restarts, "last_restart_time": restarted},
        "input_status": {"fps": rng.choice((24, 30.5, 0, "", None))},
        "start_time": rng.choice((life.start, life.start + 7, at, at + 5_000, str(life.start), "", None, 12, "soon")),
        **info(place),
    }
    dated = {} if rng.random() < 0.1 else {"timestamp": at}
    return message(life, "ai_stream_status", at, data | dated)


def error(life: Life, at: int, said: str) -> Draft:
    """An `ai_stream_events` of type `error`."""
    return message(life, "ai_stream_events", at, {"type": "error", "pipeline": life.workflow, "message": said})


def statuses(life: Life, at: int, place: int | None, rng: Random) -> Iterator[Draft]:
    """A status for each drawn fps, with a restart count that rises or falls."""
    restarts = rng.choice((0, 0, 3))
    for position, fps in enumerate(life.fps):
        restarts = max(0, restarts + rng.choice((0, 0, 0, 1, 2, -3)))
        yield status(life, at + position * life.gap, place, fps, rng, restarts)


def transports(life: Life, at: int, rng: Random) -> Iterator[Draft]:
    """`stream_ingest_metrics` with counters that mostly rise."""
    received, sent, packets, lost = 1_000, 10, 100, 0
    for position in range(rng.choice((0, 2, 3))):
        if rng.random() < 0.15:
            received, packets = 5, 1
        tracks: Any = [
            {"type": kind, "packets_received": packets, "packets_lost": lost} for kind in ("video", "audio", "video")
        ]
        stats = {
            "track_stats": rng.choice((tracks, tracks, tracks[:2], None)),
            "peer_conn_stats": {"BytesReceived": received, "BytesSent": rng.choice((sent, sent, None, ""))},
        }
        when = at + position * rng.choice((life.gap, 5_000, 0))
        yield message(life, "stream_ingest_metrics", when, {"stats": stats, "timestamp": when})
        received, sent, packets, lost = received + 777_777, sent + 123, packets + 50, lost + rng.choice((0, 1))


def place_of(life: Life, position: int) -> int | None:
    """Which orchestrator comes first, second, third: mostly URIs, sometimes a node key alone."""
    uri = life.uris[position]
    return uri + 10 if life.seed % 16 == 15 else uri


def refused(life: Life, rng: Random) -> Iterator[Draft]:
    """Nobody was there."""
    yield trace(life, life.start, REQUEST)
    at = life.start + 2_000
    if rng.random() < 0.5:
        yield trace(life, at, "gateway_no_orchestrators_available")
    else:
        yield error(life, at, life.error or "no orchestrators available within 2s timeout")
    yield error(life, at, "whip disconnected")
    yield trace(life, at, CLOSED)


def started(life: Life, rng: Random, until: str = FEW) -> Iterator[Draft]:
    """From the request to the first segments; clocks differ a little."""
    place = place_of(life, 0)
    yield trace(life, life.start, REQUEST)
    at = life.start + rng.choice((500, 2_000))
    edges = (SENT, RECEIVED, RUNNER, FIRST, FEW)
    for edge in edges[: edges.index(until) + 1]:
        at += rng.choice((1, 700, 1_500, -400 if edge == RUNNER else 900))
        yield trace(life, at, edge, place if rng.random() < 0.9 else None)


def served(life: Life, rng: Random) -> Iterator[Draft]:
    """A whole life."""
    yield from started(life, rng, rng.choice((FIRST, FEW)))
    at = life.start + 10_000
    yield from statuses(life, at, place_of(life, 0), rng)
    yield from transports(life, at + 3, rng)
    yield from finished(life, at + (len(life.fps) + 1) * life.gap, rng)


def finished(life: Life, at: int, rng: Random) -> Iterator[Draft]:
    """An error, a close, both or none."""
    if life.error:
        yield error(life, at, life.error)
    if rng.random() < 0.6:
        yield trace(life, at + rng.choice((0, 1, 2_000)), CLOSED)


def never_started(life: Life, rng: Random) -> Iterator[Draft]:
    """An orchestrator was named and no segment came; perhaps the user left around 5 s."""
    yield from started(life, rng, rng.choice((SENT, RUNNER)))
    yield from statuses(life, life.start + 6_000, place_of(life, 0), rng)
    yield from finished(life, life.start + rng.choice((3_000, 4_999, 5_000, 5_001, 60_000)), rng)


def left_early(life: Life, rng: Random) -> Iterator[Draft]:
    """Closed within seconds."""
    yield trace(life, life.start, REQUEST)
    yield trace(life, life.start + 400, SENT, place_of(life, 0) if rng.random() < 0.7 else None)
    yield from finished(life, life.start + rng.choice((1_000, 4_999, 5_000, 5_001)), rng)


def swapped(life: Life, rng: Random) -> Iterator[Draft]:
    """One or two swaps: the one left is named, not named, or another."""
    yield from started(life, rng, rng.choice((SENT, RUNNER, FIRST, FEW)))
    at = life.start + 12_000
    for position in range(1, rng.choice((2, 3))):
        left = rng.choice((place_of(life, position - 1), place_of(life, position - 1), None, place_of(life, 2)))
        yield trace(life, at + 1, SWAP, left, message=rng.choice(REASONS))
        at += rng.choice((500, 30_000))
        place = place_of(life, position)
        if rng.random() < 0.6:
            yield trace(life, at, rng.choice((FIRST, FEW, SENT, RUNNER)), place)
        yield from statuses(life, at + 2_000, place, rng)
        at += 3_000 + len(life.fps) * life.gap
    yield from transports(life, at - 20_003, rng)
    yield from finished(life, at, rng)


def swapped_first(life: Life, rng: Random) -> Iterator[Draft]:
    """A swap before anybody was named."""
    yield trace(life, life.start, REQUEST)
    yield trace(life, life.start + 900, SWAP, rng.choice((place_of(life, 0), None)), message=rng.choice(REASONS))
    if rng.random() < 0.3:
        yield trace(life, life.start + 1_900, SWAP, place_of(life, 2), message=rng.choice(REASONS))
    yield trace(life, life.start + 3_000, FIRST, place_of(life, 1))
    yield from statuses(life, life.start + 5_000, place_of(life, 1), rng)
    yield from finished(life, life.start + 90_000, rng)


def headless(life: Life, rng: Random) -> Iterator[Draft]:
    """The request was never seen."""
    yield from statuses(life, life.start, place_of(life, 0) if rng.random() < 0.7 else None, rng)
    yield from transports(life, life.start + 1, rng)
    if rng.random() < 0.4:
        yield trace(life, life.start + 500, rng.choice((FIRST, RUNNER)), place_of(life, 0))
    yield trace(life, life.start + 700, rng.choice(("app_did_something", CLOSED, "gateway_receive_first_data_segment")))
    if life.seed % 3 == 0:
        told = {"type": "params_update", "pipeline": life.workflow, "params": {"synthetic": life.seed % 2 == 0}}
        yield message(life, "ai_stream_events", life.start + 900, told)


# ---- the v1 envelope -----------------------------------------------------------------------------


def v1(life: Life, kind: str, at: int, wallet: int | None, **payload: Any) -> Draft:
    """A v1 event; its streams have their own names, so that no session mixes both envelopes."""
    known = {"request_id": life.request and "v" + life.request} if life.seed % 2 else {"trace_id": "v" + life.request}
    ids = {
        "gateway_id": life.gateway,
        "orchestrator_address": "" if wallet is None else WALLETS[wallet].upper().replace("0X", "0x"),
        "model_id": f"live-video-to-video#{life.workflow}" if life.workflow else "",
        "stream_id": life.stream and "v" + life.stream,
        **known,
    }
    marks = {"synthetic": True} if life.synthetic else {}
    return Draft(
        life.source,
        {
            "schema_version": "v1",
            "event_type": kind,
            "timestamp_ms": at,
            "source_type": kind.split(".")[0],
            "publisher": {"id": "p"},
            "ids": ids,
            "geo": {"region": ("", "eu", "north")[life.seed % 3]},
            "payload": payload | marks,
        },
    )


def v1_life(life: Life, rng: Random) -> Iterator[Draft]:
    """Request, assignment, samples with counters, perhaps a swap, end."""
    first, second = life.uris[0], life.uris[1]
    yield v1(life, "gateway.request.start", life.start, None)
    yield v1(life, "orch.assignment", life.start + 300, first)
    at, wallet = life.start + 2_500, first
    if rng.random() < 0.8:
        told = {"e2e_latency_ms": rng.choice((1200, "850.5", "", 0.25))} if rng.random() < 0.4 else {}
        yield v1(life, "gateway.request.first_frame", at, first, **told)
    tx, gpu = 1_000, GPUS[life.seed % 3][0]
    for position, fps in enumerate(life.fps):
        if position == 2 and rng.random() < 0.6:
            yield v1(
                life,
                "gateway.swap",
                at + 1,
                first,
                from_orch=rng.choice((WALLETS[first], "")),
                reason=rng.choice(REASONS),
            )
            wallet = second
        at, tx = at + life.gap + 2, rng.choice((tx + 50_000, tx + 50_000, 7))
        counters = {
            "tx_bytes": tx,
            "rx_bytes": rng.choice((tx * 2, str(tx * 2), None)),
            "gpu_id": rng.choice((gpu, gpu, "GPU-4")),
        }
        flops = {"achieved_flops": rng.choice((10**13, 9 * 10**13, "")), "peak_flops": 8 * 10**13}
        yield v1(
            life, "runner.metrics.sample", at, wallet if rng.random() < 0.8 else None, fps=fps, **counters, **flops
        )
    if rng.random() < 0.3:
        yield v1(life, "orch.health", at + 5, 2)
    if rng.random() < 0.3:
        yield v1(life, "runner.inference.summary", at + 7, wallet, e2e_latency_ms=rng.choice((990, 1500.125)))
    if rng.random() < 0.8:
        end = {"status": rng.choice(("success", "failure")), "failure_reason": life.error}
        yield v1(life, "gateway.request.end", at + rng.choice((10, 4_000)), rng.choice((wallet, None)), **end)


KINDS = {
    "refused": refused,
    "served": served,
    "served too": served,
    "never started": never_started,
    "left early": left_early,
    "swapped": swapped,
    "swapped too": swapped,
    "swapped first": swapped_first,
    "headless": headless,
    "v1": v1_life,
}


# ---- what is around sessions ---------------------------------------------------------------------


def payments_of(life: Life, rng: Random) -> Iterator[Draft]:
    """The first names the request, the rest share its sessionID; times are near the session."""
    for position in range(life.payments):
        named = position == 0 or rng.random() < 0.2
        yield payment(
            life.source,
            life.start + rng.choice((-60_000, 300, 5_000, 400_000)) + position,
            rng,
            place=life.uris[position] if rng.random() < 0.2 else life.uris[0],
            gateway=life.gateway,
            request=life.request if named else "",
            session_id=life.session_id,
            manifest=f"35_{life.workflow}" if named and life.workflow and rng.random() < 0.8 else "6fa05caf",
        )


def payment(
    source: str, at: int, rng: Random, place: int, gateway: str, request: str, session_id: str, manifest: str
) -> Draft:
    """A `create_new_payment`; one without a recipient shares no sessionID."""
    owner = place if rng.random() < 0.9 else (place + 1) % len(WALLETS)
    known = rng.random() < 0.9
    data = {
        "orchestrator": URIS[place] if rng.random() < 0.9 else "",
        "recipient": WALLETS[owner] if known else "",
        "sender": rng.choice((SENDERS[0], SENDERS[0], SENDERS[1], "")),
        "faceValue": rng.choice(("2402400000000000 WEI", "0.012 ETH", "1000000000000001", 999, "", "0.5 eth")),
        "winProb": rng.choice(("0.0010000000", "0.5", 1, "", "0.0009995836")),
        "numTickets": rng.choice(("1", "2", 3, "")),
        "price": "1646.821 wei/pixel",
        "requestID": request,
        "sessionID": session_id if known else "",
        "manifestID": manifest,
    }
    return Draft(source, {"type": "create_new_payment", "timestamp": str(at), "gateway": gateway, "data": data})


def snapshot(source: str, at: int, rows: list[tuple[int, int, list[tuple[str, list[int]]], str]]) -> Draft:
    """A `network_capabilities` of several rows."""
    data = [
        {
            "orch_uri": URIS[uri] + ("/" if form == "list" else ""),
            "address": WALLETS[wallet],
            "local_address": NODE_KEYS[uri % len(NODE_KEYS)],
            "hardware": [hardware(workflow, gpus, form) for workflow, gpus in offered] or None,
        }
        for uri, wallet, offered, form in rows
    ]
    return Draft(source, {"type": "network_capabilities", "timestamp": str(at), "gateway": "", "data": data})


def hardware(workflow: str, gpus: list[int], form: str) -> dict[str, Any]:
    """One model with its GPUs as a map or a list; none: null."""
    found = [{"id": GPUS[gpu][0], "name": GPUS[gpu][1], "memory_total": 24 * 2**30} for gpu in gpus]
    shown: Any = found if form == "list" else {str(i): gpu for i, gpu in enumerate(found)}
    return {"pipeline": "live-video-to-video", "model_id": workflow, "gpu_info": shown or None}


def stake(source: str, at: int, wallet: str, lpt: Any, named: bool) -> Draft:
    """An `orchestrator_stake`."""
    event = {"type": "orchestrator_stake", "timestamp": str(at), "data": {"address": wallet, "lpt": lpt}}
    return Draft(source, event | ({"id": f"stake/{wallet.lower()}/{at}"} if named else {}), fixed_form=True)


NOBODY = Life("", "a", "", "", T0, [0, 1, 2], WORKFLOWS[0], "gw-1", [], 1_000, "", 0, "", False, 1)
ODDITIES = (
    "job",
    "discovery",
    "unknown",
    "unknown trace",
    "lone status",
    "lone v1",
    "payment",
    "lone error",
    "null snapshot",
)


def oddity(kind: str, source: str, at: int, place: int, seed: int) -> Draft:
    """One event without a session."""
    rng, life = (
        Random(seed),
        Life(**{**vars(NOBODY), "source": source, "seed": seed, "workflow": ("", *WORKFLOWS)[seed % 3]}),
    )
    if kind == "payment":
        request = rng.choice(("r1", "r9", ""))
        return payment(source, at, rng, place, rng.choice(("gw-1", "")), request, rng.choice(("m1", "")), "35_model-y")
    if kind == "lone status":
        return status(life, at, place if seed % 4 else place + 10, rng.choice((0, 12.5)), rng)
    if kind == "lone v1":
        lone = v1(life, "runner.metrics.sample", at, place, fps=rng.choice((0, 18)), gpu_id=rng.choice(("GPU-1", "")))
        lone.event["ids"] |= {"request_id": "", "trace_id": ""}
        return lone
    if kind == "lone error":
        return error(life, at, "something broke")
    if kind == "unknown trace":
        return trace(Life(**{**vars(life), "stream": "s1", "request": "r1"}), at, "app_start", place)
    bodies: dict[str, tuple[str, Any]] = {
        "job": (
            rng.choice(("ai_batch_request", "ai_llm_request", "job_gateway")),
            {"request_id": "r1", "type": "completed"},
        ),
        "discovery": ("discovery_results", [{"address": NODE_KEYS[0], "url": URIS[place], "latency_ms": "62"}]),
        "unknown": ("something_new", {"stream_id": "s1", "request_id": "r1"}),
        "null snapshot": ("network_capabilities", None),
    }
    name, data = bodies[kind]
    return Draft(source, {"type": name, "timestamp": str(at), "gateway": "gw-1", "data": data})


# ---- wandering forms -----------------------------------------------------------------------------


def wander(event: dict[str, Any], rng: Random) -> None:
    """Other ways to write the same: times, numbers, cases, blanks."""
    for name in ("timestamp", "timestamp_ms"):
        if str(event.get(name)).isdigit() and rng.random() < 0.4:
            event[name] = another_time(int(event[name]), rng)
    body = event.get("data", event.get("payload"))
    if not isinstance(body, dict):
        return
    if isinstance(body.get("timestamp"), int) and rng.random() < 0.3:
        body["timestamp"] = another_time(body["timestamp"], rng)
    if rng.random() < 0.2:
        strings(body, rng)
    where = body.get("orchestrator_info")
    if isinstance(where, dict) and where.get("url") and rng.random() < 0.2:
        where["url"] = rng.choice((where["url"].upper(), where["url"] + "/", f" {where['url']} "))
    if isinstance(where, dict) and not where.get("url") and not where.get("address") and rng.random() < 0.3:
        body["orchestrator_info"] = None
    if body.get("recipient") and rng.random() < 0.3:
        body["recipient"] = "0x" + body["recipient"][2:].upper()


def another_time(at: int, rng: Random) -> Any:
    """The same instant as an integer, a string, with a fraction that is cut off, RFC 3339, or in seconds."""
    forms = [at, str(at), f"{at}.7", at + 0.25, rfc3339(at)]
    return rng.choice([*forms, at // 1000] if at % 1000 == 0 else forms)


def strings(value: dict[str, Any], rng: Random) -> None:
    """Numbers as strings, zeros as floats, nulls as blanks."""
    for name, said in value.items():
        if isinstance(said, dict):
            strings(said, rng)
        elif isinstance(said, bool) or name in ("timestamp", "last_restart_time"):
            continue
        elif isinstance(said, int | float):
            value[name] = rng.choice((str(said), f" {said}", said))
        elif said is None and name in ("fps", "rx_bytes", "BytesSent", "restart_count"):
            value[name] = rng.choice(("", " "))


def rfc3339(at: int) -> str:
    """Milliseconds as RFC 3339."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
