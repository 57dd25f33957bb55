"""HTTP as uvicorn speaks it, with an end to what it would wait for or keep without one: the head of a request.

And what follows a body (trailers) is none of its headers: a proxy that adds who asks does not look there.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_S = 30.0
HEAD_BYTES = 64 * 1024
TOO_LONG = b"the head of the request is longer than 64 KiB."
REFUSAL = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: %d\r\nconnection: close\r\n\r\n%b" % (len(TOO_LONG), TOO_LONG)
)


class Bounded(HttpToolsProtocol):
    """Ends a connection whose next request does not begin, or whose head does not end.

    While a request is answered its own limits hold (`gateway.patience`), between two of them uvicorn's keep-alive.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_bytes = 0
        self._is_in_head = False
        self._ending: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody is there: a head is waited for."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Whatever came; what is no head and no body of a request that is being answered is not waited for either."""
        super().data_received(data)
        is_another = self.transport.get_protocol() is not self  # it has become a WebSocket
        if is_another or self.transport.is_closing() or self._is_answering():
            return
        self._wait()
        self._head_bytes += len(data)
        if self._head_bytes > HEAD_BYTES:
            self.transport.write(REFUSAL)
            self.transport.close()

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._is_in_head = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer, which is dropped."""
        if self._is_in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._is_in_head = False
        super().on_headers_complete()
        self._waited()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is there."""
        super().connection_lost(exc)
        self._waited()

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait(self) -> None:
        if self._ending is None:
            self._ending = self.loop.call_later(HEAD_S, self.transport.close)

    def _waited(self) -> None:
        self._head_bytes = 0
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None
