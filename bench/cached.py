"""How fast closed windows are answered from memory, beside a constant answer of the same size from the same server.

`python -m bench.cached` (`make bench-cache`): simulates a small network, serves it as `naap serve` does, asks in turns
on loopback, prints rates and ratios and keeps them in bench/cached.md, and ends by itself; exit status 1 where a ratio
is below 80 %.
"""

import argparse
import asyncio
import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import orjson

HERE = Path(__file__).parent
CONNECTIONS = 16
ROUND_S = 0.25
LEAST = 0.8
WINDOW = '{start: "2026-01-09T00:00:00Z", end: "2026-01-09T12:00:00Z"}'
QUERIES = {
    "one number": f"{{ network {{ metrics(window: {WINDOW}) {{ sessions failureRatePct {{ value }} }} }} }}",
    "a chart": f"""{{ network {{ series(window: {WINDOW}, interval: FIVE_MINUTES) {{ starts
      fps: values(metric: "outputFps") p95: values(metric: "promptToFirstFrameMs", statistic: P95) }} }} }}""",
}


def main() -> None:
    """Measure each query by GET and by POST."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--events", type=int, default=20_000)
    options.add_argument("--rounds", type=int, default=40, help="of a quarter of a second for each of the two")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="naap-bench-") as home:
        file, store = Path(home) / "events", Path(home) / "store"
        for module, *rest in (("simulate", str(asked.events), str(file)), ("load", str(file), f"chdb://{store}")):
            subprocess.run([sys.executable, "-m", f"bench.{module}", *rest], check=True, stdout=subprocess.DEVNULL)
        with served(store) as port:
            found = asyncio.run(measured(port, asked.rounds))
    text = report(found)
    print(text)
    if asked.rounds >= 40:
        (HERE / "cached.md").write_text(text + "\n", encoding="utf-8")
    sys.exit(any(kept / constant < LEAST for *_, kept, constant in found))


def report(found: Sequence[tuple[str, str, int, float, float]]) -> str:
    """What was found, for people."""
    rows = [
        f"| {name} | {method} | {size:,} | {kept:,.0f} | {constant:,.0f} | {kept / constant:.0%} |"
        for name, method, size, kept, constant in found
    ]
    at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    head = f"# Results of `make bench-cache`\n{at}, Python {platform.python_version()}, {os.cpu_count()} cores.\n"
    names = "| query | by | bytes | from memory, answers/s | constant, answers/s | ratio |\n|---|---|---|---|---|---|"
    return "\n".join([head, names, *rows])


@contextmanager
def served(store: Path) -> Iterator[int]:
    """A gateway over the store, from when it is ready; its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {"NAAP_BACKEND": f"chdb://{store}", "NAAP_AUTH_DIRECTORY": f"{store}-auth", "NAAP_PORT": str(port)}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NAAP_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.constant"], env=kept | own | UNLIMITED, stdout=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + 60
        while not _is_ready(port):
            if process.poll() is not None or time.monotonic() > until:
                sys.exit("the gateway never was ready.")
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(30)


# What a benchmark on one connection's address must be allowed.
UNLIMITED = {"NAAP_RATES": "0,0,0", "NAAP_BUDGETS": "0,0,0"}


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as response:
            return bool(response.status == 200)
    except (OSError, urllib.error.URLError):
        return False


async def measured(port: int, rounds: int) -> list[tuple[str, str, int, float, float]]:
    """Query, method, bytes of its answer, answers a second from memory and of the constant."""
    found = []
    for name, query in QUERIES.items():
        for method in ("GET", "POST"):
            body = orjson.dumps({"query": query}) if method == "POST" else b""
            path = "/graphql" if body else f"/graphql?{urlencode({'query': query})}"
            asking = request(method, path, body)
            size = await size_of(port, asking)
            constant = request(method, f"/constant/{size}", body)
            # In turns, so that whatever else the machine does slows down both.
            answers = [0, 0]
            for _ in range(rounds):
                for index, one in enumerate((asking, constant)):
                    answers[index] += await answered(port, one)
            seconds = rounds * ROUND_S
            found.append((name, method, size, answers[0] / seconds, answers[1] / seconds))
    return found


def request(method: str, path: str, body: bytes) -> bytes:
    """A request as it is sent."""
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


async def size_of(port: int, asking: bytes) -> int:
    """How many bytes the answer's body has."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(asking)
    head = await reader.readuntil(b"\r\n\r\n")
    length = _length(head)
    body = orjson.loads(await reader.readexactly(length))
    writer.close()
    assert head.startswith(b"HTTP/1.1 200"), head
    assert "errors" not in body, body
    return length


def _length(head: bytes) -> int:
    return int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])


async def answered(port: int, asking: bytes) -> int:
    """How many answers come in a round over some connections, on each of which a request follows an answer."""
    loop = asyncio.get_running_loop()
    clients = [(await loop.create_connection(lambda: Client(asking), "127.0.0.1", port))[1] for _ in range(CONNECTIONS)]
    await asyncio.sleep(ROUND_S / 5)
    before, began = sum(client.answers for client in clients), time.perf_counter()
    await asyncio.sleep(ROUND_S)
    answers, took = sum(client.answers for client in clients) - before, time.perf_counter() - began
    for client in clients:
        client.close()
    assert not any(client.failed for client in clients), "an answer was not 200"
    return round(answers * ROUND_S / took)


class Client(asyncio.Protocol):
    """Asks again and again."""

    def __init__(self, asking: bytes) -> None:
        self._asking, self._got = asking, b""
        self.answers, self.failed = 0, False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask first."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._asking)

    def data_received(self, data: bytes) -> None:
        """Ask again where the answer is whole."""
        self._got += data
        head, end, rest = self._got.partition(b"\r\n\r\n")
        if end and len(rest) >= _length(head + end):
            self.failed |= not head.startswith(b"HTTP/1.1 200")
            self._got, self.answers = b"", self.answers + 1
            self._transport.write(self._asking)

    def close(self) -> None:
        """Ask no more."""
        self._transport.abort()


if __name__ == "__main__":
    main()
