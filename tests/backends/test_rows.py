"""A store answers as `fold` and `seen` do, whatever was replaced before."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backends.log import Derivation
from metrics.columns import FEES_WEI, INFERENCE_MS, MEASURES, OUTPUT_FPS, SAMPLES
from metrics.dimension import DIMENSIONS, Dimension
from metrics.fact import Fact
from metrics.fold import fold
from metrics.question import Question
from metrics.sighting import Sighting, SightingQuestion, seen
from metrics.window import DAY_MS, HOUR_MS, MINUTE_MS, Grain, Window
from tests.backends.made import (
    BASE_MS,
    HOSTILE,
    OWNERS,
    fact_lists,
    questions,
    sighting_lists,
    sighting_questions,
)
from tests.backends.stores import wait

calm = settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
NOBODY = (None,) * len(DIMENSIONS)
EVERYTHING = Question.of(MEASURES, Window.of_ms(BASE_MS - 9 * DAY_MS, BASE_MS + 9 * DAY_MS))


def rows(store: Any, question: Question) -> list[Any]:
    return list(wait(store.rows(question)))


def put(store: Any, facts: list[Fact], sightings: list[Sighting] = [], owners: tuple[str, ...] = OWNERS) -> None:  # noqa: B006
    store.replace(Derivation(owners, facts, sightings))
    store.refresh()


def fact(at_ms: int, owner: str = "one", key: str = "k", who: str | None = None, **values: int) -> Fact:
    dims = tuple(who if dimension is Dimension.ORCHESTRATOR else None for dimension in DIMENSIONS)
    return Fact(owner, key, at_ms, dims, values)


@calm
@given(before=fact_lists(), after=fact_lists(), asked=st.lists(questions(), min_size=1, max_size=8))
def test_a_store_answers_as_fold_after_facts_moved(
    shared: Any, before: list[Fact], after: list[Fact], asked: list[Question]
) -> None:
    put(shared, before)
    put(shared, after)

    for question in asked:
        assert rows(shared, question) == fold(after, question)


@calm
@given(
    held=st.lists(fact_lists(8), min_size=1, max_size=4),
    asked=st.lists(questions(), min_size=1, max_size=4),
    owners=st.lists(st.sampled_from(OWNERS), max_size=3, unique=True),
)
def test_replacing_some_owners_leaves_the_others(
    shared: Any, held: list[list[Fact]], asked: list[Question], owners: list[str]
) -> None:
    put(shared, [])
    present: dict[str, list[Fact]] = {}
    for facts in held:
        named = {*owners, *(fact.owner for fact in facts)}
        shared.replace(Derivation(tuple(named), facts))
        for owner in named:
            present[owner] = [fact for fact in facts if fact.owner == owner]
    shared.refresh()

    for question in (*asked, EVERYTHING):
        assert rows(shared, question) == fold([one for facts in present.values() for one in facts], question)


@calm
@given(before=sighting_lists(), after=sighting_lists(), asked=st.lists(sighting_questions, min_size=1, max_size=6))
def test_a_store_answers_as_seen(
    shared: Any, before: list[Sighting], after: list[Sighting], asked: list[SightingQuestion]
) -> None:
    put(shared, [], before)
    put(shared, [], after)

    for question in asked:
        assert list(wait(shared.seen(question))) == seen(after, question)


def test_an_empty_store_has_no_rows(store: Any) -> None:
    assert rows(store, EVERYTHING) == []
    assert list(wait(store.seen(SightingQuestion.of([])))) == []


def test_a_fact_that_moves_leaves_its_bucket_and_its_group(store: Any) -> None:
    put(store, [fact(BASE_MS, who="a", samples=1)], owners=("one",))
    put(store, [fact(BASE_MS + 26 * HOUR_MS, who="b", samples=1)], owners=("one",))
    question = Question.of(SAMPLES.measures, EVERYTHING.window, Grain.DAY, [Dimension.ORCHESTRATOR])

    assert rows(store, question) == [(BASE_MS + DAY_MS, ("b",), {"samples": 1})]


def test_a_group_that_vanishes_has_no_row_left(store: Any) -> None:
    put(store, [fact(BASE_MS, samples=1)], owners=("one",))
    put(store, [], owners=("one",))

    assert rows(store, EVERYTHING) == []


def test_a_group_without_evidence_for_what_is_asked_still_has_a_row(store: Any) -> None:
    put(store, [fact(BASE_MS, sessions=1)], owners=("one",))

    assert rows(store, Question.of([*OUTPUT_FPS.measures, *SAMPLES.measures], EVERYTHING.window)) == [
        (
            None,
            (),
            {
                "output_fps_hist": {},
                "output_fps_max": None,
                "output_fps_min": None,
                "output_fps_n": 0,
                "output_fps_sum": 0,
                "output_fps_sumsq": 0,
                "samples": 0,
            },
        )
    ]


def test_a_span_counts_as_long_as_it_lies_in_the_window(store: Any) -> None:
    put(store, [fact(BASE_MS + 10_000, inference_ms=40_000, samples=1)], owners=("one",))
    asked = [*INFERENCE_MS.measures, *SAMPLES.measures]

    def within(start: int, end: int) -> list[Any]:
        return [row.sums for row in rows(store, Question.of(asked, Window.of_ms(BASE_MS + start, BASE_MS + end)))]

    assert within(0, MINUTE_MS) == [{"inference_ms": 40_000, "samples": 1}]
    assert within(30_000, MINUTE_MS) == [{"inference_ms": 20_000, "samples": 0}]
    assert within(0, 20_000) == [{"inference_ms": 10_000, "samples": 1}]
    assert within(20_000, 21_000) == [{"inference_ms": 1_000, "samples": 0}]
    assert within(30_000, 3 * DAY_MS) == [{"inference_ms": 20_000, "samples": 0}]
    assert within(50_000, MINUTE_MS) == []


def test_money_is_exact_beyond_64_bits(store: Any) -> None:
    put(store, [fact(BASE_MS, key=str(n), fees_wei=2**200 + n) for n in range(3)], owners=("one",))

    assert [row.sums for row in rows(store, Question.of(FEES_WEI.measures, EVERYTHING.window))] == [
        {"fees_wei": 3 * 2**200 + 3}
    ]


def test_text_is_only_text(store: Any) -> None:
    put(store, [fact(BASE_MS, key=text, who=text, samples=1) for text in HOSTILE], owners=("one",))
    question = Question.of(SAMPLES.measures, EVERYTHING.window, None, [Dimension.ORCHESTRATOR])

    assert {row.by[0] for row in rows(store, question)} == set(HOSTILE)
    for text in HOSTILE:
        chosen = Question.of(SAMPLES.measures, EVERYTHING.window, None, [], {Dimension.ORCHESTRATOR: [text]})
        assert [row.sums for row in rows(store, chosen)] == [{"samples": 1}]


def test_nothing_equals_no_value(store: Any) -> None:
    put(store, [fact(BASE_MS, samples=1)], owners=("one",))

    assert rows(store, Question.of(SAMPLES.measures, EVERYTHING.window, None, [], {Dimension.GPU: [""]})) == []
    assert rows(store, Question.of(SAMPLES.measures, EVERYTHING.window, None, [], {Dimension.GPU: []})) == []


def test_what_a_session_shows_again_is_not_written_again(store: Any) -> None:
    held = [fact(BASE_MS + n * MINUTE_MS, key=str(n), samples=1) for n in range(5)]
    put(store, held, owners=("one",))
    put(store, held, owners=("one",))

    assert rows(store, Question.of(SAMPLES.measures, EVERYTHING.window))[0].sums == {"samples": 5}
