"""The commands over a PostgreSQL: what `naap migrate` says, and two gateways on one database."""

import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from telemetry.simulator.network import Simulation
from telemetry.simulator.options import Options
from tests.backends.servers import database, serving_postgresql
from tests.backends.stores import Missing
from tests.gateway.processes import environment, free_port, get, graphql, naap, started

EVENTS = b"".join(Simulation(Options(orchestrators=2, hours=1, seed=3)).events())


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    try:
        with serving_postgresql(16) as one:
            yield one.url()
    except Missing as why:
        pytest.skip(f"backend postgresql16: {why}")


@pytest.fixture
def url(server: str) -> Iterator[str]:
    with database(server) as one:
        yield one


def sent(port: int) -> int:
    """The status of POST /v1/events."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/events", EVENTS)
    request.add_header("Content-Type", "application/x-ndjson")
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_migrate_says_what_it_did_and_what_there_is(url: str) -> None:
    first, second = (naap("migrate", NAAP_BACKEND=url) for _ in range(2))

    assert first.stdout.splitlines()[0].startswith("0001: ")
    told = second.stdout.splitlines()
    assert "without TimescaleDB: partitions by month" in told[0]
    assert told[1].endswith("is up to date")
    assert (first.stderr, second.stderr) == ("", "")


def test_a_url_that_is_none_and_a_server_that_is_not_there_are_told_without_the_password() -> None:
    for url in (
        "postgresql://u:secret@127.0.0.1:1/naap",
        "postgresql://u:secret@[",
        "postgresql://u:secret@h/n?x=secret",
    ):
        told = naap("migrate", NAAP_BACKEND=url)

        assert told.returncode == 1
        assert told.stderr.startswith("naap: ")
        assert "secret" not in told.stdout + told.stderr


def test_two_gateways_answer_from_one_database_and_one_takes_over_from_the_other(url: str) -> None:
    one, other, env = free_port(), free_port(), environment(NAAP_BACKEND=url)
    with started("serve", "--port", str(one), env=env, port=one) as writing:
        assert sent(one) == 200
        with started("serve", "--port", str(other), env=env, port=other):
            assert get(f"http://127.0.0.1:{other}/readyz")["loader"] == "standby"
            assert sent(other) == 503
            answer = graphql(one, "{ orchestrators(first: 9) { nodes { address } } }")
            assert answer == graphql(other, "{ orchestrators(first: 9) { nodes { address } } }")
            assert answer["orchestrators"]["nodes"]

            writing.terminate()
            writing.wait(30)
            until = time.monotonic() + 30
            while get(f"http://127.0.0.1:{other}/readyz")["loader"] != "ready" and time.monotonic() < until:
                time.sleep(0.2)
            assert sent(other) == 200


def test_several_workers_are_told_how_it_is_done_instead(url: str) -> None:
    told = naap("serve", "--workers", "2", NAAP_BACKEND=url)

    assert told.returncode == 1
    assert "Start `naap serve` several times" in told.stderr
