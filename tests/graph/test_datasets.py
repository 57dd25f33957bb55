"""Datasets in the graph: by name, by workflow and type, in pages, and as nodes; without a read."""

from dataclasses import replace
from typing import Any

import pytest

from graph.node import global_id
from promptsets.dataset import Catalogue
from promptsets.source import load
from tests.graph.world import SCHEMA, Answer, CountingStore, context, small_network

CATALOGUE = Catalogue.of(load(None))
NAMES = [one.name for one in CATALOGUE.datasets]


async def ask(query: str, store: CountingStore, catalogue: Catalogue = CATALOGUE, **variables: Any) -> Answer:
    request = replace(context(store), datasets=catalogue)
    result: Any = await SCHEMA.execute(query, variable_values=variables, context_value=request)
    return Answer(result.data, [error.formatted for error in result.errors or []])


async def data(query: str, store: CountingStore | None = None, **variables: Any) -> Any:
    answer = await ask(query, store or CountingStore(), **variables)
    assert answer.errors == []
    return answer.data


async def test_a_dataset_tells_its_metadata_and_is_a_node() -> None:
    known = CATALOGUE.datasets[0]
    fields = "id name version type workflow description promptCount license url sha256 updatedAt"
    store = CountingStore()
    told = await data(
        f"""query ($name: String!, $id: ID!) {{
              dataset(name: $name) {{ {fields} }}
              node(id: $id) {{ __typename id ... on Dataset {{ name }} }} }}""",
        store,
        name=known.name,
        id=global_id("Dataset", known.name),
    )

    assert told["dataset"] == {
        "id": global_id("Dataset", known.name),
        "name": "streamdiffusion-bad",
        "version": known.version,
        "type": "BAD",
        "workflow": "streamdiffusion",
        "description": known.description,
        "promptCount": 240,
        "license": "CC0-1.0",
        "url": None,
        "sha256": known.sha256,
        "updatedAt": "2026-11-20T00:00:00Z",
    }
    assert told["node"] == {"__typename": "Dataset", "id": told["dataset"]["id"], "name": known.name}
    assert store.calls == {}


async def test_one_that_there_is_not_is_null() -> None:
    query = 'query ($id: ID!) { dataset(name: "x") { name } node(id: $id) { id } nodes(ids: [$id]) { id } }'

    assert await data(query, id=global_id("Dataset", "x")) == {"dataset": None, "node": None, "nodes": [None]}


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ("", NAMES),
        ("type: GOOD", [name for name in NAMES if name.endswith("good")]),
        ('workflow: "streamdiffusion-sdxl"', [f"streamdiffusion-sdxl-{kind}" for kind in ("bad", "good", "random")]),
        ('workflow: "streamdiffusion", type: RANDOM', ["streamdiffusion-random"]),
        ('workflow: "nobody\'s"', []),
        ("last: 2", NAMES[-2:]),
    ],
)
async def test_datasets_are_found_by_workflow_and_type(arguments: str, found: list[str]) -> None:
    told = await data(f"{{ datasets{f'({arguments})' if arguments else ''} {{ nodes {{ name }} totalCount }} }}")

    assert [node["name"] for node in told["datasets"]["nodes"]] == found
    assert told["datasets"]["totalCount"] == (len(NAMES) if arguments == "last: 2" else len(found))


async def test_pages_follow_one_another_and_end() -> None:
    query = """query ($after: String) { datasets(type: BAD, first: 2, after: $after) {
                 edges { node { name } } pageInfo { hasNextPage hasPreviousPage endCursor } } }"""
    found, after = [], None
    for more in (True, False):
        page = (await data(query, after=after))["datasets"]
        found += [edge["node"]["name"] for edge in page["edges"]]
        assert (page["pageInfo"]["hasNextPage"], page["pageInfo"]["hasPreviousPage"]) == (more, not more)
        after = page["pageInfo"]["endCursor"]

    assert found == [name for name in NAMES if name.endswith("bad")]


async def test_a_workflow_has_its_datasets() -> None:
    store = small_network()
    own = Catalogue((CATALOGUE.datasets[0], replace(CATALOGUE.datasets[1], workflow="sdxl")))
    query = '{ workflow(name: "sdxl") { datasets { name } } }'

    assert (await ask(query, store)).data == {"workflow": {"datasets": []}}
    assert (await ask(query, store, own)).data == {"workflow": {"datasets": [{"name": NAMES[1]}]}}


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [("first: -1", "first"), ("first: 1, last: 1", "last"), ('after: "x"', "after"), ("type: WORSE", "type")],
)
async def test_a_wrong_argument_is_named(arguments: str, argument: str) -> None:
    answer = await ask(f"{{ datasets({arguments}) {{ nodes {{ name }} }} }}", CountingStore())

    assert [error["extensions"]["code"] for error in answer.errors] == ["BAD_REQUEST"]
    assert answer.errors[0]["extensions"]["argument"] == argument
