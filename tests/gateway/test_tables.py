"""GraphQL's answers as tables, as clients meet them: what Accept asks for, what is refused, caches, budgets."""

import csv
import io
import json
import re
import shlex
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest
from strawberry.utils.str_converters import to_camel_case

from auth.access import Access
from auth.account import READ
from auth.budget import Tiers
from graph.accept import JSON, RESPONSE_JSON
from graph.documents import hash_of
from graph.operation import Operation
from graph.schema import build_schema
from graph.table import layout
from graph.table_answer import written_as
from metrics.catalogue import METRICS
from metrics.errors import StoreTimeout, StoreUnavailable
from resolvers.contributors import camel
from resolvers.tables import arrow
from resolvers.tables.forms import ARROW, CSV, FORMS, Form
from tests.compat.network import Network, simulated
from tests.gateway.processes import ROOT
from tests.gateway.test_caching import CALLERS, CLOSED, NUMBER, Counting, opened
from tests.graph.owners import ALICE
from tests.graph.test_table import SIDE_BY_SIDE, read, text_of

pytest.importorskip("pyarrow", reason="the extra arrow is not installed")
SERIES = """query hours { network { series(window: %s, interval: HOUR, fill: NULL) {
  freshness { partial } starts fps: values(metric: "outputFps") sessions: values(metric: "sessions") } } }"""
EVERY = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)


@pytest.fixture
async def gateway() -> AsyncIterator[Counting]:
    async with opened() as one:
        yield one


@pytest.fixture(autouse=True)
def tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens that are good without a login."""
    monkeypatch.setattr(Access, "known", lambda _, header: CALLERS.get(header.removeprefix("Bearer ")))


def cells(answer: httpx.Response) -> list[dict[str, str]]:
    """The rows of CSV."""
    assert answer.status_code == 200, answer.text
    return [*csv.DictReader(io.StringIO(answer.text, newline=""))]


def refused(answer: httpx.Response, status: int) -> str:
    """Why there is no table: the messages of the errors."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, RESPONSE_JSON), answer.text
    return " ".join(error["message"] for error in answer.json()["errors"])


# What is asked for


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/csv", CSV.content_type),
        ("TEXT/CSV; header=present", CSV.content_type),
        ("text/csv, */*;q=0.1", CSV.content_type),
        ("application/json;q=0.5, text/csv", CSV.content_type),
        (f"{arrow.STREAM}, text/csv;q=0.9", arrow.STREAM),
        (arrow.PARQUET, arrow.PARQUET),
        ("*/*", JSON),
        ("", JSON),
        ("text/csv, application/json", JSON),
        ("text/csv;q=0.9, application/json", JSON),
        (f"{RESPONSE_JSON}, text/csv;q=0.9", RESPONSE_JSON),
        ("text/csv;q=0, */*", JSON),
        ("text/html, application/xhtml+xml, */*;q=0.8", JSON),
        ("multipart/mixed, text/csv;q=0.9", 'multipart/mixed; boundary="-"'),
    ],
)
async def test_a_table_is_what_likes_it_best(gateway: Counting, accept: str, kind: str) -> None:
    for answer in (
        await gateway.post(NUMBER % CLOSED, Accept=accept),
        await gateway.get(NUMBER % CLOSED, Accept=accept),
    ):
        assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
        assert "Accept" in answer.headers["vary"].split(", ")


@EVERY
async def test_it_tells_what_json_tells(gateway: Counting, form: Form) -> None:
    told = (await gateway.post(SERIES % OPEN_END)).json()["data"]["network"]["series"]
    answer = await gateway.post(SERIES % OPEN_END, Accept=form.media_type)

    assert answer.headers["content-disposition"] == f'attachment; filename="hours.{form.name}"'
    names = ["network.series.freshness.partial", "starts", "fps", "sessions"]
    expected = [
        [told["freshness"]["partial"], *row] for row in zip(told["starts"], told["fps"], told["sessions"], strict=True)
    ]
    assert len(expected) == 4
    assert {None, 0.0} <= {row[2] for row in expected} | {row[3] for row in expected}  # null is not zero
    if form is CSV:
        header, *rows = csv.reader(io.StringIO(answer.text, newline=""))
        assert header == names
        assert rows == [
            ["" if one is None else one if isinstance(one, str) else orjson.dumps(one).decode() for one in row]
            for row in expected
        ]
    else:
        table = read(form, answer.content)
        assert table.column_names == names
        assert [[text_of(one) for one in row.values()] for row in table.to_pylist()] == expected


OPEN_END = '{start: "2026-01-09T11:00:00Z", end: "2026-01-09T15:00:00Z"}'


async def test_a_text_that_a_spreadsheet_would_run_is_quoted(gateway: Counting) -> None:
    bad = {"type": "gateway_receive_stream_request", "stream_id": "=1+1", "request_id": "r", "timestamp": 1767963600000}
    event = {"id": "bad", "type": "stream_trace", "timestamp": "1767963600000", "gateway": "", "data": bad}
    gateway.loader.load("default", [json.dumps(event).encode()])
    gateway.loader.derive()
    streams = "{ streams { nodes { streamId } } }"

    assert "=1+1" in {node["streamId"] for node in (await gateway.post(streams)).json()["data"]["streams"]["nodes"]}
    assert "'=1+1" in {row["streamId"] for row in cells(await gateway.post(streams, Accept="text/csv"))}


async def test_a_persisted_query_is_a_table_too(gateway: Counting) -> None:
    known = {"sha256Hash": hash_of(NUMBER % CLOSED), "version": 1}
    body = {"extensions": {"persistedQuery": known}}
    headers = {"Accept": "text/csv"}

    unknown = await gateway.client.post("/graphql", json=body, headers=headers)
    shown = await gateway.client.post("/graphql", json=body | {"query": NUMBER % CLOSED}, headers=headers)
    again = await gateway.client.post("/graphql", json=body, headers=headers)

    assert refused(unknown, 400) == "PersistedQueryNotFound"
    assert cells(shown) == cells(again) == [{"network.metrics.sessions": "2"}]


async def test_the_dashboards_contract_is_told_in_tables_too(gateway: Counting) -> None:
    query = {"query": '{ orchestrators(period: "24h") { address } }'}
    answer = await gateway.client.post("/dashboard/graphql", json=query, headers={"Accept": "text/csv"})

    assert answer.text.startswith("address\r\n")


# What is refused


@pytest.mark.parametrize(("text", "first", "second"), SIDE_BY_SIDE)
async def test_what_is_no_table_is_refused_before_it_is_read_or_paid(text: str, first: str, second: str) -> None:
    async with opened(budgets=Tiers(1_000, 1_000, 0)) as gateway:
        answer = await gateway.post(text, Accept="text/csv")

        assert f"`{first}` and `{second}`" in refused(answer, 400)
        assert answer.json()["errors"][0]["extensions"] == {"code": "BAD_REQUEST", "argument": "query"}
        assert gateway.reads.total() == 0
        assert answer.json()["extensions"]["cost"]["actual"] <= 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ([{"query": "{ __typename }"}], "batch"),
        ({"query": "mutation { logout }"}, "mutation"),
        ({"query": "subscription { metricsUpdated { cursor } }"}, "text/event-stream"),
    ],
)
async def test_batches_and_what_is_no_query_are_not_acceptable(gateway: Counting, body: Any, said: str) -> None:
    answer = await gateway.client.post("/graphql", json=body, headers={"Accept": "text/csv"})

    assert said in refused(answer, 406)


@pytest.mark.parametrize(
    ("query", "code"),
    [("{", "BAD_REQUEST"), ("{ nothing }", "BAD_REQUEST"), ("{ network(region: 1.5) { gpuCount } }", "BAD_REQUEST")],
)
async def test_what_cannot_be_executed_is_told_in_json(gateway: Counting, query: str, code: str) -> None:
    for answer in (await gateway.post(query, Accept="text/csv"), await gateway.get(query, Accept="text/csv")):
        refused(answer, 400)
        assert "data" not in answer.json()
        assert {error["extensions"]["code"] for error in answer.json()["errors"]} == {code}


@pytest.mark.parametrize(
    ("failing", "status"),
    [
        (StoreUnavailable("the store is away."), 503),
        (StoreTimeout("the store takes long."), 504),
        (ValueError("secret"), 500),
    ],
)
async def test_an_answer_with_errors_is_told_in_json_with_its_data(
    gateway: Counting, failing: Exception, status: int
) -> None:
    query = f"{{ network {{ metrics(window: {CLOSED}) {{ sessions }} }} v: scoringVersions {{ name }} }}"
    gateway.failing = failing
    for answer in (await gateway.post(query, Accept="text/csv"), await gateway.get(query, Accept="text/csv")):
        assert "secret" not in refused(answer, status)
        assert answer.json()["data"]["network"]["metrics"] is None
        assert answer.json()["data"]["v"]
        assert answer.headers.get("cache-control", "no-store") == "no-store"


async def test_what_is_private_is_told_to_its_owner_and_kept_by_nobody(gateway: Counting) -> None:
    query = f'{{ orchestrator(address: "{ALICE}") {{ earnings {{ feesWei tickets }} }} }}'

    own = await gateway.get(query, Accept="text/csv", Authorization="Bearer alice")
    other = await gateway.get(query, Accept="text/csv", Authorization="Bearer bob")
    nobody = await gateway.get(query, Accept="text/csv")

    assert cells(own)[0].keys() == {"feesWei", "tickets"}
    assert (own.headers["cache-control"], "etag" in own.headers) == ("private, no-store", False)
    refused(other, 403)
    refused(nobody, 401)


async def test_what_is_not_offered_is_said(gateway: Counting) -> None:
    answer = await gateway.post("{ __typename }", Accept="application/vnd.ms-excel")

    assert answer.status_code == 406
    assert all(form.media_type in answer.json()["errors"][0]["message"] for form in FORMS)


# Caches, budgets, stores


@EVERY
async def test_a_known_table_is_not_sent_again(gateway: Counting, form: Form) -> None:
    json_first = await gateway.get(SERIES % CLOSED)
    first = await gateway.get(SERIES % CLOSED, Accept=form.media_type)
    tag = first.headers["etag"]
    again = await gateway.get(SERIES % CLOSED, **{"Accept": form.media_type, "If-None-Match": tag})
    as_json = await gateway.get(SERIES % CLOSED, **{"If-None-Match": tag})

    assert (first.status_code, again.status_code, again.content, as_json.status_code) == (200, 304, b"", 200)
    assert tag != json_first.headers["etag"]
    assert first.headers["cache-control"] == json_first.headers["cache-control"]
    assert "max-age=177" in first.headers["cache-control"]
    assert first.headers["vary"].startswith("Accept, Authorization")


async def test_every_form_is_made_of_one_answer(gateway: Counting) -> None:
    for kind in (RESPONSE_JSON, *(form.media_type for form in FORMS)):
        await gateway.post(SERIES % CLOSED, Accept=kind)

    counts = gateway.parts.results.counts
    assert (counts.misses, counts.hits) == (1, len(FORMS))


async def test_a_table_is_compressed(gateway: Counting) -> None:
    query = SERIES.replace("HOUR", "MINUTE") % CLOSED
    answer = await gateway.get(query, **{"Accept": "text/csv", "Accept-Encoding": "gzip"})

    assert answer.headers["content-encoding"] == "gzip"
    assert len(cells(answer)) == 90


async def test_a_table_costs_what_json_costs_and_an_estimate_is_json() -> None:
    async with opened(budgets=Tiers(100_000, 100_000, 0), cache_bytes=0) as gateway:
        left = []
        for accept in (JSON, JSON, "text/csv", arrow.STREAM):
            answer = await gateway.post(SERIES % CLOSED, Accept=accept)
            left.append(int(answer.headers["ratelimit"].split('"cost";r=')[1].split(";")[0]))
        estimate = await gateway.post(SERIES % CLOSED, **{"Accept": "text/csv", "X-Naap-Estimate": "cost"})

        assert left[0] - left[1] == left[1] - left[2] == left[2] - left[3] > 1
        assert (estimate.status_code, estimate.headers["content-type"]) == (200, RESPONSE_JSON)
        assert estimate.json()["extensions"]["cost"]["requested"] > 1


async def test_who_has_nothing_left_is_told_in_json() -> None:
    async with opened(budgets=Tiers(READ + 15, READ + 15, 0)) as gateway:
        answers = [await gateway.post(SERIES % CLOSED, Accept="text/csv") for _ in range(3)]

        refused(answers[-1], 429)
        assert "retry-after" in answers[-1].headers


async def test_stores_whose_part_is_missing_are_named() -> None:
    query = "{ network { gpuCount } }"
    table = layout(build_schema()._schema, query, Operation(query))
    stores = camel([{"name": "one", "is_missing": False}, {"name": "two", "is_missing": True}])
    body = {"data": {"network": {"gpuCount": 1}}, "extensions": {"backends": stores}}

    assert table is not None
    assert (await written_as(CSV, table, body, {})).headers["missing-backends"] == "two"


# The columns of a series


@pytest.fixture(scope="module")
def network() -> Network:
    return simulated()


@pytest.mark.parametrize("fill", ["NONE", "NULL"])
async def test_every_metric_has_a_number_for_every_start(network: Network, fill: str) -> None:
    columns = " ".join(f'm{n}: values(metric: "{to_camel_case(one.name)}")' for n, one in enumerate(METRICS))
    window = 'window: {start: "2026-01-09T02:30:00Z", end: "2026-01-09T22:00:00Z"}'
    query = f"{{ network {{ series({window}, interval: HOUR, fill: {fill}) {{ starts {columns} }} }} }}"
    table = layout(build_schema()._schema, query, Operation(query))

    assert table is not None
    assert len(table.rows(await network.graph(query))) >= 15


# docs/tables.md


async def test_its_page_tells_what_is_so(network: Network) -> None:
    page = (ROOT / "docs" / "tables.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"```sh\n(.*?)```", page, re.S)
    (shown,) = re.findall(r"```csv\n(.*?)\n", page, re.S)
    (query,) = re.findall(r"^query = '(.*)'$", page, re.M)
    words = shlex.split(command)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(network.app)) as client:
        headers = dict(word.split(": ") for word in words if ": " in word and not word.startswith("{"))
        answer = await client.post(words[2], content=words[-1], headers=headers)
        typed = await client.get(words[2], params={"query": query}, headers={"Accept": arrow.STREAM})

    assert (answer.text.splitlines()[0], len(cells(answer))) == (shown, 5)  # four hours, of which it cuts one
    assert read(ARROW, typed.content).column_names == [
        "gpuId", "model", "metrics.outputFps.p50", "metrics.outputFps.samples"
    ]  # fmt: skip
    for target in re.findall(r"\]\(([^)#]+)\)", page):
        assert (ROOT / "docs" / target).exists(), target
