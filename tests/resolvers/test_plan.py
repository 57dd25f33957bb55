"""The plan as a table: which questions share a read."""

from datetime import UTC, datetime, timedelta

import pytest

from metrics.columns import INFERENCE_MS, OUTPUT_FPS, SESSIONS
from metrics.dimension import Dimension as D
from metrics.errors import TooComplex
from metrics.measure import Aggregate
from metrics.question import Question
from metrics.sighting import SightingQuestion, Trait
from metrics.window import Grain, Window
from resolvers.plan import Read, check, plan
from resolvers.sightings import plan_seen

DAY = Window.last(timedelta(days=1), datetime(2026, 1, 9, tzinfo=UTC))
SESSION = SESSIONS.measures[0]
FPS = OUTPUT_FPS.measure(Aggregate.SUM)
MINUTES = INFERENCE_MS.measures[0]


def q(*measures, by=(), grain=None, window=DAY, **where) -> Question:
    """A question about some measures."""
    return Question.of(measures or (SESSION,), window, grain, by, {D(name): values for name, values in where.items()})


TABLE = [
    ("one question is its own read", [q()], [q()]),
    ("the same twice is read once", [q(), q()], [q()]),
    ("other measures are united", [q(SESSION), q(FPS)], [q(SESSION, FPS)]),
    (
        "other values are read together and grouped by",
        [q(orchestrator=["a"]), q(orchestrator=["b"])],
        [q(orchestrator=["a", "b"], by=[D.ORCHESTRATOR])],
    ),
    (
        "only what differs is grouped by",
        [q(orchestrator=["a"], gpu=["1"]), q(orchestrator=["a"], gpu=["2"])],
        [q(orchestrator=["a"], gpu=["1", "2"], by=[D.GPU])],
    ),
    (
        "both at once",
        [q(SESSION, orchestrator=["a"]), q(FPS, orchestrator=["b"])],
        [q(SESSION, FPS, orchestrator=["a", "b"], by=[D.ORCHESTRATOR])],
    ),
    ("other windows are other reads", [q(), q(window=DAY.before())], [q(), q(window=DAY.before())]),
    ("other grains are other reads", [q(), q(grain=Grain.HOUR)], [q(), q(grain=Grain.HOUR)]),
    ("other dimensions are other reads", [q(), q(gpu=["1"])], [q(), q(gpu=["1"])]),
    ("other groups are other reads", [q(), q(by=[D.GPU])], [q(), q(by=[D.GPU])]),
    ("a span makes rows of its own, so it is read apart", [q(SESSION), q(MINUTES)], [q(SESSION), q(MINUTES)]),
]


@pytest.mark.parametrize(("questions", "reads"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_the_plan(questions: list[Question], reads: list[Question]) -> None:
    assert [read.question for read in plan(questions)] == reads


def test_fifty_parents_are_one_read_that_prints_itself() -> None:
    (read,) = plan([q(orchestrator=[f"o{n}"], gpu=[f"g{n}"], grain=Grain.HOUR) for n in range(50)])

    assert str(read) == ("1 measures, HOUR, by orchestrator, gpu, orchestrator in 50; gpu in 50 ← 50 questions")


def test_a_read_of_too_many_rows_is_refused_with_what_to_do() -> None:
    questions = tuple(q(orchestrator=[f"o{n}"], grain=Grain.MINUTE) for n in range(500))

    with pytest.raises(TooComplex, match=r"720,000 rows; at most 200,000.*wider interval"):
        check(Read(questions[0], questions))


def test_looks_of_one_shape_are_one_and_do_not_test_times_too_early() -> None:
    looks = plan_seen(SightingQuestion.of([Trait.GPU], {Trait.ORCHESTRATOR: [name]}, since_ms=5) for name in ("a", "b"))

    assert [look.question for look in looks] == [
        SightingQuestion.of([Trait.GPU, Trait.ORCHESTRATOR], {Trait.ORCHESTRATOR: ["a", "b"]})
    ]
