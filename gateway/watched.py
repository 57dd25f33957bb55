"""Every request is seen: counted, logged, and traced where that is wanted. Outside of everything else.

A WebSocket is a GET that is answered 101, and ends when it is closed.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from auth.caller import ANONYMOUS
from gateway.observed import kind
from gateway.seen import GONE, Places, Seen, method_of
from graph.live import UPDATES

log = logging.getLogger("naap.request")

See = Callable[[Seen], None]

CONNECTED, REFUSED = 101, 403


class Watched:
    """Tells each of `see` about every request when its last byte was sent."""

    def __init__(self, app: ASGIApp, places: Places, see: Sequence[See]) -> None:
        self.app = app
        self._places = places
        self._see = see

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        state: dict[str, Any] = scope.setdefault("state", {})
        path, start_ns, began = scope["path"], time.time_ns(), time.perf_counter()
        status, code, is_socket = GONE, None, scope["type"] == "websocket"

        async def sending(message: Message) -> None:
            nonlocal status, code
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "websocket.accept":
                status = CONNECTED
            elif message["type"] == "websocket.close":
                if status == CONNECTED:
                    code = message.get("code", 1000)
                else:
                    status = REFUSED
            await send(message)

        async def receiving() -> Message:
            nonlocal code
            message = await receive()
            if message["type"] == "websocket.disconnect" and code is None:
                code = message.get("code")
            return message

        try:
            await self.app(scope, receiving if is_socket else receive, sending)
        finally:
            account = state.get("account")
            seen = Seen(
                request_id=state.get("request_id", ""),
                route=self._places.of(path),
                method="GET" if is_socket else method_of(scope["method"]),
                status=status,
                start_ns=start_ns,
                seconds=time.perf_counter() - began,
                caller=kind(state.get("caller", ANONYMOUS)),
                cost=None if account is None else account.actual,
                journals=[context.journal for context in state.get("contexts", ())],
                traceparent=Headers(scope=scope).get("traceparent"),
                updates=state.get(UPDATES, 0 if status == CONNECTED else None),
                code=code,
            )
            for see in self._see:
                see(seen)


def logged(seen: Seen) -> None:
    """A line of the log: at `debug` for people, `info` where programs read it (gateway/logs.py)."""
    if not log.isEnabledFor(logging.INFO):
        return
    reads = [read for journal in seen.journals for read in journal.reads]
    told: dict[str, object] = {
        "request_id": seen.request_id,
        "method": seen.method,
        "route": seen.route,
        "status": seen.status,
        "ms": round(seen.seconds * 1000, 3),
        "caller": seen.caller,
        "cost": seen.cost,
        "reads": len(reads),
        "read_ms": round(sum(read.seconds for read in reads) * 1000, 3),
        "rows": sum(read.rows or 0 for read in reads),
        "documents": [document for journal in seen.journals for document in journal.documents],
        "errors": dict(seen.errors),
        "updates": seen.updates,
        "code": seen.code,
    }
    log.info("%s %s %d in %.1f ms", seen.method, seen.route, seen.status, seen.seconds * 1000, extra={"told": told})
