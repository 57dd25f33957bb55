"""Answers told again: when, to whom, for how long, and how much memory they may take."""

import asyncio
from dataclasses import dataclass, field

import pytest

from backends.backend import Holdings
from resolvers.results import OVERHEAD_BYTES, Made, Results, digest


@dataclass
class Bench:
    """A store that says its version, a clock, and how often something was made."""

    version: int = 1
    now: float = 0.0
    made: int = 0
    asked: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def holds(self) -> Holdings:
        self.asked += 1
        return Holdings({}, 0, self.version)

    def results(self, most_bytes: int = 2**20) -> Results[str]:
        return Results(self.holds, most_bytes, lambda: self.now)

    async def make(self, held: Holdings) -> Made[str]:
        self.made += 1
        return Made(f"{self.made} of {held.version}", 100)

    async def slowly(self, held: Holdings) -> Made[str]:
        await self.gate.wait()
        return await self.make(held)


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_the_same_is_told_until_the_data_change(bench: Bench) -> None:
    results = bench.results()
    told = [await results.get(b"a", bench.make) for _ in range(3)]
    bench.version = 2
    told += [await results.get(b"a", bench.make) for _ in range(2)]

    assert told == ["1 of 1"] * 3 + ["2 of 2"] * 2
    assert (results.counts.hits, results.counts.misses, results.counts.answers) == (3, 2, 1)


async def test_of_a_thousand_at_once_one_makes_it(bench: Bench) -> None:
    results = bench.results()
    asking = [asyncio.create_task(results.get(b"a", bench.slowly)) for _ in range(1000)]
    await asyncio.sleep(0.01)
    bench.gate.set()

    assert {await one for one in asking} == {"1 of 1"}
    assert (bench.made, results.counts.joined, results.counts.misses) == (1, 999, 1)


async def test_what_was_read_while_the_data_changed_is_not_kept(bench: Bench) -> None:
    async def changing(held: Holdings) -> Made[str]:
        bench.version += 1
        return await bench.make(held)

    results = bench.results()
    assert await results.get(b"a", changing) == "1 of 1"
    bench.version = 1  # even if that version came back
    assert await results.get(b"a", bench.make) == "2 of 1"


async def test_whoever_comes_after_a_change_does_not_join_what_began_before_it(bench: Bench) -> None:
    results = bench.results()
    before = asyncio.create_task(results.get(b"a", bench.slowly))
    await asyncio.sleep(0)
    bench.version = 2
    assert await results.get(b"a", bench.make) == "1 of 2"
    bench.gate.set()

    assert await before == "2 of 1"
    assert await results.get(b"a", bench.make) == "1 of 2"


async def test_what_looked_at_the_clock_is_told_for_its_moment_from_when_it_was_begun(bench: Bench) -> None:
    async def moving(held: Holdings) -> Made[str]:
        made = await bench.make(held)
        bench.now += 0.4
        return Made(made.value, 100, keep_s=1.0)

    results = bench.results()
    told = []
    for at in (10.0, 10.9, 11.0, 11.5):
        bench.now = at
        told.append(await results.get(b"a", moving))

    assert told == ["1 of 1", "1 of 1", "2 of 1", "2 of 1"]


async def test_what_is_not_for_others_is_made_for_each(bench: Bench) -> None:
    async def alone(held: Holdings) -> Made[str]:
        await bench.gate.wait()
        return Made((await bench.make(held)).value, 100, shared=False)

    results = bench.results()
    asking = [asyncio.create_task(results.get(b"a", alone)) for _ in range(3)]
    await asyncio.sleep(0.01)
    bench.gate.set()

    assert len({await one for one in asking}) == 3
    assert results.counts.answers == 0


async def test_an_error_reaches_all_who_wait_and_is_not_kept(bench: Bench) -> None:
    async def failing(held: Holdings) -> Made[str]:
        await bench.gate.wait()
        bench.made += 1
        raise ValueError("away")

    results = bench.results()
    asking = [asyncio.create_task(results.get(b"a", failing)) for _ in range(5)]
    await asyncio.sleep(0.01)
    bench.gate.set()
    outcomes = await asyncio.gather(*asking, return_exceptions=True)

    assert [str(one) for one in outcomes] == ["away"] * 5
    assert bench.made == 1
    assert await results.get(b"a", bench.make) == "2 of 1"


async def test_where_the_first_one_goes_the_next_one_makes_it(bench: Bench) -> None:
    results = bench.results()
    asking = [asyncio.create_task(results.get(b"a", bench.slowly)) for _ in range(4)]
    await asyncio.sleep(0.01)
    asking[0].cancel()
    asking[2].cancel()
    await asyncio.sleep(0.01)
    bench.gate.set()
    outcomes = await asyncio.gather(*asking, return_exceptions=True)

    assert [isinstance(one, asyncio.CancelledError) for one in outcomes] == [True, False, True, False]
    assert outcomes[1] == outcomes[3] == "1 of 1"
    assert bench.made == 1


async def test_memory_is_bounded_and_what_was_told_last_stays(bench: Bench) -> None:
    results = bench.results(10 * (OVERHEAD_BYTES + 100))
    for number in range(10):
        await results.get(b"%d" % number, bench.make)
    assert (results.counts.answers, results.counts.bytes) == (10, 10 * (OVERHEAD_BYTES + 100))
    await results.get(b"0", bench.make)
    await results.get(b"more", bench.make)

    assert (results.counts.answers, results.counts.evicted) == (10, 1)
    assert await results.get(b"0", bench.make) == "1 of 1"
    assert await results.get(b"1", bench.make) != "2 of 1"


async def test_one_large_answer_does_not_push_out_all_others(bench: Bench) -> None:
    async def large(held: Holdings) -> Made[str]:
        return Made("large", 2**18)

    results = bench.results()
    await results.get(b"a", bench.make)
    await results.get(b"b", large)

    assert results.counts.answers == 1


async def test_without_memory_everything_is_made(bench: Bench) -> None:
    results = bench.results(0)

    assert [await results.get(b"a", bench.make) for _ in range(2)] == ["1 of 1", "2 of 1"]


def test_a_key_tells_apart_what_is_cut_otherwise() -> None:
    assert len({digest("ab", "c"), digest("a", "bc"), digest("abc"), digest("ab", "c", "")}) == 4
