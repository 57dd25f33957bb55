"""Jobs as they are answered: beside the sessions, never among them."""

import pytest

from graph.jobs import JobMetrics
from metrics.catalogue import BY_NAME, JOB_METRICS, METRICS
from tests.graph.world import ALICE, BOB, NOW_MS, CountingStore, ask, fact, small_network

DAY = "window: {last: PT24H}"
AT = NOW_MS - 600_000
EVERY = """{ jobs succeeded failed successRatePct { value samples } durationMs { value min max samples }
  timeToFirstTokenMs { value samples } tokensPerSecond { value p95 samples } tries tokens byKind { kind count } }"""


@pytest.fixture
def store() -> CountingStore:
    """The small network, in which Alice ran a good language job and a bad batch job, and somebody runs one still."""
    store = small_network()
    store.add(
        fact(
            "j1", AT, {"jobs": 1, "jobs_llm": 1, "jobs_succeeded": 1, "job_tries": 1}, orchestrator=ALICE, gpu="GPU-1"
        ),
        fact(
            "j1",
            AT,
            {"job_duration": 2_000_000, "tokens_per_second": 80_000_000_000, "job_tokens": 5_000_000_000},
            orchestrator=ALICE,
            workflow="llama",
        ),
        fact(
            "j2",
            AT,
            {"jobs": 1, "jobs_batch": 1, "jobs_failed": 1, "job_tries": 3, "job_duration": 0},
            orchestrator=ALICE,
        ),
        fact("j3", AT, {"jobs": 1, "jobs_byoc": 1}, workflow="llama"),
    )
    return store


async def test_jobs_of_an_orchestrator(store: CountingStore) -> None:
    answer = await ask(store, f'{{ orchestrator(address: "{ALICE}") {{ jobs({DAY}) {EVERY} }} }}')

    assert answer.errors == []
    assert answer.data["orchestrator"]["jobs"] == {
        "jobs": 2,
        "succeeded": 1,
        "failed": 1,
        "successRatePct": {"value": 50, "samples": 2},
        "durationMs": {"value": 1000, "min": 0, "max": 2000, "samples": 2},
        "timeToFirstTokenMs": {"value": None, "samples": 0},
        "tokensPerSecond": {"value": 80, "p95": 80, "samples": 1},
        "tries": 4,
        "tokens": 5e9,
        "byKind": [{"kind": "BATCH", "count": 1}, {"kind": "LLM", "count": 1}],
    }


async def test_without_jobs_shares_are_null_and_counts_zero(store: CountingStore) -> None:
    answer = await ask(store, f'{{ orchestrator(address: "{BOB}") {{ jobs({DAY}) {EVERY} }} }}')

    jobs = answer.data["orchestrator"]["jobs"]
    assert (jobs["jobs"], jobs["tries"], jobs["tokens"], jobs["byKind"]) == (0, 0, 0, [])
    assert jobs["successRatePct"] == {"value": None, "samples": 0}
    assert jobs["durationMs"] == {"value": None, "min": None, "max": None, "samples": 0}


async def test_a_job_that_has_not_ended_is_in_no_rate(store: CountingStore) -> None:
    answer = await ask(
        store,
        f"""{{ network {{ jobs({DAY}) {{ jobs successRatePct {{ value samples }} }}
        llama: jobs({DAY}, workflow: "llama") {{ jobs successRatePct {{ value }} }}
        metrics({DAY}) {{ sessions }} }} }}""",
    )

    assert answer.data["network"]["jobs"] == {"jobs": 3, "successRatePct": {"value": 50, "samples": 2}}
    assert answer.data["network"]["llama"] == {"jobs": 1, "successRatePct": {"value": None}}
    assert answer.data["network"]["metrics"]["sessions"] == 3


async def test_everything_that_can_be_measured_has_jobs_in_one_read(store: CountingStore) -> None:
    some = f"jobs({DAY}) {{ jobs }}"
    answer = await ask(
        store,
        f"""{{ orchestrators {{ nodes {{ {some} gpus {{ nodes {{ {some} }} }} }} }} workflows {{ nodes {{ {some} }} }}
        gateways {{ nodes {{ {some} }} }} regions {{ {some} }} network {{ {some} }} }}""",
    )

    assert answer.errors == []
    assert [one["jobs"]["jobs"] for one in answer.data["orchestrators"]["nodes"]] == [2, 0, 0]
    assert answer.data["orchestrators"]["nodes"][0]["gpus"]["nodes"][0]["jobs"]["jobs"] == 1
    assert store.calls["rows"] <= 6


async def test_orders_and_columns_take_the_metrics_of_jobs(store: CountingStore) -> None:
    answer = await ask(
        store,
        f"""{{ orchestrators(orderBy: {{metric: "tries", {DAY}, direction: DESC}}, first: 1) {{ nodes {{ address }} }}
        network {{ series({DAY}, interval: HOUR) {{ values(metric: "successRatePct") }} }} }}""",
    )

    assert answer.errors == []
    assert answer.data["orchestrators"]["nodes"] == [{"address": ALICE}]
    assert 50 in answer.data["network"]["series"]["values"]


async def test_the_catalogue_tells_every_metric_of_jobs(store: CountingStore) -> None:
    answer = await ask(store, "{ metricCatalogue { name } }")

    named = [one["name"] for one in answer.data["metricCatalogue"]]
    assert {"jobs", "successRatePct", "timeToFirstTokenMs", "tokens"} <= set(named)
    assert len(BY_NAME) == len(METRICS) + len(JOB_METRICS) == len(named) == len(set(named))
    assert {metric.name for metric in JOB_METRICS} <= set(JobMetrics.__annotations__)
