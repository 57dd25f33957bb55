"""Live data as it is served: `naap serve` and those who subscribe to it."""

import asyncio
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import pytest
import websockets

from bench.live import EVERY_S, WITHIN_S, measured, post, report
from tests.gateway.processes import ROOT, environment, free_port, started

QUERY = "subscription { metricsUpdated { cursor buckets { start metrics { sessions } } } }"
WATCH = [sys.executable, str(ROOT / "examples" / "watch.py")]


@contextmanager
def serving(home: Path, **more: str) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    port = free_port()
    env = environment(home / "store", **more)
    with started("serve", "--port", str(port), env=env, port=port) as process:
        yield port, process


async def test_everybody_hears_of_every_event_soon() -> None:
    """The bench in short: `python -m bench.live` does it for ten minutes."""
    found = await measured(subscribers=200, seconds=3 * EVERY_S)

    assert len(found.delays) == 3 * 200
    # How soon exactly is for the bench to say: here other tests run beside it, and take the processors from it.
    assert median(found.delays) <= 2 * WITHIN_S
    assert "| subscribers | 200 |" in report(found, 6)


async def test_a_server_that_stops_says_so_and_waits_for_no_stream(tmp_path: Path) -> None:
    with serving(tmp_path) as (port, process):
        body = json.dumps({"query": QUERY}).encode()
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
        request = urllib.request.Request(f"http://127.0.0.1:{port}/graphql", body, headers)
        stream = await asyncio.to_thread(urllib.request.urlopen, request, timeout=30)
        async with websockets.connect(
            f"ws://127.0.0.1:{port}/graphql", subprotocols=[websockets.Subprotocol("graphql-transport-ws")]
        ) as socket:
            await socket.send('{"type":"connection_init"}')
            await socket.recv()
            await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": {"query": QUERY}}))
            assert json.loads(await socket.recv())["type"] == "next"

            began = time.monotonic()
            process.terminate()
            await socket.wait_closed()
            assert (socket.close_code, socket.close_reason) == (
                1012, "The gateway restarts: subscribe again, with `after`"
            )  # fmt: skip
        text = await asyncio.to_thread(stream.read)
        assert b"event: next" in text
        assert b"event: complete" not in text
        said = await asyncio.to_thread(process.communicate)
        assert time.monotonic() - began < 5
        assert "Traceback" not in said[0]


def test_a_stream_outlives_the_time_of_a_request(tmp_path: Path) -> None:
    with serving(tmp_path, NAAP_REQUEST_SECONDS="1") as (port, _):
        url = f"http://127.0.0.1:{port}"
        watching = subprocess.Popen(
            [*WATCH, url, "--updates", "2"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        time.sleep(3)
        post(port, 1)
        _, wrong = watching.communicate(timeout=30)

    assert (watching.returncode, wrong) == (0, "")


def test_the_example_watches(tmp_path: Path) -> None:
    with serving(tmp_path) as (port, _):
        url = f"http://127.0.0.1:{port}"
        watching = subprocess.Popen([*WATCH, url, "--updates", "2"], stdout=subprocess.PIPE, text=True)
        # The first update is there, and empty, before anything happens.
        time.sleep(1)
        post(port, 1)
        said, _ = watching.communicate(timeout=30)

    assert watching.returncode == 0
    assert "1 sessions  no frame rate" in said


def test_the_example_says_what_is_wrong() -> None:
    done = subprocess.run([*WATCH, "http://127.0.0.1:9"], capture_output=True, text=True, timeout=30)

    assert done.returncode == 1
    assert "Is the gateway running there?" in done.stderr
    assert "Traceback" not in done.stderr


async def test_the_public_origin_and_those_that_are_set_may_subscribe(tmp_path: Path) -> None:
    more = {"NAAP_PUBLIC_URL": "https://gateway.example", "NAAP_CORS_ORIGINS": "https://dashboard.example"}
    protocols = [websockets.Subprotocol("graphql-transport-ws")]
    with serving(tmp_path, **more) as (port, _):
        url = f"ws://127.0.0.1:{port}/graphql"
        for origin in more.values():
            async with websockets.connect(url, subprotocols=protocols, origin=websockets.Origin(origin)):
                pass
            with pytest.raises(websockets.InvalidStatus):
                await websockets.connect(url, subprotocols=protocols, origin=websockets.Origin(f"{origin}.evil"))
