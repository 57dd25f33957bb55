"""Supply: facts that last up to an hour, and what snapshots show, in every store."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backends.log import Card, Derivation, Offer, Showing, Statements, SupplyHour
from backends.memory import MemoryStore
from metrics.dimension import DIMENSIONS
from metrics.fact import Fact
from metrics.fold import fold
from metrics.question import Question
from metrics.supply import COLUMNS, GPU_MS, MEASURES
from metrics.window import DAY_MS, HOUR_MS, Grain, Window
from tests.backends.made import BASE_MS, TEXTS, dims, instants, windows
from tests.backends.stores import wait

calm = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
URIS = ("https://one:8935", "it's\\two")
SOURCES = ("a", "other")


@st.composite
def supply_facts(draw: st.DrawFn) -> Fact:
    """One fact that ends within its hour."""
    at_ms = draw(instants)
    longest = HOUR_MS - at_ms % HOUR_MS
    values = {column.name: st.integers(0, longest if column.held is None else 2**60) for column in COLUMNS}
    said = draw(st.fixed_dictionaries({}, optional=values))
    return Fact(
        draw(st.sampled_from(URIS)),
        draw(st.sampled_from("xyz")),
        at_ms,
        (draw(st.sampled_from(SOURCES)), *draw(dims)[1:]),
        said,
    )


def hour_of(fact: Fact) -> SupplyHour:
    return SupplyHour(str(fact.dims[0]), fact.owner, fact.at_ms // HOUR_MS * HOUR_MS)


lists = st.lists(supply_facts(), max_size=15, unique_by=lambda fact: (hour_of(fact), fact.key))


@st.composite
def questions(draw: st.DrawFn) -> Question:
    asked = draw(st.lists(st.sampled_from(MEASURES), min_size=1, unique=True))
    where = draw(st.dictionaries(st.sampled_from(DIMENSIONS), st.lists(st.sampled_from(TEXTS), max_size=4), max_size=1))
    by = draw(st.lists(st.sampled_from(DIMENSIONS), max_size=3))
    grain = draw(st.sampled_from((None, Grain.HOUR, Grain.DAY, Grain.WEEK)))
    return Question.of(asked, draw(windows()), grain, by, where)


def put(store: Any, facts: list[Fact], hours: set[SupplyHour]) -> None:
    store.replace(Derivation((), hours=sorted(hours), supply=facts))
    store.refresh()


def rows(store: Any, question: Question) -> list[Any]:
    return list(wait(store.rows(question)))


@calm
@given(held=st.lists(lists, min_size=1, max_size=3), asked=st.lists(questions(), min_size=1, max_size=6))
def test_a_store_answers_as_fold_whatever_hours_were_replaced(
    shared: Any, held: list[list[Fact]], asked: list[Question]
) -> None:
    for source in SOURCES:
        put(shared, [], set(shared.supply_hours(source)))
    present: dict[SupplyHour, list[Fact]] = {}
    for facts in held:
        hours = {hour_of(fact) for fact in facts}
        put(shared, facts, hours)
        present |= {hour: [fact for fact in facts if hour_of(fact) == hour] for hour in hours}
    kept = [fact for facts in present.values() for fact in facts]

    for question in asked:
        assert rows(shared, question) == fold(kept, question)
    for source in SOURCES:
        assert sorted(shared.supply_hours(source)) == sorted({h for h in present if h.source == source})


def test_a_gpu_counts_as_long_as_it_is_advertised_in_the_window(store: Any) -> None:
    there = ("a", *(None,) * 7)
    facts = [Fact("u", "1", BASE_MS + hour * HOUR_MS, there, {"gpu_ms": HOUR_MS}) for hour in range(48)]
    put(store, facts, {SupplyHour("a", "u", fact.at_ms) for fact in facts})

    def within(start_ms: int, end_ms: int, grain: Grain | None = None) -> list[Any]:
        asked = Question.of(GPU_MS.measures, Window.of_ms(BASE_MS + start_ms, BASE_MS + end_ms), grain)
        return [(row.start_ms, row.sums["gpu_ms"]) for row in rows(store, asked)]

    assert within(0, 2 * DAY_MS) == [(None, 2 * DAY_MS)]
    assert within(1, DAY_MS + 1) == [(None, DAY_MS)]
    assert within(30_000, 31_000) == [(None, 1_000)]
    assert within(HOUR_MS - 1, HOUR_MS + 1, Grain.HOUR) == [(BASE_MS, 1), (BASE_MS + HOUR_MS, 1)]
    assert within(2 * DAY_MS, 3 * DAY_MS) == []


offers = st.builds(
    Offer,
    source=st.sampled_from(SOURCES),
    uri=st.sampled_from(URIS),
    at_ms=st.sampled_from((0, 1, HOUR_MS, DAY_MS, DAY_MS + 1, 3 * DAY_MS)).map(lambda shift: BASE_MS + shift),
    id=st.sampled_from(("e1", "e2", "e3", "e4", "e5", "e6")),
    n=st.integers(0, 3),
    gpu=st.sampled_from(("", "g1", "g2")),
    gpu_model=st.sampled_from(("", "4090")),
    workflow=st.sampled_from(("", "w")),
    wallet=st.sampled_from(("", "0xa")),
)
offer_lists = st.lists(offers, max_size=12, unique_by=lambda one: (one.source, one.id, one.n))


@calm
@given(told=offer_lists, start=st.integers(-1, 2), length=st.sampled_from((1, DAY_MS, 4 * DAY_MS)))
def test_snapshots_are_shown_alike(shared: Any, told: list[Offer], start: int, length: int) -> None:
    memory = MemoryStore()
    # An event happens at one instant.
    at = {(one.source, one.id): one.at_ms for one in told}
    told = [one._replace(at_ms=at[one.source, one.id]) for one in told]
    memory.state(Statements(offers=told))
    shared.state(Statements(offers=told, withdrawn=[(source, f"e{n}") for source in SOURCES for n in range(1, 7)]))
    asked = ("a", URIS, BASE_MS + start, BASE_MS + start + length)

    assert list(shared.showings(*asked)) == list(memory.showings(*asked))


def test_snapshots_that_say_the_same_are_one_showing_until_a_day_passes(store: Any) -> None:
    def offer(at_ms: int, gpu: str) -> Offer:
        return Offer("a", "u", at_ms, f"e{at_ms}", 0, gpu, "4090", "w", "0xa")

    store.state(
        Statements(offers=[offer(1, "g"), offer(5, "g"), offer(9, ""), offer(11, "g"), offer(12 + DAY_MS, "g")])
    )
    here, nothing = (Card("g", "4090", "w", "0xa"),), (Card("", "4090", "w", "0xa"),)

    assert list(store.showings("a", ["u", "v"], 0, 2 * DAY_MS)) == [
        Showing("u", 1, 5, here),
        Showing("u", 9, 9, nothing),
        Showing("u", 11, 11, here),
        Showing("u", 12 + DAY_MS, 12 + DAY_MS, here),
    ]
