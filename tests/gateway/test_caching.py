"""What is kept and told again, as clients meet it: reads, ETags, 304, Cache-Control, Vary, compression, budgets."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import zstandard

from auth.access import Access
from auth.account import READ
from auth.budget import Tiers
from auth.caller import Caller, Scope
from gateway.compressed import Compressed, chosen_coding
from gateway.conditional import Conditional, is_known
from gateway.settings import Settings
from graph.documents import hash_of
from metrics.errors import StoreUnavailable
from tests.gateway.conftest import Running
from tests.graph.owners import ALICE, BOB, GAIL, HAL, OF_ALICE, OF_BOB, events

FREE = {"rates": Tiers(0, 0, 0), "budgets": Tiers(0, 0, 0)}
CLOSED = '{start: "2026-01-09T12:00:00Z", end: "2026-01-09T13:30:00Z"}'
OPEN = '{start: "2026-01-09T12:00:00Z", end: "2026-01-09T15:00:00Z"}'
NUMBER = "{ network { metrics(window: %s) { sessions } } }"
CSV = "/v1/sla/gpu/metrics?format=csv&limit=50&time_range=2026-01-09T12:00:00Z/2026-01-09T13:30:00Z"
SCOPES = frozenset({Scope.EARNINGS, Scope.INCIDENTS})
CALLERS = {
    "alice": Caller(ALICE, SCOPES, orchestrators=frozenset({ALICE})),
    "bob": Caller(BOB, SCOPES, orchestrators=frozenset({BOB})),
    "planner": Caller("ops", frozenset({Scope.PLAN})),
}


class Counting(Running):
    """A gateway over the network of Alice and Bob, which counts what its store is asked."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(Settings(**FREE | settings))
        self.loader.load("default", events(ALICE, GAIL, "alice", OF_ALICE))
        self.loader.load("default", events(BOB, HAL, "bob", OF_BOB))
        self.loader.derive()
        self.reads: Counter[str] = Counter()
        self.failing: Exception | None = None
        for name in ("rows", "seen", "payments"):
            setattr(self.store, name, self._counted(name, getattr(self.store, name)))

    def _counted(self, name: str, read: Callable[..., Any]) -> Callable[..., Any]:
        async def reading(*arguments: Any) -> Any:
            self.reads[name] += 1
            await asyncio.sleep(0)
            if self.failing is not None:
                raise self.failing
            return await read(*arguments)

        return reading

    async def get(self, query: str, **headers: str) -> httpx.Response:
        """A query by GET."""
        return await self.client.get(f"/graphql?query={quote(query)}", headers=headers)

    async def post(self, query: str, **headers: str) -> httpx.Response:
        """A query by POST."""
        return await self.client.post("/graphql", json={"query": query}, headers=headers)


@asynccontextmanager
async def opened(**settings: Any) -> AsyncIterator[Counting]:
    gateway = Counting(**settings)
    async with gateway.app.router.lifespan_context(gateway.app), gateway.client:
        # What the writer does first changes the version.
        assert await asyncio.to_thread(gateway.parts.writer.recovered.wait, 10)
        yield gateway


@pytest.fixture
async def gateway() -> AsyncIterator[Counting]:
    async with opened() as one:
        yield one


@pytest.fixture(autouse=True)
def tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens that are good without a login."""
    monkeypatch.setattr(Access, "known", lambda _, header: CALLERS.get(header.removeprefix("Bearer ")))


# The shared memory


@pytest.mark.parametrize("window", [CLOSED, OPEN, '{last: "PT2H"}'])
async def test_a_thousand_dashboards_cost_one_read(gateway: Counting, window: str) -> None:
    query = NUMBER % window
    answers = await asyncio.gather(*(gateway.post(query) for _ in range(1000)))

    assert {answer.json()["data"]["network"]["metrics"]["sessions"] for answer in answers} == {2}
    assert gateway.reads == {"rows": 1}
    counts = gateway.parts.results.counts
    assert (counts.misses, counts.hits + counts.joined) == (1, 999)


async def test_without_the_memory_each_of_them_reads() -> None:
    async with opened(cache_bytes=0) as gateway:
        await asyncio.gather(*(gateway.post(NUMBER % CLOSED) for _ in range(20)))

        assert gateway.reads == {"rows": 20}


async def test_a_late_event_is_in_the_next_answer_also_where_the_window_was_closed(gateway: Counting) -> None:
    before = await gateway.get(NUMBER % CLOSED)
    late = {"type": "gateway_receive_stream_request", "stream_id": "late", "request_id": "late"}
    event = {"id": "late", "type": "stream_trace", "timestamp": "1767963600000", "gateway": "", "data": late}
    gateway.loader.load("default", [json.dumps(event | {"data": late | {"timestamp": 1767963600000}}).encode()])
    gateway.loader.derive()
    after = await gateway.get(NUMBER % CLOSED, **{"If-None-Match": before.headers["etag"]})

    sessions = [one.json()["data"]["network"]["metrics"]["sessions"] for one in (before, after)]
    assert (sessions, after.status_code) == ([2, 3], 200)
    assert after.headers["etag"] != before.headers["etag"]


async def test_rest_is_told_again_too_and_each_kind_and_page_is_another_answer(gateway: Counting) -> None:
    path = CSV.replace("format=csv&", "")
    first, before = await gateway.client.get(path), gateway.reads["rows"]
    again = await gateway.client.get(path)
    csv, one = await gateway.client.get(CSV), await gateway.client.get(path.replace("limit=50", "limit=1"))

    assert first.content == again.content
    assert first.headers["x-request-id"] != again.headers["x-request-id"]
    assert csv.headers["content-type"].startswith("text/csv")
    assert (len(one.json()["data"]), one.headers["link"].count("cursor=")) == (1, 1)
    assert [gateway.reads["rows"], gateway.parts.results.counts.misses] == [3 * before, 3]


async def test_variables_and_names_and_documents_are_part_of_what_is_asked(gateway: Counting) -> None:
    text = "query A($w: WindowInput) { network { metrics(window: $w) { sessions } } } query B { __typename }"
    window = {"start": "2026-01-09T12:00:00Z", "end": "2026-01-09T13:30:00Z"}
    bodies: list[dict[str, Any]] = [
        {"query": text, "operationName": "A", "variables": {"w": window}},
        {"query": text, "operationName": "A", "variables": {"w": window | {"end": "2026-01-09T12:05:00Z"}}},
        {"query": text, "operationName": "B"},
        {"query": text, "operationName": "A", "variables": {"w": dict(reversed(window.items()))}},
    ]
    told = [(await gateway.client.post("/graphql", json=body)).json()["data"] for body in bodies]

    assert [one.get("network") for one in told] == [
        {"metrics": {"sessions": 2}}, {"metrics": {"sessions": 0}}, None, {"metrics": {"sessions": 2}}
    ]  # fmt: skip
    assert gateway.parts.results.counts.hits == 1  # the order of names in an object says nothing


async def test_errors_are_not_kept(gateway: Counting) -> None:
    gateway.failing = StoreUnavailable("the store is away.")
    failed = [await gateway.get(NUMBER % CLOSED), await gateway.client.get(CSV)]
    gateway.failing = None
    well = [await gateway.get(NUMBER % CLOSED), await gateway.client.get(CSV)]

    assert [one.headers["cache-control"] for one in failed] == ["no-store", "no-store"]
    assert failed[0].json()["errors"][0]["extensions"]["code"] == "STORE_UNAVAILABLE"
    assert failed[1].status_code == 503
    assert [one.status_code for one in well] == [200, 200]
    assert "errors" not in well[0].json()


async def test_while_the_store_is_away_it_is_asked_once_for_all_who_wait(gateway: Counting) -> None:
    gateway.failing = StoreUnavailable("the store is away.")
    answers = await asyncio.gather(*(gateway.post(NUMBER % CLOSED) for _ in range(50)))

    assert {one.json()["errors"][0]["extensions"]["code"] for one in answers} == {"STORE_UNAVAILABLE"}
    assert gateway.reads == {"rows": 1}


async def test_what_needs_no_store_is_answered_without_one(gateway: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away() -> Any:
        raise StoreUnavailable("the store is away.")

    monkeypatch.setattr(gateway.parts.results, "_holds", away)
    answer = await gateway.get("{ scoringVersions { name } }")

    assert "errors" not in answer.json()
    assert answer.headers["cache-control"] == "no-store"


# What is private


async def test_callers_with_different_rights_never_share(gateway: Counting) -> None:
    query = f'{{ orchestrator(address: "{ALICE}") {{ earnings {{ feesWei }} }} }}'
    tokens = ({"Authorization": "Bearer alice"}, {"Authorization": "Bearer bob"}, {})
    for ask in (gateway.get, gateway.post):
        together = await asyncio.gather(*(ask(query, **headers) for headers in (*tokens, *tokens)))
        answers = [*together, *[await ask(query, **headers) for headers in tokens]]
        for number, answer in enumerate(answers):
            body = answer.json()
            codes = [error["extensions"]["code"] for error in body.get("errors", ())]
            earned = body["data"]["orchestrator"]["earnings"]
            assert codes == [[], ["FORBIDDEN"], ["UNAUTHENTICATED"]][number % 3]
            assert (earned is not None) is (number % 3 == 0)
            if ask == gateway.get:
                assert "no-store" in answer.headers["cache-control"]
                assert "etag" not in answer.headers
    assert gateway.parts.results.counts.answers == 0


async def test_who_somebody_is_is_told_to_nobody_else(gateway: Counting) -> None:
    query = "{ viewer { subject } }"
    told = [await gateway.get(query, Authorization=f"Bearer {name}") for name in ("alice", "bob", "alice")]

    assert [one.json()["data"]["viewer"]["subject"] for one in told] == [ALICE, BOB, ALICE]
    assert {one.headers["cache-control"] for one in told} == {"private, no-store"}


async def test_what_is_public_is_read_once_for_all_and_stays_with_the_client_that_says_who_it_is(
    gateway: Counting,
) -> None:
    query = NUMBER % CLOSED
    known, other = [await gateway.get(query, Authorization=f"Bearer {name}") for name in ("alice", "bob")]
    anybody = await gateway.get(query)

    assert gateway.reads == {"rows": 1}
    assert known.headers["cache-control"].startswith("private, max-age=")
    assert anybody.headers["cache-control"].startswith("public, max-age=")
    assert {*anybody.headers["vary"].split(", ")} >= {"Accept", "Authorization"}
    assert known.content == other.content == anybody.content


async def test_who_may_see_the_plan_sees_that_of_its_own_request(gateway: Counting) -> None:
    for _ in range(2):
        await gateway.get(NUMBER % CLOSED, Authorization="Bearer planner")

    assert gateway.reads == {"rows": 2}


@pytest.mark.parametrize("text", ["mutation { requestNonce { nonce } }", "mutation { logout }"])
async def test_what_does_something_is_done_each_time(gateway: Counting, text: str) -> None:
    answers = await asyncio.gather(*(gateway.post(text) for _ in range(2)))

    assert gateway.parts.results.counts.hits == gateway.parts.results.counts.joined == 0
    assert all("cache-control" not in one.headers for one in answers)


# Caches of others


async def test_a_known_answer_is_not_sent_again(gateway: Counting) -> None:
    for path in (f"/graphql?query={quote(NUMBER % CLOSED)}", CSV, CSV.replace("csv", "json"), "/openapi.json", "/docs"):
        first = await gateway.client.get(path)
        again = await gateway.client.get(path, headers={"If-None-Match": first.headers["etag"]})
        other = await gateway.client.get(path, headers={"If-None-Match": '"other"'})

        assert (first.status_code, again.status_code, other.status_code) == (200, 304, 200), path
        assert again.content == b""
        assert {"etag", "cache-control"} <= {*again.headers}
        assert not {"content-type", "content-length", "content-encoding"} & {*again.headers}
        assert not first.headers["etag"].startswith("W/")


async def test_closed_windows_last_and_open_ones_get_seconds(gateway: Counting) -> None:
    # The data reach 13:59:30, and it is 14:00.
    controls = [
        (await gateway.get(NUMBER % window)).headers["cache-control"] for window in (CLOSED, OPEN, '{last: "PT1H"}')
    ]
    csv = (await gateway.client.get(CSV)).headers["cache-control"]

    assert controls == [f"public, max-age={s}, stale-while-revalidate={s}" for s in (177, 3, 3)]
    # Beside its numbers each GPU has the version that its node was last seen with.
    assert csv == controls[1]


@pytest.mark.parametrize(
    ("field", "is_closed"), [("sessions", True), ("freshness { partial }", True), ("freshness { asOf }", False)]
)
async def test_how_far_the_data_reach_is_an_open_question(gateway: Counting, field: str, is_closed: bool) -> None:
    answer = await gateway.get(f"{{ network {{ metrics(window: {CLOSED}) {{ {field} }} }} }}")

    assert ("max-age=177" in answer.headers["cache-control"]) is is_closed


async def test_the_lag_is_told_for_a_moment(gateway: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(gateway.parts.results, "_clock", lambda: now[0])
    for at, reads in ((100.0, 1), (100.9, 1), (101.1, 2)):
        now[0] = at
        await gateway.get(f"{{ network {{ metrics(window: {CLOSED}) {{ sessions freshness {{ lagSeconds }} }} }} }}")
        assert gateway.reads["rows"] == reads


async def test_a_persisted_query_is_cached_by_its_hash(gateway: Counting) -> None:
    text = NUMBER % CLOSED
    extensions = json.dumps({"persistedQuery": {"version": 1, "sha256Hash": hash_of(text)}})
    hash_only = f"/graphql?extensions={quote(extensions)}"
    unknown = await gateway.client.get(hash_only)
    shown = await gateway.client.get(f"{hash_only}&query={quote(text)}")
    known = await gateway.client.get(hash_only)
    again = await gateway.client.get(hash_only, headers={"If-None-Match": known.headers["etag"]})

    assert unknown.json()["errors"][0]["message"] == "PersistedQueryNotFound"
    assert unknown.headers["cache-control"] == "no-store"
    assert (shown.content, known.status_code, again.status_code) == (known.content, 200, 304)
    assert gateway.reads == {"rows": 1}


async def test_a_hash_is_learned_also_from_an_answer_that_was_known(gateway: Counting) -> None:
    text = NUMBER % CLOSED
    await gateway.post(text)
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": hash_of(text)}}
    for body in ({"query": text, "extensions": extensions}, {"extensions": extensions}):
        answer = (await gateway.client.post("/graphql", json=body)).json()
        assert answer["data"]["network"]["metrics"]["sessions"] == 2


async def test_media_types_and_codings_have_their_own_etags(gateway: Counting) -> None:
    query = "{ metricCatalogue { name description formula } }"
    tags = set()
    for accept in ("application/json", "application/graphql-response+json"):
        for coding in ("identity", "gzip", "zstd"):
            answer = await gateway.get(query, Accept=accept, **{"Accept-Encoding": coding})
            tags.add(answer.headers["etag"])
            assert "Accept-Encoding" in answer.headers["vary"]
            known = {"If-None-Match": answer.headers["etag"], "Accept-Encoding": "zstd"}
            assert (await gateway.get(query, Accept=accept, **known)).status_code == 304
    assert len(tags) == 6


async def test_failures_are_kept_by_nobody(gateway: Counting) -> None:
    for path in ("/nothing", "/graphql?query={", "/v1/sla/gpu/metrics?limit=x", "/v1/sla/compliance"):
        assert (await gateway.client.get(path)).headers["cache-control"] == "no-store", path


# Compression


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate", "gzip"),
        ("zstd;q=0.5, gzip", "gzip"),
        ("gzip;q=0", None),
        ("*", "zstd"),
        ("*, zstd;q=0", "gzip"),
        ("identity, gzip;q=0.5", None),
        ("br", None),
        ("", None),
    ],
)
def test_the_coding_that_is_liked_best(accepted: str, coding: str | None) -> None:
    assert chosen_coding(accepted) == coding


async def test_answers_are_compressed_as_they_are_asked_for(gateway: Counting) -> None:
    path = "/openapi.json"
    plain = (await gateway.client.get(path, headers={"Accept-Encoding": "identity"})).content
    for coding in ("gzip", "zstd"):
        answer = await gateway.client.get(path, headers={"Accept-Encoding": coding})
        assert answer.headers["content-encoding"] == coding
        assert answer.num_bytes_downloaded < len(plain) / 3
        assert answer.content == plain


async def test_what_comes_in_parts_is_passed_on_part_by_part() -> None:
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", scope["type_"])]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for part in (b"a" * 5000, b"b" * 5000):
            await send({"type": "http.response.body", "body": part, "more_body": True})
            assert sent[-1]["type"] == "http.response.body"  # before the next part is there
        await send({"type": "http.response.body", "body": b""})

    async def send(message: Any) -> None:
        sent.append(message)

    for kind, encoded in ((b"text/event-stream", False), (b"multipart/mixed", True)):
        sent.clear()
        scope = {"type": "http", "method": "GET", "headers": [(b"accept-encoding", b"zstd")], "type_": kind}
        await Compressed(Conditional(app))(scope, None, send)  # type: ignore[arg-type]
        headers, parts = dict(sent[0]["headers"]), [one["body"] for one in sent[1:]]
        assert (headers.get(b"content-encoding") == b"zstd") is encoded
        assert b"etag" not in headers
        told = zstandard.ZstdDecompressor().decompressobj()
        decoded = [told.decompress(one) for one in parts] if encoded else parts
        assert decoded[:2] == [b"a" * 5000, b"b" * 5000]


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ('"a"', True), ('W/"a"', True), ('"b", "a"', True), ("*", True), ('"a-gzip"', True),
        ('"b"', False), ("a", False), ("", False), ('"a-br"', False),
    ],
)  # fmt: skip
def test_what_a_client_says_it_knows(known: str, expected: bool) -> None:
    assert is_known('"a"', known) is expected


# Budgets


async def test_an_answer_that_was_known_is_paid_for_but_for_reading_it() -> None:
    async with opened(budgets=Tiers(1000, 0, 0)) as gateway:
        costs = [(await gateway.post(NUMBER % CLOSED)).json()["extensions"]["cost"] for _ in range(3)]

        paid = [one["actual"] for one in costs]
        assert paid == [paid[2] + READ, paid[2], paid[2]]
        assert [one["remaining"] for one in costs] == [1000 - sum(paid[: n + 1]) for n in range(3)]
        assert gateway.reads == {"rows": 1}


async def test_a_known_answer_is_refused_to_whoever_has_nothing_left() -> None:
    async with opened(budgets=Tiers(READ + 11, 0, 0)) as gateway:
        answers = [await gateway.post(NUMBER % CLOSED) for _ in range(5)]

        assert [one.status_code for one in answers] == [200, 200, 429, 429, 429]
        assert int(answers[-1].headers["retry-after"]) > 0
        assert answers[-1].json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
        assert (await gateway.get(NUMBER % CLOSED, Authorization="Bearer alice")).status_code == 200


async def test_what_others_may_keep_tells_nobodys_budget_in_its_body() -> None:
    async with opened(budgets=Tiers(1000, 0, 0)) as gateway:
        first, again = await gateway.get(NUMBER % CLOSED), await gateway.get(NUMBER % CLOSED)

        assert first.content == again.content
        assert "extensions" not in first.json()
        assert first.headers["ratelimit"] != again.headers["ratelimit"]


async def test_an_estimate_is_no_answer() -> None:
    async with opened(budgets=Tiers(10_000, 0, 0)) as gateway:
        for path in (f"/graphql?query={quote(NUMBER % CLOSED)}", CSV):
            await gateway.client.get(path)
            estimate = await gateway.client.get(path, headers={"X-Naap-Estimate": "cost"})
            assert estimate.headers["cache-control"] == "no-store"
            assert "cost" in estimate.text
            assert "cost" not in (await gateway.client.get(path)).text


async def test_a_stream_of_one_answer_is_nobodys_to_keep(gateway: Counting) -> None:
    answer = await gateway.get(NUMBER % CLOSED, Accept="text/event-stream")

    assert (answer.status_code, answer.headers["cache-control"], answer.headers.get("etag")) == (200, "no-store", None)
