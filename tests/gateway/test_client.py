"""The typed Python client: strict types, and an example that works against a gateway that runs."""

import re
import subprocess
import sys

import pytest

from gateway.settings import Settings
from tests.gateway.live import live
from tests.gateway.processes import ROOT
from tests.served import loaded

CLIENT = ROOT / "examples" / "client"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(CLIENT / "report.py"), *arguments], capture_output=True, text=True, timeout=60
    )


def test_the_example_reports_on_a_gateway_that_runs() -> None:
    store, _ = loaded()

    with live(Settings(), store) as port:
        done = run(f"http://127.0.0.1:{port}")

    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^\d+ requested, \d+ served, \d+ unserved$", done.stdout, re.MULTILINE)
    assert re.search(r"fees \d+ wei$", done.stdout, re.MULTILINE)
    assert re.search(r"^0x[0-9a-f]{40} +\d+ sessions, \d+\.\d\d % failed, target met: (True|False)$", done.stdout, re.M)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "nowhere"])
def test_without_a_gateway_it_says_so_in_a_line(url: str) -> None:
    done = run(url)

    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "cannot be reached" in done.stderr


@pytest.mark.parametrize(("script", "missing"), [("login.py", "coincurve"), ("client/report.py", "httpx")])
def test_without_what_it_needs_an_example_says_so_in_a_line(script: str, missing: str) -> None:
    # Isolated and without site-packages: a Python that nothing is installed for.
    done = subprocess.run(
        [sys.executable, "-E", "-S", str(ROOT / "examples" / script)], capture_output=True, text=True, timeout=60
    )

    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert f"{missing} is not installed for this Python" in done.stderr


def test_its_types_are_strict() -> None:
    # From here its modules are called as users call them, not examples.client.…
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", "report.py", "naap"],
        capture_output=True, text=True, cwd=CLIENT, timeout=300,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout
