"""Server-sent events: an operation's answers as `text/event-stream`, in graphql-sse's "distinct connections" mode.

(github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md)
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from graph.errors import extensions_of
from graph.live import ERROR, RESTART, SLOW, TOKEN, Errors, Live, NotServed, Update
from metrics.errors import GatewayError, Unauthenticated
from resolvers.pulse import Closing

log = logging.getLogger("naap.live")

EVENTS = "text/event-stream"
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Vary": "Accept"}
COMPLETE = b"event: complete\ndata: \n\n"
ALIVE = b":\n\n"


def next_event(body: bytes, cursor: str | None = None) -> bytes:
    """One answer as an event. Its id, where it has one, comes back in `Last-Event-ID`."""
    id = b"" if cursor is None else b"id: %b\n" % cursor.encode()
    return b"%bevent: next\ndata: %b\n\n" % (id, body)


def answered(body: bytes) -> Response:
    """A stream of a single answer."""
    return Response(next_event(body) + COMPLETE, headers=HEADERS, media_type=EVENTS)


def failed(errors: Errors) -> Response:
    """A stream that says only why there is none: whoever reads events reads no statuses."""
    return Response(_told(errors) + COMPLETE, headers=HEADERS, media_type=EVENTS)


class Stalled(Exception):
    """The client takes nothing any more."""


class EventStream(Response):
    """Updates as they come, until the client leaves, there are no more, or the process ends."""

    media_type = EVENTS

    def __init__(self, first: Update, updates: AsyncGenerator[Update], live: Live) -> None:
        super().__init__(headers=HEADERS)
        del self.headers["content-length"]
        self._first, self._updates = first, updates
        self._bounds, self._dropped = live.bounds, live.counts.dropped

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Write; a client that takes nothing for too long is dropped."""
        writing, leaving = asyncio.ensure_future(self._write(send)), asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait({writing, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if writing.done():
                writing.result()
        except Stalled:
            self._dropped[SLOW] += 1
            log.info("an event stream was dropped: its client read nothing for %g s", self._bounds.stalled_after_s)
        finally:
            for task in (writing, leaving):
                task.cancel()
            await asyncio.gather(writing, leaving, return_exceptions=True)
            await self._updates.aclose()

    async def _write(self, send: Send) -> None:
        async def sent(body: bytes, more: bool = True) -> None:
            try:
                async with asyncio.timeout(self._bounds.stalled_after_s):
                    await send({"type": "http.response.body", "body": body, "more_body": more})
            except TimeoutError:
                raise Stalled from None

        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        last = COMPLETE
        try:
            await self._pass_on(sent)
        except Closing:
            # Not complete: clients come back, to another process or to this one when it is there again.
            self._dropped[RESTART] += 1
            last = b""
        except NotServed as error:
            self._dropped[ERROR] += 1
            last = _told(error.errors) + COMPLETE
        except GatewayError as error:
            self._dropped[TOKEN if isinstance(error, Unauthenticated) else ERROR] += 1
            last = _told([{"message": str(error), "extensions": extensions_of(error)}]) + COMPLETE
        await sent(last, more=False)

    async def _pass_on(self, sent: Callable[[bytes], Awaitable[None]]) -> None:
        await sent(next_event(self._first.body.encode(), self._first.cursor))
        while True:
            coming = asyncio.ensure_future(anext(self._updates))
            try:
                while not (await asyncio.wait({coming}, timeout=self._bounds.keep_alive_s))[0]:
                    await sent(ALIVE)
                update = coming.result()
            finally:
                coming.cancel()
                await asyncio.gather(coming, return_exceptions=True)
            await sent(next_event(update.body.encode(), update.cursor))


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _told(errors: Errors) -> bytes:
    return next_event(orjson.dumps({"errors": errors}))
