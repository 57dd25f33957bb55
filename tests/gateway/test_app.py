"""The application: what every path answers, well and badly."""

import asyncio
import gzip
import json
import re
import time
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import pytest

from gateway.settings import Settings
from metrics.errors import StoreUnavailable
from tests.gateway.conftest import Running

START = 1_767_966_517_287


def request_event(n: int) -> bytes:
    data = {
        "type": "gateway_receive_stream_request",
        "stream_id": f"s{n}",
        "request_id": f"r{n}",
        "timestamp": START + n,
    }
    event = {"id": f"e{n}", "type": "stream_trace", "timestamp": str(START + n), "gateway": "", "data": data}
    return json.dumps(event).encode()


async def test_an_answer_shows_an_event_soon_after_its_acknowledgement(running: Running) -> None:
    acknowledged = await running.client.post("/v1/events", content=request_event(1))
    assert acknowledged.json()["accepted"] == 1

    deadline, query = time.monotonic() + 5, '{network {metrics(window: {last: "P1D"}) {sessions}}}'
    while (data := await running.graphql(query)) != {"network": {"metrics": {"sessions": 1}}}:
        assert time.monotonic() < deadline, data
        await asyncio.sleep(0.05)


async def test_events_may_come_as_lines_or_as_an_array_and_gzipped(running: Running) -> None:
    lines = b"\n".join(request_event(n) for n in range(3)) + b"\n{broken\n"
    array = b"[" + b",\n".join(request_event(n) for n in range(2, 5)) + b"]"

    first = await running.client.post("/v1/events", content=gzip.compress(lines), headers={"Content-Encoding": "gzip"})
    second = await running.client.post("/v1/events", content=array)

    assert (first.json()["accepted"], first.json()["rejected"]) == (3, [{"line": 4, "reason": "not_json"}])
    assert (second.json()["accepted"], second.json()["duplicate"]) == (2, 1)


async def test_a_broken_first_line_does_not_hide_the_others(running: Running) -> None:
    body = b"[broken\n" + request_event(1)

    answer = await running.client.post("/v1/events", content=body, headers={"Content-Type": "application/x-ndjson"})

    assert (answer.json()["accepted"], answer.json()["rejected"]) == (1, [{"line": 1, "reason": "not_json"}])


async def test_it_is_alive_and_ready(running: Running) -> None:
    assert (await running.client.get("/healthz")).json() == {"status": "alive"}
    deadline = time.monotonic() + 3
    while (ready := await running.client.get("/readyz")).status_code != 200:
        assert time.monotonic() < deadline, ready.text
        await asyncio.sleep(0.01)
    assert ready.json() == {
        "status": "ready", "store": "ready", "loader": "ready", "last_event_at": None, "pending_events": 0,
        "backends": [{"name": "memory", "status": "ready", "last_event_at": None, "pending_events": 0}],
    }  # fmt: skip


async def test_without_its_store_it_is_alive_and_not_ready(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    async def gone() -> None:
        raise StoreUnavailable("the store is away.")

    monkeypatch.setattr(running.store, "ping", gone)

    assert (await running.client.get("/healthz")).status_code == 200
    ready = await running.client.get("/readyz")
    assert (ready.status_code, ready.json()["store"]) == (503, "unavailable; the reason is in the log")


async def test_with_a_loader_that_is_stuck_it_is_not_ready(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(running.parts.writer), "state", "behind")

    ready = await running.client.get("/readyz")

    assert (ready.status_code, ready.json()["status"], ready.json()["loader"]) == (503, "unavailable", "behind")


@pytest.mark.parametrize("host", ["[", "localhost:abc", "a b", ""])
@pytest.mark.parametrize("path", ["/", "/nothing", "/healthz/", "/graphql", "/v1/sla/gpu/metrics", "/v1/events"])
async def test_whatever_the_host_says_is_no_fault_inside(running: Running, host: str, path: str) -> None:
    answer = await running.client.get(path, headers={"Host": host, "Accept": "text/html"})

    assert answer.status_code < 500


async def test_a_client_that_goes_away_is_no_error(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    messages = [
        {"type": "http.request", "body": b"{", "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[object] = []

    async def receive() -> MutableMapping[str, Any]:
        return messages.pop(0)

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/v1/events", "query_string": b"", "client": ("127.0.0.1", 1),
        "headers": [(b"host", b"localhost")],
    }  # fmt: skip
    await running.app(scope, receive, send)

    assert (sent, messages) == ([], [])
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_the_root_leads_people_to_graphiql_and_programs_to_the_places(running: Running) -> None:
    person = await running.client.get("/", headers={"Accept": "text/html,*/*"})
    program = await running.client.get("/", headers={"Accept": "*/*"})

    assert (person.status_code, person.headers["location"]) == (307, "/graphql")
    assert program.json()["places"]["graphql"] == "/graphql"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "NOT_FOUND"),
        ("GET", "/v1/sla/nothing", 404, "NOT_FOUND"),
        ("DELETE", "/v1/sla/gpu/metrics", 405, "BAD_REQUEST"),
        ("GET", "/v1/events", 405, "BAD_REQUEST"),
        ("GET", "/v1", 404, "NOT_FOUND"),
        ("POST", "/v1/nothing", 404, "NOT_FOUND"),
        ("PUT", "/v1/sla/network/demand", 405, "BAD_REQUEST"),
        ("OPTIONS", "/v1/sla/network/capabilities", 405, "BAD_REQUEST"),
        ("GET", "/v1/sla/gpu/metrics?time_range=yesterday", 400, "BAD_REQUEST"),
    ],
)
async def test_a_failure_is_a_problem(running: Running, method: str, path: str, status: int, code: str) -> None:
    answer = await running.client.request(method, path)

    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert status != 405 or answer.headers["allow"]


async def test_a_fault_inside_shows_an_id_and_nothing_else(
    running: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(_: object) -> object:
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr(running.store, "rows", broken)

    answer = await running.client.get("/v1/sla/gpu/metrics")

    problem = answer.json()
    assert (answer.status_code, problem["code"], "hunter2" in answer.text) == (500, "INTERNAL", False)
    assert problem["request_id"] in caplog.text
    assert "hunter2" in caplog.text


async def test_the_log_holds_no_bodies_tokens_or_variables(
    running: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(_: object) -> object:
        raise RuntimeError("a fault")

    monkeypatch.setattr(running.store, "rows", broken)
    query = 'query($w: String) {workflows(filter: {name: $w}) {nodes {name metrics(window: {last: "P1D"}) {sessions}}}}'
    asked = {"query": query, "variables": {"w": "PRIVATE"}}
    with caplog.at_level("INFO"):
        client = running.client
        await client.post("/v1/events", content=b"PRIVATE", headers={"Authorization": "Bearer PRIVATE"})
        await client.post("/graphql", json=asked)
        await client.get("/graphql", params={"query": "{network {PRIVATE}}"})
        await client.get("/v1/sla/gpu/metrics?workflow=PRIVATE")

    logged = [record.getMessage() for record in caplog.records if not record.name.startswith("httpx")]
    assert any("a fault" in str(record.exc_info) for record in caplog.records)
    assert "PRIVATE" not in "".join(logged)


@pytest.mark.parametrize(("given", "kept"), [("abc-123", True), ("a" * 65, False), ("<script>", False), ("", False)])
async def test_a_request_keeps_its_good_id_and_gets_one_otherwise(running: Running, given: str, kept: bool) -> None:
    answer = await running.client.get("/healthz", headers={"X-Request-Id": given})

    found = answer.headers["x-request-id"]
    assert found == given if kept else re.fullmatch(r"[0-9a-f]{32}", found)


@pytest.mark.parametrize("path", ["/healthz", "/nothing", "/graphql", "/v1/sla/gpu/metrics"])
async def test_every_answer_protects_itself(running: Running, path: str) -> None:
    headers = (await running.client.get(path, headers={"Accept": "text/html"})).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert "text/html" not in headers["content-type"] or "frame-ancestors 'none'" in headers["content-security-policy"]


async def test_a_long_answer_is_compressed(running: Running) -> None:
    answer = await running.client.get(
        "/graphql?query={__schema{types{name description}}}", headers={"Accept-Encoding": "gzip"}
    )

    assert answer.headers["content-encoding"] == "gzip"


async def test_trusted_documents_and_the_size_of_batches_are_settings(tmp_path: Path) -> None:
    query = "{ network { lastEventAt } }"
    (tmp_path / "list.json").write_text(json.dumps({"seen": query}))
    gateway = Running(Settings(trusted_documents=tmp_path, batch=2))

    async with gateway.client as client:
        asked = [{"documentId": "seen"}, {"query": query}]
        answers = (await client.post("/graphql", json=asked)).json()
        assert answers[0]["data"] == {"network": {"lastEventAt": None}}
        assert answers[1]["errors"][0]["extensions"] == {"code": "FORBIDDEN"}
        assert (await client.post("/graphql", json=[*asked, *asked])).status_code == 400
