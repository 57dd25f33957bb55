"""What goes wrong says what to do, in our own errors."""

import asyncio
import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import clickhouse_connect.driver.exceptions
import pytest
import urllib3.exceptions
from clickhouse_connect.driver.exceptions import DatabaseError

from backends.chdb import open_chdb
from backends.clickhouse.compile import Statement
from backends.clickhouse.ddl import add_missing
from backends.clickhouse.errors import as_gateway_errors, is_passing, translated
from backends.clickhouse.limits import Limits
from backends.tables import TABLES
from metrics.errors import GatewayError, StoreFull, StoreTimeout, StoreUnavailable, TooComplex

ROOT = Path(__file__).parents[2]
OPEN = """
import sys
from backends.chdb import open_chdb
store = open_chdb(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module", autouse=True)
def engine() -> Iterator[None]:
    """One handle that stays open, so that the embedded engine is started once and not per test."""
    store = open_chdb()
    yield
    asyncio.run(store.close())


def child(path: object) -> "subprocess.Popen[str]":
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", OPEN, str(path)], cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True
    )


def last_words(path: object) -> str:
    return child(path).communicate(timeout=60)[1].strip().splitlines()[-1]


def test_a_store_that_another_process_holds_says_so(tmp_path: Path) -> None:
    holder = child(tmp_path)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "open\n"

    words = last_words(tmp_path)

    holder.communicate(timeout=60)
    assert words.startswith("metrics.errors.StoreInUse")
    assert str(tmp_path) in words


def test_a_store_is_free_again_once_its_process_is_gone(tmp_path: Path) -> None:
    for _ in range(2):
        out, err = child(tmp_path).communicate(timeout=60)
        assert out == "open\n", err


def test_a_file_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(StoreUnavailable, match="file"):
            open_chdb(path)


def test_a_process_has_one_embedded_store(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="already has another embedded store"):
        open_chdb(tmp_path)


@pytest.mark.parametrize(
    ("code", "text", "ours"),
    [
        (159, "Timeout exceeded", StoreTimeout),
        (243, "Cannot reserve 1.00 MiB, not enough space", StoreFull),
        (75, "Cannot write to file: errno: 28, strerror: No space left on device", StoreFull),
        (241, "Memory limit exceeded", TooComplex),
        (396, "Limit for result exceeded", TooComplex),
        (60, "Unknown table", StoreUnavailable),
        (None, "who knows", StoreUnavailable),
    ],
)
def test_every_error_of_the_engine_becomes_ours(code: int | None, text: str, ours: type[GatewayError]) -> None:
    error = translated("rows", DatabaseError(text, code=code))

    assert type(error) is ours
    assert text not in str(error)


def driver_errors() -> list[type[Exception]]:
    """Every class of error that the driver and the two libraries under it define, but those of what it never does."""
    never = ("WSMessageTypeError", "ProxySchemeUnsupported")  # WebSockets; a proxy of a kind that does not exist
    modules = (aiohttp.client_exceptions, urllib3.exceptions, clickhouse_connect.driver.exceptions)
    classes = {one for module in modules for one in vars(module).values() if inspect.isclass(one)}
    errors = [
        one
        for one in classes
        if one.__module__.startswith(("aiohttp", "urllib3", "clickhouse_connect")) and one.__name__ not in never
        if issubclass(one, Exception) and not issubclass(one, Warning)
    ]
    return sorted(errors, key=lambda one: one.__qualname__)


@pytest.mark.parametrize("kind", driver_errors(), ids=lambda kind: kind.__module__.split(".")[0] + "." + kind.__name__)
def test_no_error_of_the_driver_is_unmapped(kind: type[Exception]) -> None:
    # As it would come, whatever its arguments are.
    made = type(
        kind.__name__, (kind,), {"__init__": lambda self: None, "__str__": lambda self: "/a/path of the driver"}
    )

    with pytest.raises(GatewayError) as caught, as_gateway_errors("rows", (aiohttp.ClientError,)):
        raise made()
    assert "/a/path" not in str(caught.value)


@pytest.mark.parametrize(
    ("code", "ours", "passing"),
    [(516, StoreUnavailable, False), (497, StoreUnavailable, False), (209, StoreTimeout, True),
     (999, StoreUnavailable, True), (252, StoreUnavailable, True), (60, StoreUnavailable, False)],
)  # fmt: skip
def test_what_may_pass_is_tried_again_and_the_rest_is_not(code: int, ours: type[GatewayError], passing: bool) -> None:
    error = DatabaseError("words of the server", code=code)

    assert type(translated("rows", error)) is ours
    assert is_passing(error) is passing


def test_a_full_disk_is_told_apart_while_rows_are_handed_over() -> None:
    assert type(translated("insert raw", OSError(28, "No space left on device"))) is StoreFull


def ask(sql: str, limits: Limits = Limits()) -> Any:  # noqa: B008
    async def run() -> Any:
        store = open_chdb(limits=limits)
        try:
            return await store._reader.query(Statement("test", {}, sql))
        finally:
            await store.close()

    return asyncio.run(run())


def test_a_read_that_takes_too_long_is_a_timeout() -> None:
    with pytest.raises(StoreTimeout):
        ask("SELECT count() FROM system.numbers", Limits(seconds=0.3))


def test_an_answer_that_is_too_big_is_too_complex() -> None:
    with pytest.raises(TooComplex):
        ask("SELECT number FROM numbers(100)", Limits(rows=10))


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE facts",
        "INSERT INTO marks (name) VALUES ('x')",
        "SELECT * FROM file('/etc/passwd', 'LineAsString')",
        "SELECT 1 SETTINGS max_execution_time = 0",
        "SET readonly = 0",
    ],
)
def test_reading_can_neither_write_nor_reach_files_nor_lift_its_limits(sql: str) -> None:
    with pytest.raises(GatewayError):
        ask(sql)


def test_a_cancelled_read_leaves_the_store_usable() -> None:
    async def run() -> None:
        store = open_chdb(readers=1)
        reading = asyncio.create_task(store._reader.query(Statement("slow", {}, "SELECT sleep(0.5)")))
        await asyncio.sleep(0.1)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await store.ping()
        assert len((await store.holds()).sources) == 0
        await store.close()

    asyncio.run(run())


def test_each_question_is_one_statement() -> None:
    from backends.backend import SessionQuestion, StreamQuestion
    from metrics.columns import SESSIONS
    from metrics.evidence import EvidenceQuestion
    from metrics.sighting import SightingQuestion
    from tests.backends.test_rows import EVERYTHING

    names: list[str] = []

    async def run() -> None:
        store = open_chdb(on_statement=lambda name, seconds, rows: names.append(name))
        names.clear()
        await store.rows(EVERYTHING)
        await store.seen(SightingQuestion.of([]))
        await store.evidence(EvidenceQuestion(0, 1, (SESSIONS,)))
        await store.sessions(SessionQuestion())
        await store.streams(StreamQuestion(SessionQuestion()))
        await store.stream_count(SessionQuestion())
        await store.events(["one"])
        found = list(names)
        await store.close()
        assert found == ["rows", "seen", "evidence", "sessions", "streams", "stream_count", "events"]

    asyncio.run(run())


def test_a_store_gains_the_columns_that_were_declared_since() -> None:
    present = {(table.name, field.name) for table in TABLES for field in table.every}

    assert add_missing(present) == []
    assert add_missing(present - {("facts", "fees_wei")}) == [
        "ALTER TABLE `facts` ADD COLUMN IF NOT EXISTS `fees_wei` Nullable(Int256)"
    ]


async def test_a_closed_store_says_so() -> None:
    store = open_chdb()
    await store.close()
    await store.close()

    with pytest.raises(StoreUnavailable):
        await store.ping()
