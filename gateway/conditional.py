"""Asking again costs little: an `ETag` on every answer to a GET, and `304` where the client knows it already."""

from hashlib import blake2b

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.compressed import plain_tag
from resolvers.lifetime import NO_STORE

# What describes the content that a 304 does not have.
OF_CONTENT = ("content-length", "content-type", "content-disposition", "content-encoding")


class Conditional:
    """Answers `If-None-Match`, and gives what says nothing of caching a `Cache-Control` that is right for everything.

    Answers that come in parts, without a length, are passed on as they come.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        asked = Headers(scope=scope)
        known = asked.get("if-none-match")
        start: Message | None = None

        async def sending(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if message["status"] == 200 and "content-length" in headers:
                    start = message
                    return
                if message["status"] >= 400:
                    headers.setdefault("Cache-Control", NO_STORE)
            elif start is not None:
                begun, start = start, None
                headers = MutableHeaders(scope=begun)
                _defaults(headers, message["body"], "authorization" in asked)
                tag = headers.get("etag")
                if tag and known and is_known(tag, known):
                    for name in OF_CONTENT:
                        del headers[name]
                    begun["status"], message = 304, {"type": "http.response.body", "body": b""}
                await send(begun)
            await send(message)

        await self.app(scope, receive, sending)


def is_known(tag: str, known: str) -> bool:
    """Does an `If-None-Match` name this ETag? However the known content was compressed, it is the same."""
    if known.strip() == "*":
        return True
    return any(plain_tag(one.strip().removeprefix("W/")) == plain_tag(tag) for one in known.split(","))


def _defaults(headers: MutableHeaders, body: bytes, is_authorized: bool) -> None:
    """Of what says nothing of caching: keep it, and ask each time whether it is still the same."""
    if "cache-control" not in headers:
        headers["Cache-Control"] = "private, no-cache" if is_authorized else "no-cache"
        if "etag" not in headers:
            headers["ETag"] = f'"{blake2b(body, digest_size=12).hexdigest()}"'
