"""Hostile documents. Each is refused by one guard alone, and is not refused by it where that guard is taken away."""

from dataclasses import replace
from typing import Any

import pytest

from graph.schema import build_schema
from resolvers.context import LIMITS, Limits
from tests.graph.world import context, small_network

GUARDS = (
    "max_depth",
    "max_aliases",
    "max_directives",
    "max_fields",
    "max_tokens",
    "max_root_fields",
    "max_fragments",
    "max_repeats",
)
NO_GUARDS = replace(LIMITS, **dict.fromkeys(GUARDS, 10**9))


def nested(levels: int) -> str:
    """Fragments within fragments, each three levels deeper."""
    body = "workflows { gpus(first: 1) { nodes { gpuId %s } } }"
    chain = [f"fragment F{n} on Gpu {{ {body % (f'...F{n + 1}' if n < levels - 1 else '')} }}" for n in range(levels)]
    return "{ gpus(first: 1) { nodes { ...F0 } } } " + " ".join(chain)


ATTACKS = [
    ("max_aliases", "{ network { " + " ".join(f"a{n}: __typename" for n in range(10_000)) + " } }", "10,000 aliases"),
    ("max_tokens", "{ network { " + " ".join(f"a{n}: __typename" for n in range(10_000)) + " } }", "tokens"),
    ("max_fields", "{ network { " + " ".join(f"a{n}: __typename" for n in range(10_000)) + " } }", "10,001 fields"),
    (
        "max_directives",
        "{ network { " + " ".join(f"a{n}: __typename @include(if: true)" for n in range(3_000)) + " } }",
        "3,000 directives",
    ),
    (
        "max_directives",
        "query " + "@a " * 3_000 + "{ __typename }",
        "3,000 directives",
    ),
    ("max_directives", "query ($a: Int " + "@a " * 3_000 + ") { __typename }", "3,000 directives"),
    ("max_depth", nested(10), "the query is 33 levels deep"),
    ("max_root_fields", "{ " + " ".join(f"a{n}: __typename" for n in range(1_000)) + " }", "1,000 root fields"),
    (
        "max_fragments",
        "{ ...F0 } " + " ".join(f"fragment F{n} on Query {{ __typename }}" for n in range(60)),
        "60 fragments",
    ),
]


async def asked(limits: Limits, query: str) -> tuple[list[str], str, int]:
    """The codes and messages of the answer under these limits, and how often the store was read."""
    store = small_network()
    result: Any = await build_schema(limits).execute(query, context_value=context(store, limits))
    errors = result.errors or []
    return (
        [error.extensions["code"] for error in errors],
        " ".join(error.message for error in errors),
        store.calls.total(),
    )


@pytest.mark.parametrize(("guard", "query", "said"), ATTACKS, ids=[f"{n}-{one[0]}" for n, one in enumerate(ATTACKS)])
async def test_an_attack_is_refused_by_its_guard_alone(guard: str, query: str, said: str) -> None:
    codes, messages, reads = await asked(replace(NO_GUARDS, **{guard: getattr(LIMITS, guard)}), query)

    assert set(codes) == {"BAD_REQUEST" if guard == "max_tokens" else "TOO_COMPLEX"}
    assert (said in messages, reads) == (True, 0)
    assert said not in (await asked(NO_GUARDS, query))[1]


@pytest.mark.parametrize(
    "query",
    [
        "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
        "{ gpus { nodes { ...A } } } fragment A on Gpu { orchestrators { gpus { nodes { ...A } } } }",
        "{ __typename } fragment A on Gpu { a: orchestrators { ...B } b: orchestrators { ...B } } "
        "fragment B on Orchestrator { gpus { a: nodes { ...A } b: nodes { ...A } } }",
    ],
)
async def test_a_fragment_cycle_is_refused_and_not_walked(query: str) -> None:
    codes, messages, reads = await asked(NO_GUARDS, query)

    assert (set(codes), "within itself" in messages, reads) == ({"BAD_REQUEST"}, True, 0)


@pytest.mark.parametrize(
    "query",
    [
        "{ __schema { types { name } } }",
        '{ __type(name: "Query") { name } }',
        "{ _service { sdl } }",
        "query { ... { __schema { queryType { name } } } }",
    ],
)
async def test_introspection_can_be_switched_off(query: str) -> None:
    closed: Any = await build_schema(introspection=False).execute(query, context_value=context(small_network()))
    open_: Any = await build_schema().execute(query, context_value=context(small_network()))

    assert closed.data is None
    assert {error.extensions["code"] for error in closed.errors} == {"BAD_REQUEST"}
    assert open_.errors is None


@pytest.mark.parametrize(
    "query",
    [
        "{ orchestrator }",
        "{ networks { gpuCount } }",
        "{ network(regions: 1) { gpuCount } }",
        "{ network { ... on Gpux { gpuId } } }",
        "{ network { series(interval: HOURS) { starts } } }",
        "{ orchestrators(orderBy: {fieldx: ADDRESS}) { totalCount } }",
    ],
)
async def test_suggestions_can_be_switched_off(query: str) -> None:
    shown: Any = await build_schema().execute(query, context_value=context(small_network()))
    hidden: Any = await build_schema(suggestions=False).execute(query, context_value=context(small_network()))

    assert hidden.errors
    assert "Did you mean" not in " ".join(error.message for error in hidden.errors)
    assert "Did you mean" in " ".join(error.message for error in shown.errors) or query == "{ orchestrator }"
