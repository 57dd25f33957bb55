"""The whole schema against the table of rights: every field, every role."""

from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import (
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
)
from graphql import build_schema as parsed

from auth import rights
from auth.caller import Caller
from auth.rights import RULES, Party, Private, rule_of
from graph.executor import PLAIN
from graph.node import global_id
from graph.rights import OWNERS, fields_of
from graph.schema import build_schema, sdl
from tests.graph.owners import ALICE, BOB, GAIL, HAL, OF_ALICE, OF_BOB, ROLES, SCHEMA, Counted, ask, network, without

GRAPH = SCHEMA._schema
PRIVATE = {name: rule for name, rule in RULES.items() if rule is not None}
DAY = '{last: "P1D"}'
# Arguments that a field needs, and those without which it would have nothing to tell.
ARGUMENTS = {
    "id": f'"{global_id("Orchestrator", ALICE)}"',
    "ids": f'["{global_id("Orchestrator", ALICE)}"]',
    "address": f'"{ALICE}"',
    "gpuId": '"GPU-alice"',
    "name": '"sdxl"',
    "gatewayId": f'"{GAIL}"',
    "streamId": '"stream-alice"',
    "metric": '"sessions"',
    "window": DAY,
    "representations": "[]",
}
# These are about whoever asks, so that each is told something else: tests/gateway/test_oneself.py has two callers.
ONESELF = {"Delegation", "LoginChallenge", "Mutation", "Tokens", "Viewer"}
# These are told to those who subscribe: tests/graph/test_live.py has who may.
LIVE = {"IncidentsUpdate", "MetricsUpdate", "Subscription"}
# Of these there is nothing in the network that is asked.
UNSEEN = {"Coverage", "Dataset", "DatasetEdge", "JobKindCount", "SwapReasonCount"}


def types() -> Iterator[GraphQLObjectType]:
    """Every type that has values, the root, the federation's own and what is about the caller left out."""
    for type_ in GRAPH.type_map.values():
        named = type_.name.startswith("_") or type_.name in {"Query", *ONESELF, *LIVE}
        if isinstance(type_, GraphQLObjectType) and not named:
            yield type_


def paths() -> dict[str, list[tuple[str, str]]]:
    """Type → a short way to it from the root: (type, field) after (type, field)."""
    found: dict[str, list[tuple[str, str]]] = {"Query": []}
    waiting = deque(["Query"])
    while waiting:
        at = waiting.popleft()
        type_ = GRAPH.type_map[at]
        assert isinstance(type_, GraphQLObjectType | GraphQLInterfaceType)
        for name, field in type_.fields.items():
            for reached in _objects(field.type):
                if reached not in found and not name.startswith("_"):
                    found[reached] = [*found[at], (at, name)]
                    waiting.append(reached)
    return found


def _objects(type_: GraphQLOutputType) -> list[str]:
    named = get_named_type(type_)
    return [named.name] if isinstance(named, GraphQLObjectType) else []


PATHS = paths()


def asked(type_name: str, field: str) -> str:
    """A field with its arguments, and with something selected below it."""
    type_ = GRAPH.type_map[type_name]
    assert isinstance(type_, GraphQLObjectType)
    held = type_.fields[field]
    below = get_named_type(held.type)
    leaf = is_leaf_type(below)
    return f"{field}{_arguments(held)}{'' if leaf else ' { __typename }'}"


def _arguments(field: Any) -> str:
    needed = [name for name, one in field.args.items() if isinstance(one.type, GraphQLNonNull) or name == "window"]
    return f"({', '.join(f'{name}: {ARGUMENTS[name]}' for name in needed)})" if needed else ""


def query(type_name: str, fields: list[str]) -> str:
    """A query for fields of a type, by the way to it."""
    text = " ".join(asked(type_name, field) for field in fields)
    for parent, name in reversed(PATHS[type_name]):
        type_ = GRAPH.type_map[parent]
        assert isinstance(type_, GraphQLObjectType)
        text = f"{name}{_arguments(type_.fields[name])} {{ {text} }}"
    return f"{{ {text} }}"


def reached(data: Any, type_name: str) -> list[dict[str, Any]]:
    """The values of a type that a query came to."""
    found = [data]
    for _, name in PATHS[type_name]:
        steps = [one[name] for one in found if one is not None and one.get(name) is not None]
        found = [inner for one in steps for inner in (one if isinstance(one, list) else [one])]
    return found


@pytest.fixture(scope="module")
def store() -> Counted:
    return network()


def test_the_table_names_every_field_and_nothing_else() -> None:
    fields = {f"{type_name}.{name}" for type_name, name in fields_of(GRAPH)}
    whole = {f"{type_name}.*" for type_name, _ in fields_of(GRAPH)}

    # Entities are the federation's, and there where the schema has keys.
    assert RULES.keys() - fields - whole <= {"Query._entities"}
    assert [name for name in fields if name not in RULES and f"{name.partition('.')[0]}.*" not in RULES] == []


def test_a_field_that_the_table_does_not_name_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(rights.RULES, "Stream.streamId")

    with pytest.raises(LookupError, match=r"who may read Stream\.streamId"):
        build_schema()


def test_a_private_field_is_nullable() -> None:
    for name in PRIVATE:
        type_name, _, field = name.partition(".")
        if type_name in OWNERS:
            type_: Any = GRAPH.type_map[type_name]
            assert not isinstance(type_.fields[field].type, GraphQLNonNull), name


def test_private_types_are_reached_through_private_fields_of_the_same_rule_only() -> None:
    inner = {name.partition(".")[0]: rule for name, rule in PRIVATE.items()}
    inner = {name: rule for name, rule in inner.items() if name not in OWNERS}

    assert inner.keys() == {name.partition(".")[0] for name in PRIVATE} - OWNERS.keys()
    for type_name, field in fields_of(GRAPH):
        type_: Any = GRAPH.type_map[type_name]
        for name in _objects(type_.fields[field].type) if hasattr(type_, "fields") else ():
            if name in inner:
                assert rule_of(type_name, field) == inner[name], f"{type_name}.{field} leads to {name}"
    # Nor by any other way: no interface, union or short way of the executor knows them.
    for type_ in types():
        if type_.name in inner:
            assert type_.interfaces == ()
            assert not RULES.keys() & {f"{type_.name}.*"}
    assert not PLAIN & (inner.keys() | OWNERS.keys())
    unions = [one for one in GRAPH.type_map.values() if isinstance(one, GraphQLUnionType)]
    assert not {member.name for union in unions for member in union.types} & inner.keys()


def test_the_text_of_the_schema_says_what_the_table_says() -> None:
    schema: Any = parsed(sdl())
    for type_name, field in fields_of(schema):
        node = schema.type_map[type_name]
        if not isinstance(node, GraphQLObjectType | GraphQLInterfaceType) or type_name.startswith("_"):
            continue
        ast = node.fields[field].ast_node
        assert ast is not None
        said = {directive.name.value: directive for directive in ast.directives or ()}
        rule = rule_of(type_name, field)
        if isinstance(rule, Private) and type_name in OWNERS:
            scopes = said["requiresScopes"].arguments[0].value.values
            assert [[one.value for one in anded.values] for anded in scopes] == [[rule.scope.value]]
            assert "authenticated" in said
        else:
            assert not said.keys() & {"authenticated", "requiresScopes"}, f"{type_name}.{field}"
    # Not a demand on routers, of which some would refuse the graph for it.
    assert '"@authenticated"' not in sdl()
    assert '"@requiresScopes"' not in sdl()


def test_marking_again_changes_nothing() -> None:
    build_schema()

    assert sdl().count('[["earnings:read"]]') == 1


def test_every_type_can_be_reached() -> None:
    assert {type_.name for type_ in types()} - PATHS.keys() == set()


async def _told(store: Counted, caller: Caller, type_name: str, fields: list[str]) -> tuple[Any, list[Any]]:
    answer = await ask(store, caller, query(type_name, fields))
    return answer.data, answer.errors


CALLERS = [*ROLES.items(), *((f"{name} without scopes", without(caller)) for name, caller in ROLES.items())]


@pytest.mark.parametrize(("role", "caller"), CALLERS, ids=[name for name, _ in CALLERS])
async def test_each_field_is_told_to_those_whom_the_table_names(store: Counted, role: str, caller: Caller) -> None:
    for type_ in types():
        fields = list(type_.fields)
        entrance = next((step for step in PATHS[type_.name] if rule_of(*step) is not None), None)
        everything, none = await _told(store, ROLES["operator"], type_.name, fields)
        assert none == [], type_.name
        assert reached(everything, type_.name) or type_.name in UNSEEN, f"nothing of {type_.name} is asked"

        data, errors = await _told(store, caller, type_.name, fields)

        if entrance is not None:
            rule = rule_of(*entrance)
            assert isinstance(rule, Private)
            _entrance_is_guarded(caller, rule, data, everything, errors, type_.name)
            continue
        for own, whole in zip(reached(data, type_.name), reached(everything, type_.name), strict=True):
            for field in fields:
                if rule_of(type_.name, field) is None:
                    assert own[field] == whole[field], f"{role}: {type_.name}.{field}"
        refused = {error["path"][-1] for error in errors}
        private = {field for field in fields if rule_of(type_.name, field) is not None}
        assert refused <= private
        assert {error["extensions"]["code"] for error in errors} <= {_code(caller)}
        for field in private:
            rule = rule_of(type_.name, field)
            assert isinstance(rule, Private)
            told = [own[field] for own in reached(data, type_.name)]
            if not _may_somewhere(caller, rule):
                assert set(map(str, told)) == {"None"}, f"{role}: {type_.name}.{field}"
                assert field in refused


def _entrance_is_guarded(
    caller: Caller, rule: Private, data: Any, everything: Any, errors: list[Any], type_name: str
) -> None:
    if caller.operator and rule.scope in caller.scopes:
        assert (data, errors) == (everything, [])
    elif not _may_somewhere(caller, rule):
        assert reached(data, type_name) == []
        assert {error["extensions"]["code"] for error in errors} == {_code(caller)}


def _code(caller: Caller) -> str:
    return "UNAUTHENTICATED" if caller.subject is None else "FORBIDDEN"


def _may_somewhere(caller: Caller, rule: Private) -> bool:
    """Is there anything of this rule that the caller owns, in this network?"""
    mine = caller.orchestrators & {ALICE, BOB} if rule.owner is Party.ORCHESTRATOR else caller.gateways & {GAIL, HAL}
    return rule.scope in caller.scopes and (caller.operator or bool(mine))


@pytest.mark.parametrize("planted", [OF_ALICE, OF_BOB], ids=["alice", "bob"])
async def test_no_filter_finds_a_private_text(store: Counted, planted: dict[str, Any]) -> None:
    for canary in planted.values():
        part = '{contains: "' + canary.text[:30] + '"}'
        for listed, fields in (
            ("orchestrators", "address serviceUri nodeVersion workflow region gpuModel"),
            ("gpus", "gpuId model workflow region orchestrator"),
            ("workflows", "name pipeline region gpuModel orchestrator"),
            ("streams", "workflow gateway region gpu orchestrator"),
        ):
            either = ", ".join(f"{{{field}: {part}}}" for field in fields.split())
            answer = await ask(
                store, ROLES["anonymous"], f"{{ {listed}(filter: {{or: [{either}]}}) {{ totalCount }} }}"
            )

            assert (answer.errors, answer.data[listed]["totalCount"]) == ([], 0)
