"""What only PostgreSQL can get wrong: its errors, its server going away, a second writer, text that it cannot hold."""

import asyncio
import inspect
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import asyncpg
import psycopg
import pytest
import sqlalchemy.exc
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi

from backends.backend import SessionQuestion, StreamQuestion
from backends.log import Batch, Event
from backends.postgres.compile import Statement
from backends.postgres.errors import as_gateway_errors, is_passing
from backends.postgres.options import Options
from backends.postgres.partitions import month_of
from backends.postgres.store import PostgresStore, open_postgres
from backends.postgres.text import escaped, unescaped
from metrics.columns import SESSIONS
from metrics.errors import BadRequest, GatewayError, StoreFull, StoreInUse, StoreTimeout, StoreUnavailable, TooComplex
from metrics.evidence import EvidenceQuestion
from metrics.sighting import SightingQuestion
from telemetry import loader
from telemetry.loader import Loader
from telemetry.simulator.network import Simulation
from telemetry.simulator.options import Options as Simulated
from telemetry.simulator.options import parse_faults
from tests.backends.made import BASE_MS
from tests.backends.servers import Server, database, serving_postgresql
from tests.backends.stores import Missing, closing, wait
from tests.backends.test_rows import EVERYTHING
from tests.laws.answers import everything
from tests.laws.compare import loaded

HURRIED = Options(retry_s=0.3)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    try:
        with serving_postgresql(18) as one:
            yield one
    except Missing as why:
        pytest.skip(f"backend postgresql18: {why}")


@pytest.fixture
def url(server: Server) -> Iterator[str]:
    with database(server.url()) as one:
        yield one


def event(id: str, at_ms: int = BASE_MS) -> Event:
    return Event("default", id, id.encode() * 32, at_ms, "one", "x", b"{}")


def ask(store: PostgresStore, sql: str) -> Any:
    return wait(store._pool.query(Statement("test", sql=sql)))


# Errors


# Rollback is a word of psycopg's to itself, notices are logged, and the other is only raised as one of its kinds.
NEVER_RAISED = ("Rollback", "Warning", "EmulatedDBAPIException")


def made(kind: type[Exception]) -> Exception:
    """An error of this kind, whatever it wants to be told."""
    cause = ValueError("secret words")
    for told in (("secret",), ("secret", "words"), ("secret", {}, cause), ("secret", "words", {}, cause)):
        with suppress(TypeError):
            error = kind(*told)
            str(error)
            return error
    raise AssertionError(kind)


def every_error() -> list[BaseException]:
    """One of each kind that a driver may raise."""
    found: list[BaseException] = []
    for module in (asyncpg.exceptions, psycopg.errors, psycopg, sqlalchemy.exc, AsyncAdapt_asyncpg_dbapi):
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if issubclass(kind, Exception) and not issubclass(kind, Warning) and kind.__name__ not in NEVER_RAISED:
                found.append(made(kind))
    return found


def test_every_error_of_every_driver_becomes_ours_and_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("CRITICAL")
    errors = [*every_error(), TimeoutError("secret words"), ConnectionResetError("secret words")]
    assert len(errors) > 400

    for error in errors:
        with pytest.raises(GatewayError) as told, as_gateway_errors("rows"):
            raise error
        assert "secret" not in str(told.value), error


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (psycopg.errors.QueryCanceled("x"), StoreTimeout),
        (asyncpg.exceptions.QueryCanceledError("x"), StoreTimeout),
        (TimeoutError("x"), StoreTimeout),
        (sqlalchemy.exc.TimeoutError("x"), StoreTimeout),
        (psycopg.errors.DiskFull("x"), StoreFull),
        (asyncpg.exceptions.OutOfMemoryError("x"), TooComplex),
        (psycopg.errors.InsufficientPrivilege("x"), StoreUnavailable),
        (ConnectionRefusedError("x"), StoreUnavailable),
    ],
)
def test_errors_are_told_apart(error: Exception, ours: type[GatewayError]) -> None:
    with pytest.raises(GatewayError) as told, as_gateway_errors("rows"):
        raise error

    assert type(told.value) is ours


def test_only_what_may_pass_is_tried_again() -> None:
    assert all(map(is_passing, (psycopg.errors.AdminShutdown(), psycopg.OperationalError("gone"), ConnectionError())))
    assert not any(map(is_passing, (psycopg.errors.UndefinedTable(), psycopg.errors.DiskFull(), ValueError())))


def test_where_there_is_no_server_or_no_database_it_says_so(server: Server) -> None:
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        open_postgres("postgresql://naap@127.0.0.1:1/naap", HURRIED)
    with pytest.raises(StoreUnavailable, match="no database of this name"):
        open_postgres(server.url("nowhere"), HURRIED)
    with pytest.raises(StoreUnavailable, match="refuses this user"):
        open_postgres(server.url().replace("naap@", "stranger@"), HURRIED)
    for url in ("postgresql://[secret", "postgresql://naap@127.0.0.1/naap?secret=1"):
        with pytest.raises(BadRequest, match=r"Write it as") as told:
            open_postgres(url, HURRIED)
        assert "secret" not in str(told.value)


def test_reads_end_in_time_and_in_size_and_cannot_write(url: str) -> None:
    with closing(open_postgres(url, Options(statement_s=0.2, rows=10))) as store:
        with pytest.raises(StoreTimeout):
            ask(store, "SELECT pg_sleep(5)")
        with pytest.raises(TooComplex):
            ask(store, "SELECT generate_series(1, 11)")
        with pytest.raises(StoreUnavailable, match="read-only"):
            ask(store, "DELETE FROM marks RETURNING name")
        wait(store.ping())


@pytest.mark.parametrize("sql", ["SELECT pg_sleep(60)", "SELECT count(*) FROM generate_series(1, 1000000000000) AS n"])
@pytest.mark.parametrize("is_second", [False, True], ids=["alone", "after another"])
def test_a_cancelled_read_is_ended_on_the_server(url: str, sql: str, is_second: bool) -> None:
    slow, first = Statement("slow", sql=sql), Statement("first", sql="SELECT 1")

    async def run(store: PostgresStore, watching: psycopg.Connection[Any]) -> None:
        pool = store._pool
        reading = asyncio.create_task(pool.query_after(first, lambda _: slow) if is_second else pool.query(slow))
        assert await until(watching, 1)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert await until(watching, 0)
        await asyncio.wait_for(store.ping(), 5)

    async def until(watching: psycopg.Connection[Any], count: int) -> bool:
        """Are so many reads under way within two seconds?"""
        for _ in range(40):
            others = "FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
            running = f"SELECT count(*) {others} AND query = %s AND state <> 'idle'"
            if watching.execute(running, (sql,)).fetchall() == [(count,)]:
                return True
            await asyncio.sleep(0.05)
        return False

    with closing(open_postgres(url, Options(pool=1))) as store, psycopg.connect(url, autocommit=True) as watching:
        wait(run(store, watching))


def test_each_question_is_a_constant_number_of_statements(url: str) -> None:
    names: list[str] = []

    async def asked(store: PostgresStore) -> None:
        await store.rows(EVERYTHING)
        await store.seen(SightingQuestion.of([]))
        await store.evidence(EvidenceQuestion(0, 1, (SESSIONS,)))
        await store.sessions(SessionQuestion())
        await store.streams(StreamQuestion(SessionQuestion()))
        await store.stream_count(SessionQuestion())
        await store.events(["one"])

    with closing(open_postgres(url, on_statement=lambda name, seconds, rows: names.append(name))) as store:
        wait(asked(store))
    assert names == ["rows", "rows", "seen", "seen", "evidence", "sessions", "streams", "stream_count", "events"]


# Writing


def test_a_step_whose_commit_was_not_heard_of_is_not_done_twice(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(open_postgres(url)) as store:
        persevere = store._handle._persevere

        def unheard(name: str, attempt: Any) -> Any:
            persevere(name, attempt)
            return persevere(name, attempt)

        monkeypatch.setattr(store._handle, "_persevere", unheard)
        store.append(Batch([event("a")]))

        assert wait(store.holds()).pending == 1
        assert len(store.session_events(["one"])) == 1


def test_one_process_writes_and_the_next_takes_over(url: str) -> None:
    with closing(open_postgres(url, HURRIED)) as one, closing(open_postgres(url, HURRIED)) as other:
        one.append(Batch([event("a")]))
        with pytest.raises(StoreInUse, match="another process writes"):
            other.append(Batch([event("b")]))
        assert wait(other.holds()).pending == 1

        wait(one.close())
        other.append(Batch([event("b")]))
        assert len(other.session_events(["one"])) == 2


def test_who_was_superseded_begins_anew_before_it_writes_again(url: str) -> None:
    with closing(open_postgres(url, HURRIED)) as one:
        one.append(Batch([event("a")]))
        one._handle._connection.close()  # type: ignore[union-attr]
        with closing(open_postgres(url, HURRIED)) as other:
            other.append(Batch([event("b")]))
        for _ in range(2):
            with pytest.raises(StoreInUse, match="had lost it"):
                one.mark_derived()
        assert [found.id for found in one.pending(9)] == ["a", "b"]
        one.mark_derived()
        assert wait(one.holds()).pending == 0


def test_times_beside_all_months_are_kept_too(url: str) -> None:
    with closing(open_postgres(url)) as store:
        times = [0, 946_684_800_000, BASE_MS, BASE_MS + 32 * 86_400_000, 2**42, 2**47]
        store.append(Batch([event(f"id{n}", at_ms) for n, at_ms in enumerate(times)]))

        assert sorted(found.at_ms for found in store.session_events(["one"])) == times
        assert [month_of(at_ms) for at_ms in times] == [None, None, "2026_01", "2026_02", None, None]


def test_text_of_any_length_is_kept_and_found(url: str) -> None:
    long = "é🙂" * 20_000
    with closing(open_postgres(url)) as store:
        store.append(Batch([event("a")._replace(owner=long, id=long)]))

        assert [found.id for found in store.session_events([long])] == [long]
        assert set(store.identities("default", [long])) == {long}
        assert [found.owner for found in wait(store.events([long, "other"]))] == [long]


texts = st.text(st.characters(codec="utf-8") | st.sampled_from("\0\1\2"))


@settings(max_examples=50)
@given(texts, texts)
def test_text_without_nul_is_the_same_text_in_the_same_order(one: str, other: str) -> None:
    assert "\0" not in escaped(one)
    assert unescaped(escaped(one)) == one
    assert (escaped(one) < escaped(other)) == (one < other)


# The server goes away


def test_a_server_killed_in_mid_load_and_started_again_is_loaded_to_the_end(
    server: Server, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loader, "LINES", 200)
    monkeypatch.setattr(loader, "DERIVE_AT", 600)
    options = Simulated(orchestrators=3, hours=2, seed=4, faults=parse_faults("duplicate,conflict,late,malformed"))
    lines = list(Simulation(options).events())
    killed = written = 0

    def kill(name: str, seconds: float, rows: int) -> None:
        """After some of the writes, wherever the transaction is just then."""
        nonlocal killed, written
        written += name.startswith(("insert", "refresh"))
        if written == 40 * (killed + 1) and killed < 3:
            killed += 1
            server.kill()
            threading.Timer(0.3, server.start).start()

    with closing(open_postgres(url, Options(retry_s=30), kill)) as store:
        loading = Loader(store, lambda: options.end)
        loading.load("default", lines)
        loading.derive()
        time.sleep(0.5)  # the last one may only just be starting

        assert killed == 3
        assert everything(store) == everything(loaded([("default", line) for line in lines], options.end))


def test_a_server_that_stays_away_is_given_up_in_time(server: Server) -> None:
    with serving_postgresql(18) as brief:
        store = open_postgres(brief.url(), HURRIED)
        store.append(Batch([event("a")]))
        brief.kill()
        began = time.monotonic()
        with pytest.raises(StoreUnavailable, match="cannot be reached"):
            store.append(Batch([event("b")]))
        with pytest.raises(StoreUnavailable):
            wait(store.ping())

        assert time.monotonic() - began < 10
        wait(store.close())


def test_a_pool_reads_on_after_the_server_was_started_again(server: Server, url: str) -> None:
    with closing(open_postgres(url)) as store:
        wait(store.ping())
        server.kill()
        server.start()

        wait(store.ping())
