"""A hundred real events of the network, and what they say, worked out by hand."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backends.chdb import open_chdb
from backends.clickhouse.store import ClickHouseStore
from metrics.columns import FEES_WEI, INFERENCE_MS, MEASURES, TICKETS
from metrics.dimension import Dimension
from metrics.question import Question
from metrics.window import Window
from tests.laws.answers import ALL, everything
from tests.laws.compare import load, loaded, metrics

DATA = Path(__file__).parents[3] / "shared" / "data"
FILES = sorted(DATA.glob("streaming-events-*.ndjson"))
NOW = datetime(2026, 1, 10, tzinfo=UTC)
ORCHESTRATOR = "0xd00354656922168815fcd1e51cbddb9e359e3c7f"
GPU = "GPU-a8d13655-197b-2226-d09f-b4b81e07504b"
pytestmark = pytest.mark.skipif(not FILES, reason=f"the real events are not here: {DATA}")


@pytest.fixture
def feed() -> list[tuple[str, bytes]]:
    return [("default", line) for path in FILES for line in path.read_bytes().splitlines()]


@pytest.fixture
def store() -> Iterator[ClickHouseStore]:
    with open_store() as opened:
        yield opened


class open_store:
    """A chDB store in memory, for a with statement."""

    def __enter__(self) -> ClickHouseStore:
        self.store = open_chdb()
        return self.store

    def __exit__(self, *_: object) -> None:
        import asyncio

        asyncio.run(self.store.close())


def test_the_numbers_are_those_worked_out_by_hand(feed: list[tuple[str, bytes]]) -> None:
    told = metrics(loaded(feed, NOW), 0, 2**42, {})

    assert (told["streams"], told["sessions"], told["clockSkew"]) == (4, 4, 2)
    assert told["outcomes"]["unserved"] == 2
    assert told["outcomes"]["served"] == told["outcomes"]["attempted"] == 2
    assert told["promptToFirstFrameMs"]["min"] == 2847
    assert told["promptToFirstFrameMs"]["max"] == 3300
    assert told["promptToFirstFrameMs"]["samples"] == 2
    assert told["e2eLatencyMs"] == dict.fromkeys(told["e2eLatencyMs"]) | {"samples": 0}
    assert round(told["outputFps"]["value"], 6) == 19.705501
    assert told["outputFps"]["samples"] == 21
    assert told["unservedRatePct"] == {"value": 50.0, "samples": 4}
    assert told["failureRatePct"] == {"value": 0.0, "samples": 2}
    assert told["degradedPct"]["samples"] == 22


async def test_the_embedded_store_says_the_same(feed: list[tuple[str, bytes]], store: ClickHouseStore) -> None:
    memory = loaded(feed, NOW)
    load(store, feed, NOW)
    question = Question.of(MEASURES, ALL, by=[Dimension.ORCHESTRATOR, Dimension.GPU, Dimension.GATEWAY])

    rows = await store.rows(question)

    assert rows == await memory.rows(question)
    paid = sum(int(row.sums[FEES_WEI.name] or 0) for row in rows)  # type: ignore[call-overload]  # a plain sum
    assert (paid, sum(row.sums[TICKETS.name] for row in rows)) == (24_000_000_086_328, 10)  # type: ignore[misc]
    assert {row.by[:2] for row in rows if row.sums[INFERENCE_MS.name]} == {(ORCHESTRATOR, GPU)}


async def test_both_served_sessions_ran_on_one_gpu(feed: list[tuple[str, bytes]]) -> None:
    store = loaded(feed, NOW)
    served = [kept.record for kept in store.stored.values() if kept.record.outcome == "SERVED"]

    assert {(r.orchestrator, r.gpu, r.gpu_attribution) for r in served} == {(ORCHESTRATOR, GPU, "EXACT")}
    assert {r.workflow for r in served} == {"streamdiffusion-sdxl-faceid"}
    assert [set(r.wallets.values()) for r in served] == [{ORCHESTRATOR}, {ORCHESTRATOR}]
    assert len(served) == 2


def test_however_it_is_loaded_every_answer_is_the_same(feed: list[tuple[str, bytes]]) -> None:
    shuffled = random.Random(3).sample(feed, len(feed))
    ways = {
        "once": (feed, 0),
        "twice": (feed + feed, 100),
        "reversed": (feed[::-1], 25),
        "shuffled": (shuffled, 10),
        "one event at a time": (shuffled, 1),
    }

    answers = {}
    for name, (lines, every) in ways.items():
        with open_store() as opened:
            load(opened, lines, NOW, every=every)
            answers[name] = everything(opened)

    assert {name for name, answer in answers.items() if answer != answers["once"]} == set()


def test_a_rebuild_changes_nothing(feed: list[tuple[str, bytes]], store: ClickHouseStore) -> None:
    loader = load(store, feed, NOW)
    before = everything(store)

    loader.rebuild()
    assert everything(store) == before

    loader.rebuild(Window(datetime(2026, 1, 9, 13, 50, tzinfo=UTC), datetime(2026, 1, 9, 13, 52, tzinfo=UTC)))
    assert everything(store) == before
