"""A store that is down or slow costs its own part, and the answer says so."""

import asyncio
from collections.abc import AsyncIterator
from time import monotonic
from typing import Any

import httpx
import pytest

from backends.asking import Member
from backends.federated import Federated
from backends.later import Later
from backends.part import WHOLE
from gateway.app import Parts, build_app
from gateway.settings import Settings
from metrics.columns import SESSIONS
from metrics.dimension import Dimension
from metrics.errors import StoreTimeout, StoreUnavailable, TooComplex
from metrics.question import Question
from metrics.window import Window
from telemetry.regions import Regions
from tests.graph.world import ALICE, BOB, CAROL, NOW, NOW_MS, CountingStore, fact, sighting

SECRET = "postgresql://user:hunter2@db.internal/naap /var/lib/secret"
HOUR = Window.of_ms(NOW_MS - 3_600_000, NOW_MS)
ASKED = Question.of(SESSIONS.measures, HOUR)
QUERY = """{ network { metrics(window: {start: "2026-01-09T13:00:00Z", end: "2026-01-09T14:00:00Z"}) {
  sessions freshness { partial asOf } } } }"""


class Store(CountingStore):
    """One session at half past, in a source of its own; stopped when told to."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.source = source
        self.stopped = asyncio.Event()
        self.hang = False
        self.add(
            fact(source, NOW_MS - 1_800_000, {"sessions": 1}, source=source, orchestrator=ALICE),
            sighting(source, NOW_MS - 1_800_000, NOW_MS, source=source, orchestrator=ALICE),
        )

    async def holds(self) -> Any:
        from backends.backend import Holdings

        self._count("holds")
        return Holdings({self.source: (0, NOW_MS - 1)}, 0, 1)

    async def rows(self, question: Any) -> Any:
        if self.hang:
            self.stopped.set()
            await asyncio.sleep(3600)
        return await super().rows(question)


def three(timeout_s: float = 0.3, partial: bool = True, parts: Any = (WHOLE,) * 3) -> tuple[list[Store], Federated]:
    stores = [Store(source) for source in ("x", "y", "z")]
    members = [Member(f"store-{s.source}", s, part) for s, part in zip(stores, parts, strict=True)]
    return stores, Federated(members, timeout_s, partial)


def total(rows: Any) -> int:
    return sum(row.sums["sessions"] for row in rows)


async def test_a_store_that_stops_in_mid_query_costs_its_part_and_no_more_than_the_timeout() -> None:
    stores, federated = three()
    stores[1].hang = True
    request = federated.request()

    began = monotonic()
    assert total(await request.rows(ASKED)) == 2
    assert monotonic() - began < 1.0
    assert stores[1].stopped.is_set()
    assert request.partial
    told = {one.name: one for one in request.contributions}
    assert {name for name, one in told.items() if one.is_missing} == {"store-y"}
    assert told["store-y"].error == ("STORE_TIMEOUT", "the store did not answer within 0.3 s.")
    assert [(part.source, part.start_ms, part.end_ms) for part in told["store-y"].missing] == [
        ("y", HOUR.start_ms, HOUR.end_ms)
    ]
    assert told["store-x"].rows == 1


async def test_a_store_that_failed_is_not_waited_for_twice_in_one_request() -> None:
    stores, federated = three()
    stores[1].hang = True
    request = federated.request()
    await request.rows(ASKED)

    began = monotonic()
    assert total(await request.rows(Question.of(SESSIONS.measures, HOUR, None, [Dimension.ORCHESTRATOR]))) == 2
    assert monotonic() - began < 0.2
    assert total(await federated.request().rows(ASKED)) == 2, "another request tries again"


@pytest.mark.parametrize("error", [StoreUnavailable(SECRET), StoreTimeout(SECRET)])
async def test_where_partial_answers_are_refused_the_error_is_the_stores_without_its_secrets(error: Exception) -> None:
    stores, federated = three(partial=False)
    stores[1].fail["rows"] = error

    with pytest.raises(type(error)) as caught:
        await federated.request().rows(ASKED)
    assert "store-y" in str(caught.value) or isinstance(error, StoreTimeout)
    assert "hunter2" not in str(caught.value)


async def test_a_question_that_only_the_missing_store_answers_is_an_error_not_an_empty_answer() -> None:
    stores, federated = three()
    stores[1].fail["rows"] = StoreUnavailable(SECRET)

    with pytest.raises(StoreUnavailable):
        await federated.request().rows(Question.of(SESSIONS.measures, HOUR, where={Dimension.SOURCE: ["y"]}))
    assert (
        total(await federated.request().rows(Question.of(SESSIONS.measures, HOUR, where={Dimension.SOURCE: ["x"]})))
        == 1
    )


async def test_a_question_that_is_too_big_for_one_store_is_too_big() -> None:
    stores, federated = three()
    stores[1].fail["rows"] = TooComplex("too big")

    with pytest.raises(TooComplex):
        await federated.request().rows(ASKED)


async def test_another_store_answers_for_one_that_fails_in_mid_query() -> None:
    one, other = Store("x"), Store("x")
    one.fail["rows"] = StoreUnavailable(SECRET)
    request = Federated([Member("one", one), Member("other", other)], 0.3).request()

    assert total(await request.rows(ASKED)) == 1
    assert not request.partial
    assert [(told.name, told.rows, told.error is None) for told in request.contributions] == [
        ("one", 0, False),
        ("other", 1, True),
    ]


async def test_what_two_hold_is_told_once_and_the_answer_says_by_whom() -> None:
    one, other = Store("x"), Store("x")
    request = Federated([Member("one", one), Member("other", other)], 0.3).request()

    assert total(await request.rows(ASKED)) == 1
    (_, left) = request.contributions
    assert (left.name, left.rows) == ("other", 0)
    assert [(part.source, part.answered_by) for part in left.yielding] == [("x", ("one",))]


async def test_a_version_changes_with_any_stores_and_with_who_is_away() -> None:
    stores, federated = three()
    before = await federated.holds()
    stores[2].fail["holds"] = StoreUnavailable("gone")
    after = await federated.holds()

    assert before.version != after.version
    assert (before.missing, after.missing) == ((), ("store-z",))
    assert set(after.sources) == {"x", "y"}


async def test_a_store_that_could_not_be_opened_comes_back() -> None:
    now = [0.0]
    found: list[Any] = [StoreUnavailable(SECRET), Store("y")]

    def opening() -> Any:
        result = found.pop(0)
        if isinstance(result, Exception):
            raise result
        return result

    later = Later(opening, StoreUnavailable(SECRET), lambda: now[0])
    federated = Federated([Member("x", Store("x")), Member("y", later)], 1.0)
    assert total(await federated.request().rows(ASKED)) == 1
    assert len(found) == 2, "not before some time has passed"
    for now[0], expected in ((6.0, 1), (7.0, 1), (12.0, 2)):
        assert total(await federated.request().rows(ASKED)) == expected


async def test_a_request_asks_once_how_far_the_stores_reach() -> None:
    stores, federated = three()
    request = federated.request()
    await asyncio.gather(*(request.rows(ASKED) for _ in range(5)))
    await request.rows(Question.of(SESSIONS.measures, HOUR, None, [Dimension.ORCHESTRATOR]))

    assert [store.calls["holds"] for store in stores] == [1, 1, 1]


async def test_a_store_of_which_nothing_is_known_is_missing_all_the_same() -> None:
    stores, federated = three()
    stores[1].fail["holds"] = StoreUnavailable(SECRET)
    request = federated.request()

    assert total(await request.rows(ASKED)) == 2
    (lost,) = [one for one in request.contributions if one.is_missing]
    assert (lost.name, lost.missing, lost.error is not None) == ("store-y", (), True)


class Running:
    """A gateway over three stores."""

    def __init__(self, federated: Federated) -> None:
        parts = Parts(Settings(store_timeout_s=1), federated, None, Regions(), lambda: NOW)
        self.app = build_app(parts)
        transport = httpx.ASGITransport(self.app, client=("127.0.0.1", 5_000), raise_app_exceptions=False)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000")


@pytest.fixture
async def gateway() -> AsyncIterator[tuple[list[Store], httpx.AsyncClient]]:
    stores, federated = three()
    running = Running(federated)
    async with running.app.router.lifespan_context(running.app), running.client:
        yield stores, running.client


async def test_a_query_names_who_contributed_and_how_far_they_reach(gateway: Any) -> None:
    _, client = gateway

    answer = (await client.post("/graphql", json={"query": QUERY})).json()
    assert answer["data"]["network"]["metrics"] == {
        "sessions": 3,
        "freshness": {"partial": False, "asOf": "2026-01-09T13:59:59.999Z"},
    }
    told = answer["extensions"]["backends"]
    assert [(one["name"], one["rows"], one["reachedUntil"]) for one in told] == [
        (f"store-{source}", 1, "2026-01-09T13:59:59.999Z") for source in "xyz"
    ]
    assert all(
        one["milliseconds"] >= 0 and one["missing"] == [] and not one["isMissing"] and "error" not in one
        for one in told
    )


async def test_a_query_that_loses_a_store_is_answered_in_time_says_so_and_is_partial(gateway: Any) -> None:
    stores, client = gateway
    stores[1].hang = True

    began = monotonic()
    answer = (await client.post("/graphql", json={"query": QUERY})).json()
    assert monotonic() - began < 1.0
    assert "errors" not in answer
    assert answer["data"]["network"]["metrics"]["sessions"] == 2
    assert answer["data"]["network"]["metrics"]["freshness"]["partial"] is True
    (lost,) = [one for one in answer["extensions"]["backends"] if one["missing"]]
    assert lost["name"] == "store-y"
    assert lost["error"]["code"] == "STORE_TIMEOUT"
    assert lost["missing"] == [{"source": "y", "start": "2026-01-09T13:00:00.000Z", "end": "2026-01-09T14:00:00.000Z"}]


async def test_rest_says_the_same_in_meta_and_in_a_header(gateway: Any) -> None:
    stores, client = gateway
    stores[2].fail["rows"] = StoreUnavailable(SECRET)
    path = "/v1/sla/gpu/metrics?time_range=2026-01-09T13:00:00Z/2026-01-09T14:00:00Z"

    response = await client.get(path)
    assert response.headers["Missing-Backends"] == "store-z"
    (lost,) = [one for one in response.json()["meta"]["backends"] if one["missing"]]
    assert lost["error"]["code"] == "STORE_UNAVAILABLE"
    assert (await client.get(path + "&format=csv")).headers["Missing-Backends"] == "store-z"
    assert "hunter2" not in response.text


async def test_readyz_tells_each_store_and_no_secret(gateway: Any) -> None:
    stores, client = gateway
    assert (await client.get("/readyz")).json()["status"] == "ready"
    stores[1].fail["holds"] = StoreUnavailable(SECRET)

    response = await client.get("/readyz")
    assert response.status_code == 200
    told = response.json()
    assert told["status"] == "degraded"
    assert [(one["name"], one["status"].partition(";")[0]) for one in told["backends"]] == [
        ("store-x", "ready"),
        ("store-y", "unavailable"),
        ("store-z", "ready"),
    ]
    assert told["backends"][0]["last_event_at"] == "2026-01-09T13:59:59.999Z"
    assert "hunter2" not in response.text
    for store in stores:
        store.fail["holds"] = StoreUnavailable(SECRET)
    assert (await client.get("/readyz")).status_code == 503


async def test_where_no_store_is_for_writing_events_are_refused(gateway: Any) -> None:
    _, client = gateway

    response = await client.post("/v1/events", content=b"{}", headers={"Content-Type": "application/json"})
    assert response.status_code == 403
    assert "writes=true" in response.json()["detail"]


async def test_an_order_made_without_a_store_is_not_taken_for_the_whole_order(gateway: Any) -> None:
    stores, client = gateway
    for n, store in enumerate(stores):
        for address in (ALICE, BOB, CAROL):
            at_ms = NOW_MS - 1_000 * (n + 1)
            store.add(fact(f"{n} {address}", at_ms, {"sessions": 1}, source=store.source, orchestrator=address))
            store.add(sighting(f"{n} {address}", at_ms, at_ms, source=store.source, orchestrator=address))
    query = """query($after: String) { orchestrators(first: 1, after: $after,
      orderBy: {metric: "sessions", window: {start: "2026-01-09T13:00:00Z", end: "2026-01-09T14:00:00Z"}}) {
      nodes { address } pageInfo { endCursor } } }"""

    async def page(after: str | None = None) -> Any:
        answer = await client.post("/graphql", json={"query": query, "variables": {"after": after}})
        return answer.json()["data"]["orchestrators"]["pageInfo"]["endCursor"]

    stores[0].fail["rows"] = StoreUnavailable(SECRET)
    partial = await page()
    del stores[0].fail["rows"]
    assert await page() != partial
    assert await page(partial) is not None, "whoever pages on in it still can"
