"""Subscribers over loopback: how soon each hears of an event, and what the gateway's memory does meanwhile.

`python -m bench.live [--subscribers 1000] [--seconds 600]` serves an empty store, subscribes, sends an event every two
seconds, and ends by itself: with status 1 where somebody heard later than two seconds, or where memory grew.
"""

import argparse
import asyncio
import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from statistics import median
from typing import Any

import websockets

HERE = Path(__file__).parent
EVERY_S, WITHIN_S = 2.0, 2.0
# What a mean of the last third may be above one of the second; the first is for caches to fill.
GROWTH = 1.05
INTERVALS = ("MINUTE", "FIVE_MINUTES", "HOUR", "DAY")
QUERY = "subscription { metricsUpdated(interval: %s) { cursor buckets { start partial metrics { sessions } } } }"


@dataclass
class Found:
    """What was measured: delays in seconds, one for each subscriber and event, and the gateway's memory in MB."""

    subscribers: int
    delays: list[float] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)

    @property
    def growth(self) -> float:
        """The memory of the last third by that of the second; 1 where there is too little to say."""
        third = len(self.memory_mb) // 3
        if not third:
            return 1.0
        second, last = self.memory_mb[third : 2 * third], self.memory_mb[-third:]
        return (sum(last) / len(last)) / (sum(second) / len(second))

    @property
    def is_good(self) -> bool:
        """Did everybody hear in time, and did memory stay?"""
        return max(self.delays) <= WITHIN_S and self.growth <= GROWTH


def main() -> None:
    """Measure, print, and keep what was found in full."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--subscribers", type=int, default=1_000)
    options.add_argument("--seconds", type=float, default=600)
    asked = options.parse_args()
    found = asyncio.run(measured(asked.subscribers, asked.seconds))
    text = report(found, asked.seconds)
    print(text)
    if asked.seconds >= 600:
        (HERE / "live.md").write_text(text + "\n", encoding="utf-8")
    sys.exit(not found.is_good)


async def measured(subscribers: int, seconds: float) -> Found:
    """Serve, subscribe, send and listen for so long."""
    found = Found(subscribers)
    with tempfile.TemporaryDirectory(prefix="naap-live-") as home:
        async with served(Path(home), subscribers) as (port, pid), AsyncExitStack() as stack:
            listeners = [Listener(found.delays, INTERVALS[n % len(INTERVALS)]) for n in range(subscribers)]
            for start in range(0, subscribers, 50):
                await asyncio.gather(*(one.begin(stack, port) for one in listeners[start : start + 50]))
            hearing = [asyncio.ensure_future(one.listen()) for one in listeners]
            sent_at: list[float] = []
            for one in listeners:
                one.sent_at = sent_at
            began = time.monotonic()
            while (spent := time.monotonic() - began) < seconds:
                sent_at.append(time.monotonic())
                await asyncio.to_thread(post, port, len(sent_at))
                await asyncio.sleep(max(0.0, EVERY_S - (time.monotonic() - began - spent)))
                found.memory_mb.append(resident_mb(pid))
            async with asyncio.timeout(30):
                while any(one.heard < len(sent_at) for one in listeners):
                    await asyncio.sleep(0.05)
            for task in hearing:
                task.cancel()
            await asyncio.gather(*hearing, return_exceptions=True)
    return found


class Listener:
    """One subscriber: counts the sessions that it hears of, of which each event is one."""

    def __init__(self, delays: list[float], interval: str) -> None:
        self._delays, self._interval = delays, interval
        self._buckets: dict[str, int] = {}
        self._socket: Any = None
        self.heard = 0
        self.sent_at: Sequence[float] = ()

    async def begin(self, stack: AsyncExitStack, port: int) -> None:
        """Subscribe, and hear what there is."""
        url = f"ws://127.0.0.1:{port}/graphql"
        protocols = [websockets.Subprotocol("graphql-transport-ws")]
        connecting = websockets.connect(url, subprotocols=protocols, compression=None, ping_interval=None)
        self._socket = await stack.enter_async_context(connecting)
        await self._socket.send('{"type":"connection_init"}')
        await self._socket.recv()
        payload = {"query": QUERY % self._interval}
        await self._socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))
        await self._socket.recv()

    async def listen(self) -> None:
        """Note how late each event is heard of."""
        while True:
            text = await self._socket.recv()
            now = time.monotonic()
            self._buckets.update(sessions(text))
            told = sum(self._buckets.values())
            self._delays += [now - at for at in self.sent_at[self.heard : told]]
            self.heard = told


@lru_cache(16)
def sessions(text: str) -> dict[str, int]:
    """Bucket → sessions; what many subscribers are sent alike is read once."""
    message = json.loads(text)
    buckets = message["payload"]["data"]["metricsUpdated"]["buckets"]
    return {one["start"]: one["metrics"]["sessions"] for one in buckets}


@asynccontextmanager
async def served(home: Path, subscribers: int) -> AsyncIterator[tuple[int, int]]:
    """A gateway over an empty store: its port and its process id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NAAP_")}
    more = {
        "NAAP_BACKEND": f"chdb://{home / 'store'}",
        "NAAP_AUTH_DIRECTORY": str(home / "auth"),
        "NAAP_LIVE_PER_CALLER": str(subscribers),
        # All of them come from one address, and pay.
        "NAAP_BUDGETS": "1000000000,0,0",
        "NAAP_RATES": "0,0,0",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway.cli", "serve", "--port", str(port)],
        env=kept | more,
        stdout=subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(60):
            while not await asyncio.to_thread(is_ready, port):
                await asyncio.sleep(0.1)
        yield port, process.pid
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 30)


def is_ready(port: int) -> bool:
    """Does it serve?"""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def post(port: int, n: int) -> None:
    """Send the n-th event: somebody asks for a stream."""
    at_ms = time.time_ns() // 1_000_000
    ids = {"stream_id": f"stream-{n}", "request_id": f"request-{n}", "timestamp": at_ms}
    data = {"type": "gateway_receive_stream_request", **ids}
    event = {"id": f"event-{n}", "type": "stream_trace", "timestamp": str(at_ms), "gateway": "", "data": data}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/events", json.dumps(event).encode())
    urllib.request.urlopen(request, timeout=30).close()


def resident_mb(pid: int) -> float:
    """The memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 2**20


def report(found: Found, seconds: float) -> str:
    """What was found, for people."""
    delays, memory = sorted(found.delays), found.memory_mb
    tenths = [memory[len(memory) * part // 10] for part in range(10)] + memory[-1:]
    rows = (
        ("subscribers", f"{found.subscribers:,}"),
        ("seconds", f"{seconds:g}"),
        ("updates heard", f"{len(delays):,}"),
        ("event → update, median", f"{median(delays):.2f} s"),
        ("p99", f"{delays[len(delays) * 99 // 100]:.2f} s"),
        ("latest", f"{delays[-1]:.2f} s (at most {WITHIN_S:g})"),
        ("the gateway's memory, from begin to end", " ".join(f"{one:,.0f}" for one in tenths) + " MB"),
        ("last third / second third", f"{found.growth:.3f} (at most {GROWTH:g})"),
    )
    table = "\n".join(f"| {name} | {value} |" for name, value in rows)
    at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    head = f"# Results of `python -m bench.live`\n{at}, Python {platform.python_version()}, {os.cpu_count()} cores."
    return f"{head}\n\n| | |\n|---|---|\n{table}"


if __name__ == "__main__":
    main()
