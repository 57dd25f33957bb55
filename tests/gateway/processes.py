"""The `naap` command as people run it: a process of its own."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.canaries.search import REPORT

ROOT = Path(__file__).parents[2]
NAAP = [sys.executable, "-m", "gateway.cli"]


def environment(store: Path | None = None, **more: str) -> dict[str, str]:
    """Our own environment, with its search for canaries and without settings, with the store in a directory."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NAAP_")}
    named = {} if store is None else {"NAAP_BACKEND": f"chdb://{store}", "NAAP_AUTH_DIRECTORY": f"{store}-auth"}
    return kept | named | more


def naap(*arguments: str, store: Path | None = None, text: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*NAAP, *arguments], input=text, capture_output=True, text=True, timeout=120, env=environment(store, **more)
    )


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def started(*arguments: str, env: Mapping[str, str], port: int) -> Iterator[subprocess.Popen[str]]:
    """A process that serves at this port, from when it is ready; ended with SIGTERM."""
    assert REPORT in env, "what it answers must be searched for canaries: begin with environment()"
    process = subprocess.Popen(
        [*NAAP, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=dict(env)
    )
    try:
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline and not _ready(port):
            time.sleep(0.05)
        if not _ready(port):
            process.kill()
            raise AssertionError(f"never ready: {process.communicate()[0]}")
        yield process
    finally:
        process.terminate()
        process.wait(30)


def get(request: urllib.request.Request | str) -> Any:
    """The JSON that answers a request."""
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)


def graphql(port: int, query: str) -> Any:
    """The data that answers a query."""
    body = json.dumps({"query": query}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/graphql", body, {"Content-Type": "application/json"})
    answer = get(request)
    assert "errors" not in answer, answer
    return answer["data"]


def _ready(port: int) -> bool:
    try:
        return bool(get(f"http://127.0.0.1:{port}/readyz")["status"] == "ready")
    except (OSError, urllib.error.URLError):
        return False
