"""`naap copy` as people run it: between embedded stores, killed and run again, with parts and mistakes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.gateway.processes import NAAP, ROOT, environment, naap

ASK = """
import sys
from backends.chdb import open_chdb
from tests.laws.answers import everything
print(everything(open_chdb(sys.argv[1])))
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a few hours of a simulated network, and some rejected lines."""
    path = tmp_path_factory.mktemp("from") / "store"
    simulated = ("--orchestrators", "2", "--hours", "2", "--seed", "5", "--end", "2026-01-10T00:00:00Z")
    feed = naap("simulate", *simulated, "--faults", "conflict,malformed").stdout
    naap("ingest", "-", store=path, text=feed)
    return path


def copy(origin: Path | str, target: Path | str, home: Path, *more: str) -> "subprocess.CompletedProcess[str]":
    return naap("copy", f"chdb://{origin}", f"chdb://{target}", *more, XDG_STATE_HOME=str(home))


def answers(store: Path) -> str:
    """Everything that the store answers, asked in a process of its own."""
    command = [sys.executable, "-c", ASK, str(store)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, env=environment()).stdout


def test_an_embedded_store_into_another_killed_and_run_again(loaded: Path, tmp_path: Path) -> None:
    target, state = tmp_path / "to", tmp_path / "state"
    command = [*NAAP, "copy", f"chdb://{loaded}", f"chdb://{target}"]
    env = environment(XDG_STATE_HOME=str(state))
    running = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list(state.glob("naap/copy-*.json")) and running.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()

    done = copy(loaded, target, state)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (
        0,
        "verified: counts and checksums of FROM and TO agree",
    ), done.stderr
    assert answers(target) == answers(loaded)
    assert not list(state.glob("naap/*")), "nothing is left behind"


def test_a_store_that_holds_something_else_is_found_out(loaded: Path, tmp_path: Path) -> None:
    target = tmp_path / "to"
    feed = naap(
        "simulate", "--orchestrators", "2", "--hours", "0.5", "--seed", "9", "--end", "2026-01-10T00:00:00Z"
    ).stdout
    naap("ingest", "-", store=target, text=feed)

    done = copy(loaded, target, tmp_path)
    assert done.returncode == 1
    assert "do not agree" in done.stderr or "loaded apart" in done.stderr
    assert "verified" not in done.stdout


@pytest.mark.parametrize(
    ("origin", "target", "more", "why"),
    [
        ("nowhere", "to", (), "does not exist"),
        ("same", "same", (), "same store"),
        ("from?region=eu", "to", (), "with --where"),
        ("from", "", (), "in memory"),
        ("from", "to", ("--where", "planet=mars"), "none of source, region, from, until"),
        ("from", "to", ("--where", "eu"), "must be like"),
        ("from", "to", ("--where", "source=nobody"), "nothing of what --where names"),
    ],
)
def test_a_mistake_is_named(
    loaded: Path, tmp_path: Path, origin: str, target: str, more: tuple[str, ...], why: str
) -> None:
    place = {"from": str(loaded), "same": str(loaded)}.get(origin, origin.replace("from", str(loaded)))
    to = str(loaded) if target == "same" else target and str(tmp_path / target)

    done = copy(place, to, tmp_path, *more)
    assert done.returncode in (1, 2)
    assert why in done.stderr
    assert len(done.stderr.splitlines()) == 1
