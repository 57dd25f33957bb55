"""A ClickHouse over HTTP that is away, slow, strict, or dies: what that means for who reads and who writes."""

import asyncio
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from backends.clickhouse.address import Address
from backends.clickhouse.compile import Statement
from backends.clickhouse.lease import LEASE, LEASE_S
from backends.clickhouse.limits import EXACT, Limits
from backends.clickhouse.retry import Patience
from backends.clickhouse.server import _set, drop, open_clickhouse
from backends.log import Batch, Derivation
from metrics.columns import SAMPLES
from metrics.errors import GatewayError, StoreInUse, StoreTimeout, StoreUnavailable, TooComplex
from metrics.question import Question
from tests.backends import crash
from tests.backends.made import BASE_MS
from tests.backends.relay import relayed
from tests.backends.stores import closing, serving, wait
from tests.backends.test_log import event
from tests.backends.test_rows import EVERYTHING, fact

ROOT = Path(__file__).parents[2]
BRIEF = Patience(0)
KILLS = 2


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving() as found:
        yield found


@pytest.fixture
def address(port: int) -> Iterator[Address]:
    made = Address("127.0.0.1", port, database=f"naap_{uuid4().hex}")
    yield made
    drop(made)


def ask(store: Any, sql: str) -> Any:
    return wait(store._reader.query(Statement("test", {}, sql)))


# What a read may do


@pytest.mark.parametrize(
    ("sql", "limits", "error"),
    [
        ("SELECT count() FROM system.numbers", Limits(seconds=0.3, threads=0), StoreTimeout),
        ("SELECT number FROM numbers(100)", Limits(rows=10, threads=0), TooComplex),
        ("SELECT groupArray(number) FROM numbers(100000000)", Limits(memory_bytes=10_000_000, threads=0), TooComplex),
    ],
)
def test_a_read_is_bounded_in_time_rows_and_memory(
    address: Address, sql: str, limits: Limits, error: type[GatewayError]
) -> None:
    with closing(open_clickhouse(address, limits=limits)) as store, pytest.raises(error):
        ask(store, sql)


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
def test_reading_can_neither_write_nor_reach_files_nor_lift_its_limits(address: Address, sql: str) -> None:
    with closing(open_clickhouse(address)) as store, pytest.raises(GatewayError):
        ask(store, sql)


@pytest.mark.parametrize("is_asked", [True, False], ids=["as we ask", "unasked"])
def test_a_cancelled_read_is_ended_by_the_server(address: Address, is_asked: bool) -> None:
    slow = "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1"

    async def running(store: Any, count: int) -> bool:
        """Are so many reads under way within two seconds?"""
        found = Statement(
            "running", {"slow": f"{slow}%"}, "SELECT count() FROM system.processes WHERE query LIKE {slow:String}"
        )
        for _ in range(20):
            if await store._reader.query(found) == [(count,)]:
                return True
            await asyncio.sleep(0.1)
        return False

    async def run(store: Any) -> None:
        client = await store._reader._client()
        if not is_asked:
            client.set_client_setting("cancel_http_readonly_queries_on_client_close", 0)
        reading = asyncio.create_task(store._reader.query(Statement("slow", {}, slow)))
        assert await running(store, 1)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert await running(store, 0) is is_asked

    # What is not ended ends by itself.
    with closing(open_clickhouse(address, limits=Limits(seconds=4, threads=1))) as store:
        wait(run(store))


def test_a_server_that_never_answers_is_a_timeout(address: Address) -> None:
    silent = False

    def decide(head: bytes) -> None:
        time.sleep(5 * silent)

    brief = Limits(seconds=0.5, threads=0)
    with (
        relayed(address.port, decide) as port,
        closing(open_clickhouse(replace(address, port=port), limits=brief)) as s,
    ):
        wait(s.ping())
        silent = True
        with pytest.raises(StoreTimeout):
            wait(s.ping())


def test_an_answer_that_breaks_off_is_no_answer(address: Address) -> None:
    broken = False

    def decide(head: bytes) -> int | None:
        return 700 if broken else None

    with relayed(address.port, decide) as port, closing(open_clickhouse(replace(address, port=port))) as store:
        wait(store.ping())
        broken = True
        with pytest.raises(StoreUnavailable):
            ask(store, "SELECT number, toString(number) FROM numbers(100000)")
        broken = False
        wait(store.ping())


def test_a_store_is_read_from_one_event_loop_after_the_other(address: Address) -> None:
    with closing(open_clickhouse(address)) as store:
        for _ in range(3):
            asyncio.run(store.ping())
        wait(store.ping())


# Who is there at all


def test_nobody_listens(port: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        free = nobody.getsockname()[1]
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        open_clickhouse(Address("127.0.0.1", free, password="secret-word"))


@pytest.mark.parametrize("body", [b"<html>It works</html>", b""])
def test_whoever_answers_is_no_clickhouse(body: bytes) -> None:
    class Other(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST

        def log_message(self, *_: object) -> None:
            return None

    server = HTTPServer(("127.0.0.1", 0), Other)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with pytest.raises(StoreUnavailable):
            open_clickhouse(Address("127.0.0.1", server.server_address[1]))
    finally:
        server.shutdown()
        server.server_close()


def test_a_wrong_password_is_said_and_never_shown(caplog: pytest.LogCaptureFixture) -> None:
    with serving(":memory:", "--password", "right-word") as port:
        with pytest.raises(StoreUnavailable, match="refuses the user or the password") as caught:
            open_clickhouse(Address("127.0.0.1", port, password="wrong-word"))
        with closing(open_clickhouse(Address("127.0.0.1", port, password="right-word"))) as store:
            wait(store.ping())

    said = caplog.text + "".join(str(error) for error in (caught.value, caught.value.__cause__))
    assert "wrong-word" not in said
    assert "right-word" not in said


def test_a_server_that_lacks_a_setting_is_too_old_and_not_asked_without_it() -> None:
    class Old:
        server_settings: dict[str, Any] = {}  # noqa: RUF012

    with pytest.raises(StoreUnavailable, match="too old: it has no setting max_execution_time"):
        _set(Old(), {**EXACT, "max_execution_time": 1})


@pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl that could make a certificate")
def test_tls_is_spoken_and_certificates_are_checked(tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    with serving(":memory:", "--cert", str(cert), "--key", str(key)) as port:
        secured = Address("127.0.0.1", port, secure=True, ca=cert)
        with closing(open_clickhouse(secured)) as store:
            wait(store.ping())
        for wrong in (replace(secured, ca=None), replace(secured, secure=False, ca=None)):
            with pytest.raises(StoreUnavailable):
                open_clickhouse(wrong)


# What becomes of writes


def doubled(store: Any) -> int:
    """Rows that are kept more than once, as they lie in the tables."""
    tables = ("raw", "ids", "facts", "sessions", "sightings", "stale", "marks")
    counts = (
        f"SELECT (SELECT count() FROM {table}) - (SELECT count() FROM (SELECT DISTINCT * FROM {table})) AS more"
        for table in tables
    )
    return int(ask(store, f"SELECT sum(more) FROM ({' UNION ALL '.join(counts)})")[0][0])


def test_an_insert_whose_answer_is_lost_is_sent_again_and_kept_once(address: Address) -> None:
    lost: set[bytes] = set()

    def decide(head: bytes) -> int | None:
        # The first answer to every insert is lost.
        token = head.partition(b"insert_deduplication_token=")[2][:32]
        if not token or token in lost:
            return None
        lost.add(token)
        return 0

    events = crash.made()[:20]
    with relayed(address.port, decide) as port:
        store = open_clickhouse(replace(address, port=port), patience=Patience(20, 0.01, 0.01))
        with closing(store):
            for start in range(0, len(events), 10):
                crash.load(store, events[start : start + 10])
            crash.check(store, events)
            assert len(lost) > 20
            assert doubled(store) == 0


def test_a_server_killed_in_mid_load_and_started_again_is_loaded_to_the_end(tmp_path: Path) -> None:
    servers: list[subprocess.Popen[str]] = []

    def start(port: int) -> int:
        command = [sys.executable, "-m", "tests.backends.clickhouse_http", str(tmp_path), "--port", str(port)]
        servers.append(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True))
        assert servers[-1].stdout is not None
        return int(servers[-1].stdout.readline())

    port, chance, loading = start(0), random.Random(5), threading.Event()

    def kill_again_and_again() -> None:
        while len(servers) <= KILLS and not loading.wait(0.2 + chance.random()):
            os.kill(servers[-1].pid, signal.SIGKILL)
            servers[-1].wait()
            time.sleep(0.2)
            start(port)

    killer = threading.Thread(target=kill_again_and_again)
    events = crash.made()[:40]
    try:
        with closing(open_clickhouse(Address("127.0.0.1", port))) as store:
            killer.start()
            for first in range(0, len(events), 10):
                crash.load(store, events[first : first + 10])
            loading.set()
            killer.join()
            assert len(servers) > KILLS
            crash.check(store, events)
            assert doubled(store) == 0
    finally:
        loading.set()
        killer.join()
        for server in servers:
            server.kill()
            server.wait()
            assert server.stdout is not None
            server.stdout.close()


def test_a_server_that_stays_away_is_given_up_and_what_was_promised_is_kept(tmp_path: Path) -> None:
    with serving(str(tmp_path)) as port:
        store = open_clickhouse(Address("127.0.0.1", port), patience=Patience(1, 0.1))
        store.append(Batch([event("kept")]))
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        store.append(Batch([event("never acknowledged")]))
    with pytest.raises(StoreUnavailable):
        wait(store.ping())
    with serving(str(tmp_path), "--port", str(port)):
        wait(store.ping())
        assert [one.id for one in store.pending(10)] == ["kept"]
        store.replace(Derivation(["one"], [fact(BASE_MS, samples=1)]))
        store.refresh()
        assert wait(store.rows(Question.of(SAMPLES.measures, EVERYTHING.window)))[0].sums == {"samples": 1}
        wait(store.close())


LONG_AGO = """INSERT INTO marks (name, value, ver)
SELECT name, value - 60000, ver + 1 FROM marks FINAL WHERE name = {name:String}"""
OTHER = """
import asyncio, sys
from gateway.store import open_store
store = open_store(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
asyncio.run(store.close())
"""


def another(address: Address) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", OTHER, f"clickhouse://127.0.0.1:{address.port}/{address.database}"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def test_one_process_writes_at_a_time_and_the_next_when_it_has_gone(address: Address) -> None:
    first = another(address)
    assert first.stdout is not None
    assert first.stdout.readline() == "open\n"
    with pytest.raises(StoreInUse, match="another process"):
        open_clickhouse(address)
    first.communicate()  # it closes its store
    with closing(open_clickhouse(address)) as store:
        wait(store.ping())

    for ends in (subprocess.Popen.kill, subprocess.Popen.communicate):
        second = another(address)
        assert second.stdout is not None
        assert second.stdout.readline() == "open\n"
        ends(second)
        second.communicate()
    with closing(open_clickhouse(address)) as store:
        wait(store.ping())


def test_a_writer_that_was_cut_off_for_long_does_not_write_beside_its_successor(address: Address) -> None:
    with closing(open_clickhouse(address)) as store:
        lease = store._handle.lease
        lease._done.set()  # it is not heard of for a while …
        lease._thread.join()
        lease._renewed -= 2 * LEASE_S
        store.append(Batch([event("a")]))  # … and nobody came
        lease._renewed -= 2 * LEASE_S
        store._handle.command(LEASE, LONG_AGO, {"name": lease.name})
        out, err = another(address).communicate()
        assert out == "open\n", err
        with pytest.raises(StoreInUse, match="taken over"):
            store.append(Batch([event("b")]))


def test_patience_ends_and_pauses_grow() -> None:
    pauses = list(Patience(10, 0.1, 2).pauses())

    assert sum(pauses) == pytest.approx(10)
    assert pauses[:4] == [0.1, 0.2, 0.4, 0.8]
    assert max(pauses) <= 2
    assert list(BRIEF.pauses()) == []
