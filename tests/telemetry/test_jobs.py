"""Jobs, worked out by hand: what their events count for, and when a late claim changes it."""

import asyncio
import json
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest

from backends.backend import SessionQuestion, StreamQuestion
from backends.memory import MemoryStore
from telemetry.loader import Loader
from tests.laws.compare import jobs, loaded, metrics
from tests.reference.oracle import Oracle

T = 1_772_445_600_000  # Monday 2026-03-02 10:00 UTC
NOW = datetime(2026, 3, 6, tzinfo=UTC)
A, B = "0x" + "a" * 40, "0x" + "b" * 40
ONE, TWO = "https://one.example:8935", "https://two.example:8935"


def event(seconds: float, kind: str, data: Any, **more: Any) -> dict[str, Any]:
    """An event some seconds after ten o'clock."""
    return {"type": kind, "timestamp": str(T + round(seconds * 1000)), "gateway": "gw", "data": data, **more}


def batch(seconds: float, subtype: str, request: str = "j", **data: Any) -> dict[str, Any]:
    """An event of a batch job."""
    body = {"type": f"ai_batch_request_{subtype}", "request_id": request, "pipeline": "text-to-image", **data}
    return event(seconds, "ai_batch_request", body)


def container(seconds: float, subtype: str, attempt: int, uri: str, request: str = "j", **data: Any) -> dict[str, Any]:
    """An event of a container job."""
    body = {"type": f"job_gateway_{subtype}", "request_id": request, "attempt_index": attempt, "capability": "voice"}
    return event(seconds, "job_gateway", body | {"orchestrator_info": {"address": "", "url": uri}} | data)


def language(seconds: float, uri: str, request: str = "j", **data: Any) -> dict[str, Any]:
    """A language model's record."""
    body = {"type": "llm_stream_completed", "request_id": request, "model": "llama", "orch_url": uri, **data}
    return event(seconds, "ai_llm_request", body)


def claim(seconds: float, uri: str, wallet: str) -> dict[str, Any]:
    """A payment's claim that a URI belongs to a wallet."""
    return event(seconds, "create_new_payment", {"orchestrator": uri, "recipient": wallet, "numTickets": "1"})


def store_of(*events: dict[str, Any]) -> MemoryStore:
    """A store with these events."""
    return loaded([("default", json.dumps(one).encode()) for one in events], NOW)


def told(*events: dict[str, Any], **where: str) -> dict[str, Any]:
    """What is told of the jobs of these events; the reference must say the same."""
    ours = jobs(store_of(*events), 0, 2**42, where)
    oracle = Oracle([("default", json.dumps(one).encode()) for one in events], now=NOW)
    theirs = oracle.jobs(0, 2**42, **where)
    assert {name: ours[name] for name in ("jobs", "succeeded", "failed", "tries", "tokens", "byKind")} == {
        name: theirs[name] for name in ("jobs", "succeeded", "failed", "tries", "tokens", "byKind")
    }
    return ours


def test_a_batch_job_is_its_request_and_its_completion() -> None:
    found = told(
        batch(0, "received", model_id="sdxl"),
        batch(4, "completed", success=True, tries=2, duration_ms=4000, orch_url=ONE + "/"),
        claim(9, ONE, A),
        orchestrator=A,
        workflow="sdxl",
    )

    assert (found["jobs"], found["succeeded"], found["failed"], found["tries"]) == (1, 1, 0, 2)
    assert found["successRatePct"] == {"value": 100, "samples": 1}
    assert (found["durationMs"]["value"], found["durationMs"]["samples"]) == (4000, 1)
    assert found["byKind"] == {"BATCH": 1, "LLM": 0, "BYOC": 0}


def test_it_belongs_to_the_bucket_of_its_first_event() -> None:
    store = store_of(batch(0, "received"), batch(4000, "completed", success=True, duration_ms=4_000_000))

    assert jobs(store, T, T + 1, {})["succeeded"] == 1
    assert jobs(store, T + 1, 2**42, {})["jobs"] == 0


def test_an_attempt_that_another_made_good_is_held_against_nobody() -> None:
    feed = (
        claim(-9, ONE, A),
        claim(-9, TWO, B),
        container(0, "submitted", 0, ONE),
        container(1, "completed", 0, ONE, success=False, duration_ms=900, error="503"),
        container(1, "submitted", 1, TWO),
        container(3, "completed", 1, TWO, success=True, duration_ms=2000),
    )

    assert told(*feed, orchestrator=A)["jobs"] == 0
    good = told(*feed, orchestrator=B)
    assert (good["jobs"], good["succeeded"], good["failed"], good["tries"]) == (1, 1, 0, 2)
    assert good["durationMs"]["max"] == 2000


def test_where_all_attempts_fail_the_last_one_counts() -> None:
    feed = (
        claim(-9, ONE, A),
        claim(-9, TWO, B),
        container(1, "completed", 0, ONE, success=False),
        container(3, "completed", 1, TWO, success=False),
    )

    assert told(*feed, orchestrator=A)["jobs"] == 0
    assert told(*feed, orchestrator=B)["failed"] == 1


def test_a_job_without_an_end_is_neither_good_nor_bad() -> None:
    found = told(claim(0, ONE, A), container(0, "submitted", 0, ONE), orchestrator=A)

    assert (found["jobs"], found["succeeded"], found["failed"], found["tries"]) == (1, 0, 0, 0)
    assert found["successRatePct"] == {"value": None, "samples": 0}


def test_where_no_orchestrator_was_available_none_is_blamed() -> None:
    feed = (claim(0, ONE, A), batch(0, "received"), batch(4, "completed", success=False, tries=1, orch_url=""))

    assert told(*feed)["failed"] == 1
    assert told(*feed, orchestrator=A)["jobs"] == 0


def test_a_language_model_and_its_batch_record_are_one_job() -> None:
    found = told(
        claim(0, ONE, A),
        batch(0, "received", pipeline="llm", model_id="llama"),
        language(2.5, ONE, prompt_tokens=120, completion_tokens=200, ttft_ms=180, tokens_per_second=80.0),
        batch(3, "completed", pipeline="llm", success=True, tries=1, duration_ms=2500, orch_url=ONE),
        orchestrator=A,
    )

    assert (found["jobs"], found["succeeded"], found["tokens"]) == (1, 1, 320)
    assert found["byKind"] == {"BATCH": 0, "LLM": 1, "BYOC": 0}
    assert (found["timeToFirstTokenMs"]["value"], found["tokensPerSecond"]["value"]) == (180, 80)
    assert found["durationMs"]["samples"] == 1


def test_a_language_models_record_alone_tells_no_success() -> None:
    found = told(language(2.5, ONE, total_tokens=7, ttft_ms=0, total_duration_ms=700, error="broken"))

    assert (found["jobs"], found["succeeded"], found["failed"], found["tokens"]) == (1, 0, 0, 7)
    assert found["timeToFirstTokenMs"]["samples"] == 0
    assert found["durationMs"]["value"] == 700


def test_what_a_model_wrote_counts_for_whom_its_record_names() -> None:
    feed = (
        claim(0, ONE, A),
        claim(0, TWO, B),
        language(1, ONE, total_tokens=9),
        batch(3, "completed", pipeline="llm", success=True, orch_url=TWO),
    )

    assert (told(*feed, orchestrator=A)["tokens"], told(*feed, orchestrator=A)["jobs"]) == (9, 0)
    assert (told(*feed, orchestrator=B)["tokens"], told(*feed, orchestrator=B)["jobs"]) == (0, 1)


def test_without_a_request_id_a_completion_is_a_job_of_its_own() -> None:
    feed = (
        container(0, "submitted", 0, ONE, ""),
        container(1, "completed", 0, ONE, "", success=True),
        container(2, "completed", 0, ONE, "", success=False),
        language(2, ONE, ""),
    )

    found = told(*feed)
    assert (found["jobs"], found["succeeded"], found["failed"]) == (2, 1, 1)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_late_claim_changes_the_job_in_any_order(order: tuple[int, ...]) -> None:
    feed = [claim(-1, ONE, A), claim(-60, ONE, B), batch(0, "completed", success=True, orch_url=ONE)]

    assert jobs(store_of(*(feed[index] for index in order)), 0, 2**42, {"orchestrator": A})["jobs"] == 1


def test_a_job_is_no_session_whatever_its_request_id() -> None:
    store = store_of(
        batch(0, "completed", "r", success=True, orch_url=ONE),
        event(1, "create_new_payment", {"orchestrator": ONE, "recipient": A, "requestID": "r", "sender": B}),
    )
    told = metrics(store, 0, 2**42, {})

    assert (told["sessions"], told["streams"], told["unresolvedSessions"]) == (0, 0, 0)
    assert asyncio.run(store.sessions(SessionQuestion())) == []
    assert asyncio.run(store.streams(StreamQuestion(SessionQuestion()))) == []
    assert asyncio.run(store.stream_count(SessionQuestion())) == 0
    # The payment joins nothing: the job's gateway is its own envelope's.
    assert jobs(store, 0, 2**42, {"gateway": B})["jobs"] == 1  # by the one sender under that name
    assert {s.traits[1] for found in store.sightings.values() for s in found if s.key == "job"} == {None}


def test_a_crash_before_deriving_loses_no_job() -> None:
    feed = [batch(0, "received"), batch(4, "completed", success=True, orch_url=ONE), claim(9, ONE, A)]
    store = MemoryStore()
    for one in feed:
        Loader(store, lambda: NOW).load("default", [json.dumps(one).encode()])
        Loader(store, lambda: NOW).recover()

    assert jobs(store, 0, 2**42, {"orchestrator": A}) == jobs(store_of(*feed), 0, 2**42, {"orchestrator": A})
    assert jobs(store, 0, 2**42, {"orchestrator": A})["succeeded"] == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"duration_ms": -1},
        {"duration_ms": 32 * 86_400_000},
        {"tries": "many"},
        {"tries": 2**60},
        {"duration_ms": "NaN"},
    ],
)
def test_an_impossible_number_rejects_the_event(changed: dict[str, Any]) -> None:
    assert told(batch(0, "completed", success=True, **changed))["jobs"] == 0
