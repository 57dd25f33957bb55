"""GraphiQL in a real browser, with the policy that it is served under."""

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette

from graph.app import graphql_routes
from graph.dashboard.schema import dashboard_schema
from graph.schema import build_schema
from tests.graph.world import context, small_network

CHROMIUM = shutil.which("chromium") or shutil.which("chromium", path="/usr/bin")


@pytest.fixture
def address() -> Iterator[str]:
    """Where a gateway with only the graph listens."""
    store = small_network()

    async def make_context(_: Any) -> Any:
        return context(store)

    dashboard = graphql_routes(dashboard_schema(), make_context, "/dashboard/graphql")
    app = Starlette(routes=[*graphql_routes(build_schema(), make_context), *dashboard])
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        until = time.monotonic() + 10
        while not server.started and time.monotonic() < until:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


@pytest.mark.skipif(CHROMIUM is None, reason="browser chromium: not installed")
@pytest.mark.parametrize(
    ("path", "told"),
    [("/graphql", "2026-01-09T13:59:00Z"), ("/dashboard/graphql", "dailySessionCount")],
    ids=["graph", "dashboard"],
)
def test_graphiql_opens_with_an_answer_and_within_its_policy(
    address: str, path: str, told: str, tmp_path: Path
) -> None:
    switches = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
      --disable-component-update --disable-sync --enable-logging=stderr --virtual-time-budget=8000 --dump-dom"""

    seen = subprocess.run(
        [str(CHROMIUM), *switches.split(), f"--user-data-dir={tmp_path}", f"{address}{path}"],
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert "Content Security Policy" not in seen.stderr
    assert "unsafe-eval" not in seen.stderr
    assert "CodeMirror" in seen.stdout, "the editor is there"
    assert told in seen.stdout, "an answer is there"
    assert "Cannot query field" not in seen.stdout
