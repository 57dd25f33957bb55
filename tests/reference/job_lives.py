"""The events of made-up jobs, as they would come over the wire, for `strategies.py`."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.reference.lives import NODE_KEYS, URIS, WORKFLOWS, Draft, info

MODELS = ("sdxl", "llama", *WORKFLOWS, "")


@dataclass(frozen=True)
class Job:
    """The plan of one job."""

    kind: str
    source: str
    request: str
    start: int
    uris: list[int]
    attempts: int
    success: list[Any]
    gateway: str
    synthetic: bool
    seed: int


def job_events(job: Job) -> list[Draft]:
    """Every event of a job; now and then one is missing."""
    rng = Random(job.seed)
    return [draft for draft in KINDS[job.kind](job, rng) if rng.random() < 0.85]


def message(job: Job, kind: str, at: int, data: dict[str, Any]) -> Draft:
    """The Kafka message of a job."""
    body = {"request_id": job.request, "timestamp": at, **data, **({"synthetic": True} if job.synthetic else {})}
    return Draft(job.source, {"type": kind, "timestamp": str(at), "gateway": job.gateway, "data": body})


def batch(job: Job, rng: Random, pipeline: str = "text-to-image") -> Iterator[Draft]:
    """Received, then completed, perhaps more than once."""
    what = {"pipeline": pipeline, "model_id": rng.choice(MODELS)}
    yield message(job, "ai_batch_request", job.start, {"type": "ai_batch_request_received", **what, "orchestrator": ""})
    for number in range(job.attempts):
        took = rng.choice((0, 900, 2_500, 1_234.5678, None, ""))
        done = {
            "type": "ai_batch_request_completed",
            **what,
            "success": job.success[number],
            "tries": rng.choice((1, 2, "3", None, 1.9)),
            "duration_ms": took,
            "orch_url": rng.choice((URIS[job.uris[number]], URIS[job.uris[number]] + "/", "")),
        }
        yield message(job, "ai_batch_request", job.start + rng.choice((0, 900, 61_000, 3_600_000)), done)


def language(job: Job, rng: Random) -> Iterator[Draft]:
    """A batch job with records of a language model, which may name somebody else."""
    yield from batch(job, rng, rng.choice(("llm", "LLM", "")))
    for number in range(job.attempts):
        where = {"orch_url": rng.choice((URIS[job.uris[number]], URIS[job.uris[-1]], ""))}
        at = job.start + rng.choice((-1, 0, 900, 61_000))
        yield message(job, "ai_llm_request", at, {"type": "llm_request_started", "model": "llama", **where})
        record = {
            "type": rng.choice(("llm_request_completed", "llm_stream_completed")),
            "model": rng.choice(MODELS),
            "prompt_tokens": rng.choice((20, None)),
            "completion_tokens": rng.choice((30, 0, None)),
            "total_tokens": rng.choice((50, 0, "", None)),
            "total_duration_ms": rng.choice((700, None)),
            "tokens_per_second": rng.choice((80.0, 0, 12.345678912345, None)),
            "ttft_ms": rng.choice((180, 0, 60.5, None)),
            **where,
        }
        yield message(job, "ai_llm_request", at + rng.choice((1, 900)), record)


def container(job: Job, rng: Random) -> Iterator[Draft]:
    """Submitted and completed, attempt by attempt."""
    for number in range(job.attempts):
        who: dict[str, Any] = info(job.uris[number] + (10 if rng.random() < 0.1 else 0))
        if rng.random() < 0.1:
            who = {"orchestrator_info": {"address": NODE_KEYS[0], "url": None}, "orch_url": " "}
        what = {"capability": rng.choice(MODELS), "attempt_index": rng.choice((number, number, 0, None)), **who}
        at = job.start + number * rng.choice((5, 61_000))
        yield message(job, "job_gateway", at, {"type": "job_gateway_submitted", **what})
        done = {"success": job.success[number], "duration_ms": rng.choice((300, 2_000, None)), "error": None}
        yield message(job, "job_gateway", at + rng.choice((0, 300)), {"type": "job_gateway_completed", **what, **done})


KINDS = {"batch": batch, "language": language, "container": container}
