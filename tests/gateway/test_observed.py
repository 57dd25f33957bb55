"""What is seen of the gateway from outside: numbers, lines of the log, traces, and the plan in an answer."""

import asyncio
import builtins
import gzip
import io
import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families

from auth.caller import Caller, Scope
from backends.asking import Member
from backends.federated import Federated
from backends.memory import MemoryStore
from gateway import logs, traces
from gateway.app import build_app
from gateway.health import Lag
from gateway.settings import Settings
from metrics.errors import BadRequest, StoreUnavailable
from tests.gateway.conftest import NOW, Running
from tests.gateway.processes import ROOT, environment, free_port

SECRET = "secret-of-a-query"
WORKFLOWS = f'workflows(filter: {{name: {{ne: "{SECRET}"}}}})'
QUERY = f'{{ {WORKFLOWS} {{ nodes {{ metrics(window: {{last: "P1D"}}) {{ sessions }} }} }} }}'
EVENT = {"id": "e", "type": "stream_trace", "timestamp": str(int(NOW.timestamp() * 1000) - 60_000), "gateway": "g",
         "data": {"type": "gateway_receive_stream_request", "stream_id": "s", "request_id": "r"}}  # fmt: skip


@pytest.fixture
async def gateway() -> AsyncIterator[Running]:
    found = Running(Settings())
    async with found.app.router.lifespan_context(found.app), found.client:
        yield found


def as_caller(gateway: Running, caller: Caller, host: str = "127.0.0.1") -> httpx.AsyncClient:
    """A client at this address, with a token that is good for `caller`."""
    transport = httpx.ASGITransport(gateway.app, client=(host, 50_000), raise_app_exceptions=False)
    gateway.parts.access.known = lambda _: caller  # type: ignore[method-assign]
    headers = {"Authorization": "Bearer known"}
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000", headers=headers)


async def numbers(client: httpx.AsyncClient) -> dict[tuple[str, tuple[str, ...]], float]:
    """Every number of /metrics by its name and the values of its labels."""
    answer = await client.get("/metrics")
    assert answer.status_code == 200, answer.text
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_metrics_count_requests_reads_events_and_tell_how_fresh_the_data_are(gateway: Running) -> None:
    await gateway.client.post("/v1/events", json=[EVENT, EVENT, {"id": 1}])
    await gateway.client.post("/graphql", json={"query": QUERY})
    await gateway.client.post("/graphql", json={"query": "{ nothing }"})
    await gateway.client.get("/v1/sla/gpu/metrics")

    told = await numbers(gateway.client)

    assert told["naap_requests_total", ("POST", "/graphql", "200")] == 2
    assert told["naap_requests_total", ("GET", "/v1/sla/gpu/metrics", "200")] == 1
    assert told["naap_request_seconds_count", ("/graphql",)] == 2
    assert 0 < told["naap_request_seconds_sum", ("/graphql",)] < 5
    assert told["naap_graphql_errors_total", ("BAD_REQUEST",)] == 1
    assert told["naap_store_reads_total", ("rows", "OK")] >= 1
    assert told["naap_store_read_seconds_count", ("rows",)] == told["naap_store_reads_total", ("rows", "OK")]
    assert told["naap_cost_total", ("anonymous",)] > 3
    became = {key[1][0]: value for key, value in told.items() if key[0] == "naap_events_total"}
    assert became == {"accepted": 1, "duplicate": 1, "conflicting": 0, "rejected": 1}
    assert told["naap_store_up", ("memory",)] == 1
    assert told["naap_data_lag_seconds", ("memory",)] == 60
    assert told["naap_loader_waiting", ()] == 0
    assert told["naap_budget_alone", ()] == 0
    assert (told["naap_refused_total", ("cost",)], told["naap_refused_total", ("requests",)]) == (0, 0)
    assert ("process_resident_memory_bytes", ()) in told


async def test_a_store_that_fails_is_seen(gateway: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> Any:
        raise StoreUnavailable("the store is away")

    for name in ("rows", "seen", "holds"):
        monkeypatch.setattr(gateway.store, name, away)
    await gateway.client.get("/v1/sla/gpu/metrics?time_range=1h")

    told = await numbers(gateway.client)

    assert told["naap_store_up", ("memory",)] == 0
    assert ("naap_data_lag_seconds", ("memory",)) not in told, "nobody knows"
    assert any(key[0] == "naap_store_reads_total" and key[1][1] == "STORE_UNAVAILABLE" for key in told)
    assert told["naap_requests_total", ("GET", "/v1/sla/gpu/metrics", "503")] == 1


async def test_of_several_stores_each_is_told_and_one_that_is_stuck_holds_up_nobody() -> None:
    class Stuck(MemoryStore):
        async def holds(self) -> Any:
            await asyncio.sleep(60)

    members = [Member("here", MemoryStore()), Member("there", Stuck())]
    lag = Lag(Federated(members, 1.0), lambda: NOW, 0.05)

    await lag.ask()

    assert lag.up == {"here": 1, "there": 0}
    assert (lag.pending, lag.seconds) == ({"here": 0}, {})


async def test_labels_come_from_short_lists_whatever_is_asked(gateway: Running) -> None:
    await numbers(gateway.client)
    before = len(await numbers(gateway.client))
    for number in range(30):
        await gateway.client.get(f"/{number}/nothing?x={number}")
        await gateway.client.request(f"M{number}", "/graphql/parts/x{number}")
        await gateway.client.get("/graphql", params={"query": f"{{ x{number} }}"})

    told = await numbers(gateway.client)

    assert told["naap_requests_total", ("GET", "other", "404")] == 30
    assert told["naap_requests_total", ("other", "/graphql/parts/{name}", "405")] == 30
    assert len(told) - before < 80  # four routes, each with a histogram


@pytest.mark.parametrize(
    ("caller", "host", "headers", "status"),
    [
        (Caller(), "127.0.0.1", {}, 200),
        (Caller(), "127.0.0.1", {"X-Forwarded-For": "10.1.1.1"}, 403),
        (Caller(), "10.0.0.9", {}, 403),
        (Caller("0x" + "ab" * 20, frozenset(Scope)), "10.0.0.9", {}, 403),
        (Caller("prometheus", operator=True), "10.0.0.9", {}, 200),
    ],
)
async def test_the_numbers_are_for_this_machine_and_for_operators(
    gateway: Running, caller: Caller, host: str, headers: dict[str, str], status: int
) -> None:
    answer = await as_caller(gateway, caller, host).get("/metrics", headers=headers)

    assert answer.status_code == status
    assert ("naap_requests" in answer.text) is (status == 200)


@pytest.fixture
def lines() -> Any:
    """The log as JSON lines."""
    root, stream = logging.getLogger(), io.StringIO()
    handler, levels = logging.StreamHandler(stream), (root.level, logging.getLogger("naap.request").level)
    handler.setFormatter(logs.JsonLines())
    root.addHandler(handler)
    root.setLevel("INFO")
    logging.getLogger("naap.request").setLevel("INFO")
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.removeHandler(handler)
    root.setLevel(levels[0])
    logging.getLogger("naap.request").setLevel(levels[1])


async def test_the_log_has_a_line_for_each_request_and_nothing_that_it_asked(gateway: Running, lines: Any) -> None:
    headers = {"X-Request-Id": "the-request"}
    await gateway.client.post("/graphql", json={"query": QUERY}, headers=headers)

    told = next(line for line in lines() if line["logger"] == "naap.request")

    assert told["request_id"] == "the-request"
    assert (told["method"], told["route"], told["status"], told["caller"]) == ("POST", "/graphql", 200, "anonymous")
    assert told["cost"] > 1
    assert told["reads"] >= 1
    assert told["ms"] >= 0
    assert [len(document) for document in told["documents"]] == [16]
    assert SECRET not in json.dumps(lines())


async def test_what_fails_inside_names_its_request(
    gateway: Running, lines: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: object) -> Any:
        raise RuntimeError("a fault")

    monkeypatch.setattr(gateway.store, "seen", broken)
    query = {"query": "{ orchestrators { nodes { address } } }"}
    await gateway.client.post("/graphql", json=query, headers={"X-Request-Id": "failing"})

    told = next(line for line in lines() if "exception" in line)

    assert told["request_id"] == "failing"
    assert (told["level"], told["logger"]) == ("error", "naap.graph")
    assert "RuntimeError: a fault" in told["exception"]


def test_a_line_of_the_log_is_one_line_whatever_it_says(lines: Any) -> None:
    logging.getLogger("naap.test").warning("two\nlines \x1b[31m %s", '"quoted"')

    assert lines()[0]["message"] == 'two\nlines \x1b[31m "quoted"'


def test_the_log_is_json_where_that_is_wanted_and_requests_are_told_in_json_only() -> None:
    code = """
import logging, sys
from gateway import logs
logs.begin("info", sys.argv[1])
logging.getLogger("naap.request").info("a request")
logging.getLogger("naap").warning("news")
logging.getLogger("alembic.runtime.migration").info("Context impl PostgresqlImpl.")
"""
    told = {
        form: subprocess.run(
            [sys.executable, "-c", code, form], cwd=ROOT, env=environment(), capture_output=True, text=True
        ).stderr.splitlines()
        for form in logs.FORMATS
    }

    assert [json.loads(line)["message"] for line in told["json"]] == ["a request", "news"]
    assert [line.partition(" WARNING ")[2] for line in told["text"]] == ["naap: news"]


PLANNER = Caller("ops", frozenset({Scope.PLAN}))


async def test_the_plan_is_told_to_a_caller_with_its_scope_and_to_nobody_else(gateway: Running) -> None:
    await gateway.client.post("/v1/events", json=[EVENT])
    other = Caller("ops", frozenset(Scope) - {Scope.PLAN}, operator=True)

    answer = (await as_caller(gateway, PLANNER).post("/graphql", json={"query": QUERY})).json()

    plan = answer["extensions"]["plan"]
    assert plan["reads"] == sum(len(one["reads"]) for one in plan["plans"]) + len(plan["others"])
    assert plan["reads"] >= 1
    assert plan["ms"] >= 0
    first = plan["plans"][0]
    assert first.keys() == {"name", "questions", "startMs", "ms", "reads"}
    assert first["reads"][0].keys() == {"name", "what", "startMs", "ms", "rows", "error"}
    assert SECRET not in json.dumps(plan), "what was asked for is nobody's business"
    for caller in (Caller(), other):
        answer = (await as_caller(gateway, caller).post("/graphql", json={"query": QUERY})).json()
        assert "plan" not in answer["extensions"]


async def test_questions_of_one_moment_are_one_plan(gateway: Running) -> None:
    window = '(window: {last: "P1D"})'
    query = f"{{ network {{ metrics{window} {{ sessions }} demand{window} {{ streams }} }} }}"

    answer = (await as_caller(gateway, PLANNER).post("/graphql", json={"query": query})).json()

    rows = [one for one in answer["extensions"]["plan"]["plans"] if one["name"] == "rows"]
    assert [one["questions"] >= 2 for one in rows] == [True]
    assert all(read["name"] == "rows" for read in rows[0]["reads"])


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """What a collector gets of gateways that are opened afterwards."""
    collector, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(collector))
    monkeypatch.setattr(traces.Traces, "to", lambda _: traces.Traces(provider))
    return collector


async def test_a_trace_leads_from_the_request_over_its_plans_to_their_reads(spans: InMemorySpanExporter) -> None:
    gateway = Running(Settings(traces="http://127.0.0.1:4318"))
    parent = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    async with gateway.app.router.lifespan_context(gateway.app), gateway.client:
        await gateway.client.post("/graphql", json={"query": QUERY}, headers=parent)

        found: tuple[ReadableSpan, ...] = spans.get_finished_spans()

    by_id = {span.context.span_id: span for span in found}
    (request,) = (span for span in found if span.name == "POST /graphql")
    assert f"{request.context.trace_id:032x}" == "0af7651916cd43dd8448eb211c80319c"
    assert request.attributes["http.response.status_code"] == 200
    reads = [span for span in found if span.name.startswith("read ")]
    assert reads
    for read in reads:
        plan = by_id[read.parent.span_id]
        assert plan.name.startswith("plan ")
        assert plan.parent.span_id == request.context.span_id
        assert request.start_time <= plan.start_time <= read.start_time <= read.end_time
        # Spans begin by one clock and last by another: they may differ by as much as the machine was busy between them.
        assert read.end_time <= plan.end_time + 1_000_000
    assert SECRET not in "".join(span.to_json() for span in found)


def test_without_a_collector_nothing_of_tracing_is_even_loaded() -> None:
    # In a process of its own: this one has it.
    code = "import sys, gateway.app; sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment()).returncode == 0


def test_the_app_says_what_is_missing_where_the_library_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("opentelemetry"):
            raise ImportError(name)
        return real(name, *rest)

    gateway = Running(Settings())
    gateway.parts.settings = replace(gateway.parts.settings, traces="http://127.0.0.1:4318")
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(BadRequest, match=r"naap-gateway\[otel\]"):
        build_app(gateway.parts)


class Collector(BaseHTTPRequestHandler):
    """Takes what a collector of OTLP is sent."""

    taken: ClassVar[list[tuple[str, bytes]]] = []

    def do_POST(self) -> None:
        self.taken.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


async def test_spans_reach_a_collector() -> None:
    server = HTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        gateway = Running(Settings(traces=f"http://127.0.0.1:{server.server_port}"))
        async with gateway.app.router.lifespan_context(gateway.app), gateway.client:
            await gateway.client.post("/graphql", json={"query": QUERY})
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

    ((path, body),) = Collector.taken
    assert path == "/v1/traces"
    body = gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body
    assert b"naap-gateway" in body
    assert b"POST /graphql" in body
    assert SECRET.encode() not in body


async def test_a_collector_that_is_away_holds_up_neither_requests_nor_the_end() -> None:
    gateway = Running(Settings(traces=f"http://127.0.0.1:{free_port()}"))
    began = time.monotonic()
    async with gateway.app.router.lifespan_context(gateway.app), gateway.client:
        for _ in range(5):
            assert (await gateway.client.get("/healthz")).status_code == 200

    assert time.monotonic() - began < 8
