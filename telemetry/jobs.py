"""Jobs: batch requests, language models and bring-your-own-container. What their events say, and the facts of one job.

A job is kept as a session is, beside them and without their ids, so that what explains a session explains it too.
docs/decisions/0030-jobs.md says why each thing counts as it does.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from metrics import columns as c
from metrics.columns import BILLIONTHS, MICROSECONDS_PER_MS, JobKind
from metrics.fact import Fact
from metrics.measure import Column
from metrics.sighting import TRAITS, Sighting, Trait
from metrics.window import DAY_MS
from telemetry.names import gateway, place
from telemetry.reading import JobStep, Reading, Stamp, Step, What, job_owner, outside, synthetic
from telemetry.values import count, fixed, mapping, text
from telemetry.who import Identified

MAX_JOB_MS = 31 * DAY_MS
MAX_TOKENS_PER_SECOND = 1_000_000
LANGUAGE = "llm"
STEPS = {
    ("ai_batch_request", "ai_batch_request_received"): Step.BEGUN,
    ("ai_batch_request", "ai_batch_request_completed"): Step.COMPLETED,
    ("ai_llm_request", "llm_request_started"): Step.BEGUN,
    ("ai_llm_request", "llm_request_completed"): Step.MEASURED,
    ("ai_llm_request", "llm_stream_completed"): Step.MEASURED,
    ("job_gateway", "job_gateway_submitted"): Step.BEGUN,
    ("job_gateway", "job_gateway_completed"): Step.COMPLETED,
}
TYPES = frozenset(type_ for type_, _ in STEPS)

Data = dict[str, Any]
Steps = Sequence[tuple[Reading, JobStep]]  # in order


def read_job(event: Data, data: Data, stamp: Stamp) -> Reading:
    """What an event of a job says. Raises Unreadable."""
    subtype = text(data.get("type"))
    step = STEPS.get((stamp.type, subtype))
    owner = "" if step is None else job_owner(stamp, text(data.get("request_id")), step)
    if step is None or not owner:
        return outside(stamp, What.OUTSIDE, None)
    named = mapping(data.get("orchestrator_info"))
    return Reading(
        *stamp,
        subtype=subtype,
        what=What.JOB,
        # Its request id says which job it is, not which session: only the owner carries it.
        stream_id="",
        request_id="",
        gateway=gateway(event.get("gateway")),
        region=text(mapping(event.get("geo")).get("region")),
        synthetic=synthetic(data),
        place=place(named.get("address"), text(data.get("orch_url")) or named.get("url")),
        model=next((said for name in ("model_id", "model", "capability") if (said := text(data.get(name)))), ""),
        error=None,
        segment=False,
        e2e_us=None,
        said=READERS[stamp.type](data, step),
        owner=owner,
    )


def _batch(data: Data, step: Step) -> JobStep:
    pipeline = text(data.get("pipeline"))
    kind = JobKind.LLM if pipeline.lower() == LANGUAGE else JobKind.BATCH
    if step is Step.BEGUN:
        return JobStep(kind, step, pipeline)
    tries = count(data.get("tries"), "tries")
    return JobStep(kind, step, pipeline, _success(data), _duration_us(data, "duration_ms"), tries)


def _container(data: Data, step: Step) -> JobStep:
    attempt = count(data.get("attempt_index"), "attempt_index")
    if step is Step.BEGUN:
        return JobStep(JobKind.BYOC, step, attempt=attempt)
    return JobStep(JobKind.BYOC, step, "", _success(data), _duration_us(data, "duration_ms"), attempt=attempt)


def _language(data: Data, step: Step) -> JobStep:
    if step is Step.BEGUN:
        return JobStep(JobKind.LLM, step, LANGUAGE)
    asked, written, total = (count(data.get(n), n) for n in ("prompt_tokens", "completion_tokens", "total_tokens"))
    parts = None if asked is None and written is None else (asked or 0) + (written or 0)
    return JobStep(
        JobKind.LLM,
        step,
        LANGUAGE,
        duration_us=_duration_us(data, "total_duration_ms"),
        tokens=parts if total is None else total,
        first_token_us=_duration_us(data, "ttft_ms") or None,
        tokens_per_second=fixed(
            data.get("tokens_per_second"), "tokens_per_second", BILLIONTHS, most=MAX_TOKENS_PER_SECOND
        ),
    )


READERS: dict[str, Callable[[Data, Step], JobStep]] = {
    "ai_batch_request": _batch,
    "ai_llm_request": _language,
    "job_gateway": _container,
}


def _duration_us(data: Data, name: str) -> int | None:
    return fixed(data.get(name), name, MICROSECONDS_PER_MS, most=MAX_JOB_MS)


def _success(data: Data) -> bool | None:
    said = data.get("success")
    return {"true": True, "false": False}.get(str(said).strip().lower()) if isinstance(said, bool | str) else None


def job_facts(known: Identified) -> Iterator[Fact]:
    """What a job counts for: the job itself, and what its language model's record measured."""
    session = known.session
    steps = [(reading, reading.said) for reading in session.readings if isinstance(reading.said, JobStep)]
    if not steps:
        return
    completion = _counting(steps)
    values = {c.JOBS.name: 1, c.JOBS_BY_KIND[_kind(steps)].name: 1}
    if completion is None:
        where = next((reading.place for reading, _ in reversed(steps) if reading.place), "")
    else:
        where = completion[0].place
        values |= _ended(completion[1], steps)
    yield Fact(session.owner, "job", session.first_ms, known.dims(where), values)
    records = [one for one in steps if one[1].step is Step.MEASURED]
    if records:
        reading, said = records[-1]
        measured = _stated(
            {
                c.JOB_TOKENS: said.tokens,
                c.TIME_TO_FIRST_TOKEN: said.first_token_us,
                c.TOKENS_PER_SECOND: said.tokens_per_second,
                c.JOB_DURATION: None if c.JOB_DURATION.name in values else said.duration_us,
            }
        )
        yield Fact(session.owner, "record", session.first_ms, known.dims(reading.place or where), measured)


def _counting(steps: Steps) -> tuple[Reading, JobStep] | None:
    """The last completion that succeeded, else the last that failed, else the last."""
    weight = {True: 2, False: 1, None: 0}
    completions = [one for one in reversed(steps) if one[1].step is Step.COMPLETED]
    return max(completions, key=lambda one: weight[one[1].success], default=None)


def _ended(completion: JobStep, steps: Steps) -> dict[str, int]:
    """What the completion that counts says."""
    tries = completion.tries
    if completion.kind is JobKind.BYOC:
        tries = len({said.attempt for _, said in steps if said.kind is JobKind.BYOC})
    return _stated(
        {
            c.JOBS_SUCCEEDED: 1 if completion.success is True else None,
            c.JOBS_FAILED: 1 if completion.success is False else None,
            c.JOB_TRIES: tries,
            c.JOB_DURATION: completion.duration_us,
        }
    )


def _kind(steps: Steps) -> JobKind:
    kinds = {said.kind for _, said in steps}
    return next(kind for kind in (JobKind.LLM, JobKind.BYOC, JobKind.BATCH) if kind in kinds)


def _stated(values: Mapping[Column, int | None]) -> dict[str, int]:
    return {column.name: value for column, value in values.items() if value is not None}


def job_sighting(known: Identified) -> Sighting:
    """The workflow and the gateway that a job shows. Whom it ran on, snapshots and payments show."""
    session = known.session
    dims = known.dims("")
    pipelines = (reading.said.pipeline for reading in session.readings if isinstance(reading.said, JobStep))
    said = {
        Trait.SOURCE: dims[0],
        Trait.WORKFLOW: dims[4],
        Trait.PIPELINE: next(filter(None, pipelines), None),
        Trait.GATEWAY: dims[5],
        Trait.GATEWAY_NAME: known.gateway_name or None,
        Trait.REGION: dims[6],
    }
    traits = tuple(said.get(trait) for trait in TRAITS)
    return Sighting(session.owner, "job", session.first_ms, session.last_ms, traits)
