"""Single facts: every store tells them as `metrics.evidence.evidence` does, and they add up to the sums it answers."""

from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backends.log import Derivation
from metrics import columns as c
from metrics.dimension import DIMENSIONS, Dimension
from metrics.evidence import EvidenceQuestion, evidence
from metrics.fact import Fact
from metrics.fold import fold
from metrics.measure import Aggregate, Column
from metrics.question import Question
from metrics.window import MINUTE_MS, Window
from tests.backends.made import BASE_MS, OWNERS, SPANS, TEXTS, fact_lists, windows
from tests.backends.stores import wait

A, B = ("0x" + letter * 40 for letter in "ab")
JOB = (c.JOBS_SUCCEEDED, c.JOBS_FAILED, c.JOB_DURATION)
EVER = (0, BASE_MS * 2)


def fact(owner: str, key: str, at_ms: int, values: dict[str, int], **dims: str) -> Fact:
    told = {"source": "default", "synthetic": "false", **dims}
    return Fact(owner, key, at_ms, tuple(told.get(one.value) for one in DIMENSIONS), values)


def told(store: Any, columns: Sequence[Column] = JOB, span: tuple[int, int] = EVER, **more: Any) -> list[Fact]:
    return list(wait(store.evidence(EvidenceQuestion(*span, tuple(columns), **more))))


def test_a_job_is_told_with_what_is_asked_and_nothing_else(store: Any) -> None:
    ended = fact("j1", "job", BASE_MS, {"jobs": 1, "jobs_failed": 1, "job_duration": 7}, orchestrator=A, gpu="G")
    other = fact("j2", "job", BASE_MS, {"jobs": 1, "jobs_llm": 1}, orchestrator=A)
    store.replace(Derivation(["j1", "j2"], [other, ended]))

    assert told(store) == [ended._replace(values={"jobs_failed": 1, "job_duration": 7})]
    assert told(store, [c.OPEN]) == []


def test_facts_come_in_order_within_a_half_open_window(store: Any) -> None:
    at = [BASE_MS - 1, BASE_MS, BASE_MS, BASE_MS + 1, BASE_MS + MINUTE_MS]
    facts = [fact(f"j{5 - n}", "job", at_ms, {"jobs_succeeded": 1}) for n, at_ms in enumerate(at)]
    store.replace(Derivation([one.owner for one in facts], facts))

    assert [one.owner for one in told(store)] == ["j5", "j3", "j4", "j2", "j1"]
    assert [one.owner for one in told(store, limit=2)] == ["j5", "j3"]
    assert [one.owner for one in told(store, span=(BASE_MS, BASE_MS + 1))] == ["j3", "j4"]
    assert told(store, span=(BASE_MS, BASE_MS)) == []


def test_a_filter_by_no_value_passes_nothing(store: Any) -> None:
    store.replace(Derivation(["j"], [fact("j", "job", BASE_MS, {"jobs_failed": 1}, orchestrator=A)]))

    assert len(told(store, where=((Dimension.ORCHESTRATOR, (A, B)), (Dimension.SYNTHETIC, ("false",))))) == 1
    for where in (((Dimension.ORCHESTRATOR, ()),), ((Dimension.GPU, ("",)),), ((Dimension.ORCHESTRATOR, (B,)),)):
        assert told(store, where=where) == []


def test_a_job_that_is_derived_again_counts_as_it_counts_now(store: Any) -> None:
    late = fact("j", "job", BASE_MS - 1, {"jobs": 1, "jobs_succeeded": 1, "job_duration": 5}, orchestrator=B)
    store.replace(Derivation(["j"], [fact("j", "job", BASE_MS, {"jobs": 1, "jobs_failed": 1}, orchestrator=A)]))
    for _ in range(2):
        store.replace(Derivation(["j"], [late]))

    assert told(store) == [late._replace(values={"jobs_succeeded": 1, "job_duration": 5})]
    store.replace(Derivation(["j"], [late._replace(values={"jobs": 1})]))
    assert told(store) == []


asked = st.lists(
    st.sampled_from([one for one in c.COLUMNS if one.name not in SPANS]), min_size=1, max_size=5, unique=True
)
wheres = st.dictionaries(st.sampled_from(DIMENSIONS), st.lists(st.sampled_from(TEXTS), min_size=1), max_size=2)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(fact_lists(), fact_lists(), asked, windows(), wheres, st.sampled_from((2, 10_000)))
def test_single_facts_are_what_sums_are_made_of(
    shared: Any, before: list[Fact], now: list[Fact], columns: list[Column], window: Window, where: Any, limit: int
) -> None:
    columns += [c.OUTPUT_FPS, c.FEES_WEI]
    shared.replace(Derivation(OWNERS, before))
    shared.replace(Derivation(OWNERS, now))
    shared.refresh()
    measures = [one for column in columns for one in column.measures if one.aggregate is not Aggregate.SPAN]
    question = Question.of(measures, window, by=[Dimension.ORCHESTRATOR, Dimension.REGION], where=where)
    single = EvidenceQuestion(window.start_ms, window.end_ms, tuple(dict.fromkeys(columns)), question.where, limit)

    found = list(wait(shared.evidence(single)))

    assert found == evidence(now, single)
    if limit > len(now):
        rows = [row for row in wait(shared.rows(question)) if any(value for value in row.sums.values())]
        assert [row for row in fold(found, question) if any(value for value in row.sums.values())] == rows
