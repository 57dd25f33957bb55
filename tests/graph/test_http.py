"""GraphQL over HTTP, and GraphiQL without the internet."""

import gzip
import re
from collections.abc import AsyncIterator
from functools import cache
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from graph import graphiql
from graph.accept import RESPONSE_JSON
from graph.app import graphql_routes
from graph.request import MAX_BODY_BYTES
from graph.schema import build_schema
from metrics.errors import Unauthenticated
from tests.graph.world import ask, context, small_network

QUERY = "{ network { lastEventAt } }"
DATA = {"network": {"lastEventAt": "2026-01-09T13:59:00Z"}}


@cache
def app() -> Starlette:
    """A gateway with only the graph."""
    store = small_network()

    async def make_context(request: Any) -> Any:
        if "authorization" in request.headers:
            raise Unauthenticated("the token has expired.")
        if "x-broken" in request.headers:
            raise ZeroDivisionError("secret")
        return context(store)

    return Starlette(routes=[*graphql_routes(build_schema(), make_context)])


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app()), base_url="http://gateway.example") as found:
        yield found


async def test_a_query_is_answered_by_post_and_by_get(client) -> None:
    for answer in (
        await client.post("/graphql", json={"query": QUERY}),
        await client.get("/graphql", params={"query": QUERY}),
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        assert answer.json() == {"data": DATA}


async def test_variables_and_the_operations_name_are_used(client) -> None:
    query = "query A($r: ID) { network(region: $r) { lastEventAt } } query B { regions { id } }"

    by_post = await client.post("/graphql", json={"query": query, "variables": {"r": "fra"}, "operationName": "A"})
    by_get = await client.get("/graphql", params={"query": query, "variables": '{"r": "fra"}', "operationName": "A"})

    assert by_post.json() == by_get.json() == {"data": DATA}


@pytest.mark.parametrize("name", ["", None, "C"])
async def test_an_operation_that_is_not_named_or_not_there_is_refused(client, name) -> None:
    answer = await client.post(
        "/graphql", json={"query": "query A { regions { id } } query B { regions { id } }", "operationName": name}
    )

    assert "data" not in answer.json()
    assert [error["extensions"]["code"] for error in answer.json()["errors"]] == ["BAD_REQUEST"]


@pytest.mark.parametrize(
    ("accept", "status", "media"),
    [
        (RESPONSE_JSON, 400, RESPONSE_JSON),
        (f"{RESPONSE_JSON}; charset=utf-8, application/json;q=0.9", 400, RESPONSE_JSON),
        ("application/json", 200, "application/json"),
        ("*/*", 200, "application/json"),
        ("text/plain", 406, "application/json"),
    ],
)
async def test_what_cannot_be_executed_has_the_status_that_its_media_type_says(client, accept, status, media) -> None:
    answer = await client.post("/graphql", json={"query": "{ nothing }"}, headers={"accept": accept})

    assert (answer.status_code, answer.headers["content-type"]) == (status, media)
    assert "data" not in answer.json()
    assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


async def test_a_field_that_fails_is_no_failure_of_the_request(client) -> None:
    query = "{ network { metrics(window: {last: PT0S}) { sessions } lastEventAt } }"
    answer = await client.post("/graphql", json={"query": query}, headers={"accept": RESPONSE_JSON})

    assert answer.status_code == 200
    assert answer.json()["data"] == {"network": {"metrics": None, "lastEventAt": DATA["network"]["lastEventAt"]}}
    assert answer.json()["errors"][0]["extensions"] == {"code": "BAD_REQUEST", "argument": "window.last"}


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"{}", "application/json", 400),
        (b'{"query": 7}', "application/json", 400),
        (b'{"query": " "}', "application/json", 400),
        (b'{"query": "{ regions { id } }", "variables": []}', "application/json", 400),
        (b'{"query": "{ regions { id } }", "operationName": 7}', "application/json", 400),
        (b"{ regions { id } }", "application/graphql", 415),
        (b"query=x", "application/x-www-form-urlencoded", 415),
        (b'{"query": "' + b" " * MAX_BODY_BYTES + b'"}', "application/json", 413),
    ],
)
async def test_a_bad_body_is_refused_in_json(client, body, kind, status) -> None:
    answer = await client.post("/graphql", content=body, headers={"content-type": kind})

    assert answer.status_code == status
    assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


async def test_a_get_without_a_query_or_with_bad_variables_is_refused(client) -> None:
    assert (await client.get("/graphql")).status_code == 400
    assert (await client.get("/graphql", params={"query": QUERY, "variables": "{"})).status_code == 400
    assert (await client.put("/graphql")).status_code == 405


async def test_a_context_that_cannot_be_made_is_told_by_its_code(client) -> None:
    answer = await client.post("/graphql", json={"query": QUERY}, headers={"authorization": "Bearer x"})
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]) == (401, {"code": "UNAUTHENTICATED"})

    answer = await client.post("/graphql", json={"query": QUERY}, headers={"x-broken": "1"})
    assert (answer.status_code, answer.json()["errors"][0]["message"]) == (500, "internal error")
    assert "secret" not in answer.text


async def test_a_browser_gets_graphiql_that_needs_nothing_from_elsewhere(client) -> None:
    page = await client.get("/graphql", headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"})

    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'; script-src 'self'" in page.headers["content-security-policy"]
    assert re.findall(r"(?:https?:)?//", page.text) == []
    parts = re.findall(r'(?:src|href)="(/[^"]+)"', page.text)
    assert len(parts) == len(graphiql.PARTS)
    for part in parts:
        answer = await client.get(part)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(graphiql.PARTS[part.rpartition("/")[2]])
        assert len(answer.content) > (100 if part.endswith("before.js") else 1000)
    assert (
        re.findall(
            r"(?:https?:)?//\w",
            (await client.get("/graphql/parts/page.js")).text.replace("// Opens", "").replace("// The", ""),
        )
        == []
    )
    styles = (await client.get("/graphql/parts/graphiql.min.css")).text
    assert re.findall(r"url\((?!data:|\"data:|'data:)[^)]*\)|@import", styles) == []


async def test_parts_are_sent_packed_to_those_who_can_unpack_and_no_other_file_is(client) -> None:
    packed = await client.get("/graphql/parts/graphiql.min.js", headers={"accept-encoding": "gzip"})
    plain = await client.get("/graphql/parts/graphiql.min.js", headers={"accept-encoding": "identity"})

    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content == gzip.decompress((graphiql.STATIC / "graphiql.min.js.gz").read_bytes())
    assert (await client.get("/graphql/parts/NOTICE")).status_code == 404
    assert (await client.get("/graphql/parts/..%2Fpage.html")).status_code == 404


async def test_what_graphiql_must_find_comes_before_it_and_nothing_else_compiles_text(client) -> None:
    parts = re.findall(r'src="[^"]+/([^"/]+)"', (await client.get("/graphql", headers={"accept": "text/html"})).text)
    bundle = (await client.get("/graphql/parts/graphiql.min.js")).text

    assert parts.index("before.js") < parts.index("graphiql.min.js")
    assert "window.regeneratorRuntime = undefined;" in (await client.get("/graphql/parts/before.js")).text
    # Both are fallbacks that are not reached; another one in a new bundle wants a look, for the policy forbids it.
    assert re.findall(r"\bFunction\([^)]*\)", bundle) == [
        'Function("return this")',
        'Function("r","regeneratorRuntime = r")',
    ]
    assert re.findall(r"(?<![\w.])eval\(", bundle) == []


async def test_the_first_query_of_graphiql_shows_something() -> None:
    script = (graphiql.STATIC / "page.js").read_text()
    query = re.search(r"const QUERY = `(.*?)`;", script, re.S)

    answer = await ask(
        small_network(), query[1], window={"start": "2026-01-08T14:00:00.000Z", "end": "2026-01-09T14:00:00.000Z"}
    )

    assert answer.errors == []
    assert answer.data["network"]["metrics"]["outcomes"]["requested"] == 3
    assert answer.data["orchestrators"]["edges"][0]["node"]["gpus"]["edges"]


async def test_introspection_is_answered(client) -> None:
    from graphql import build_client_schema, get_introspection_query

    answer = (
        await client.post(
            "/graphql", json={"query": get_introspection_query(descriptions=True, input_value_deprecation=True)}
        )
    ).json()

    assert "errors" not in answer
    assert "Orchestrator" in build_client_schema(answer["data"]).type_map
