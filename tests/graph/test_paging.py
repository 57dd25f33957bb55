"""Pages while a writer adds: what was there at the first page comes exactly once, in the order of then."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from backends.log import Derivation
from backends.memory import MemoryStore
from metrics.fact import Fact
from metrics.sighting import Sighting
from resolvers.context import Context
from resolvers.ranking import Rankings
from tests.graph.world import NOW, NOW_MS, SCHEMA, CountingStore, ask, entry, fact, session, sighting

FORWARD = """query($orderBy: OrchestratorOrder, $filter: OrchestratorFilter, $first: Int, $after: String) {
  orchestrators(orderBy: $orderBy, filter: $filter, first: $first, after: $after) {
    totalCount nodes { address lastSeenAt } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
BACKWARD = """query($orderBy: OrchestratorOrder, $last: Int, $before: String) {
  orchestrators(orderBy: $orderBy, last: $last, before: $before) {
    totalCount nodes { address } pageInfo { hasNextPage hasPreviousPage startCursor } } }"""
METRIC = {"metric": "outputFps", "direction": "DESC", "window": {"last": "PT1H"}}
MOVING = [METRIC, {"metric": "sessions"}, {"field": "LAST_SEEN_AT", "direction": "DESC"}]


class Growing:
    """A store of many orchestrators, and a writer that adds to it between any two pages."""

    def __init__(self, count: int) -> None:
        self.store, self.rankings, self.now = MemoryStore(), Rankings(), NOW
        self.chance = random.Random(1)
        self.owners = 0
        self.write([f"0x{number * 7:040x}" for number in range(count)])

    def write(self, wallets: list[str]) -> None:
        """Give each of these something new."""
        facts, seen = list[Fact](), list[Sighting]()
        for wallet in wallets:
            self.owners += 1
            at_ms, owner = NOW_MS - self.chance.randrange(3_000_000), f"o{self.owners}"
            fps = self.chance.randrange(60) * 10**9
            facts.append(fact(owner, at_ms, {"output_fps": fps, "sessions": 1}, orchestrator=wallet))
            seen.append(sighting(owner, at_ms, at_ms + 60_000, orchestrator=wallet))
        self.store.replace(Derivation([one.owner for one in facts], facts, seen))

    def go_on(self) -> None:
        """Time passes, others appear, and what is known changes."""
        self.now += timedelta(minutes=4)
        known = [*self.store.facts.values()][:: max(1, self.owners // 40)]
        appearing = [f"0x{self.chance.randrange(10**6) * 7 + 3:040x}" for _ in range(40)]
        self.write(appearing + [str(facts[0].dims[1]) for facts in known])

    async def ask(self, query: str, **variables: Any) -> Any:
        context = Context(self.store, self.now, entry, "test", rankings=self.rankings)
        result: Any = await SCHEMA.execute(query, variable_values=variables, context_value=context)
        return result

    async def page(self, query: str = FORWARD, **variables: Any) -> Any:
        """One page of orchestrators."""
        result = await self.ask(query, **variables)
        assert result.errors is None
        return result.data["orchestrators"]

    async def all(self, between: Callable[[], None], size: int, **variables: Any) -> list[str]:
        """Every page, one after the other."""
        found, after, more = list[str](), None, True
        while more:
            page = await self.page(first=size, after=after, **variables)
            found += [node["address"] for node in page["nodes"]]
            more, after = page["pageInfo"]["hasNextPage"], page["pageInfo"]["endCursor"]
            between()
        return found


@pytest.mark.parametrize("order", [None, {"field": "ADDRESS", "direction": "DESC"}, *MOVING])
async def test_ten_thousand_come_exactly_once_while_a_writer_adds(order: Any) -> None:
    growing = Growing(10_000)
    there = {f"0x{number * 7:040x}" for number in range(10_000)}

    found = await growing.all(growing.go_on, 500, orderBy=order)

    assert len(found) == len({*found})
    assert there <= {*found}
    assert order not in MOVING or there == {*found}


@pytest.mark.parametrize("order", MOVING)
async def test_an_order_that_moves_stays_that_of_the_first_page_both_ways(order: Any) -> None:
    growing = Growing(60)
    expected = [node["address"] for node in (await growing.page(first=500, orderBy=order))["nodes"]]

    last = await growing.page(BACKWARD, orderBy=order, last=7)
    forward = await growing.all(growing.go_on, 7, orderBy=order)
    backward = [node["address"] for node in last["nodes"]]
    while last["pageInfo"]["hasPreviousPage"]:
        last = await growing.page(BACKWARD, orderBy=order, last=7, before=last["pageInfo"]["startCursor"])
        backward = [node["address"] for node in last["nodes"]] + backward
        assert last["totalCount"] == 60
        growing.go_on()

    assert forward == backward == expected


async def test_what_is_told_of_a_node_is_told_as_it_is_now() -> None:
    growing = Growing(6)
    first = await growing.page(first=3, orderBy=METRIC)
    second = await growing.page(first=3, orderBy=METRIC, after=first["pageInfo"]["endCursor"])
    wallet = second["nodes"][0]["address"]
    late = NOW_MS + 5_000_000
    growing.store.replace(Derivation(["late"], [], [sighting("late", late, late, orchestrator=wallet)]))

    again = await growing.page(first=3, orderBy=METRIC, after=first["pageInfo"]["endCursor"])

    assert [node["address"] for node in again["nodes"]] == [node["address"] for node in second["nodes"]]
    assert again["nodes"][0]["lastSeenAt"] > second["nodes"][0]["lastSeenAt"]


async def test_an_order_that_is_no_longer_kept_is_made_again_while_the_data_are_the_same() -> None:
    growing = Growing(20)
    whole = [node["address"] for node in (await growing.page(first=50, orderBy=METRIC))["nodes"]]

    def forget() -> None:
        growing.rankings = Rankings()
        growing.now += timedelta(minutes=20)

    assert await growing.all(forget, 3, orderBy=METRIC) == whole


@pytest.mark.parametrize("argument", ["after", "before"])
async def test_an_order_that_nobody_can_make_again_says_to_start_again(argument: str) -> None:
    growing = Growing(20)
    cursor = (await growing.page(first=3, orderBy=METRIC))["pageInfo"]["endCursor"]
    growing.go_on()
    growing.rankings = Rankings()

    query = FORWARD if argument == "after" else BACKWARD
    result = await growing.ask(query, orderBy=METRIC, **{argument: cursor})

    assert result.data["orchestrators"] is None
    (error,) = result.errors
    assert error.extensions == {"code": "BAD_REQUEST", "argument": argument}
    assert "Ask for the first page again" in error.message


async def test_a_writer_that_comes_in_between_is_noticed_when_an_order_is_made_again() -> None:
    growing = Growing(20)
    cursor = (await growing.page(first=3, orderBy=METRIC))["pageInfo"]["endCursor"]
    growing.rankings = Rankings()
    rows = growing.store.rows

    async def slowly(question: Any) -> Any:
        found = await rows(question)
        growing.go_on()
        return found

    growing.store.rows = slowly  # type: ignore[method-assign]
    result = await growing.ask(FORWARD, orderBy=METRIC, after=cursor)

    assert result.errors[0].extensions == {"code": "BAD_REQUEST", "argument": "after"}


@pytest.mark.parametrize(
    "other",
    [
        {"orderBy": {**METRIC, "direction": "ASC"}},
        {"orderBy": {**METRIC, "statistic": "P95"}},
        {"orderBy": {**METRIC, "window": {"last": "PT2H"}}},
        {"orderBy": {"metric": "sessions"}},
        {"orderBy": None},
        {"orderBy": METRIC, "filter": {"address": {"contains": "0"}}},
        {"orderBy": METRIC, "filter": {"not": {"address": {"contains": "z"}}}},
    ],
)
async def test_a_cursor_belongs_to_its_order_and_its_filter(other: dict[str, Any]) -> None:
    growing = Growing(20)
    cursor = (await growing.page(first=3, orderBy=METRIC))["pageInfo"]["endCursor"]

    result = await growing.ask(FORWARD, after=cursor, **other)

    assert result.errors[0].extensions == {"code": "BAD_REQUEST", "argument": "after"}


async def test_cursors_of_two_first_pages_do_not_bound_one_page() -> None:
    growing = Growing(20)
    after = (await growing.page(first=3, orderBy=METRIC))["pageInfo"]["endCursor"]
    growing.go_on()
    before = (await growing.page(first=9, orderBy=METRIC))["pageInfo"]["endCursor"]
    query = """query($o: OrchestratorOrder, $a: String, $b: String) {
      orchestrators(orderBy: $o, after: $a, before: $b) { nodes { address } } }"""

    result = await growing.ask(query, o=METRIC, a=after, b=before)

    assert result.errors[0].extensions == {"code": "BAD_REQUEST", "argument": "before"}


async def test_readers_who_begin_at_one_version_read_one_order() -> None:
    growing = Growing(20)
    window = {"start": "2026-01-09T13:00:00Z", "end": "2026-01-09T14:00:00Z"}
    order = {**METRIC, "window": window}
    for _ in range(3):
        await growing.page(first=3, orderBy=order)

    assert len(growing.rankings._kept) == 1


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
async def test_ten_thousand_streams_come_exactly_once_while_a_writer_adds(direction: str) -> None:
    store, chance, added = CountingStore(), random.Random(1), 0
    store.add(*(session(f"s{number:05}", "r", NOW_MS - number * 10) for number in range(10_000)))
    query = """query($d: OrderDirection!, $after: String) {
      streams(orderBy: {direction: $d}, first: 500, after: $after) {
        nodes { streamId } pageInfo { hasNextPage endCursor } } }"""
    found, after, more = list[str](), None, True
    while more:
        answer = await ask(store, query, d=direction, after=after)
        assert answer.errors == []
        page = answer.data["streams"]
        found += [node["streamId"] for node in page["nodes"]]
        more, after = page["pageInfo"]["hasNextPage"], page["pageInfo"]["endCursor"]
        added += 1
        store.add(*(session(f"n{added}-{n}", "r", NOW_MS - chance.randrange(110_000) + 5_000) for n in range(50)))

    assert len(found) == len({*found})
    assert {f"s{number:05}" for number in range(10_000)} <= {*found}
