"""Paths that a page served from anywhere may ask, without credentials."""

from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# The same for every page, so that nothing varies and a shared cache may keep an answer.
EVERYBODY = {"Access-Control-Allow-Origin": "*"}
PREFLIGHT = EVERYBODY | {
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Accept, Content-Type, Authorization, X-Request-Id",
    "Access-Control-Max-Age": "86400",
}


class CrossOrigin:
    """Lets pages from anywhere read the answers at these paths, errors included, and answers their preflights."""

    def __init__(self, app: ASGIApp, paths: Collection[str]) -> None:
        self.app = app
        self.paths = frozenset(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] not in self.paths:
            await self.app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(EVERYBODY)
            await send(message)

        if scope["method"] == "OPTIONS" and "access-control-request-method" in Headers(scope=scope):
            await Response(status_code=204, headers=PREFLIGHT)(scope, receive, send)
            return
        await self.app(scope, receive, sending)
