"""The graph as a federation's subgraph: keys, representations, reads."""

import pytest
from graphql import GraphQLNonNull, lexicographic_sort_schema, print_schema
from graphql import build_schema as parsed

from graph.federation import FINDS, NATURAL
from graph.node import global_id
from graph.schema import build_schema, sdl
from metrics.errors import StoreUnavailable
from resolvers.context import LIMITS
from tests.graph.test_reads import network_of
from tests.graph.world import ALICE, BOB, CountingStore, ask, small_network

ENTITIES = """query($of: [_Any!]!) { _entities(representations: $of) { __typename
  ... on Orchestrator { id address nodeVersion serviceUris metrics { sessions } }
  ... on Gpu { gpuId model metrics { sessions } }
  ... on Workflow { name pipeline }
  ... on Gateway { gatewayId names }
  ... on Stream { streamId startedAt }
  ... on Dataset { name version }
  ... on Region { id label: name } } }"""
UNSEEN = "0x" + "ee" * 20
FIRST = {"__typename": "Orchestrator", "address": ALICE}


async def entities(store: CountingStore, *representations: object) -> tuple[list[object], dict[int, str]]:
    """What was answered, and the code of the error in each place that has one."""
    answer = await ask(store, ENTITIES, of=list(representations))
    codes = {error["path"][1]: error["extensions"]["code"] for error in answer.errors if "path" in error}
    assert len(codes) == len(answer.errors), answer.errors
    return answer.data["_entities"], codes


@pytest.mark.parametrize(
    ("representation", "found"),
    [
        (FIRST, ALICE),
        ({"__typename": "Orchestrator", "address": ALICE.upper().replace("X", "x")}, ALICE),
        ({"__typename": "Orchestrator", "id": global_id("Orchestrator", ALICE)}, ALICE),
        ({"__typename": "Orchestrator", "address": ALICE, "id": "extra", "name": {"of": ["others"]}}, ALICE),
        ({"__typename": "Gpu", "gpuId": "GPU-1"}, "GPU-1"),
        ({"__typename": "Gpu", "id": global_id("Gpu", "GPU-1")}, "GPU-1"),
        ({"__typename": "Workflow", "name": "flux"}, "flux"),
        ({"__typename": "Workflow", "id": global_id("Workflow", "flux")}, "flux"),
        ({"__typename": "Gateway", "gatewayId": "0X" + "99" * 20}, "0x" + "99" * 20),
        ({"__typename": "Gateway", "id": global_id("Gateway", "gw")}, "gw"),
        ({"__typename": "Stream", "streamId": "s2"}, "s2"),
        ({"__typename": "Stream", "id": global_id("Stream", "s2")}, "s2"),
        ({"__typename": "Region", "id": "fra"}, "fra"),
        # Nobody has seen these.
        ({"__typename": "Orchestrator", "address": UNSEEN}, None),
        ({"__typename": "Gpu", "gpuId": "?"}, None),
        ({"__typename": "Stream", "streamId": "?"}, None),
        ({"__typename": "Region", "id": "?"}, None),
        ({"__typename": "Dataset", "name": "?"}, None),
    ],
)
async def test_an_entity_is_found_by_each_of_its_keys(representation, found) -> None:
    (entity,), codes = await entities(small_network(), representation)

    assert codes == {}
    assert (entity and entity[NATURAL[representation["__typename"]]]) == found


@pytest.mark.parametrize(
    "bad",
    [
        None,
        7,
        "Orchestrator",
        [],
        {},
        {"__typename": None, "address": BOB},
        {"__typename": "Network"},
        {"__typename": "Session", "requestId": "r1"},
        {"__typename": "__Type", "name": "Query"},
        {"__typename": "Orchestrator"},
        {"__typename": "Orchestrator", "address": None},
        {"__typename": "Orchestrator", "address": "nobody"},
        {"__typename": "Orchestrator", "address": [BOB]},
        {"__typename": "Orchestrator", "id": "?"},
        {"__typename": "Orchestrator", "id": global_id("Gpu", "GPU-1")},
        {"__typename": "Gpu", "gpuId": 7},
        {"__typename": "Region", "id": {"a": 1}},
    ],
)
async def test_a_bad_representation_is_null_beside_its_error_and_the_others_are_answered(bad) -> None:
    if bad is None:  # refused by its type, [_Any!]!, before anything is read
        assert (await ask(small_network(), ENTITIES, of=[FIRST, bad])).data is None
        return
    (first, wrong, last), codes = await entities(small_network(), FIRST, bad, {"__typename": "Gpu", "gpuId": "GPU-2"})

    assert (first["address"], wrong, last["gpuId"]) == (ALICE, None, "GPU-2")
    assert codes == {1: "BAD_REQUEST"}


async def test_a_part_that_fails_is_null_and_its_entity_stands() -> None:
    store = small_network()
    store.fail["rows"] = StoreUnavailable("the store does not answer.")
    answer = await ask(store, ENTITIES, of=[FIRST])

    assert (answer.data["_entities"][0]["address"], answer.data["_entities"][0]["metrics"]) == (ALICE, None)
    assert answer.codes == ["STORE_UNAVAILABLE"]


async def test_reads_do_not_grow_with_the_number_of_representations() -> None:
    few, many = network_of(2), network_of(40)
    for store, count in ((few, 2), (many, 40)):
        orchestrators = [{"__typename": "Orchestrator", "address": f"0x{number:040x}"} for number in range(count)]
        cards = [{"__typename": "Gpu", "gpuId": f"GPU-{number}-{card}"} for number in range(count) for card in (0, 1)]
        found, codes = await entities(store, *orchestrators, *cards, {"__typename": "Stream", "streamId": "?"})
        assert codes == {}
        assert sum(entity is not None for entity in found) == 3 * count

    assert few.calls == many.calls
    assert sum(many.calls.values()) <= 5


async def test_too_many_representations_are_refused() -> None:
    answer = await ask(small_network(), ENTITIES, of=[FIRST] * (LIMITS.max_representations + 1))

    assert (answer.data, answer.codes) == (None, ["BAD_REQUEST"])


async def test_the_service_tells_the_schema_without_what_its_link_imports() -> None:
    text = (await ask(small_network(), "{ _service { sdl } }")).data["_service"]["sdl"]

    assert 'schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: [' in text
    assert 'type Orchestrator implements Node & Measured @key(fields: "address") @key(fields: "id")' in text
    assert "directive @key" not in text
    assert sdl().startswith(text)
    parsed(text, assume_valid_sdl=True)


def test_every_entity_has_its_keys_and_nothing_else_that_may_not_be_null() -> None:
    schema = parsed(sdl())
    assert {one.name for one in schema.type_map["_Entity"].types} == set(FINDS) == set(NATURAL)
    for name, key in NATURAL.items():
        type_ = schema.type_map[name]
        written = {directive.arguments[0].value.value for directive in type_.ast_node.directives}
        assert written == {key, "id"}
        required = {field for field, one in type_.fields.items() if isinstance(one.type, GraphQLNonNull)}
        assert required == {key, "id"}
    assert str(schema.query_type.fields["_entities"].type) == "[_Entity]!"


def test_the_exported_text_is_whole_and_says_what_is_served() -> None:
    served, exported = build_schema()._schema, parsed(sdl())

    assert print_schema(lexicographic_sort_schema(exported)) == print_schema(
        lexicographic_sort_schema(parsed(print_schema(served)))
    )


def test_what_may_be_left_out_has_no_default_of_null() -> None:
    assert "= null" not in sdl()
