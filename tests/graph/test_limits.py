"""What one request may ask: hostile documents are refused before they cost anything."""

import pytest
from graphql import get_introspection_query
from graphql.validation import OverlappingFieldsCanBeMergedRule

from resolvers.context import LIMITS, Limits
from tests.graph.test_reads import PAGE
from tests.graph.world import SCHEMA, CountingStore, ask, context, small_network

TEN_DAYS = "window: {last: P10D}, interval: MINUTE, fill: ZERO"


@pytest.fixture
def store() -> CountingStore:
    """The small network."""
    return small_network()


def fragments(count: int, body: str) -> str:
    """So many fragments of Query, all spread."""
    spread = " ".join(f"...F{n}" for n in range(count))
    return f"{{ {spread} }} " + " ".join(f"fragment F{n} on Query {{ {body} }}" for n in range(count))


@pytest.mark.parametrize(
    ("query", "what"),
    [
        (fragments(300, "network { metrics { sessions } }"), "300 fragments"),
        (fragments(40, "network { lastEventAt } network { gpuCount }"), "80 root fields"),
        ("{ " + "network { __typename } " * 1_000 + "}", "1,000 root fields"),
        ("{ network { " + "metrics { sessions } " * 1_000 + "} }", "1,000 times metrics"),
        ("{ network { " + "... { metrics { sessions } } " * 600 + "} }", "600 times metrics"),
        ("{ " + "network { metrics { sessions sessions } } " * 40 + "}", "80 times sessions"),
        ("{ regions { id } } fragment F on Network { " + "lastEventAt " * 1_000 + "}", "1,000 times lastEventAt"),
    ],
)
async def test_the_standard_rules_do_not_see_a_document_beyond_the_bounds(store, monkeypatch, query, what) -> None:
    seen = []
    monkeypatch.setattr(OverlappingFieldsCanBeMergedRule, "enter_selection_set", lambda *given: seen.append(given))

    answer = await ask(store, query)

    assert answer.codes == ["TOO_COMPLEX"]
    assert what in answer.errors[0]["message"]
    assert "Ask for less" in answer.errors[0]["message"]
    assert seen == []


async def test_a_document_of_too_many_tokens_is_not_parsed_to_its_end(store) -> None:
    answer = await ask(store, "{ " + "network { __typename } " * 3_000 + "}")

    assert answer.codes == ["BAD_REQUEST"]
    assert "tokens" in answer.errors[0]["message"]


async def test_empty_spreads_and_circles_are_not_walked_again_and_again(store) -> None:
    chain = " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(40))

    assert set((await ask(store, "{ ...F0 } " + chain)).codes) == {"TOO_COMPLEX"}
    assert set((await ask(store, "{ ...F0 } " + chain + " fragment F40 on Query { ...F0 }")).codes) == {"BAD_REQUEST"}


@pytest.mark.parametrize("query", [get_introspection_query(descriptions=True, input_value_deprecation=True), PAGE])
async def test_the_queries_of_every_day_are_within_bounds(store, query) -> None:
    assert (await ask(store, query)).errors == []


async def test_an_aborted_validation_says_what_to_do(store) -> None:
    answer = await ask(store, "{ network { " + " ".join(f"x{n}" for n in range(300)) + " } }")

    assert set(answer.codes) == {"BAD_REQUEST"}
    assert "send it again" in answer.errors[-1]["message"]


@pytest.mark.parametrize(
    ("query", "argument"),
    [
        ("{ orchestrators(first: %s) { totalCount } }", "first"),
        ("{ network { metrics(window: {last: %s}) { sessions } } }", "window.last"),
        ("query($n: Int = %s) { orchestrators(first: $n) { totalCount } }", "first"),
    ],
)
async def test_a_number_of_too_many_digits_is_a_bad_request(store, query, argument) -> None:
    answer = await ask(store, query % ("9" * 5_000))

    assert [error["extensions"] for error in answer.errors] == [{"code": "BAD_REQUEST", "argument": argument}]
    assert len(answer.errors[0]["message"]) < 500


@pytest.mark.parametrize("field", ["buckets { start }", "a: buckets { start } b: buckets { start }"])
async def test_all_series_of_a_request_share_a_budget(store, field) -> None:
    series = " ".join(f"a{n}: series({TEN_DAYS}) {{ {field} }}" for n in range(16))

    answer = await ask(store, f"{{ network {{ {series} }} }}")

    assert set(answer.codes) == {"TOO_COMPLEX"}
    assert {error["extensions"]["argument"] for error in answer.errors} == {"interval"}
    assert "wider interval" in answer.errors[0]["message"]
    found = [one for one in answer.data["network"].values() if one]
    assert sum(len(buckets) for one in found for buckets in one.values()) <= LIMITS.max_request_points


async def test_columns_are_a_tenth_of_buckets(store) -> None:
    def columns(count: int) -> str:
        told = " ".join(f'a{n}: values(metric: "outputFps")' for n in range(count))
        return f"{{ network {{ series({TEN_DAYS}) {{ starts {told} }} }} }}"

    assert (await ask(store, columns(8))).errors == []
    assert set((await ask(store, columns(60))).codes) == {"TOO_COMPLEX"}


async def test_demand_series_share_the_budget(store) -> None:
    series = " ".join(
        f"a{n}: demandSeries(window: {{last: P800D}}, interval: HOUR, fill: ZERO) {{ buckets {{ start }} }}"
        for n in range(3)
    )

    assert (await ask(store, f"{{ network {{ {series} }} }}")).codes == ["TOO_COMPLEX"]


async def test_timelines_are_counted(store) -> None:
    query = "{ streams { nodes { sessions { timeline { at } } } } }"

    assert (await ask(store, query)).errors == []
    result = await SCHEMA.execute(query, context_value=context(store, Limits(max_timelines=0)))

    assert {tuple(error.extensions.items()) for error in result.errors} == {
        (("code", "TOO_COMPLEX"), ("argument", "first"))
    }


@pytest.mark.parametrize(
    ("window", "argument"),
    [
        ('{start: "9999-12-01T00:00:00Z", end: "9999-12-31T23:59:59.999Z"}', "window.start"),
        ('{start: "2026-01-01T00:00:00Z", end: "9999-12-31T23:59:59.999Z"}', "window.end"),
        ('{start: "0999-01-01T00:00:00Z", end: "2026-01-09T00:00:00Z"}', "window.start"),
        ("{last: P40000D}", "window.last"),
    ],
)
async def test_a_window_beyond_what_can_be_written_is_refused(store, window, argument) -> None:
    answer = await ask(store, f"{{ network {{ series(window: {window}, interval: DAY) {{ buckets {{ end }} }} }} }}")

    assert [error["extensions"] for error in answer.errors] == [{"code": "BAD_REQUEST", "argument": argument}]


async def test_an_outcome_is_not_compared_with_null(store) -> None:
    answer = await ask(store, "{ streams(filter: {outcome: {eq: null}}) { nodes { id } } }")

    assert [error["extensions"] for error in answer.errors] == [{"code": "BAD_REQUEST", "argument": "filter"}]
