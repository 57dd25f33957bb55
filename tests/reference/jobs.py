"""Jobs: one per request id. (0030)"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from tests.reference import job_wire
from tests.reference.event import Event
from tests.reference.facts import Dimensions, Fact
from tests.reference.identity import Card
from tests.reference.values import mapped, text


def job_facts(events: Iterable[Event], dims: Dimensions) -> Iterator[Fact]:
    """Every fact of one source's jobs."""
    jobs: dict[Any, list[Event]] = defaultdict(list)
    for event in sorted(events, key=lambda e: e.key):
        if job_wire.is_of_job(event.kind, mapped(event.data)):
            # Without a request id a completion is a job of its own. (0030 §2)
            request = text(event.data.get("request_id"))
            jobs[("request", request) if request else ("event", event.id)].append(event)
    for job in jobs.values():
        yield from one_job(job, dims)


def one_job(job: list[Event], dims: Dimensions) -> Iterator[Fact]:
    """The facts of one job, all in the bucket of its first event. (0030 §3)"""
    at, completion = job[0].at, counting(job)
    place = job_wire.place(completion.data) if completion else latest_place(job)
    where = dims_of(job, place, dims)
    success = job_wire.success(completion.data) if completion else None
    yield Fact("job", at, where, (kind_of(job), success))
    duration = None
    if completion:
        duration = completion.numbers["duration"]
        tries = completion.numbers.get("tries")
        if completion.kind == "job_gateway":
            tries = len({event.numbers["attempt"] for event in job if event.kind == "job_gateway"})
        if tries is not None:
            yield Fact("jobTries", at, where, tries)
        if duration is not None:
            yield Fact("durationMs", at, where, duration)
    records = [event for event in job if event.data["type"].strip() in job_wire.RECORDS]
    if not records:
        return
    # The last record, for the orchestrator that it names, else for the job's. (0030 §8)
    numbers, there = records[-1].numbers, dims_of(job, job_wire.place(records[-1].data) or place, dims)
    if numbers["tokens"] is not None:
        yield Fact("jobTokens", at, there, numbers["tokens"])
    # "A time to first token of 0 is none." (0030 §8)
    if numbers["ttft"]:
        yield Fact("timeToFirstTokenMs", at, there, numbers["ttft"])
    if numbers["rate"] is not None:
        yield Fact("tokensPerSecond", at, there, numbers["rate"])
    if duration is None and numbers["duration"] is not None:
        yield Fact("durationMs", at, there, numbers["duration"])


def counting(job: list[Event]) -> Event | None:
    """The last completion with `success` true, else the last with false, else the last. (0030 §5)"""
    completions = [event for event in job if event.data["type"].strip() in job_wire.COMPLETED]
    for wanted in (True, False, None):
        found = [event for event in completions if job_wire.success(event.data) is wanted]
        if found:
            return found[-1]
    return None


def latest_place(job: list[Event]) -> Any:
    """While there is no completion: of the last event that names a place. (0030 §6)"""
    named = [place for event in job if (place := job_wire.place(event.data))]
    return named[-1] if named else None


def kind_of(job: list[Event]) -> str:
    """`LLM`, else `BYOC`, else `BATCH`. (0030 §4)"""
    pipelines = [(text(e.data.get("pipeline")) or "").lower() for e in job if e.kind == "ai_batch_request"]
    if "llm" in pipelines or any(event.kind == "ai_llm_request" for event in job):
        return "LLM"
    return "BYOC" if any(event.kind == "job_gateway" for event in job) else "BATCH"


def dims_of(job: list[Event], place: Any, dims: Dimensions) -> dict[str, Any]:
    """Wallet and GPU as for a session: once per place, at the job's first event that names it. (0030 §6, §10)"""
    book, config = dims.book, dims.config
    named = [event.at for event in job if place and job_wire.place(event.data) == place]
    said = [text(event.data.get(name)) for event in job for name in ("model_id", "model", "capability")]
    workflow = next((model for model in said if model), None)
    name = next((event.gateway for event in job if event.gateway), None)
    gateway = book.sender_for(name) or name
    uri = place[1] if place and place[0] == "uri" else None
    region = next((event.region for event in job if event.region), None) or config.region(gateway, uri)
    mark = any(event.synthetic for event in job) or gateway in config.testers
    wallet = book.wallet(place, named[0]) if named else None
    card = book.card(place, named[0], workflow) if named else Card()
    return dims.made(wallet, card, workflow, gateway, region, mark)
