"""TimescaleDB, where NAAP_TEST_TIMESCALE_URL names one: late facts, open buckets, moving there with data and back."""

import os
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from backends.log import Derivation
from backends.postgres.aggregates import LOWEST, stretches
from backends.postgres.migrate import MAIN, layout, migrate
from backends.postgres.options import Options
from backends.postgres.store import PostgresStore, open_postgres
from metrics.columns import MEASURES
from metrics.errors import StoreInUse
from metrics.fact import Fact
from metrics.fold import fold
from metrics.question import Question
from metrics.window import DAY_MS, HOUR_MS, MINUTE_MS, Grain, Window
from telemetry.loader import Loader
from telemetry.simulator.network import Simulation
from telemetry.simulator.options import Options as Simulated
from tests.backends.servers import database
from tests.backends.stores import closing, wait
from tests.backends.test_rows import fact
from tests.laws.answers import everything
from tests.laws.compare import load

OPTIONS = Simulated(orchestrators=2, hours=3, seed=3)
FEED = [("default", line) for line in Simulation(OPTIONS).events()]
NOW = OPTIONS.end + timedelta(hours=1)


@pytest.fixture
def server() -> str:
    if not (url := os.environ.get("NAAP_TEST_TIMESCALE_URL")):
        pytest.skip("backend timescale: NAAP_TEST_TIMESCALE_URL names no server")
    return url


@pytest.fixture
def url(server: str) -> Iterator[str]:
    with database(server, "timescaledb") as one:
        yield one


@pytest.fixture
def plain(server: str) -> Iterator[str]:
    with database(server) as one:
        yield one


def run(url: str, sql: str) -> list[Any]:
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute(sql)
        return found.fetchall() if found.description else []


def told(url: str) -> str:
    return layout(url, Options())


def test_an_empty_database_is_laid_out_for_the_extension_at_once(url: str) -> None:
    with closing(open_postgres(url)):
        pass

    assert told(url).endswith("hypertables and continuous aggregates")
    names = (
        "SELECT hypertable_name FROM timescaledb_information.hypertables WHERE hypertable_schema = 'naap' ORDER BY 1"
    )
    assert sorted(run(url, names)) == [("facts",), ("raw",)]
    real_time = "SELECT view_name, materialized_only FROM timescaledb_information.continuous_aggregates ORDER BY 1"
    assert run(url, real_time) == [("facts_day", False), ("facts_hour", False), ("facts_minute", False)]


def test_a_plain_database_moves_there_and_back_with_its_data(plain: str) -> None:
    with closing(open_postgres(plain)) as store:
        load(store, FEED, NOW)
        before = everything(store)
    assert "without TimescaleDB: partitions by month" in told(plain)
    run(plain, "CREATE EXTENSION timescaledb")

    with closing(open_postgres(plain)) as store:
        # Opening does not move data: that is asked for.
        assert "not used yet" in told(plain)
        store.mark_derived()
        with pytest.raises(StoreInUse, match="Stop it"):
            migrate(plain, Options(), whole=True)

    assert migrate(plain, Options(), whole=True)[0].startswith("t001: ")
    with closing(open_postgres(plain)) as store:
        assert everything(store) == before
        Loader(store, lambda: NOW).rebuild()
        assert everything(store) == before

    assert migrate(plain, Options(), "timescale@base") == ["t001 undone"]
    with closing(open_postgres(plain)) as store:
        assert "not used yet" in told(plain)
        assert everything(store) == before
        Loader(store, lambda: NOW).rebuild()
        assert everything(store) == before


def test_late_facts_of_computed_buckets_and_facts_of_open_ones_are_answered(url: str) -> None:
    now_ms = int(time.time() * 1000)
    held: dict[str, Fact] = {}

    def put(store: PostgresStore, *facts: Fact) -> None:
        for one in facts:
            held[one.key] = one
        store.replace(Derivation(["one"], list(held.values())))
        store.refresh()

    def check(store: PostgresStore) -> None:
        window = Window.of_ms(now_ms - 5 * DAY_MS, now_ms + 2 * DAY_MS)
        for grain in (None, Grain.HOUR, Grain.DAY):
            question = Question.of(MEASURES, window, grain)
            assert list(wait(store.rows(question))) == fold(held.values(), question), grain

    def at(shift_ms: int, key: str) -> Fact:
        return fact(now_ms + shift_ms, key=key, output_fps=7 + len(key), samples=1)

    with closing(open_postgres(url)) as store:
        put(store, *(at(-n * HOUR_MS, f"past {n}") for n in range(0, 100, 7)))
        check(store)
        # The minute that is not over yet, and one that is yet to come.
        put(store, at(0, "now"), at(HOUR_MS, "future"))
        check(store)
        put(store, at(0, "now too"))
        check(store)
        # Late ones, far below every watermark, and one that moves from there to now.
        put(store, at(-70 * HOUR_MS, "late"), at(-71 * HOUR_MS - MINUTE_MS, "later"))
        check(store)
        put(store, at(0, "late"))
        check(store)
        store.refresh()
        check(store)
        levels = [run(url, f"SELECT min(bucket_ms) FROM naap.facts_{name}")[0][0] for name in ("minute", "hour", "day")]
        assert all(level is not None for level in levels)


def test_compression_changes_no_answer_and_takes_late_facts(url: str) -> None:
    with closing(open_postgres(url)) as store:
        load(store, FEED[: len(FEED) // 2], NOW)
    options = Options(compress_days=1, retain_days=36_500)
    assert migrate(url, options, whole=True) == [
        "chunks are compressed after 1 days",
        "chunks are dropped after 36500 days",
    ]
    jobs = "SELECT proc_name FROM timescaledb_information.jobs WHERE proc_name LIKE 'policy_%'"
    assert len(run(url, jobs)) >= 4
    run(url, "SELECT compress_chunk(one) FROM show_chunks('naap.facts') AS one")
    run(url, "SELECT compress_chunk(one) FROM show_chunks('naap.raw') AS one")
    with closing(open_postgres(url)) as store:
        load(store, FEED, NOW)
        after = everything(store)

    assert migrate(url, Options(), whole=True) == ["chunks are never compressed", "chunks are never dropped"]
    with database(url) as other, closing(open_postgres(other)) as store:
        load(store, FEED, NOW)
        assert everything(store) == after


def test_aggregates_that_lack_a_column_are_made_anew(url: str) -> None:
    with closing(open_postgres(url)) as store:
        load(store, FEED, NOW)
        before = everything(store)
    run(url, "ALTER MATERIALIZED VIEW naap.facts_minute RENAME COLUMN warm_up TO other")

    assert migrate(url, Options()) == ["the continuous aggregates were made anew, with new columns"]
    with closing(open_postgres(url)) as store:
        assert everything(store) == before
    assert migrate(url, Options()) == []


@pytest.mark.parametrize(
    ("buckets", "watermark", "now", "found"),
    [
        # Below the watermark: each run of buckets by itself.
        ([0, 10, 30], 50, 99, [(0, 20), (30, 40)]),
        # From the watermark on all until the last one that is over, so that none between is hidden.
        ([20, 80], 50, 99, [(20, 30), (50, 90)]),
        # What is not over is made from facts whenever it is read.
        ([80, 90], 50, 95, [(50, 90)]),
        ([90], 50, 95, []),
        # Nothing was ever computed.
        ([20], LOWEST, 99, [(LOWEST, 30)]),
        # The clock was set back: what was computed must be computed again.
        ([20], 50, 0, [(20, 30)]),
        ([], 50, 99, []),
    ],
)
def test_what_is_computed_again(buckets: list[int], watermark: int, now: int, found: list[tuple[int, int]]) -> None:
    assert stretches(buckets, 10, watermark, now) == found


def test_the_way_back_is_the_main_line(url: str) -> None:
    migrate(url, Options())
    migrate(url, Options(), "timescale@base")

    assert migrate(url, Options(), MAIN)[0].startswith("t001")
