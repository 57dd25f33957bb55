"""PostgreSQL's tables, brought up and down with data in them."""

import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.script import ScriptDirectory

from backends.postgres.migrate import migrate, scripts
from backends.postgres.options import Options
from backends.postgres.store import open_postgres
from metrics.errors import StoreUnavailable
from telemetry.loader import Loader
from telemetry.simulator.network import Simulation
from telemetry.simulator.options import Options as Simulated
from tests.backends.servers import database, serving_postgresql, with_database
from tests.backends.stores import Missing, closing
from tests.laws.answers import everything
from tests.laws.compare import load

ROOT = Path(__file__).parents[2]
OPTIONS = Simulated(orchestrators=2, hours=2, seed=3)
FEED = [("default", line) for line in Simulation(OPTIONS).events()]
NOW = OPTIONS.end + timedelta(hours=1)


@pytest.fixture(scope="module", params=[16, 18])
def server(request: pytest.FixtureRequest) -> Iterator[str]:
    try:
        with serving_postgresql(request.param) as one:
            yield one.url()
    except Missing as why:
        pytest.skip(f"backend postgresql{request.param}: {why}")


@pytest.fixture
def url(server: str) -> Iterator[str]:
    with database(server) as one:
        yield one


def filled(url: str) -> str:
    with closing(open_postgres(url)) as store:
        load(store, FEED, NOW)
        return everything(store)


def run(url: str, sql: str) -> list[Any]:
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute(sql)
        return found.fetchall() if found.description else []


def test_a_migration_says_what_it_did_and_the_second_has_nothing_to_do(url: str) -> None:
    done = migrate(url, Options())

    assert [text.partition(":")[0] for text in done] == ["0001", "0002"]
    assert migrate(url, Options()) == []


def test_of_several_that_open_an_empty_database_at_once_one_makes_the_tables(url: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        told = list(threads.map(lambda _: migrate(url, Options()), range(4)))

    assert sorted(map(len, told)) == [0, 0, 0, 2]


def test_what_is_derived_may_go_and_come_again(url: str) -> None:
    before = filled(url)

    assert migrate(url, Options(), "0001") == ["0002 undone"]
    assert [text.partition(":")[0] for text in migrate(url, Options())] == ["0002"]
    with closing(open_postgres(url)) as store:
        loader = Loader(store, lambda: NOW)
        assert loader.rebuild() == run(url, "SELECT count(*) FROM naap.raw")[0][0] > 0
        assert everything(store) == before


def test_all_the_way_down_nothing_is_left(url: str) -> None:
    filled(url)
    migrate(url, Options(), "base")

    assert run(
        url, "SELECT relname FROM pg_class WHERE relnamespace = 'naap'::regnamespace AND relkind IN ('r', 'p')"
    ) == [("alembic_version",)]
    assert run(url, "SELECT proname FROM pg_proc WHERE pronamespace = 'naap'::regnamespace") == []
    assert filled(url)


def test_columns_declared_since_are_added_and_change_no_answer(url: str) -> None:
    before = filled(url)
    for table, column in (("facts", "warm_up"), ("facts_day", "output_fps_hist"), ("raw", "type")):
        run(url, f"ALTER TABLE naap.{table} RENAME COLUMN {column} TO other")

    assert sorted(migrate(url, Options())) == [
        "facts has a new column: warm_up",
        "facts_day has a new column: output_fps_hist",
        "raw has a new column: type",
    ]
    for table, column in (("facts", "warm_up"), ("facts_day", "output_fps_hist"), ("raw", "type")):
        run(url, f"UPDATE naap.{table} SET {column} = other")
    with closing(open_postgres(url)) as store:
        assert everything(store) == before


def test_tables_of_a_newer_release_are_left_alone(url: str) -> None:
    migrate(url, Options())
    run(url, "UPDATE naap.alembic_version SET version_num = '9999'")

    with pytest.raises(StoreUnavailable, match="newer release"):
        open_postgres(url)


def test_a_database_that_cannot_hold_every_text_is_refused(server: str) -> None:
    run(server, "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    try:
        with pytest.raises(StoreUnavailable, match="encoding LATIN1"):
            open_postgres(with_database(server, "latin"))
    finally:
        run(server, "DROP DATABASE latin WITH (FORCE)")


def test_a_wheel_brings_the_migrations_along() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]

    assert included == {"alembic": "backends/postgres/migrations"}
    assert scripts() == ROOT / "alembic"
    assert not (ROOT / "alembic" / "__init__.py").exists()
    assert ScriptDirectory(str(scripts())).get_bases() == ["0001", "t001"]
