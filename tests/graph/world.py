"""A small network to ask questions of, worked out by hand, and ways to ask."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from backends.backend import LoggedEvent, SessionRecord, StreamQuestion, StreamRecord
from backends.log import StoredSession
from backends.memory import MemoryStore
from gateway.inside import within
from gateway.timeline import entry
from graph.schema import build_schema
from metrics.dimension import DIMENSIONS
from metrics.fact import Fact
from metrics.sighting import TRAITS, Sighting
from resolvers.context import Context, Limits
from tests.canaries.planted import ANYBODY
from tests.canaries.planting import plant, salted

NOW = datetime(2026, 1, 9, 14, 0, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
HOUR_MS = 3_600_000
ALICE = "0x" + "a1" * 20
BOB = "0x" + "b0" * 20
CAROL = "0x" + "c0" * 20
WALLET = "0x" + "99" * 20


def fact(owner: str, at_ms: int, values: Mapping[str, int], **dims: str | None) -> Fact:
    """A fact; dimensions that are not given are unknown."""
    told = {"source": "default", "synthetic": "false", **dims}
    return Fact(owner, f"{at_ms}/{sorted(values)}", at_ms, tuple(told.get(one.value) for one in DIMENSIONS), values)


def sighting(owner: str, first_ms: int, last_ms: int, **traits: str | None) -> Sighting:
    """A sighting; traits that are not given are not said."""
    told = {"source": "default", **traits}
    return Sighting(owner, "leg/0", first_ms, last_ms, tuple(told.get(one.value) for one in TRAITS))


def session(stream_id: str, request_id: str, requested_ms: int, **changed: Any) -> SessionRecord:
    """A served session, changed as given."""
    fields: dict[str, Any] = {
        "owner": f"default/{stream_id}/{request_id}",
        "source": "default",
        "stream_id": stream_id,
        "request_id": request_id,
        "requested_ms": requested_ms,
        "last_ms": requested_ms + 60_000,
        "ended": True,
        "outcome": "SERVED",
        "orchestrator": ALICE,
        "gpu": "GPU-1",
        "gpu_model": "RTX 4090",
        "gpu_attribution": "EXACT",
        "workflow": "sdxl",
        "gateway": WALLET,
        "region": "fra",
        "synthetic": False,
        "prompt_to_first_frame_us": 3_000_000,
        "prompt_to_playable_us": None,
        "e2e_latency_us": None,
        "swaps": 0,
        "errors": 0,
        "wallets": {"https://a:1": ALICE},
        "sums": {
            "output_fps_n": 2,
            "output_fps_sum": 40_000_000_000,
            "output_fps_sumsq": 800 * 10**18,
            "output_fps_min": 20_000_000_000,
            "output_fps_max": 20_000_000_000,
            "output_fps_hist": {},
        },
        **changed,
    }
    return SessionRecord(**fields)


class CountingStore(MemoryStore):
    """The in-memory store, counting how often it is asked, and failing where told to."""

    def __init__(self) -> None:
        super().__init__()
        plant(self)
        self.calls: Counter[str] = Counter()
        self.asked: list[Any] = []
        self.fail: dict[str, Exception] = {}
        self.latest_ms: int | None = NOW_MS - 60_000
        self.logged: list[LoggedEvent] = []

    def _count(self, name: str, question: Any = None) -> None:
        self.calls[name] += 1
        self.asked.append(question)
        if name in self.fail:
            raise self.fail[name]

    async def holds(self) -> Any:
        self._count("holds")
        sources = {} if self.latest_ms is None else {"default": (0, self.latest_ms)}
        return SimpleNamespace(sources=sources, pending=0, version=1, latest_ms=self.latest_ms)

    async def rows(self, question: Any) -> Any:
        self._count("rows", question)
        return await super().rows(question)

    async def seen(self, question: Any) -> Any:
        self._count("seen", question)
        return await super().seen(question)

    async def stakes(self, question: Any) -> Any:
        self._count("stakes", question)
        return await super().stakes(question)

    async def evidence(self, question: Any) -> Any:
        self._count("evidence", question)
        return await super().evidence(question)

    async def sessions(self, question: Any) -> Any:
        self._count("sessions", question)
        return await super().sessions(question)

    async def streams(self, question: StreamQuestion) -> Sequence[StreamRecord]:
        self._count("streams", question)
        return await super().streams(question)

    async def stream_count(self, question: Any) -> int:
        self._count("stream_count", question)
        return await super().stream_count(question)

    async def events(self, owners: Any) -> Sequence[LoggedEvent]:
        self._count("events", owners)
        wanted = set(owners)
        return [event for event in self.logged if event.owner in wanted]

    def add(self, *things: Fact | Sighting | SessionRecord) -> None:
        """Keep facts, sightings and sessions."""
        for thing in things:
            if isinstance(thing, Fact):
                self.facts.setdefault(thing.owner, []).append(thing)
            elif isinstance(thing, Sighting):
                self.sightings.setdefault(thing.owner, []).append(thing)
            else:
                self.stored[thing.owner] = StoredSession(
                    thing, thing.requested_ms, False, "", "", "", False, (), (), (), (), b""
                )


SCHEMA = build_schema()


@dataclass
class Answer:
    """What a query was answered."""

    data: Any
    errors: list[dict[str, Any]] = field(default_factory=list)

    @property
    def codes(self) -> list[str]:
        """The code of each error."""
        return [error["extensions"]["code"] for error in self.errors]


def logged(id: str, at_ms: int, kind: str, **data: Any) -> LoggedEvent:
    """An event of the session r1 of s1, with canaries in it."""
    named = {"address": ANYBODY["key"].text, "url": "https://a:1"}
    ids = {"stream_id": "s1", "request_id": "r1", "timestamp": at_ms}
    event = {"id": id, "type": kind, "timestamp": str(at_ms), "data": {"orchestrator_info": named, **ids, **data}}
    return LoggedEvent("default/s1/r1", "default", id, at_ms, salted(json.dumps(event).encode()))


def context(store: CountingStore, limits: Limits | None = None) -> Context:
    """A request at NOW."""
    return Context(store, NOW, entry, "test", {"fra": "Frankfurt"}, limits or Limits(), insides=within)


async def ask(store: CountingStore, query: str, **variables: Any) -> Answer:
    """The answer to a query."""
    result: Any = await SCHEMA.execute(query, variable_values=variables or None, context_value=context(store))
    return Answer(result.data, [error.formatted for error in result.errors or []])


def small_network() -> CountingStore:
    """Three orchestrators; GPU-1 serves Alice and Bob, GPU-2 only Bob; Carol was seen and did nothing."""
    store = CountingStore()
    at = NOW_MS - 30 * 60_000
    fra = {"workflow": "sdxl", "gateway": WALLET, "region": "fra"}
    alice = {"orchestrator": ALICE, "gpu": "GPU-1", "gpu_model": "RTX 4090", **fra}
    bob = {"orchestrator": BOB, "gpu": "GPU-1", "gpu_model": "RTX 4090", **fra}
    bob2 = {
        "orchestrator": BOB,
        "gpu": "GPU-2",
        "gpu_model": "A100",
        "workflow": "flux",
        "gateway": "gw",
        "region": "nyc",
    }
    store.add(
        fact("a", at, {"sessions": 1, "streams": 1, "served": 1, "stays": 1}, **alice),
        fact("a", at + 1, {"output_fps": 20_000_000_000, "samples": 1}, **alice),
        fact("a", at + 2, {"output_fps": 10_000_000_000, "samples": 1}, **alice),
        fact(
            "b",
            at,
            {"sessions": 1, "streams": 1, "startup_failed": 1, "stays": 1, "swaps": 1, "swaps_timeout": 1},
            **bob,
        ),
        fact("b", at + 5, {"output_fps": 30_000_000_000, "samples": 1}, **bob),
        fact("c", at - 40 * 60_000, {"sessions": 1, "streams": 1, "served": 1, "stays": 1}, **bob2),
        fact("c", at - 40 * 60_000, {"inference_ms": 60_000}, **bob2),
        fact("c", at - 39 * 60_000, {"tickets": 10, "fees_wei": 24000000086328, "face_value_wei": 10**20}, **bob2),
        sighting("a", at, at + 10, node_version="0.8.7", service_uri="https://a:1", **alice),
        sighting(
            "a2", at, at + 20, node_version="0.8.8", service_uri="https://a:2", orchestrator=ALICE, vram_bytes="1"
        ),
        sighting("b", at, at + 10, gateway_name="gw-one", vram_bytes="25769803776", pipeline="live", **bob),
        sighting("c", at - 40 * 60_000, at - 39 * 60_000, **bob2),
        sighting("d", 1_000, 2_000, orchestrator=CAROL, region="fra"),
        session("s1", "r1", at),
        session("s1", "r2", at + 120_000, outcome="STARTUP_FAILED", orchestrator=BOB),
        session(
            "s2", "r3", at - 40 * 60_000, workflow="flux", gateway="gw", region="nyc", orchestrator=BOB, gpu="GPU-2"
        ),
        session("s3", "r4", at + 60_000, outcome="UNSERVED", orchestrator=None, gpu=None, gpu_attribution="UNKNOWN"),
    )
    store.logged = [
        logged("e1", at, "stream_trace", type="gateway_receive_stream_request"),
        logged("e2", at + 5, "ai_stream_status", inference_status={}),
    ]
    return store
