"""Answers compressed as the client likes best: zstd, gzip or not at all."""

import re
from typing import Any

import zstandard
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipResponder, IdentityResponder
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from resolvers.media import weights

# Below this a packet is not worth filling.
LEAST_BYTES = 1024
GZIP_LEVEL, ZSTD_LEVEL = 5, 3
# The better one first.
CODINGS = ("zstd", "gzip")
TAG = re.compile(rf'(.*)-(?:{"|".join(CODINGS)})"')


class Compressed:
    """Compresses answers of some length, part by part where they come in parts."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        coding = chosen_coding(",".join(Headers(scope=scope).getlist("accept-encoding")))

        async def tagging(message: Message) -> None:
            if message["type"] == "http.response.start":
                _tag(MutableHeaders(scope=message))
            await send(message)

        responder: IdentityResponder
        if coding == "zstd":
            responder = ZstdResponder(self.app, LEAST_BYTES)
        elif coding == "gzip":
            responder = GZipResponder(self.app, LEAST_BYTES, GZIP_LEVEL)
        else:
            responder = IdentityResponder(self.app, LEAST_BYTES)
        await responder(scope, receive, tagging)


class ZstdResponder(IdentityResponder):
    """Compresses with zstd."""

    content_encoding = "zstd"
    _stream: Any = None

    async def apply_compression(self, body: bytes, *, more_body: bool) -> bytes:
        """The next part of a body, compressed so far that it can be read."""
        if self._stream is None:
            if not more_body:
                return zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(body)
            self._stream = zstandard.ZstdCompressor(level=ZSTD_LEVEL).compressobj()
        how = zstandard.COMPRESSOBJ_FLUSH_BLOCK if more_body else zstandard.COMPRESSOBJ_FLUSH_FINISH
        written: bytes = self._stream.compress(body) + self._stream.flush(how)
        return written


def chosen_coding(accepted: str) -> str | None:
    """The coding that an Accept-Encoding likes best; None: none, which is always allowed here."""
    liked = weights(accepted)
    best = max(CODINGS, key=lambda coding: liked.get(coding, liked.get("*", 0.0)))
    weight = liked.get(best, liked.get("*", 0.0))
    return best if weight > 0 and weight >= liked.get("identity", 0.0) else None


def plain_tag(tag: str) -> str:
    """The ETag of the content before it was compressed."""
    found = TAG.fullmatch(tag)
    return f'{found[1]}"' if found else tag


def _tag(headers: MutableHeaders) -> None:
    """A strong ETag says which bytes: compressed ones are others."""
    coding, tag = headers.get("content-encoding"), headers.get("etag")
    if coding in CODINGS and tag and tag == plain_tag(tag):
        headers["ETag"] = f'{tag[:-1]}-{coding}"'
