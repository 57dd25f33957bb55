"""The command line: what it prints, how it ends, and what it says to bad input."""

import gzip
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from telemetry.simulator.options import FAULTS
from tests.gateway.processes import NAAP, ROOT, environment, free_port, get, graphql, naap, started

SMALL = ("simulate", "--orchestrators", "2", "--hours", "1", "--seed", "3")


@pytest.fixture(scope="module")
def feed() -> str:
    """A small feed."""
    return naap(*SMALL).stdout


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """A gateway over an empty store: its port, and where the store is."""
    store, port = tmp_path_factory.mktemp("served") / "store", free_port()
    with started("serve", "--port", str(port), env=environment(store), port=port):
        yield port, store


def counts(output: str) -> dict[str, int]:
    return {name: int(number) for name, number in (line.split() for line in output.splitlines())}


def test_a_simulation_is_the_same_for_the_same_seed_and_tells_its_truth(feed: str, tmp_path: Path) -> None:
    again = naap(*SMALL, "--truth", str(tmp_path / "truth.json"))

    assert again.stdout == feed
    assert f'"events": {feed.count(chr(10))}' in (tmp_path / "truth.json").read_text()


def test_a_file_loaded_twice_is_loaded_once(feed: str, tmp_path: Path) -> None:
    file, lines = tmp_path / "feed.ndjson.gz", feed.count("\n")
    file.write_bytes(gzip.compress(feed.encode()))

    first = naap("ingest", str(file), store=tmp_path / "store")
    second = naap("ingest", "-", store=tmp_path / "store", text=feed)

    assert (first.returncode, counts(first.stdout)) == (
        0, {"accepted": lines, "duplicate": 0, "conflicting": 0, "rejected": 0}
    )  # fmt: skip
    assert counts(second.stdout) == {"accepted": 0, "duplicate": lines, "conflicting": 0, "rejected": 0}
    assert first.stderr == ""


def test_rejected_lines_are_told_by_reason_and_fail_only_where_asked(tmp_path: Path) -> None:
    text = '{"type": "x", "timestamp": "1767966517287"}\nnonsense\n{}\n'

    loose = naap("ingest", "-", store=tmp_path / "store", text=text)
    strict = naap("ingest", "--strict", "-", store=tmp_path / "store", text=text)

    assert (loose.returncode, strict.returncode) == (0, 1)
    assert "rejected     2" in loose.stdout
    assert "  not_json           1" in loose.stdout
    assert "unknown types (kept, not used): x 1" in loose.stdout
    assert "-: line 2: not_json" in loose.stderr


def test_only_the_first_rejected_lines_are_listed(tmp_path: Path) -> None:
    done = naap("ingest", "-", store=tmp_path / "store", text="nonsense\n" * 13)

    assert done.stderr.splitlines()[-2:] == ["-: line 10: not_json", "-: … and 3 more"]


def test_what_a_broken_file_gave_before_it_broke_is_kept_and_counted(feed: str, tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole.ndjson", tmp_path / "broken.ndjson.gz"
    lines = feed.splitlines(keepends=True)
    whole.write_text("".join(lines[:50]))
    packed = gzip.compress("".join(lines[50:]).encode())
    broken.write_bytes(packed[: len(packed) // 2])

    done = naap("ingest", str(whole), str(broken), store=tmp_path / "store")
    again = naap("ingest", "-", store=tmp_path / "store", text=feed)

    kept = counts(done.stdout)["accepted"]
    assert (done.returncode, 50 < kept < len(lines)) == (1, True)
    assert "could not be read to its end" in done.stderr.splitlines()[-1]
    assert counts(again.stdout)["accepted"] + kept >= len(lines)


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("ingest", "/no/such/file"), 1, "/no/such/file does not exist"),
        (("ingest", "/tmp"), 1, "/tmp is a directory"),
        (("ingest", "-", "-"), 1, "given more than once"),
        (("ingest", "--source", "a b", "/dev/null"), 2, "--source must be"),
        (("ingest", "--to", "localhost", "/dev/null"), 2, "--to must be a URL"),
        (("ingest", "--to", "http://localhost:99999", "/dev/null"), 2, "--to must be a URL"),
        (("ingest", "--to", "", "/dev/null"), 2, "--to must be a URL"),
        (("simulate", "--orchestrators", "0"), 2, "--orchestrators must be"),
        (("simulate", "--faults", "ghosts"), 2, "--faults must be"),
        (("simulate", "--hours", "9000", "--truth", "/no/such/place/truth"), 2, "cannot be written"),
        (("rebuild", "--start", "2026-01-09T00:00:00Z"), 2, "--start and --end go together"),
        (("rebuild", "--start", "2026-01-09T00:00:00Z", "--end", "2026-01-08T00:00:00Z"), 2, "not after its start"),
        (("rebuild",), 1, "there is no store at"),
        (("serve", "--workers", "2"), 1, "an embedded store belongs to one process"),
        (("serve", "--host", "a..b"), 1, "is no address to listen on"),
    ],
)
def test_bad_input_is_one_line_that_says_what_to_do(
    arguments: tuple[str, ...], status: int, said: str, tmp_path: Path
) -> None:
    done = naap(*arguments, store=tmp_path / "store")

    assert (done.returncode, done.stderr.count("\n"), done.stdout) == (status, 1, "")
    assert done.stderr.startswith("naap: ")
    assert said in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("ingest",),
        ("nothing",),
        ("serve", "--port", "0"),
        ("simulate", "--end", "soon"),
        ("simulate", "--end", "2026-01-09"),
    ],
)
def test_wrong_usage_exits_with_2(arguments: tuple[str, ...]) -> None:
    done = naap(*arguments)

    assert (done.returncode, "Traceback" in done.stderr) == (2, False)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"NAAP_PROT": "1"}, "did you mean NAAP_PORT?"),
        ({"NAAP_PORT": "x"}, "NAAP_PORT must be"),
        ({"NAAP_BACKEND": "mysql://user:hunter2@host/db"}, "NAAP_BACKEND must be"),
        ({"NAAP_BACKEND": "chdb://["}, "NAAP_BACKEND must be"),
        ({"NAAP_BACKEND": "chdb://~nobodyx/x"}, "~nobodyx is the home of no user here"),
        ({"NAAP_BACKEND": "chdb:///dev/null"}, "/dev/null is a file"),
        ({"NAAP_BACKEND": "chdb:///proc/nothing"}, "/proc/nothing cannot be made"),
    ],
)
def test_a_bad_setting_stops_the_start_and_is_named(setting: dict[str, str], said: str) -> None:
    done = naap("serve", **setting)

    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert said in done.stderr
    assert "hunter2" not in done.stderr


def test_a_reader_that_leaves_early_is_no_complaint() -> None:
    with subprocess.Popen(
        [*NAAP, *SMALL], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(30) in (0, 1)


def test_a_gateway_that_serves_can_be_fed(feed: str, serving: tuple[int, Path]) -> None:
    port, _ = serving
    done = naap("ingest", "--to", f"http://127.0.0.1:{port}", "-", text=feed)

    assert counts(done.stdout)["accepted"] == feed.count("\n")
    deadline = time.monotonic() + 5
    while not (found := graphql(port, "{network {lastEventAt orchestratorCount}}")["network"])["orchestratorCount"]:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    assert found["orchestratorCount"] == 2
    assert get(f"http://127.0.0.1:{port}/v1/sla/gpu/metrics?time_range=7d")["meta"]


def test_a_store_that_serves_is_not_opened_twice(serving: tuple[int, Path]) -> None:
    done = naap("ingest", "-", store=serving[1], text="{}")

    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "another process holds the store" in done.stderr
    assert "naap ingest --to http://" in done.stderr


def test_a_port_in_use_is_said(serving: tuple[int, Path], tmp_path: Path) -> None:
    done = naap("serve", "--port", str(serving[0]), store=tmp_path / "store")

    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert f"port {serving[0]} on 127.0.0.1 is in use" in done.stderr


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 0), (signal.SIGTERM, -signal.SIGTERM)])
def test_stopping_loses_nothing_and_ends_well(feed: str, tmp_path: Path, sent: signal.Signals, status: int) -> None:
    store, port = tmp_path / "store", free_port()
    with started("serve", "--port", str(port), env=environment(store), port=port) as process:
        naap("ingest", "--to", f"http://127.0.0.1:{port}", "-", text=feed)
        os.kill(process.pid, sent)
        said = process.communicate(timeout=30)[0]

    assert (process.returncode, "Traceback" in said, "stopped" in said) == (status, False, False)
    assert counts(naap("ingest", "-", store=store, text=feed).stdout)["duplicate"] == feed.count("\n")


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    """A disk of 16 MB."""
    place = tmp_path / "tiny"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", place], capture_output=True).returncode:
        pytest.skip("mounting a small disk needs more rights")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_full_disk_is_said_and_loses_nothing(tiny: Path) -> None:
    text = naap("simulate", "--orchestrators", "6", "--hours", "20").stdout
    full = naap("ingest", "-", store=tiny / "store", text=text)
    subprocess.run(["mount", "-o", "remount,size=200m", tiny], check=True)
    again = counts(naap("ingest", "-", store=tiny / "store", text=text).stdout)

    assert (full.returncode, full.stderr.count("\n")) == (1, 1)
    assert "no space left" in full.stderr
    assert again["accepted"] + again["duplicate"] == text.count("\n")


def test_rebuilding_and_migrating_change_nothing(feed: str, tmp_path: Path) -> None:
    store, lines = tmp_path / "store", feed.count("\n")
    naap("ingest", "-", store=store, text=feed)

    assert naap("rebuild", store=store).stdout == f"derived {lines} events again\n"
    assert naap("migrate", store=store).stdout == f"chdb://{store} is up to date\n"
    window = ("--start", "2001-01-01T00:00:00Z", "--end", "2001-01-02T00:00:00Z")
    assert naap("rebuild", *window, store=store).stdout == "derived 0 events again\n"


def test_a_number_that_is_none_is_called_so() -> None:
    done = naap("serve", "--port", "abc")

    assert (done.returncode, "'abc' is not a whole number." in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("backend", "said"),
    [
        ("chdb://./st,", "NAAP_BACKEND, store 1 is followed by a blank one"),
        (
            "chdb://./a?nme=eu",
            "NAAP_BACKEND: 'nme' is no parameter of an embedded store. There are name, writes, source",
        ),
        ("chdb://./a?nme", "NAAP_BACKEND: what follows the ? is no parameter"),
    ],
)
def test_a_backend_with_a_typing_error_is_not_made(backend: str, said: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [*NAAP, "migrate"], cwd=tmp_path, env=environment(NAAP_BACKEND=backend, PYTHONPATH=str(ROOT)),
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip

    assert (done.returncode, done.stderr.count("\n"), list(tmp_path.iterdir())) == (1, 1, [])
    assert said in done.stderr


def test_what_was_never_sent_is_not_counted(tmp_path: Path) -> None:
    (tmp_path / "events").write_text("{}\n")
    with socket.create_server(("127.0.0.1", 0)) as plain:
        threading.Thread(target=lambda: plain.accept()[0].sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")).start()
        done = naap("ingest", "--to", f"https://127.0.0.1:{plain.getsockname()[1]}", str(tmp_path / "events"))

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "cannot be reached by TLS" in done.stderr


def test_help_lists_the_faults_and_warns_of_another_source() -> None:
    faults, source = naap("simulate", "--help").stdout, naap("ingest", "--help").stdout

    assert all(f"{name} " in faults and doc in faults for name, doc in FAULTS.items())
    assert "counts again" in " ".join(source.split())


def test_the_schema_is_printed() -> None:
    assert "type Query {" in naap("schema").stdout


def test_an_unexpected_fault_is_one_id_and_a_hint(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['gateway.simulate'] = None\n")
    broken = environment() | {"PYTHONPATH": f"{tmp_path}:{environment()['PYTHONPATH']}"}
    done = subprocess.run([*NAAP, "simulate"], capture_output=True, text=True, env=broken, timeout=60)
    shown = subprocess.run([*NAAP, "--debug", "simulate"], capture_output=True, text=True, env=broken, timeout=60)

    assert (done.returncode, "Traceback" in done.stderr, "naap --debug" in done.stderr) == (1, False, True)
    assert (shown.returncode, "Traceback" in shown.stderr) == (1, True)
