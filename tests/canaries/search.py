"""The search of every answer for canaries, where it leaves an application: in any process, over HTTP and WebSockets.

What escapes is written to a file that CANARY_REPORT names; tests/conftest.py fails the test in which it grows. The
processes that tests start are searched by way of children/sitecustomize.py.
"""

import os
import zlib
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import zstandard
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from auth.caller import ANONYMOUS, Caller
from tests.canaries.planted import ALL, escaped

REPORT = "CANARY_REPORT"
CHILDREN = Path(__file__).parent / "children"
ROOT = Path(__file__).parents[2]
DECODERS: Mapping[str, Callable[[], Any]] = {
    "gzip": lambda: zlib.decompressobj(zlib.MAX_WBITS | 16),
    "zstd": lambda: zstandard.ZstdDecompressor().decompressobj(),
}
App = Callable[[Starlette, Scope, Receive, Send], Awaitable[None]]


def variables(report: Path) -> dict[str, str]:
    """The variables with which a process searches whatever it answers, and writes what escapes to this file."""
    return {REPORT: str(report), "PYTHONPATH": os.pathsep.join((str(CHILDREN), str(ROOT)))}


def search(said: bytes, caller: Caller, where: str) -> None:
    """Report what an answer tells to somebody who may not meet it."""
    if found := escaped(said, caller):
        with open(os.environ[REPORT], "a", encoding="utf-8") as report:
            report.write(f"{where} told {caller} what is private: {found}\n")


def searched(answer: App) -> App:
    """An application's way to answer, searched."""

    async def answering(app: Starlette, scope: Scope, receive: Receive, send: Send) -> None:
        said = Said(scope)

        async def sending(message: Message) -> None:
            said.next(message)
            await send(message)

        await answer(app, scope, receive, sending)

    return answering


class Said:
    """What one request is answered, or one connection is sent, message by message."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._decoder: Any = None
        self._tail = b""

    def next(self, message: Message) -> None:
        """Search one more message; a body also where a canary begins in one message and ends in the next."""
        kind = message["type"]
        if kind in ("http.response.start", "websocket.accept"):
            headers = message.get("headers", ())
            self._decoder = DECODERS.get(Headers(raw=list(headers)).get("content-encoding", ""), lambda: None)()
            self._search(b"\n".join(b"%b: %b" % one for one in headers))
        elif kind == "http.response.body":
            body = message.get("body", b"")
            self._tail += self._decoder.decompress(body) if self._decoder and body else body
            self._search(self._tail)
            self._tail = self._tail[1 - max(len(form) for canary in ALL for form in canary.forms) :]
        elif kind == "websocket.send":
            self._search(message.get("bytes") or (message.get("text") or "").encode())
        elif kind == "websocket.close":
            self._search((message.get("reason") or "").encode())

    def _search(self, said: bytes) -> None:
        # Whom the gateway itself takes it for: Authenticated says it of requests, graph/websocket.py of connections.
        caller = self._scope.get("state", {}).get("caller", ANONYMOUS)
        search(said, caller, f"{self._scope['type']} {self._scope.get('path')}")


def begin() -> None:
    """From now on search what every application of this process answers."""
    Starlette.__call__ = searched(Starlette.__call__)  # type: ignore[method-assign, assignment]
