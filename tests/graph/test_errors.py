"""What goes wrong, and what is said of it."""

import logging

import pytest

from metrics.errors import RateLimited, StoreTimeout, StoreUnavailable
from tests.graph.world import ALICE, NOW_MS, CountingStore, ask, fact, small_network

NODES = "{ nodes { id } }"


@pytest.fixture
def store() -> CountingStore:
    """The small network."""
    return small_network()


@pytest.mark.parametrize(
    ("query", "code", "argument"),
    [
        (
            'network { metrics(window: {start: "2026-01-09T14:00:00Z", end: "2026-01-09T13:00:00Z"}) { sessions } }',
            "BAD_REQUEST",
            "window.end",
        ),
        (
            'network { metrics(window: {last: PT1H, start: "2026-01-09T13:00:00Z"}) { sessions } }',
            "BAD_REQUEST",
            "window",
        ),
        ("network { metrics(window: {last: PT0S}) { sessions } }", "BAD_REQUEST", "window.last"),
        ("network { series(window: {last: P3650D}, interval: MINUTE) { starts } }", "TOO_COMPLEX", "interval"),
        ("network { series(interval: HOUR, maxPoints: 5) { starts } }", "BAD_REQUEST", "maxPoints"),
        ("network { series(maxPoints: -1) { starts } }", "BAD_REQUEST", "maxPoints"),
        ('network { series { values(metric: "fps") } }', "BAD_REQUEST", "metric"),
        ('network { series { values(metric: "failureRatePct", statistic: P95) } }', "BAD_REQUEST", "statistic"),
        ("network { demandSeries(interval: MINUTE) { interval } }", "BAD_REQUEST", "interval"),
        (f"orchestrators(first: -1) {NODES}", "BAD_REQUEST", "first"),
        (f"orchestrators(first: 501) {NODES}", "BAD_REQUEST", "first"),
        (f"orchestrators(last: -1) {NODES}", "BAD_REQUEST", "last"),
        (f"orchestrators(first: 1, last: 1) {NODES}", "BAD_REQUEST", "last"),
        (f'orchestrators(after: "nonsense") {NODES}', "BAD_REQUEST", "after"),
        (f'streams(before: "nonsense") {NODES}', "BAD_REQUEST", "before"),
        (f'orchestrators(orderBy: {{metric: "fps"}}) {NODES}', "BAD_REQUEST", "orderBy.metric"),
        (f'orchestrators(orderBy: {{metric: "sessions", statistic: P95}}) {NODES}', "BAD_REQUEST", "orderBy.statistic"),
        (
            f'orchestrators(orderBy: {{metric: "sessions", window: {{last: PT0S}}}}) {NODES}',
            "BAD_REQUEST",
            "orderBy.window.last",
        ),
        (f'orchestrators(orderBy: {{metric: "sessions", field: ADDRESS}}) {NODES}', "BAD_REQUEST", "orderBy"),
        (f"streams(filter: {{workflow: {{eq: null}}}}) {NODES}", "BAD_REQUEST", "filter"),
        ('node(id: "nonsense!") { id }', "BAD_REQUEST", "id"),
        ('node(id: "") { id }', "BAD_REQUEST", "id"),
    ],
)
async def test_a_bad_argument_is_named(store, query, code, argument) -> None:
    answer = await ask(store, "{ " + query + " metricCatalogue { name } }")

    assert [error["extensions"] for error in answer.errors] == [{"code": code, "argument": argument}]
    assert answer.data["metricCatalogue"], "the rest of the answer stands"


@pytest.mark.parametrize(
    ("query", "variables", "argument", "message"),
    [
        ('{ orchestrator(address: "0x12") { id } }', {}, "address", "address: '0x12' is not an address."),
        ("{ orchestrator(address: 7) { id } }", {}, "address", "address: 7 is not an address."),
        ('{ network { metrics(window: {last: "1h"}) { sessions } } }', {}, "window.last", "'1h' is not a duration."),
        (
            '{ orchestrators(filter: {or: [{address: {in: ["0x1"]}}]}) { nodes { id } } }',
            {},
            "filter.or[0].address.in[0]",
            "'0x1' is not an address.",
        ),
        ('{ orchestrators(first: "a") { nodes { id } } }', {}, "first", "Int cannot represent"),
        (
            "query($w: WindowInput) { network { metrics(window: $w) { sessions } } }",
            {"w": {"last": "1h"}},
            "window.last",
            "window.last: '1h' is not a duration.",
        ),
        (
            'query($w: WindowInput = {last: "1h"}) { network { metrics(window: $w) { sessions } } }',
            {},
            "window.last",
            "window.last: '1h' is not a duration.",
        ),
        (
            "query($d: Duration) { network { metrics(window: {last: $d}) { sessions } } }",
            {"d": "1h"},
            "window.last",
            "window.last: '1h' is not a duration.",
        ),
        ("query($n: Int) { orchestrators(first: $n) { nodes { id } } }", {"n": "a"}, "first", "Int cannot represent"),
    ],
)
async def test_a_malformed_value_says_what_is_wrong_and_names_the_argument(
    store, query, variables, argument, message
) -> None:
    answer = await ask(store, query, **variables)

    (error,) = answer.errors
    assert error["extensions"] == {"code": "BAD_REQUEST", "argument": argument}
    assert message in error["message"]
    assert "encountered error" not in error["message"]


async def test_times_in_messages_are_written_as_clients_write_them(store) -> None:
    answer = await ask(
        store,
        '{ network { metrics(window: {start: "2026-01-09T14:00:00Z", end: "2026-01-09T13:00:00Z"}) { sessions } } }',
    )

    assert "ends at 2026-01-09T13:00:00Z, not after its start 2026-01-09T14:00:00Z" in answer.errors[0]["message"]


async def test_one_malformed_id_leaves_the_others(store) -> None:
    ids = [(await ask(store, "{ gpus(first: 1) { nodes { id } } }")).data["gpus"]["nodes"][0]["id"], "abc"]

    answer = await ask(store, "query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=[*ids, ids[0]])

    assert answer.data["nodes"] == [{"id": ids[0]}, None, {"id": ids[0]}]
    assert [(error["path"], error["extensions"]) for error in answer.errors] == [
        (["nodes", 1], {"code": "BAD_REQUEST", "argument": "ids"})
    ]


async def test_an_unknown_field_is_answered_with_what_it_may_have_meant(store) -> None:
    answer = await ask(store, "{ network { metric { sessions } } }")

    assert "Did you mean 'metrics'?" in answer.errors[0]["message"]


@pytest.mark.parametrize(
    "query",
    [
        '{ orchestrator(address: "0x12") { id } }',
        "{ orchestrator(address: 7) { id } }",
        '{ network { metrics(window: {last: "1h"}) { sessions } } }',
        '{ network { metrics(window: {last: "P1M"}) { sessions } } }',
        '{ network { metrics(window: {start: "yesterday", end: "2026-01-09T13:00:00Z"}) { sessions } } }',
        '{ network { metrics(window: {start: "2026-13-09T13:00:00Z", end: "2026-01-09T13:00:00Z"}) { sessions } } }',
        "{ nothing }",
        "{ network { metrics { sessions { x } } } }",
        "{",
        "",
        "query($w: WindowInput) { network { metrics(window: $x) { sessions } } }",
        "query A { regions { id } } query B { regions { id } }",
        "mutation { x }",
    ],
)
async def test_what_cannot_be_executed_is_a_bad_request(store, query) -> None:
    answer = await ask(store, query)

    assert answer.data is None
    assert set(answer.codes) == {"BAD_REQUEST"}


async def test_a_bad_variable_says_what_would_be_right(store) -> None:
    answer = await ask(store, "query($a: Address!) { orchestrator(address: $a) { id } }", a="0x12")

    assert answer.codes == ["BAD_REQUEST"]
    assert "0x and 40 hexadecimal digits" in answer.errors[0]["message"]


@pytest.mark.parametrize(
    "error",
    [StoreTimeout("the store did not answer within 5 s"), StoreUnavailable("no store"), RateLimited("slower", 3)],
)
async def test_a_store_that_fails_leaves_the_rest_of_the_answer(store, error) -> None:
    store.fail["rows"] = error

    answer = await ask(store, f'{{ orchestrator(address: "{ALICE}") {{ nodeVersion metrics {{ sessions }} }} }}')

    assert answer.data == {"orchestrator": {"nodeVersion": "0.8.8", "metrics": None}}
    assert answer.codes == [error.code]
    assert answer.errors[0]["message"] == str(error)
    assert answer.errors[0]["path"] == ["orchestrator", "metrics"]


async def test_a_stranger_is_masked_and_logged_with_its_id(store, caplog) -> None:
    store.fail["rows"] = ZeroDivisionError("secret")

    with caplog.at_level(logging.ERROR):
        answer = await ask(store, "{ network { metrics { sessions } lastEventAt } }")

    (error,) = answer.errors
    assert answer.data == {"network": {"metrics": None, "lastEventAt": "2026-01-09T13:59:00Z"}}
    assert (error["message"], error["extensions"]["code"]) == ("internal error", "INTERNAL")
    assert "secret" not in str(error)
    assert error["extensions"]["id"] in caplog.text
    assert "secret" in caplog.text


async def test_a_callers_mistake_is_not_logged(store, caplog) -> None:
    with caplog.at_level(logging.DEBUG):
        await ask(store, "{ orchestrators(first: -1) { nodes { id } } nothing }")
        await ask(store, "{ orchestrators(first: -1) { nodes { id } } }")

    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_count_beyond_int_is_an_error_and_never_cut(store) -> None:
    store.add(fact("big", NOW_MS - 1000, {"sessions": 2**31}, orchestrator=ALICE))

    answer = await ask(store, "{ network { metrics { sessions } a: metrics { failureRatePct { value } } } }")

    assert answer.data["network"] == {"metrics": None, "a": {"failureRatePct": {"value": 50}}}
    assert answer.codes == ["TOO_COMPLEX"]
    assert "2,147,483,650" in answer.errors[0]["message"]


@pytest.mark.parametrize(
    ("query", "what"),
    [
        (
            "{ gpus { nodes " * 1 + "{ orchestrators { gpus { nodes " * 5 + "{ id }" + " } } }" * 5 + " } }",
            "levels deep",
        ),
        ("{ " + " ".join(f"a{n}: metricCatalogue {{ name }}" for n in range(201)) + " }", "aliases"),
        (
            "{ ...F0 } "
            + " ".join(f"fragment F{n} on Query {{ ...F{n + 1} x{n}: __typename ...F{n + 1} }}" for n in range(30))
            + " fragment F30 on Query { __typename }",
            "fields",
        ),
    ],
)
async def test_a_document_that_is_too_large_is_refused(store, query, what) -> None:
    answer = await ask(store, query)

    assert answer.data is None
    assert "TOO_COMPLEX" in answer.codes
    assert what in " ".join(error["message"] for error in answer.errors)


async def test_a_document_of_too_many_tokens_is_refused(store) -> None:
    answer = await ask(store, "{ " + "__typename " * 30_000 + "}")

    assert answer.codes == ["BAD_REQUEST"]


async def test_a_fragment_within_itself_is_refused(store) -> None:
    answer = await ask(store, "{ ...F } fragment F on Query { ...F regions { id } }")

    assert answer.data is None
    assert set(answer.codes) == {"BAD_REQUEST"}


async def test_pages_of_streams_of_too_many_parents_are_refused(store) -> None:
    for number in range(30):
        from tests.graph.world import sighting

        store.add(sighting(f"x{number}", 0, 1, orchestrator=f"0x{number:040x}"))

    answer = await ask(store, "{ orchestrators { nodes { streams(first: 1) { nodes { id } } } } }")

    assert set(answer.codes) == {"TOO_COMPLEX"}
