"""Documents by their ids: persisted by clients, or trusted by the operator; and several operations in one body."""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from graph.accept import MULTIPART, RESPONSE_JSON
from graph.app import graphql_routes
from graph.documents import OVERHEAD, Documents, Shown, Trusted, hash_of
from graph.operation import Operation
from graph.schema import build_schema
from metrics.errors import BadRequest, PersistedQueryNotFound
from tests.graph.world import CountingStore, context, small_network

QUERY = "query Seen { network { lastEventAt } }"
DATA = {"network": {"lastEventAt": "2026-01-09T13:59:00Z"}}
NOT_FOUND = {"message": "PersistedQueryNotFound", "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"}}

Client = Callable[..., httpx.AsyncClient]


def named(text: str, **more: Any) -> dict[str, Any]:
    """An operation as Apollo's clients name it."""
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": hash_of(text)}}, **more}


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    opened: list[httpx.AsyncClient] = []

    def make(
        documents: Documents | None = None, batch: int = 10, store: CountingStore | None = None
    ) -> httpx.AsyncClient:
        known = store or small_network()

        async def make_context(_: Any) -> Any:
            return context(known)

        app = Starlette(routes=[*graphql_routes(build_schema(), make_context, documents=documents, batch=batch)])
        opened.append(httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway.example"))
        return opened[-1]

    yield make
    for one in opened:
        await one.aclose()


async def answered(client: httpx.AsyncClient, body: Any, accept: str = "*/*") -> Any:
    return (await client.post("/graphql", json=body, headers={"accept": accept})).json()


async def test_a_document_is_shown_once_and_then_named(client) -> None:
    asking = client()

    assert await answered(asking, named(QUERY)) == {"errors": [NOT_FOUND]}
    assert await answered(asking, named(QUERY, query=QUERY)) == {"data": DATA}
    assert await answered(asking, named(QUERY)) == {"data": DATA}
    assert await answered(asking, {"documentId": f"sha256:{hash_of(QUERY)}"}) == {"data": DATA}
    by_get = await asking.get("/graphql", params={"extensions": json.dumps(named(QUERY)["extensions"])})
    assert by_get.json() == {"data": DATA}


@pytest.mark.parametrize(("accept", "status"), [(RESPONSE_JSON, 400), ("application/json", 200)])
async def test_an_unknown_document_has_the_status_of_what_is_not_executed(client, accept, status) -> None:
    answer = await client().post("/graphql", json=named(QUERY), headers={"accept": accept})

    assert (answer.status_code, answer.json()) == (status, {"errors": [NOT_FOUND]})


async def test_no_text_comes_under_the_hash_of_another(client) -> None:
    asking = client()
    answer = await asking.post("/graphql", json=named(QUERY, query="{ network { orchestratorCount } }"))

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["argument"] == "extensions.persistedQuery.sha256Hash"
    assert await answered(asking, named(QUERY)) == {"errors": [NOT_FOUND]}


@pytest.mark.parametrize("bad", ["{ nothing }", "{", "query A { regions { id } } query B { regions { id } }"])
async def test_what_cannot_be_executed_is_not_kept(client, bad) -> None:
    shown = Shown()
    answer = await answered(client(shown), named(bad, query=bad))

    assert "data" not in answer
    assert len(shown) == 0


def test_what_was_used_last_is_kept_within_the_bound() -> None:
    shown = Shown(3 * (OVERHEAD + 1))
    for text in "abcd":
        shown.shown(Operation(text, hash_of(text)))
        shown.shown(Operation(text, hash_of(text)))
        assert shown.text(Operation(document_id=hash_of("a"))) == "a"

    assert len(shown) == 3
    with pytest.raises(PersistedQueryNotFound):
        shown.text(Operation(document_id=hash_of("b")))
    long = "x" * 10_000
    shown.shown(Operation(long, hash_of(long)))
    assert len(shown) == 0


@pytest.mark.parametrize(
    "extensions",
    [
        7,
        [],
        "x",
        {"persistedQuery": 7},
        {"persistedQuery": {}},
        {"persistedQuery": {"version": 2, "sha256Hash": hash_of(QUERY)}},
        {"persistedQuery": {"version": 1}},
        {"persistedQuery": {"version": 1, "sha256Hash": 7}},
        {"persistedQuery": {"version": 1, "sha256Hash": hash_of(QUERY).upper()}},
    ],
)
async def test_extensions_that_cannot_be_read_are_refused(client, extensions) -> None:
    answer = await client().post("/graphql", json={"query": QUERY, "extensions": extensions})

    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (400, "BAD_REQUEST")
    assert "data" not in answer.json()


async def test_extensions_of_others_and_none_are_no_matter(client) -> None:
    for extensions in (None, {}, {"clientLibrary": {"name": "@apollo/client"}}, {"persistedQuery": None}):
        assert await answered(client(), {"query": QUERY, "extensions": extensions}) == {"data": DATA}


async def test_only_trusted_documents_are_executed(client) -> None:
    asking = client(Trusted({"first": QUERY}))

    for one in ({"documentId": "first"}, {"documentId": "first", "query": QUERY}):
        assert await answered(asking, one) == {"data": DATA}
    assert await answered(asking, {"documentId": "second"}) == {"errors": [NOT_FOUND]}
    for refused in ({"query": QUERY}, {"query": "{ regions { id } }", "documentId": "first"}):
        answer = await asking.post("/graphql", json=refused)
        assert (answer.status_code, answer.json()["errors"][0]["extensions"]) == (403, {"code": "FORBIDDEN"})
    await answered(asking, named("{ regions { id } }", query="{ regions { id } }"))
    assert await answered(asking, named("{ regions { id } }")) == {"errors": [NOT_FOUND]}


def test_trusted_documents_come_from_what_tools_write(tmp_path: Path) -> None:
    apollo = {
        "format": "apollo-persisted-query-manifest",
        "version": 1,
        "operations": [{"id": "a", "name": "Seen", "type": "query", "body": QUERY}],
    }
    (tmp_path / "apollo.json").write_text(json.dumps(apollo))
    (tmp_path / "relay.json").write_text(json.dumps({"b": QUERY, "sha256:c": QUERY}))
    (tmp_path / "seen.graphql").write_bytes(QUERY.encode() + b"\r\n")
    (tmp_path / "README.md").write_text("no document")

    trusted = Trusted.load(tmp_path)

    for id, text in {"a": QUERY, "b": QUERY, "c": QUERY, hash_of(f"{QUERY}\r\n"): f"{QUERY}\r\n"}.items():
        assert trusted.text(Operation(document_id=id)) == text
    assert Trusted.load(tmp_path / "relay.json").text(Operation(document_id="b")) == QUERY


@pytest.mark.parametrize(
    "content", ["{", "[]", "7", "{}", '{"a": 7}', '{"format": "apollo-persisted-query-manifest"}', b"\xff"]
)
def test_a_list_of_trusted_documents_that_cannot_be_read_stops_the_start(tmp_path: Path, content) -> None:
    file = tmp_path / "list.json"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())

    for path in (file, tmp_path, tmp_path / "none.json"):
        with pytest.raises(BadRequest, match="NAAP_TRUSTED_DOCUMENTS"):
            Trusted.load(path)


async def test_a_batch_is_answered_in_its_order_each_with_its_own_variables(client) -> None:
    query = "query($r: ID, $yes: Boolean!) { network(region: $r) { metrics { sessions streams @include(if: $yes) } } }"
    batch = [{"query": query, "variables": {"r": "fra", "yes": yes}} for yes in (False, True, False)]
    answers = await answered(client(), [*batch, {"query": "{ nothing }"}, named(QUERY), {"query": QUERY}])

    assert [one["data"]["network"]["metrics"] for one in answers[:3]] == [
        {"sessions": 2},
        {"sessions": 2, "streams": 2},
        {"sessions": 2},
    ]
    assert "data" not in answers[3]
    assert answers[4:] == [{"errors": [NOT_FOUND]}, {"data": DATA}]


async def test_a_batch_shares_its_reads(client) -> None:
    query = "query($w: String) { network { metrics(workflow: $w) { sessions } } }"
    one, many = small_network(), small_network()
    await answered(client(store=one), [{"query": query, "variables": {"w": "flux"}}])
    await answered(client(store=many), [{"query": query, "variables": {"w": w}} for w in ("flux", "sdxl", "none")])

    assert one.calls == many.calls


@pytest.mark.parametrize(
    ("batch", "body"),
    [
        (2, [{"query": QUERY}] * 3),
        (1, [{"query": QUERY}]),
        (2, []),
        (2, [None]),
        (2, [{"query": QUERY}, 7]),
        (2, [[{"query": QUERY}]]),
        (2, None),
        (2, 1),
        (2, "x"),
        (2, True),
    ],
)
async def test_what_is_no_operation_and_no_batch_within_its_bounds_is_refused(client, batch, body) -> None:
    headers = {"content-type": "application/json"}
    answer = await client(batch=batch).post("/graphql", content=json.dumps(body), headers=headers)

    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/json")
    assert [error["extensions"]["code"] for error in answer.json()["errors"]] == ["BAD_REQUEST"]


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        (f"application/json, {RESPONSE_JSON}", RESPONSE_JSON),
        (f"{RESPONSE_JSON};q=0.5, application/json", "application/json"),
        (f"{RESPONSE_JSON};q=0, */*", "application/json"),
        ("application/json;q=0, */*", RESPONSE_JSON),
        (f"multipart/mixed;deferSpec=20220824,{RESPONSE_JSON},application/json;q=0.9", RESPONSE_JSON),
        ("multipart/mixed, application/json;q=0.9", 'multipart/mixed; boundary="-"'),
        ("text/event-stream, application/json", "application/json"),
        ("text/event-stream", None),
        ("application/json;q=0", None),
    ],
)
async def test_the_best_media_type_is_chosen(client, accept, media) -> None:
    for body, status in (({"query": QUERY}, 200), (7, 400)):
        answer = await client().post("/graphql", json=body, headers={"accept": accept})
        assert answer.status_code == (status if media else 406)
        assert answer.headers["content-type"] == (media or "application/json")
        assert "Accept" in answer.headers["vary"]


async def test_a_multipart_answer_is_one_part_that_ends(client) -> None:
    answer = await client().post("/graphql", json={"query": QUERY}, headers={"accept": MULTIPART})

    head, _, rest = answer.content.partition(b"\r\n\r\n")
    body, _, end = rest.partition(b"\r\n---")
    assert head == b"\r\n---\r\nContent-Type: application/json"
    assert (json.loads(body), end) == ({"data": DATA}, b"--\r\n")


async def test_a_mutation_is_not_taken_by_get(client) -> None:
    answer = await client().get("/graphql", params={"query": "mutation { a }"})

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert "data" not in answer.json()
