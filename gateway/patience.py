"""How long a request may take, and that nothing is read for a client that has gone."""

import asyncio
import logging

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.metered import refused
from metrics.errors import StoreTimeout
from rest.body import TooSlow

log = logging.getLogger("naap.http")

# They wait for the loader, which works on for whoever has gone.
OWN_TIME = frozenset({"/v1/events"})


# After these the rest of the body may still come, and is no request.
UNREAD = (408, 413)


class Patience:
    """Ends a request that takes too long, whose body does, or whose client has gone, and what it still reads."""

    def __init__(self, app: ASGIApp, request_s: float, body_s: float) -> None:
        self.app = app
        self._request_s = request_s
        self._body_s = body_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in OWN_TIME:
            await self.app(scope, receive, send)
            return
        client = Client(receive, self._body_s)
        limit = asyncio.timeout(self._request_s)
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            started = True
            if _is_stream(message):
                # It goes on as long as its client takes what it is sent (`graph.event_stream`).
                limit.reschedule(None)
            if message["type"] == "http.response.start" and message["status"] in UNREAD:
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        if scope["method"] in ("GET", "HEAD"):
            client.watch()
        try:
            async with limit:
                await self.app(scope, client.receive, sending)
        except TimeoutError:
            if started:
                raise
            error = StoreTimeout(f"this took longer than {self._request_s:g} s. Ask for less at a time.")
            await refused(scope, error)(scope, receive, send)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not client.is_gone or task is None:
                raise
            task.uncancel()
            log.info("request %s ended early: the client is gone", scope["state"]["request_id"])
        finally:
            client.leave()
            for context in scope["state"].get("contexts", ()):
                context.cancel()


def _is_stream(message: Message) -> bool:
    """Does an answer begin that has no end in sight?"""
    begins = message["type"] == "http.response.start"
    return begins and MutableHeaders(scope=message).get("content-type", "").startswith("text/event-stream")


class Client:
    """The other end: its body within time, and, once that is read, a watch for its going."""

    def __init__(self, receive: Receive, body_s: float) -> None:
        self._receive = receive
        self._body_s = body_s
        self._ends_at: float | None = None
        self._early: asyncio.Queue[Message] = asyncio.Queue()
        self._task = asyncio.current_task()
        self._watch: asyncio.Task[None] | None = None
        self.is_gone = False

    async def receive(self) -> Message:
        """The next message. Raises TooSlow where the body takes too long."""
        if self._watch is not None:
            return await self._early.get()
        loop = asyncio.get_running_loop()
        self._ends_at = self._ends_at or loop.time() + self._body_s
        try:
            async with asyncio.timeout_at(self._ends_at):
                message = await self._receive()
        except TimeoutError:
            raise TooSlow(f"the body took longer than {self._body_s:g} s. Send it again whole.", "body") from None
        if message["type"] == "http.request" and not message.get("more_body", False):
            self.watch()
        return message

    def watch(self) -> None:
        """From here on the request ends where the client goes."""
        self._watch = asyncio.create_task(self._wait())

    def leave(self) -> None:
        """The request is answered."""
        if self._watch is not None:
            self._watch.cancel()

    async def _wait(self) -> None:
        message: Message = {}
        while message.get("type") != "http.disconnect":
            message = await self._receive()
            self._early.put_nowait(message)
        self.is_gone = True
        if self._task is not None:
            self._task.cancel()
