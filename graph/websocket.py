"""graphql-transport-ws: subscriptions over a WebSocket (github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md).

Only this protocol. The older one, `graphql-ws`, is refused with 4406, as whatever else.
"""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing, suppress
from typing import Any

import orjson
from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect

from auth.caller import ANONYMOUS
from graph.errors import extensions_of, logged
from graph.live import ERROR, FULL, MISUSE, RESTART, SLOW, TOKEN, Errors, Live, NotServed
from graph.operation import Operation, operation_of
from graph.origin import is_welcome
from metrics.errors import GatewayError, RateLimited, Unauthenticated
from resolvers.pulse import Closing

PROTOCOL = "graphql-transport-ws"
MAX_ID = 128
MAX_REASON_BYTES = 123
# Close codes: the protocol's own; 1013 asks to come back later, 1012 to come back.
INVALID, UNAUTHORIZED, FORBIDDEN, WRONG_PROTOCOL, TOO_LATE, TAKEN, TWICE = 4400, 4401, 4403, 4406, 4408, 4409, 4429
RESTARTING, LATER = 1012, 1013

# What they are counted as.
REASONS = {RESTARTING: RESTART, LATER: SLOW, FORBIDDEN: TOKEN}


class Ended(Exception):
    """The connection ends, with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        # A longer one cannot be sent.
        self.reason = reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore")


async def serve(live: Live, socket: WebSocket) -> None:
    """Serve one connection until it ends."""
    if not is_welcome(socket, live.origins):
        await socket.close(FORBIDDEN)  # before it is accepted, which is the status 403
        return
    offered = socket.scope.get("subprotocols") or []
    # Some choice among those offered must be made, or a browser hides the code that follows.
    await socket.accept(PROTOCOL if PROTOCOL in offered else next(iter(offered), None))
    try:
        if PROTOCOL not in offered:
            raise Ended(WRONG_PROTOCOL, f"Subprotocol not acceptable: use {PROTOCOL}")
        with live.connections.taken(live.counted(ANONYMOUS, socket.scope)):
            await Connection(live, socket).run()
    except RateLimited as error:
        live.counts.dropped[FULL] += 1
        await _close(socket, Ended(LATER, str(error)))
    except Ended as end:
        live.counts.dropped[REASONS.get(end.code, MISUSE)] += 1
        await _close(socket, end)
    except WebSocketDisconnect:
        pass


async def _close(socket: WebSocket, end: Ended) -> None:
    # Whoever takes nothing does not take this either.
    with suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
        async with asyncio.timeout(1):
            await socket.close(end.code, end.reason)


class Connection:
    """A connection that was accepted: reads messages, and runs a task for each subscription."""

    def __init__(self, live: Live, socket: WebSocket) -> None:
        self._live, self._socket = live, socket
        self._running: dict[str, asyncio.Task[None]] = {}
        self._authorization: str | None = None
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # How many messages it may send now, and when that was so.
        self._may, self._may_at = float(live.bounds.messages), asyncio.get_running_loop().time()

    async def run(self) -> None:
        """Serve until somebody ends it. Raises Ended or WebSocketDisconnect."""
        reading = asyncio.ensure_future(self._read())
        try:
            await asyncio.wait({reading, self._over}, return_when=asyncio.FIRST_COMPLETED)
            (self._over if self._over.done() else reading).result()
        finally:
            self._over.cancel()
            tasks = [reading, *self._running.values()]
            for task in tasks:
                task.cancel()
            # What they hold is given back before the connection is.
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self) -> None:
        try:
            async with asyncio.timeout(self._live.bounds.begin_within_s):
                await self._begin()
        except TimeoutError:
            raise Ended(TOO_LATE, "Connection initialisation timeout") from None
        await self._send({"type": "connection_ack"})
        while True:
            message = await self._message()
            kind = message["type"]
            if kind == "subscribe":
                await self._subscribe(message)
            elif kind == "complete":
                self._stop(_id_of(message))
            elif kind == "connection_init":
                raise Ended(TWICE, "Too many initialisation requests")

    async def _begin(self) -> None:
        """Wait for `connection_init`, and find out who it is."""
        message = await self._message()
        if message["type"] == "subscribe":
            raise Ended(UNAUTHORIZED, "Unauthorized: send connection_init first")
        if message["type"] != "connection_init":
            raise Ended(INVALID, f"Send connection_init first, not {message['type']}")
        self._authorization = _authorization(message.get("payload")) or self._socket.headers.get("authorization")
        try:
            self._socket.state.caller = await self._live.who(self._authorization)
        except GatewayError as error:
            raise Ended(FORBIDDEN, f"Forbidden: {error}") from None

    async def _message(self) -> dict[str, Any]:
        """The next message that is not a ping, which is answered, or a pong."""
        while True:
            received: Message = await self._socket.receive()
            if received["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(received.get("code") or 1005)
            self._count()
            message = _parsed(received.get("text"))
            if message["type"] == "ping":
                await self._send({"type": "pong"})
            elif message["type"] != "pong":
                if message["type"] not in ("connection_init", "subscribe", "complete"):
                    raise Ended(INVALID, "Unknown message type")
                return message

    def _count(self) -> None:
        """One more message came. Raises Ended where they come too fast: pings are free, and no flood is."""
        bounds, now = self._live.bounds, asyncio.get_running_loop().time()
        refilled = self._may + (now - self._may_at) * bounds.messages_per_s
        self._may, self._may_at = min(float(bounds.messages), refilled) - 1, now
        if self._may < 0:
            raise Ended(TWICE, f"Too many messages: {bounds.messages} at once, then {bounds.messages_per_s} a second")

    async def _subscribe(self, message: Mapping[str, Any]) -> None:
        id = _id_of(message)
        if id in self._running:
            raise Ended(TAKEN, f"Subscriber for {id} already exists")
        most = self._live.bounds.per_connection
        try:
            if len(self._running) >= most:
                raise RateLimited(f"a connection carries at most {most:,} subscriptions. Open another one.", 0)
            operation = operation_of(message.get("payload"))
        except GatewayError as error:
            await self._error(id, error)
            return
        begun = asyncio.Event()
        task = self._running[id] = asyncio.ensure_future(self._run(id, operation, begun))
        task.add_done_callback(lambda _: begun.set())
        # One at a time: whoever sends many waits for the first answer of each.
        await begun.wait()

    def _stop(self, id: str) -> None:
        if (task := self._running.pop(id, None)) is not None:
            task.cancel()

    async def _run(self, id: str, operation: Operation, begun: asyncio.Event) -> None:
        """Send updates until there are no more. Whatever ends it ends only this, or the connection with a reason."""
        before = f'{{"id":{orjson.dumps(id).decode()},"type":"next","payload":'
        try:
            async with aclosing(self._live.updates(operation, self._socket, self._authorization)) as updates:
                async for update in updates:
                    await self._text(f"{before}{update.body}}}")
                    begun.set()
        except Closing:
            self._end(Ended(RESTARTING, "The gateway restarts: subscribe again, with `after`"))
        except Unauthenticated as error:
            if begun.is_set():
                # Clients come back with a new token after this.
                self._end(Ended(FORBIDDEN, f"Forbidden: {error}"))
            else:
                await self._error(id, error)
        except (GatewayError, NotServed) as error:
            if begun.is_set():
                self._live.counts.dropped[ERROR] += 1
            await self._errors(id, error.errors if isinstance(error, NotServed) else [_told(error)])
        except (Ended, WebSocketDisconnect) as end:
            self._end(end)
        except Exception as error:
            self._live.counts.dropped[ERROR] += 1
            await self._errors(
                id, [{"message": "internal error", "extensions": {"code": "INTERNAL", "id": logged(error)}}]
            )

    def _end(self, end: Exception) -> None:
        if not self._over.done():
            self._over.set_exception(end)

    async def _error(self, id: str, error: GatewayError) -> None:
        await self._errors(id, [_told(error)])

    async def _errors(self, id: str, errors: Errors) -> None:
        """The last message of a subscription; its id is free again."""
        self._running.pop(id, None)
        try:
            await self._send({"id": id, "type": "error", "payload": errors})
        except (Ended, WebSocketDisconnect) as end:
            self._end(end)

    async def _send(self, message: Mapping[str, Any]) -> None:
        await self._text(orjson.dumps(message).decode())

    async def _text(self, text: str) -> None:
        """Send. Raises Ended where the client does not take it in time."""
        seconds = self._live.bounds.stalled_after_s
        try:
            async with asyncio.timeout(seconds):
                await self._socket.send_text(text)
        except TimeoutError:
            raise Ended(LATER, f"Too slow: nothing was read for {seconds:g} s. Subscribe again, with `after`") from None
        except RuntimeError:  # closed by the other task
            raise WebSocketDisconnect(1006) from None


def _told(error: GatewayError) -> Mapping[str, Any]:
    return {"message": str(error), "extensions": extensions_of(error)}


def _parsed(text: str | None) -> dict[str, Any]:
    try:
        message = orjson.loads(text or "")
    except orjson.JSONDecodeError:
        raise Ended(INVALID, "Messages are JSON texts") from None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise Ended(INVALID, "Messages are objects with a `type`")
    return message


def _id_of(message: Mapping[str, Any]) -> str:
    id = message.get("id")
    if not isinstance(id, str) or not 0 < len(id) <= MAX_ID:
        raise Ended(INVALID, f"`id` must be a text of 1 to {MAX_ID} characters")
    return id


def _authorization(payload: object) -> str | None:
    """What `connectionParams` say like a header, in any case."""
    if payload is not None and not isinstance(payload, dict):
        raise Ended(INVALID, "Invalid connection_init payload")
    found = next((value for name, value in (payload or {}).items() if name.lower() == "authorization"), None)
    if found is not None and not isinstance(found, str):
        raise Ended(INVALID, "`Authorization` must be a text")
    return found
