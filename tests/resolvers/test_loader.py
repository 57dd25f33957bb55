"""The loader's law: asked together, questions get what they get alone; and nothing is read twice."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.memory import MemoryStore
from metrics.columns import INFERENCE_MS, OUTPUT_FPS, SESSIONS, SWAPS
from metrics.dimension import DIMENSIONS
from metrics.dimension import Dimension as D
from metrics.errors import StoreUnavailable
from metrics.fact import Fact
from metrics.fold import fold
from metrics.question import Question
from metrics.sighting import TRAITS, Sighting, SightingQuestion, Trait, seen
from metrics.window import Grain, Window
from resolvers.batch import Batch
from resolvers.context import Context

NOW = datetime(2026, 1, 9, 12, tzinfo=UTC)
START = Window.last(timedelta(hours=3), NOW).start_ms
NAMES = ("a", "b", "c")
MEASURES = (*OUTPUT_FPS.measures, *SESSIONS.measures, *SWAPS.measures, *INFERENCE_MS.measures)
FREE = (D.ORCHESTRATOR, D.GPU, D.WORKFLOW)
FREE_TRAITS = (Trait.ORCHESTRATOR, Trait.GPU, Trait.WORKFLOW)


class Counted(MemoryStore):
    """A store that counts its reads."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()

    async def rows(self, question: Question) -> Any:
        self.calls["rows"] += 1
        return await super().rows(question)

    async def seen(self, question: SightingQuestion) -> Any:
        self.calls["seen"] += 1
        return await super().seen(question)


def context(store: Any) -> Context:
    """A request."""
    return Context(store, NOW, lambda body: body, "test")  # type: ignore[arg-type,return-value]


@st.composite
def facts(draw: st.DrawFn) -> list[Fact]:
    """A few facts of three orchestrators, GPUs and workflows, or of unknown ones."""
    made = []
    for number in range(draw(st.integers(0, 12))):
        dims = tuple(draw(st.sampled_from((*NAMES, None))) if dimension in FREE else None for dimension in DIMENSIONS)
        values = draw(
            st.dictionaries(st.sampled_from(("output_fps", "sessions", "swaps")), st.integers(0, 50), max_size=3)
        )
        if draw(st.booleans()):
            values["inference_ms"] = draw(st.integers(1, 1000))
        at = START + draw(st.integers(-5, 180)) * 60_000
        made.append(Fact("owner", str(number), at, dims, values))
    return made


def wheres(names: tuple[Any, ...]) -> st.SearchStrategy[dict[Any, list[str]]]:
    """Filters of some dimensions by one or several values."""
    return st.dictionaries(st.sampled_from(names), st.lists(st.sampled_from(NAMES), min_size=1, max_size=2), max_size=3)


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """A question of few shapes, so that many fall together."""
    window = Window.of_ms(START + draw(st.sampled_from((0, 90_000))), START + 3 * Grain.HOUR.value)
    return Question.of(
        draw(st.sets(st.sampled_from(MEASURES), min_size=1, max_size=4)),
        window,
        draw(st.sampled_from((None, Grain.HOUR))),
        draw(st.sets(st.sampled_from(FREE), max_size=2)),
        draw(wheres(FREE)),
    )


@given(facts(), st.lists(questions(), min_size=1, max_size=12))
@settings(max_examples=150, deadline=None)
async def test_questions_asked_together_are_answered_as_alone(told: list[Fact], asked: list[Question]) -> None:
    store = Counted()
    store.facts["owner"] = told
    together = context(store)

    answers = await asyncio.gather(*(together.load(question) for question in asked))

    for question, rows in zip(asked, answers, strict=True):
        assert list(rows) == fold(told, question)
    assert store.calls["rows"] <= len(set(asked))


@st.composite
def looks(draw: st.DrawFn) -> SightingQuestion:
    """A question about sightings."""
    return SightingQuestion.of(
        draw(st.sets(st.sampled_from(FREE_TRAITS), min_size=1)),
        draw(wheres(FREE_TRAITS)),
        draw(st.sampled_from((None, 5))),
    )


@given(
    st.lists(
        st.tuples(*(st.sampled_from((*NAMES, None)) for _ in FREE_TRAITS), st.integers(0, 9), st.integers(0, 9)),
        max_size=12,
    ),
    st.lists(looks(), min_size=1, max_size=10),
)
@settings(max_examples=150, deadline=None)
async def test_looks_asked_together_are_answered_as_alone(told: list[Any], asked: list[SightingQuestion]) -> None:
    store = Counted()
    for number, (*values, first, length) in enumerate(told):
        named = dict(zip(FREE_TRAITS, values, strict=True))
        store.sightings[str(number)] = [
            Sighting(str(number), "", first, first + length, tuple(named.get(trait) for trait in TRAITS))
        ]
    together = context(store)

    answers = await asyncio.gather(*(together.seen(question) for question in asked))

    every = [one for group in store.sightings.values() for one in group]
    for question, found in zip(asked, answers, strict=True):
        assert list(found) == seen(every, question)


async def test_a_question_is_read_once_however_often_it_is_asked() -> None:
    store = Counted()
    question = Question.of(SESSIONS.measures, Window.last(timedelta(hours=1), NOW))
    request = context(store)

    await asyncio.gather(request.load(question), request.load(question))
    await request.load(question)

    assert store.calls == {"rows": 1}


async def test_siblings_that_begin_a_few_turns_apart_are_read_together() -> None:
    store = Counted()
    request = context(store)

    async def late(turns: int, name: str) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        await request.load(Question.of(SESSIONS.measures, Window.last(timedelta(hours=1), NOW), where={D.GPU: [name]}))

    await asyncio.gather(*(late(turns, str(turns)) for turns in range(6)))

    assert store.calls == {"rows": 1}


async def test_a_read_that_fails_fails_its_askers_and_no_others() -> None:
    class Half(Counted):
        async def rows(self, question: Question) -> Any:
            if question.grain:
                raise StoreUnavailable("gone")
            return await super().rows(question)

    request = context(Half())
    window = Window.last(timedelta(hours=1), NOW)

    good, bad = await asyncio.gather(
        request.load(Question.of(SESSIONS.measures, window)),
        request.load(Question.of(SESSIONS.measures, window, Grain.HOUR)),
        return_exceptions=True,
    )

    assert good == []
    assert isinstance(bad, StoreUnavailable)
    with pytest.raises(StoreUnavailable):
        await request.load(Question.of(SESSIONS.measures, window, Grain.HOUR))


async def test_an_asker_that_is_cancelled_takes_the_answer_from_nobody_else() -> None:
    async def answer(keys: Sequence[str]) -> dict[str, str | Exception]:
        return {key: key.upper() for key in keys}

    async def wait(key: str) -> str:
        return await batch.load(key)

    batch: Batch[str, str] = Batch(answer)
    gone, stays = asyncio.ensure_future(wait("a")), asyncio.ensure_future(wait("a"))
    await asyncio.sleep(0)
    gone.cancel()

    assert await stays == "A"
