"""`naap serve` over an embedded store and a server that is stopped while it is asked."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from tests.gateway.processes import ROOT, environment, free_port, naap, started

EDGE = "2026-01-09T23:00:00Z"
TIMEOUT_S = 2
QUERY = """{ network { metrics(window: {start: "2026-01-09T21:00:00Z", end: "2026-01-10T00:00:00Z"}) {
  sessions outputFps { value p95 samples } freshness { partial } } } }"""


@contextmanager
def server() -> Iterator[tuple[int, int]]:
    """A server's process and port."""
    command = [sys.executable, "-m", "tests.backends.clickhouse_http", ":memory:"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.pid, int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def asked(port: int) -> Any:
    body = json.dumps({"query": QUERY}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/graphql", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def test_the_answer_comes_in_time_with_the_rest_and_the_reason(tmp_path: Path) -> None:
    pytest.importorskip("backends.clickhouse.server", reason="backend clickhouse: its client is not installed")
    store, home = tmp_path / "store", str(tmp_path)
    simulated = ("--orchestrators", "2", "--hours", "3", "--seed", "3", "--end", "2026-01-10T00:00:00Z")
    naap("ingest", "-", store=store, text=naap("simulate", *simulated).stdout)
    with server() as (pid, port):
        there = f"clickhouse://user:hunter2@127.0.0.1:{port}/there"
        done = naap("copy", f"chdb://{store}", there, "--where", f"until={EDGE}", XDG_STATE_HOME=home)
        assert done.stdout.endswith("agree\n"), done.stderr
        mine = free_port()
        parts = f"chdb://{store}?name=hot&from={EDGE},{there}?name=cold&until={EDGE}"
        # What is known already would be told whole.
        env = environment(NAAP_BACKEND=parts, NAAP_STORE_TIMEOUT_S=str(TIMEOUT_S), NAAP_CACHE_BYTES="0")
        with started("serve", "--port", str(mine), env=env, port=mine) as gateway:
            whole = asked(mine)
            assert [one["isMissing"] for one in whole["extensions"]["backends"]] == [False, False]

            os.kill(pid, signal.SIGSTOP)
            began = monotonic()
            answer = asked(mine)
            assert monotonic() - began < 2 * TIMEOUT_S
            metrics = answer["data"]["network"]["metrics"]
            assert 0 < metrics["sessions"] < whole["data"]["network"]["metrics"]["sessions"]
            assert metrics["freshness"]["partial"] is True
            (lost,) = [one for one in answer["extensions"]["backends"] if one["isMissing"]]
            assert (lost["name"], lost["error"]["code"]) == ("cold", "STORE_TIMEOUT")
            assert lost["missing"][0]["end"] == "2026-01-09T23:00:00.000Z"

            os.kill(pid, signal.SIGCONT)
            assert asked(mine)["data"] == whole["data"]
            os.kill(pid, signal.SIGSTOP)
            gateway.terminate()
            said = gateway.communicate(timeout=15)[0]
        assert "hunter2" not in said + json.dumps(answer)
    with_all = environment(NAAP_BACKEND=f"chdb://{store}")
    with started("serve", "--port", str(mine), env=with_all, port=mine):
        assert asked(mine)["data"] == whole["data"], "three hours in two stores are those of one"
