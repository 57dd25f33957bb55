"""A network with owners: Alice serves Gail's user, Bob serves Hal's, and in every event is something private."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from auth.caller import ANONYMOUS, Caller, Scope
from backends.memory import MemoryStore
from gateway.inside import within
from gateway.timeline import entry
from graph.schema import build_schema
from resolvers.context import Context
from telemetry.loader import Loader
from telemetry.regions import Regions
from tests.canaries.planted import ALL, Canary, canaries_of, texts
from tests.graph.world import NOW, NOW_MS, Answer

ALICE, BOB = "0x" + "a1" * 20, "0x" + "b0" * 20
GAIL, HAL = "0x" + "9a" * 20, "0x" + "8a" * 20
DELEGATE = "0x" + "de" * 20
WEI = 2_350_000_000_000
AT = NOW_MS - 50 * 60_000  # when sessions begin: 13:10
OF_ALICE, OF_BOB = canaries_of(ALICE, GAIL, "alice"), canaries_of(BOB, HAL, "bob")
ALL.extend([*OF_ALICE.values(), *OF_BOB.values()])

EVERY = frozenset(Scope)
# Role → caller, each with every scope; `without` takes them away.
ROLES: dict[str, Caller] = {
    "anonymous": ANONYMOUS,
    "nobody in particular": Caller("a-machine", EVERY),
    "alice": Caller(ALICE, EVERY, orchestrators=frozenset({ALICE})),
    "bob": Caller(BOB, EVERY, orchestrators=frozenset({BOB})),
    "alice's delegate": Caller(DELEGATE, EVERY, orchestrators=frozenset({ALICE})),
    "gail": Caller(GAIL, EVERY, gateways=frozenset({GAIL})),
    "hal": Caller(HAL, EVERY, gateways=frozenset({HAL})),
    # A wallet that is called like a gateway and is logged in as an orchestrator reads nothing of the gateway's.
    "gail as an orchestrator": Caller(GAIL, EVERY, orchestrators=frozenset({GAIL})),
    "operator": Caller("ops", EVERY, operator=True),
}


def without(caller: Caller, *scopes: Scope) -> Caller:
    """The caller with these scopes taken away; with all of them where none is named."""
    kept = EVERY - set(scopes) if scopes else frozenset[Scope]()
    return Caller(caller.subject, caller.scopes & kept, caller.orchestrators, caller.gateways, caller.operator)


class Counted(MemoryStore):
    """The in-memory store, counting reads."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()

    def __getattribute__(self, name: str) -> Any:
        if name in READS:
            object.__getattribute__(self, "calls")[name] += 1
        return object.__getattribute__(self, name)


READS = frozenset(
    [
        "holds",
        "rows",
        "seen",
        "evidence",
        "sessions",
        "streams",
        "stream_count",
        "events",
        "stakes",
        "payments",
        "incidents",
        "incident_counts",
        "payment_events",
    ]
)


def network() -> Counted:
    """The network of these owners, loaded from their events."""
    store = Counted()
    loader = Loader(store, lambda: NOW, Regions())
    loader.load("default", events(ALICE, GAIL, "alice", OF_ALICE))
    loader.load("default", events(BOB, HAL, "bob", OF_BOB))
    loader.derive()
    store.calls.clear()
    return store


def events(orchestrator: str, gateway: str, name: str, planted: dict[str, Canary], at: int = AT) -> Iterator[bytes]:
    """One session that is served, restarts once, breaks once, and is paid three times, in two hours."""
    said = texts(planted)
    uri, stream, request = f"https://{name}:1", f"stream-{name}", f"request-{name}"
    info = {"orchestrator_info": {"address": said["key"], "url": uri}}
    ids = {"stream_id": stream, "request_id": request, "pipeline": "sdxl"}
    numbers = iter(range(1000))

    def event(kind: str, at_ms: int, data: Any) -> bytes:
        id = f"{name}-{next(numbers):03}"
        return json.dumps({"id": id, "type": kind, "timestamp": str(at_ms), "gateway": "", "data": data}).encode()

    def trace(seconds: int, subtype: str) -> bytes:
        at_ms = at + seconds * 1000
        return event("stream_trace", at_ms, {**info, **ids, "type": subtype, "timestamp": at_ms})

    def status(seconds: int, restarts: int, **more: Any) -> bytes:
        at_ms = at + seconds * 1000
        params = {"prompt": said["prompt"], "width": 512}
        inference = {"fps": 20.0, "restart_count": restarts, "last_params": params, "last_restart_logs": None, **more}
        data = {**info, **ids, "type": "status", "timestamp": at_ms, "state": "ONLINE", "inference_status": inference}
        return event("ai_stream_status", at_ms, data | {"input_status": {"fps": 24.0}})

    def payment(at_ms: int, request_id: str, tickets: int) -> bytes:
        data = {"orchestrator": uri, "recipient": orchestrator, "sender": gateway, "numTickets": str(tickets)}
        data |= {"faceValue": "2350000000000000 WEI", "winProb": "0.001", "sessionID": f"pay-{name}"}
        data |= {"requestID": request_id, "manifestID": "35_sdxl", "clientIP": said["address"]}
        return event("create_new_payment", at_ms, data)

    gpu = {"id": f"GPU-{name}", "name": "RTX 4090", "memory_total": 2**34}
    hardware = [{"pipeline": "live-video-to-video", "model_id": "sdxl", "gpu_info": {"0": gpu}}]
    offer = {"orch_uri": uri, "address": orchestrator, "local_address": said["key"], "hardware": hardware}
    yield event("network_capabilities", at - 60_000, [offer])
    yield trace(0, "gateway_receive_stream_request")
    yield payment(at + 500, request, 2)
    yield trace(2, "gateway_receive_first_processed_segment")
    first = {"params": {"prompt": f"first {said['prompt']}", "width": 512}, "type": "params_update"}
    yield event("ai_stream_events", at + 3000, {**info, **ids, **first})
    yield status(10, 0)
    yield status(20, 0)
    yield status(30, 1, last_restart_logs=[said["log"], "second line"], last_error=f"before: {said['error']}")
    yield event("ai_stream_events", at + 40_000, {**ids, "type": "error", "message": said["error"]})
    yield payment(at + 45_000, "", 1)
    yield payment(at + 50 * 60_000 - 30_000, "", 1)
    yield payment(at - 40 * 60_000, "", 4)


SCHEMA = build_schema()


def context(store: MemoryStore, caller: Caller) -> Context:
    """A request of this caller at NOW."""
    return Context(store, NOW, entry, "test", {"fra": "Frankfurt"}, caller=caller, insides=within)


async def ask(store: MemoryStore, caller: Caller, query: str, **variables: Any) -> Answer:
    """What the caller is answered."""
    result: Any = await SCHEMA.execute(query, variable_values=variables or None, context_value=context(store, caller))
    return Answer(result.data, [error.formatted for error in result.errors or []])


def messages(answer: Answer) -> Sequence[str]:
    """The messages of its errors."""
    return [error["message"] for error in answer.errors]
