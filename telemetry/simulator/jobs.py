"""Batch, LLM and bring-your-own-container jobs: few, with the fields that go-livepeer's gateway writes.

A job that runs on a language model has both a batch and an LLM record under one request id.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

from telemetry.simulator import wire
from telemetry.simulator.chance import Names, chance, poisson, uuid_of
from telemetry.simulator.options import Options
from telemetry.simulator.settling import Settlement
from telemetry.simulator.tally import FPS, MILLISECONDS, Tally
from telemetry.simulator.world import HOUR_MS, Place, World

JOBS_PER_HOUR = 0.12
BATCH_MODELS = (("text-to-image", "sdxl-lightning"), ("image-to-image", "sd-turbo"), ("upscale", "x4-upscaler"))
LLM_MODELS = ("llama-3.1-8b-instruct", "qwen2.5-7b-instruct")
CAPABILITIES = ("voice-clone", "image-caption")
FAILURES = ("orchestrator returned 503", "timeout waiting for response", "insufficient balance")

Event = tuple[int, bytes]


@dataclass(frozen=True, slots=True)
class Seen:
    """What one event of a job tells about the network, and about its orchestrator."""

    network: Tally = field(default_factory=Tally)
    orchestrator: Tally = field(default_factory=Tally)


class Jobs:
    """Starts jobs and keeps their later events until their time comes."""

    def __init__(self, options: Options, world: World, settlement: Settlement) -> None:
        self._rng = chance(options.seed, "jobs")
        self._names = Names(options.seed, "job")
        self._world, self._settlement = world, settlement
        self._per_hour = options.orchestrators * JOBS_PER_HOUR
        self._later: list[tuple[int, bytes, Place, Seen]] = []

    def emit(self, start_ms: int, until_ms: int) -> list[Event]:
        """The job events of [start, until). What a job's events say counts when they are written."""
        for _ in range(poisson(self._rng, self._per_hour * (until_ms - start_ms) / HOUR_MS)):
            self._begin(self._rng.randrange(start_ms, until_ms))
        due = [job for job in self._later if job[0] < until_ms]
        self._later = [job for job in self._later if job[0] >= until_ms]
        for _, _, place, seen in due:
            self._settlement.network.merge(seen.network)
            self._settlement.orchestrators.setdefault(place.key, Tally()).merge(seen.orchestrator)
        return [(at_ms, line) for at_ms, line, _, _ in due]

    def _begin(self, at_ms: int) -> None:
        rng = self._rng
        kind = rng.choice((self._batch, self._language, self._container))
        place = rng.choice(self._world.places)
        kind(at_ms, place, self._names.take(), rng.random() > 0.06, rng)

    def _add(self, at_ms: int, kind: str, data: dict[str, object], place: Place, seen: Seen) -> None:
        event_id = uuid_of(self._rng.getrandbits(128))
        name = self._world.gateways[int(data["request_id"][0], 16) % 5].name  # type: ignore[index]
        self._later.append((at_ms, wire.envelope(wire.quoted(data), event_id, kind, name, at_ms), place, seen))

    def _batch(self, at_ms: int, place: Place, request: str, good: bool, rng: Random) -> None:
        pipeline, model = rng.choice(BATCH_MODELS)
        self._batch_pair(at_ms, place, request, good, rng.randint(900, 14_000), (pipeline, model), rng)

    def _batch_pair(
        self,
        at_ms: int,
        place: Place,
        request: str,
        good: bool,
        duration_ms: int,
        what: tuple[str, str],
        rng: Random,
        tokens: int = 0,
    ) -> None:
        """The two events that every job but a container's has."""
        pipeline, model = what
        tries, end_ms = 1 + int(rng.random() < 0.1), at_ms + duration_ms
        received: dict[str, object] = {
            "type": "ai_batch_request_received",
            "timestamp": at_ms,
            "request_id": request,
            "pipeline": pipeline,
            "model_id": model,
            "client_ip": "",
            "orchestrator": "",
        }
        completed: dict[str, object] = {
            "type": "ai_batch_request_completed",
            "timestamp": end_ms,
            "request_id": request,
            "pipeline": pipeline,
            "model_id": model,
            "success": good,
            "tries": tries,
            "duration_ms": duration_ms,
            "orch_url": place.uri,
            "latency_score": round(rng.uniform(0.3, 2.5), 4),
            "price_per_unit": 0.0001,
            "error_type": "" if good else "orchestrator_error",
            "error": "" if good else rng.choice(FAILURES),
        }
        kind = "LLM" if pipeline == "llm" else "BATCH"
        done = _done(kind, good, duration_ms, tries, tokens, named=False)
        self._add(at_ms, "ai_batch_request", received, place, Seen(_asked(kind)))
        self._add(end_ms, "ai_batch_request", completed, place, done)

    def _language(self, at_ms: int, place: Place, request: str, good: bool, rng: Random) -> None:
        model, asked, streaming = rng.choice(LLM_MODELS), rng.randint(20, 900), rng.random() < 0.7
        written = rng.randint(16, 512) if good else 0
        duration_ms = 200 + written * rng.randint(9, 30)
        self._batch_pair(at_ms, place, request, good, duration_ms, ("llm", model), rng, asked + written)
        data: dict[str, object] = {
            "type": "llm_stream_completed" if streaming else "llm_request_completed",
            "timestamp": at_ms + duration_ms,
            "request_id": request,
            "model": model,
            "completion_id": f"cmpl-{request}",
            "orch_url": place.uri,
            "prompt_tokens": asked,
            "completion_tokens": written,
            "total_tokens": asked + written,
            "max_tokens_requested": 512,
            "token_utilization": round(written / 512, 4),
            "finish_reason": "stop" if good else "error",
            "total_duration_ms": duration_ms,
            "tokens_per_second": round(1000 * written / duration_ms, 3),
            "latency_score": round(rng.uniform(0.3, 2.5), 4),
            "price_per_unit": 0.0001,
        }
        if streaming:
            data |= {"ttft_ms": rng.randint(60, 190), "error": "" if good else rng.choice(FAILURES)}
        self._add(at_ms + duration_ms, "ai_llm_request", data, place, _measured(data))

    def _container(self, at_ms: int, place: Place, request: str, good: bool, rng: Random) -> None:
        capability, duration_ms = rng.choice(CAPABILITIES), rng.randint(300, 20_000)
        who = {"address": place.node_key.lower(), "url": place.uri}
        submitted: dict[str, object] = {
            "type": "job_gateway_submitted",
            "request_id": request,
            "attempt_index": 0,
            "capability": capability,
            "orchestrator_info": who,
        }
        completed: dict[str, object] = {
            "type": "job_gateway_completed",
            "request_id": request,
            "attempt_index": 0,
            "capability": capability,
            "success": good,
            "error": None if good else rng.choice(FAILURES),
            "duration_ms": duration_ms,
            "completed_at": at_ms + duration_ms,
            **({"http_status": 200} if good else {}),
            "orchestrator_info": who,
        }
        done = _done("BYOC", good, duration_ms, 1, 0, named=True)
        self._add(at_ms, "job_gateway", submitted, place, Seen(_asked("BYOC"), _asked("BYOC")))
        self._add(at_ms + duration_ms, "job_gateway", completed, place, done)


def _asked(kind: str) -> Tally:
    """What the first event of a job adds."""
    tally = Tally()
    tally.add("jobsRequested")
    tally.add(f"jobKind:{kind}")
    return tally


def _done(kind: str, good: bool, duration_ms: int, tries: int, tokens: int, named: bool) -> Seen:
    """What the completion of a job adds. Where no earlier event named the orchestrator, it learns of the job now."""
    both = []
    for _ in range(2):
        tally = Tally()
        tally.add("jobsCompleted")
        tally.add("jobsSucceeded", int(good))
        tally.add("jobTries", tries)
        tally.add("jobTokens", tokens)
        tally.measure("jobDurationMs", duration_ms * 1_000)
        both.append(tally)
    if not named:
        both[1].merge(_asked(kind))
    return Seen(both[0], both[1])


def _measured(data: dict[str, object]) -> Seen:
    """What a language model's record adds beside the completion, which counts its tokens."""
    tally = Tally()
    tally.measure("jobTokensPerSecond", int(Decimal(str(data["tokens_per_second"])) * FPS))
    if "ttft_ms" in data:
        tally.measure("jobTimeToFirstTokenMs", int(str(data["ttft_ms"])) * MILLISECONDS)
    return Seen(tally, tally)
