"""SQL in every string argument: an answer as to any name that there is not, and a store as it was."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from graphql import (
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLObjectType,
    get_named_type,
    is_composite_type,
    is_required_argument,
    parse,
    validate,
)
from graphql.type import get_nullable_type

from auth.budget import Tiers
from backends.chdb import open_chdb
from backends.clickhouse.compile import Statement
from gateway.app import Parts, build_app
from gateway.settings import Settings
from gateway.writer import Writer
from graph.schema import build_schema
from metrics.window import from_ms
from promptsets.dataset import Catalogue
from promptsets.source import load
from rest.operation import Listed, Single
from rest.routes import OPERATIONS
from telemetry.loader import Loader
from telemetry.regions import Regions
from tests.simulator.runs import run

HARMLESS = "no such name"
PAYLOADS = (
    "' OR 1=1 -- ",
    "'] OR 1=1 OR workflow IN ['",
    "\\' OR 1=1; DROP TABLE naap.facts; -- ",
    '{p0:String}") UNION ALL SELECT * FROM system.tables /* %(p0)s `x` */',
)
SCHEMA = build_schema()._schema
TEXTS = ("String", "ID", "Address")
# What is private is read too.
TOKEN = "a-token-of-the-operator"
OPERATOR = {"Authorization": f"Bearer {TOKEN}"}


class Asgi:
    """An application that is asked from code that does not wait."""

    def __init__(self, app: Any, runner: asyncio.Runner) -> None:
        self._app, self._runner = app, runner

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        """The answer."""

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=OPERATOR) as one:
                return await one.request(method, path, **more)

        return self._runner.run(ask())

    def subscribe(self, query: str, values: Sequence[str | None]) -> list[Any]:
        """What is told first to those who subscribe, with one value of $v after the other: data, or codes of errors."""

        async def ask() -> list[Any]:
            say, hear = asyncio.Queue[Any](), asyncio.Queue[Any]()
            scope = {"type": "websocket", "path": "/graphql", "headers": [], "subprotocols": ["graphql-transport-ws"]}
            serving = asyncio.ensure_future(self._app({**scope, "client": ("127.0.0.1", 50_000)}, say.get, hear.put))
            said: list[Any] = [{"type": "connection_init", "payload": OPERATOR}]
            for value in values:
                asked = {"query": query, "variables": {"v": value}}
                said += [{"type": "subscribe", "id": "1", "payload": asked}, {"type": "complete", "id": "1"}]
            say.put_nowait({"type": "websocket.connect"})
            assert (await hear.get())["type"] == "websocket.accept"
            told = []
            for message in said:
                say.put_nowait({"type": "websocket.receive", "text": json.dumps(message)})
                if message["type"] != "complete":
                    told.append(json.loads((await hear.get())["text"]))
            say.put_nowait({"type": "websocket.disconnect"})
            await serving
            return told[1:]

        assert validate(SCHEMA, parse(query)) == []
        return [
            {error["extensions"]["code"] for error in one["payload"]} if one["type"] == "error" else one["payload"]
            for one in self._runner.run(ask())
        ]


@pytest.fixture(scope="module")
def client() -> Iterator[Asgi]:
    """The gateway over an embedded store with a small simulated network."""
    store = open_chdb()
    settings = Settings(operator_token=TOKEN, rates=Tiers(0, 0, 0), budgets=Tiers(0, 0, 0))
    loader = Loader(store, lambda: datetime(2100, 1, 1, tzinfo=UTC), Regions())
    events = run(2, 0.5, 5)[0]
    loader.load("default", events)
    loader.derive()
    runner = asyncio.Runner()
    now = from_ms((runner.run(store.holds()).latest_ms or 0) + 1)
    parts = Parts(
        settings, store, Writer(loader, settings.loader_queue), Regions(), lambda: now, Catalogue.of(load(None))
    )
    yield Asgi(build_app(parts), runner)
    runner.run(store.close())
    runner.close()


def texts(type_: Any, text: str, deep: int = 0) -> Iterator[Any]:
    """Values of an input type with the text in one place each."""
    type_ = get_nullable_type(type_)
    if isinstance(type_, GraphQLList):
        yield from ([value] for value in texts(type_.of_type, text, deep))
    elif isinstance(type_, GraphQLInputObjectType):
        for name, field in type_.fields.items():
            if name not in ("and", "or", "not") and deep < 3:
                yield from ({name: value} for value in texts(field.type, text, deep + 1))
    elif type_.name in TEXTS:
        yield text


def places() -> Iterator[tuple[str, str, str, str, Any]]:
    """Every argument that can hold a text: around its field, the field, its type's and its name, its type."""
    roots = {
        "Query": "{ %s }",
        "Network": "{ network { %s } }",
        "Orchestrator": "{ orchestrators(first: 1) { nodes { %s } } }",
        "Gpu": "{ gpus(first: 1) { nodes { %s } } }",
        "Workflow": "{ workflows(first: 1) { nodes { %s } } }",
        "Gateway": "{ gateways(first: 1) { nodes { %s } } }",
        "Region": "{ regions { %s } }",
        "SlaSeries": "{ network { series { %s } } }",
        "DemandSeries": "{ network { demandSeries { %s } } }",
    }
    for name, type_ in SCHEMA.type_map.items():
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType) and not name.startswith(
            ("__", "Mutation", "Subscription")
        ):
            shared = {field for one in type_.interfaces for field in one.fields} if name != "Orchestrator" else set()
            for field_name, field in type_.fields.items():
                # What all measured things have is asked of one of them.
                if field_name in shared:
                    continue
                for argument, declared in field.args.items():
                    if any(True for _ in texts(declared.type, "")):
                        inner = f"{field_name}({argument}: $v){_leaf(field)}"
                        others = [one for one, it in field.args.items() if one != argument and is_required_argument(it)]
                        if name in roots and not others:
                            yield roots[name], inner, name, f"{field_name}.{argument}", declared.type
                        elif name not in roots and not isinstance(type_, GraphQLInterfaceType):
                            yield "", inner, name, f"{field_name}.{argument}", declared.type


def _leaf(field: Any) -> str:
    below = get_named_type(field.type)
    if not is_composite_type(below):
        return ""
    fields = getattr(below, "fields", {})
    if "nodes" in fields:
        has_id = "id" in getattr(get_named_type(fields["nodes"].type), "fields", {})
        return f" {{ nodes {{ __typename {'id' if has_id else ''} }} }}"
    for told in ("streamId", "sessions", "buckets { start }", "score { value }"):
        if told.partition(" ")[0] in fields:
            return f" {{ {told} }}"
    return " { __typename }"


PLACES = list(places())


def test_every_field_with_a_text_is_reached() -> None:
    assert [one for one in PLACES if not one[0]] == []
    assert len(PLACES) > 40


def asked(client: Asgi, frame: str, field: str, type_: Any, values: Sequence[Any]) -> tuple[list[Any], set[str]]:
    """The answers to one field, asked once with each value, and the codes of its errors."""
    variables = {f"v{n}": value for n, value in enumerate(values)}
    fields = " ".join(f"a{n}: {field.replace('$v', f'$v{n}')}" for n in range(len(values)))
    declared = " ".join(f"${name}: {type_}" for name in variables)
    body = {"query": f"query({declared}) {frame.replace('%s', fields)}", "variables": variables}
    assert validate(SCHEMA, parse(str(body["query"]))) == []
    answer = client.request("POST", "/graphql", json=body).json()
    codes = {error["extensions"]["code"] for error in answer.get("errors", ())}
    return list(_values(answer.get("data"))), codes


def _values(data: Any) -> Iterator[Any]:
    """What the fields a0, a1 … answered, wherever they stand."""
    if isinstance(data, dict):
        for name, value in data.items():
            yield from [value] if name.startswith("a") and name[1:].isdigit() else _values(value)
    elif isinstance(data, list):
        for one in data:
            yield from _values(one)


@pytest.mark.parametrize(
    ("frame", "field", "type_"),
    [(one[0], one[1], one[4]) for one in PLACES],
    ids=[f"{one[2]}.{one[3]}" for one in PLACES],
)
def test_sql_in_an_argument_of_the_graph_is_a_name_like_any_other(
    client: Asgi, frame: str, field: str, type_: Any
) -> None:
    harmless = asked(client, frame, field, type_, [*texts(type_, HARMLESS)])

    assert harmless[1] <= {"BAD_REQUEST"}
    for payload in PAYLOADS:
        assert asked(client, frame, field, type_, [*texts(type_, payload)]) == harmless, payload


LIVE = {"metricsUpdated": "buckets { start metrics { sessions } }", "incidents": "incidents { at text }"}
LIVE_TEXTS = [
    (name, argument, declared.type)
    for name, field in SCHEMA.type_map["Subscription"].fields.items()
    for argument, declared in field.args.items()
    if any(True for _ in texts(declared.type, ""))
]


@pytest.mark.parametrize(
    ("field", "argument", "type_"), LIVE_TEXTS, ids=[f"{field}.{argument}" for field, argument, _ in LIVE_TEXTS]
)
def test_sql_in_an_argument_of_a_subscription_is_a_name_like_any_other(
    client: Asgi, field: str, argument: str, type_: Any
) -> None:
    whose = f'orchestrator: "0x{"a1" * 20}", ' if (field, argument) == ("incidents", "after") else ""
    query = f"subscription($v: {type_}) {{ {field}({whose}{argument}: $v) {{ {LIVE[field]} }} }}"
    harmless, *told = client.subscribe(query, [HARMLESS, *PAYLOADS])

    assert harmless in ({"BAD_REQUEST"}, {"data": {"metricsUpdated": {"buckets": []}}})
    assert told == [harmless] * len(PAYLOADS)


@pytest.mark.parametrize(
    "operation", [one for one in OPERATIONS if isinstance(one, Listed | Single)], ids=lambda one: one.name
)
def test_sql_in_a_parameter_of_rest_is_a_name_like_any_other(client: Asgi, operation: Listed | Single) -> None:
    for parameter in operation.parameters:
        harmless = client.request("GET", operation.path, params={parameter.name: HARMLESS})
        for payload in PAYLOADS:
            answer = client.request("GET", operation.path, params={parameter.name: payload})
            assert answer.status_code == harmless.status_code < 500
            assert answer.json().get("data") == harmless.json().get("data")


def test_the_store_is_as_it_was(client: Asgi) -> None:
    query = {"query": '{ network { metrics(window: {last: "P30D"}) { sessions } } }'}

    assert client.request("POST", "/graphql", json=query).json()["data"]["network"]["metrics"]["sessions"] > 0


def test_values_written_into_the_text_would_be_found(client: Asgi, monkeypatch: pytest.MonkeyPatch) -> None:
    def naive(self: Statement, value: object, type_name: str) -> str:
        if isinstance(value, list):
            return "[" + ", ".join(f"'{one}'" for one in value) + "]"
        return str(value)

    field = 'metrics(window: {last: "P30D"}, workflow: $v) { sessions }'
    expected = asked(client, "{ network { %s } }", field, "String", [HARMLESS])
    live = "subscription($v: String) { metricsUpdated(workflow: $v) { buckets { start } } }"
    told = client.subscribe(live, [HARMLESS])
    monkeypatch.setattr(Statement, "bind", naive)

    assert any(asked(client, "{ network { %s } }", field, "String", [one]) != expected for one in PAYLOADS)
    assert client.subscribe(live, PAYLOADS) != told * len(PAYLOADS)
