"""What stores promise beside answers: order, nulls, reading while somebody writes, closing."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from backends.log import Batch, Derivation, Event
from metrics.columns import FEES_WEI, SAMPLES
from metrics.dimension import DIMENSIONS, Dimension
from metrics.errors import StoreUnavailable
from metrics.fact import Fact
from metrics.question import Question
from metrics.sighting import TRAITS, Sighting, SightingQuestion, Trait
from metrics.window import HOUR_MS, Grain, Window
from tests.backends.made import BASE_MS
from tests.backends.stores import Started, wait
from tests.backends.test_rows import EVERYTHING, fact

# By code point, as Python sorts: neither a locale's order nor that of UTF-16.
SORTED = ("", "A", "B", "a", "a b", "aB", "a_", "b", "\x7f", "ß", "é", "ﬁ", "🙂")


def test_text_is_ordered_by_code_point_and_nothing_comes_last(store: Any) -> None:
    who: list[str | None] = [*SORTED[1:], None]
    facts = [fact(BASE_MS, key=str(n), who=name, samples=1) for n, name in enumerate(reversed(who))]
    seen = [
        Sighting("one", str(n), BASE_MS, BASE_MS, tuple(name if trait is Trait.GPU else None for trait in TRAITS))
        for n, name in enumerate(reversed(who))
    ]
    store.replace(Derivation(["one"], facts, seen))
    store.refresh()
    question = Question.of(SAMPLES.measures, EVERYTHING.window, Grain.DAY, [Dimension.ORCHESTRATOR])

    assert [row.by[0] for row in wait(store.rows(question))] == who
    assert [one[0][0] for one in wait(store.seen(SightingQuestion.of([Trait.GPU])))] == who


def test_of_several_dimensions_the_first_orders_first(store: Any) -> None:
    def at(gpu: str | None, region: str | None) -> Fact:
        named = {Dimension.GPU: gpu, Dimension.REGION: region}
        return Fact("one", f"{gpu} {region}", BASE_MS, tuple(named.get(d) for d in DIMENSIONS), {"samples": 1})

    store.replace(Derivation(["one"], [at(gpu, region) for gpu in (None, "b", "a") for region in (None, "z", "y")]))
    store.refresh()
    question = Question.of(SAMPLES.measures, EVERYTHING.window, None, [Dimension.GPU, Dimension.REGION])
    found = [dict(zip(question.by, row.by, strict=True)) for row in wait(store.rows(question))]

    assert [tuple(one.values()) for one in found] == [
        (one, other) for one in ("a", "b", None) for other in ("y", "z", None)
    ]


def test_a_sum_of_nothing_is_not_nothing(store: Any) -> None:
    store.replace(Derivation(["one"], [fact(BASE_MS, fees_wei=0), fact(BASE_MS + HOUR_MS, key="other", samples=1)]))
    store.refresh()
    question = Question.of([*FEES_WEI.measures, *SAMPLES.measures], EVERYTHING.window, Grain.HOUR)

    assert [row.sums for row in wait(store.rows(question))] == [
        {"fees_wei": 0, "samples": 0},
        {"fees_wei": 0, "samples": 1},
    ]


def test_a_reader_sees_an_owner_before_or_after_a_replacement_and_never_between(store: Any) -> None:
    many = 50

    def write(value: int) -> None:
        facts = [fact(BASE_MS + n, key=str(n), samples=1, fees_wei=value) for n in range(many)]
        store.replace(Derivation(["one"], facts))
        store.refresh()

    write(1)
    # Off any minute, so that the facts themselves are read, and on the hour, so that a rollup is.
    windows = [EVERYTHING.window, Window.of_ms(BASE_MS, BASE_MS + 59_999)]
    measures = [*FEES_WEI.measures, *SAMPLES.measures]
    found = reading_while(
        lambda: [write(value) for value in range(2, 8)],
        lambda: [wait(store.rows(Question.of(measures, window)))[0].sums for window in windows],
    )

    for sums in [one for some in found for one in some]:
        assert sums["samples"] == many
        assert sums["fees_wei"] % many == 0
    assert wait(store.rows(Question.of(measures, EVERYTHING.window)))[0].sums["fees_wei"] == 7 * many


def test_a_reader_sees_every_event_that_was_appended(store: Any) -> None:
    done: list[int] = []

    def write() -> None:
        for number in range(12):
            store.append(Batch([Event("default", f"id{number}", b"1" * 32, BASE_MS + number, "one", "x", b"{}")]))
            done.append(number)

    found = reading_while(write, lambda: (len(done), len(wait(store.events(["one"])))))

    assert all(before <= seen for before, seen in found)
    assert len(wait(store.events(["one"]))) == 12


def test_many_ask_at_the_same_time(store: Any) -> None:
    store.replace(Derivation(["one"], [fact(BASE_MS, samples=1)]))
    store.refresh()

    async def ask() -> list[Any]:
        return await asyncio.gather(*(store.rows(Question.of(SAMPLES.measures, EVERYTHING.window)) for _ in range(40)))

    assert [rows[0].sums for rows in wait(ask())] == [{"samples": 1}] * 40


def test_it_answers_until_it_is_closed_and_may_be_closed_again(started: Started, column: Any) -> None:
    with started.new() as store:
        wait(store.ping())
        wait(store.close())
        wait(store.close())
        if column.name != "memory":  # which holds nothing that could be let go of
            with pytest.raises(StoreUnavailable):
                wait(store.ping())


def reading_while(write: Callable[[], Any], read: Callable[[], Any]) -> list[Any]:
    """What is read, again and again, while another thread writes."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            write()
        except BaseException as error:
            failed.append(error)

    writer = threading.Thread(target=run)
    writer.start()
    found = []
    while writer.is_alive():
        found.append(read())
    writer.join()
    assert not failed, failed
    return found
