"""The body of a request, read as a stream and bounded before and after decompression."""

import asyncio
import zlib
from collections.abc import AsyncIterator

from starlette.requests import Request

from metrics.errors import BadRequest

GZIP = 16 + zlib.MAX_WBITS
GZIP_MAGIC = b"\x1f\x8b"
ENCODINGS = ("identity", "gzip")
# A caller who promised a body and sends nothing more holds a connection and what came so far.
PATIENCE_S = 30.0


class TooLarge(BadRequest):
    """The body is larger than this gateway takes at once."""

    status = 413


class TooSlow(BadRequest):
    """The body stopped arriving before its end."""

    status = 408


async def read(request: Request, most: int, most_inflated: int, within_s: float | None = None) -> bytes:
    """The whole body, inflated where it was gzipped.

    Raises BadRequest where it is too large or broken, or where it has not come whole within so many seconds.
    """
    try:
        async with asyncio.timeout(within_s):
            return await _read(request, most, most_inflated)
    except TimeoutError:
        raise TooSlow(f"the body took longer than {within_s:g} s. Send less at a time.", "body") from None


async def _read(request: Request, most: int, most_inflated: int) -> bytes:
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ENCODINGS:
        raise BadRequest(
            f"Content-Encoding {encoding[:40]!r} is not understood. Send gzip, or leave it out.", "Content-Encoding"
        )
    if _promised(request) > most:
        raise _too_large(most, "sent")
    gunzip = _Inflated(most_inflated) if encoding == "gzip" else None
    kept, size = bytearray(), 0
    async for chunk in _arriving(request):
        if not size and chunk.startswith(GZIP_MAGIC):  # a .gz file sent as it is
            gunzip = _Inflated(most_inflated)
        size += len(chunk)
        if size > most:
            raise _too_large(most, "sent")
        kept += chunk if gunzip is None else gunzip.feed(chunk)
    if gunzip is not None and not gunzip.complete:
        raise BadRequest("the gzip body breaks off before its end. Send it again whole.", "body")
    return bytes(kept)


def _promised(request: Request) -> int:
    """How many bytes the caller says will come; 0 where nothing usable is said."""
    said = request.headers.get("content-length", "")
    return int(said[:18]) if said.isascii() and said.isdigit() else 0


async def _arriving(request: Request) -> AsyncIterator[bytes]:
    """The chunks of a body. Raises TooSlow where none comes for a while."""
    chunks = aiter(request.stream())
    while True:
        try:
            async with asyncio.timeout(PATIENCE_S):
                chunk = await anext(chunks)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise TooSlow(f"nothing of the body came for {PATIENCE_S:g} s. Send it again whole.", "body") from None
        yield chunk


class _Inflated:
    """Gzip members, one after the other, inflated chunk by chunk up to a bound."""

    def __init__(self, most: int) -> None:
        self._most, self._size = most, 0
        self._member = zlib.decompressobj(GZIP)
        self.complete = False

    def feed(self, chunk: bytes) -> bytes:
        """What this chunk inflates to."""
        parts = []
        while chunk:
            if self.complete:  # another member follows the one that ended
                self._member, self.complete = zlib.decompressobj(GZIP), False
            parts.append(self._some(chunk))
            self.complete, chunk = self._member.eof, self._member.unused_data
        return b"".join(parts)

    def _some(self, chunk: bytes) -> bytes:
        try:
            part = self._member.decompress(chunk, self._most - self._size + 1)
        except zlib.error:
            raise BadRequest("the body is not gzip, though Content-Encoding says so.", "body") from None
        self._size += len(part)
        if self._size > self._most:
            raise _too_large(self._most, "inflated")
        return part


def _too_large(most: int, what: str) -> TooLarge:
    return TooLarge(f"the body is larger than {most:,} bytes as {what}. Send the events in several bodies.", "body")
