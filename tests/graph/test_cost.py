"""What operations cost: worked out before anything is read, and true to the page that explains it."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from graphql import GraphQLObjectType, get_named_type, is_composite_type, is_list_type, parse
from graphql.type import get_nullable_type
from hypothesis import given, settings
from hypothesis import strategies as st
from strawberry.federation.schema_directives import ListSize

from auth.account import READ, REQUEST, Account, Price
from auth.budget import Budget
from auth.meter import Kept
from graph.estimate import Asked, compiled, price
from resolvers.context import LIMITS
from tests.graph.world import NOW, SCHEMA, CountingStore, context, small_network

PAGE = (Path(__file__).parents[2] / "docs" / "limits.md").read_text(encoding="utf-8")
MILLION = "{gpus{nodes{workflows{gpus{nodes{workflows{name}}}}}}}"
BUDGET = Budget("cost", 300_000, 60)


def priced(query: str, **variables: object) -> Price:
    """What a query costs, the request itself left out."""
    return price(compiled(SCHEMA._schema, parse(query), None), Asked(variables, NOW, LIMITS))


def cost(query: str, **variables: object) -> int:
    """All of it."""
    return priced(query, **variables).cost


def size(query: str, **variables: object) -> int:
    """What it costs beside reading the store."""
    found = priced(query, **variables)
    return found.cost - found.reading


def account(most: int = 100_000, only_estimate: bool = False, meter: Kept | None = None) -> Account:
    """An account with a full budget."""
    return Account(meter or Kept(), "somebody", BUDGET, most, only_estimate)


async def ask(store: CountingStore, query: str, paying: Account, **variables: object):
    """The result of a query that is paid for."""
    here = context(store)
    here.account = paying
    await paying.open()
    return await SCHEMA.execute(query, variable_values=variables or None, context_value=here)


@pytest.fixture
def store() -> CountingStore:
    """The small network."""
    return small_network()


EXAMPLES = re.findall(r"\*\*([\d,]+)\*\*[^\n]*\n```graphql\n(.*?)\n```", PAGE)


@pytest.mark.parametrize(("told", "query"), EXAMPLES)
def test_the_examples_of_the_page_cost_what_it_says(told, query) -> None:
    assert cost(query) + REQUEST == int(told.replace(",", ""))


def test_the_page_has_its_examples() -> None:
    assert len(EXAMPLES) == 6


@pytest.mark.parametrize(
    ("query", "variables", "expected"),
    [
        ("query($n: Int = 7) { gpus(first: $n) { nodes { id } } }", {}, 1 + 7),
        ("query($n: Int = 7) { gpus(first: $n) { nodes { id } } }", {"n": 3}, 1 + 3),
        ("query($n: Int) { gpus(first: $n) { nodes { id } } }", {}, 1 + 50),
        ("{ gpus(last: 9) { edges { cursor node { id } } pageInfo { endCursor } } }", {}, 1 + 9 * 2 + 1),
        ("{ gpus(first: -5) { nodes { id } } }", {}, 1),
        ('{ nodes(ids: ["a", "b", "c"]) { id } }', {}, 3),
        ("query($r: [_Any!]!) { _entities(representations: $r) { ... on Gpu { gpuId } } }", {"r": [{}] * 7}, 7),
        ("query($i: [ID!]!) { nodes(ids: $i) { id } }", {"i": ["a"] * 500}, 500),
        ("query($s: Boolean!) { network { metrics @skip(if: $s) { sessions } } }", {"s": True}, 1),
        ("query($s: Boolean!) { network { metrics @include(if: $s) { sessions } } }", {"s": True}, 3),
        ("{ network { ...a ...a } } fragment a on Network { metrics { sessions } }", {}, 3),
        ("{ network { metrics { sessions } metrics { sessions streams } } }", {}, 4),
        ("{ network { a: metrics { sessions } b: metrics { sessions } } }", {}, 5),
        ("query($w: WindowInput) { network { series(window: $w) { starts } } }", {"w": {"last": "PT2H"}}, 2 + 120),
        ("{ network { series(window: {last: P1D}, maxPoints: 24) { starts } } }", {}, 2 + 24),
        ("{ network { demandSeries(window: {last: P1D}) { buckets { start } } } }", {}, 2 + 24),
        ("{ network { series(window: {last: nonsense}) { starts } } }", {}, 2 + 500),
        ("query($i: Interval) { network { series(interval: $i) { starts } } }", {"i": "NEVER"}, 2 + 500),
        ("{ __schema { types { name } } }", {}, 1_000),
        ("{ a: _service { sdl } b: _service { sdl } }", {}, 2_000),
        ("query ($n: Int) { orchestrators(first: $n) { nodes { address } } }", {"n": 500.0}, 501),
        ("query ($n: Int) { orchestrators(first: $n) { nodes { address } } }", {"n": None}, 51),
        ("{ a: __schema { types { name } } b: __schema { types { name } } }", {}, 2_000),
        ("{ __typename }", {}, 0),
    ],
)
def test_sizes_come_from_arguments_variables_and_windows(query, variables, expected) -> None:
    assert size(query, **variables) == expected


@pytest.mark.parametrize(
    ("query", "variables", "places"),
    [
        ("{ network { metrics { sessions } } }", {}, 1),
        ("{ network { a: metrics { sessions } b: metrics(window: {last: P2D}) { sessions } } }", {}, 2),
        ("{ network { ...a ...a } } fragment a on Network { metrics { sessions } }", {}, 1),
        # However many there are, they are read together.
        ("{ workflows { nodes { metrics { sessions } gpus { nodes { metrics { sessions } } } } } }", {}, 3),
        ("query($s: Boolean!) { network { metrics @skip(if: $s) { sessions } } }", {"s": True}, 0),
        ("query($s: Boolean!) { network @skip(if: $s) { metrics { sessions } } }", {"s": True}, 0),
        (f"{{ {' '.join(f'a{n}: leaderboard(first: 1) {{ rank }}' for n in range(50))} }}", {}, 50),
        ('{ orchestrator(address: "0x") { address } __typename }', {}, 1),
        ("{ regions { id } }", {}, 1),
        ("{ network { gpuCount lastEventAt } }", {}, 2),
        ("{ metricCatalogue { name } viewer { subject } datasets { nodes { name } } }", {}, 0),
    ],
)
def test_each_place_that_asks_the_store_costs_a_read(query, variables, places) -> None:
    assert priced(query, **variables).reading == places * READ


def test_plain_values_are_not_free_without_end() -> None:
    many = " ".join(f"a{n}: start" for n in range(190))
    window = '{start: "2026-01-01T00:00:00Z", end: "2026-01-02T00:00:00Z"}'
    query = f"{{ network {{ series(window: {window}, interval: MINUTE) {{ buckets {{ {many} }} }} }} }}"

    assert size(query) == 1440 * 190 // 4
    assert "plain values" in priced(query).cheaper(1)
    assert size(query.replace(many, "start")) == 2 + 1440


async def test_what_many_values_were_worth_is_not_given_back(store) -> None:
    paying = account()
    many = " ".join(f"a{n}: start" for n in range(40))
    window = '{start: "2026-01-09T00:00:00Z", end: "2026-01-09T20:00:00Z"}'
    query = f"{{ network {{ series(window: {window}, interval: HOUR, fill: NULL) {{ buckets {{ {many} }} }} }} }}"
    assert not (await ask(store, query, paying)).errors

    assert paying.actual == REQUEST + READ + 20 * 40 // 4


# Clocks go forward in Berlin on 29 March 2026 at 01:00 UTC; Monday there begins on Sunday evening in UTC.
SPRING = '{start: "2026-03-28T23:00:00Z", end: "2026-03-29T22:00:00Z"}'
MONDAY = '{start: "2026-01-04T23:30:00Z", end: "2026-01-05T10:00:00Z"}'


@pytest.mark.parametrize(
    ("window", "more", "expected"),
    [
        (SPRING, "interval: DAY", 2),
        (SPRING, 'interval: DAY, timeZone: "Europe/Berlin"', 1),
        (MONDAY, "interval: WEEK", 2),
        (MONDAY, 'interval: WEEK, timeZone: "Europe/Berlin"', 1),
        (MONDAY, 'interval: HOUR, timeZone: "Europe/Berlin"', 11),
        (SPRING, 'maxPoints: 1, timeZone: "Europe/Berlin"', 1),
        (SPRING, 'interval: DAY, timeZone: "Nowhere"', 500),
    ],
)
@pytest.mark.parametrize("series", ["series", "demandSeries"])
async def test_days_and_weeks_of_a_time_zone_are_paid_one_by_one(store, series, window, more, expected) -> None:
    query = f"{{ network {{ {series}(window: {window}, {more}, fill: NULL) {{ buckets {{ start }} }} }} }}"

    assert size(query) == 2 + expected
    found = (await ask(store, query, account())).data["network"][series]
    assert found is None or len(found["buckets"]) == expected


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9) | st.just("DAY"),
    lambda below: st.lists(below, max_size=2) | st.dictionaries(st.sampled_from(("last", "start", "end")), below),
    max_leaves=4,
)


@settings(max_examples=200, deadline=None)
@given(st.fixed_dictionaries({}, optional=dict.fromkeys("wimz", anything)))
def test_variables_of_any_kind_have_a_price(variables) -> None:
    head = "query($w: WindowInput, $i: Grain, $m: Int, $z: String)"

    assert cost(
        f"{head} {{ network {{ series(window: $w, interval: $i, maxPoints: $m, timeZone: $z) {{ starts }} }} }}",
        **variables,
    )


def test_every_list_of_things_has_a_size() -> None:
    unsized = []
    for type_ in SCHEMA._schema.type_map.values():
        if not isinstance(type_, GraphQLObjectType) or type_.name.startswith("__") or type_.name.endswith("Connection"):
            continue
        for name, field in type_.fields.items():
            if (
                name == "_entities"
                or not is_list_type(get_nullable_type(field.type))
                or not is_composite_type(get_named_type(field.type))
            ):
                continue
            directives = getattr(field.extensions.get("strawberry-definition"), "directives", ())
            if name != "buckets" and not any(isinstance(one, ListSize) for one in directives):
                unsized.append(f"{type_.name}.{name}")
    assert unsized == []


@pytest.mark.parametrize("query", [MILLION, "{network{series(window:{last:P13D}interval:MINUTE){buckets{%s}}}}"])
async def test_a_small_text_that_asks_for_a_million_is_refused_before_anything_is_read(store, query) -> None:
    metrics = " ".join(f"m{n}: metrics {{ sessions outputFps {{ value }} }}" for n in range(40))
    query = query.replace("%s", metrics)
    paying = account()

    result = await ask(store, query, paying)

    assert [error.extensions["code"] for error in result.errors] == ["TOO_COMPLEX"]
    assert "one request may cost 100,000. Dearest: " in result.errors[0].message
    assert store.calls.total() == 0
    assert paying.requested == REQUEST
    # It is this guard that refuses it.
    await SCHEMA.execute(query, context_value=context(store))
    assert store.calls.total() > 0


def test_the_million_is_54_bytes() -> None:
    assert (len(MILLION), cost(MILLION) > 1_000_000) == (54, True)


@pytest.mark.parametrize(
    ("query", "fits"), [("{ gpus(first: 500) { nodes { series(window: {last: PT8H}) { starts } } } }", 205)]
)
async def test_a_refusal_says_how_many_would_fit_and_they_do(store, query, fits) -> None:
    result = await ask(store, query, account())

    assert f"first: {fits} would fit" in result.errors[0].message
    assert (
        cost(query.replace("500", str(fits))) + REQUEST <= 100_000 < cost(query.replace("500", str(fits + 1))) + REQUEST
    )


async def test_what_was_not_used_is_given_back(store) -> None:
    paying = account()
    result = await ask(store, "{ orchestrators { nodes { metrics { sessions } } } }", paying)

    assert not result.errors
    # Three orchestrators instead of fifty.
    reads = 2 * READ
    assert (paying.requested, paying.actual) == (1 + 1 + 50 * 3 + reads, 1 + 1 + 3 * 3 + reads)
    assert paying.remaining == BUDGET.amount - paying.actual
    told = result.extensions["cost"]
    assert (told["requested"], told["actual"], told["remaining"]) == (1_152, 1_011, 298_989)
    assert datetime.fromisoformat(told["resetAt"]) > datetime.now(UTC)


async def test_what_failed_is_not_given_back(store) -> None:
    store.fail["rows"] = RuntimeError("broken")
    paying = account()
    await ask(store, "{ orchestrators { nodes { metrics { sessions } } } }", paying)

    assert paying.actual == paying.requested == 1_152


async def test_a_caller_without_budget_is_told_how_long_to_wait(store) -> None:
    meter = Kept()
    await meter.spend("somebody", BUDGET, 299_990 - READ)

    result = await ask(store, "{ orchestrators { nodes { address } } }", account(meter=meter))

    error = result.errors[0].extensions
    assert (error["code"], 1 <= error["retryAfterSeconds"] <= 120) == ("RATE_LIMITED", True)
    assert "first: 8 would fit" in result.errors[0].message
    assert store.calls.total() == 0


async def test_an_estimate_reads_nothing_and_costs_the_request_only(store) -> None:
    paying = account(only_estimate=True)
    result = await ask(store, "{ orchestrators { nodes { metrics { sessions } } } }", paying)

    assert (result.data, result.errors, store.calls.total()) == (None, None, 0)
    assert (result.extensions["cost"]["requested"], result.extensions["cost"]["actual"]) == (1_152, 1)
    assert paying.remaining == BUDGET.amount - REQUEST


async def test_an_answer_to_a_wrong_query_tells_the_cost_too(store) -> None:
    result = await ask(store, "{ nothing }", account())

    assert (result.extensions["cost"]["requested"], result.extensions["cost"]["actual"]) == (1, 1)


@pytest.mark.parametrize(
    "example", sorted((Path(__file__).parents[2] / "examples").rglob("*.graphql")), ids=lambda one: one.stem
)
def test_the_examples_are_far_below_what_one_request_may_cost(example) -> None:
    assert 1 <= cost(example.read_text(encoding="utf-8")) < 50_000
