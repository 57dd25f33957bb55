"""What a request to the graph asks for: its body or its query string, within bounds."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from starlette.datastructures import QueryParams
from starlette.requests import Request

from graph.accept import JSON
from graph.operation import Operation, of_body, of_url
from metrics.errors import BadRequest

MAX_BODY_BYTES = 256 * 1024
# What was asked is remembered as it was read, if it is no longer than this.
REMEMBERED, REMEMBERED_BYTES = 256, 4096


class Refused(BadRequest):
    """A request that is answered before anything is executed."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status  # type: ignore[misc]  # of this refusal, not of all
        self.headers = dict(headers or {})


def read(sent: bytes, batch: int | None) -> Operation | Sequence[Operation]:
    """What a body asks for, or, with `batch` None, a query string. What is short is remembered: many ask the same."""
    return (_remembered if len(sent) <= REMEMBERED_BYTES else _remembered.__wrapped__)(sent, batch)


@lru_cache(REMEMBERED)
def _remembered(sent: bytes, batch: int | None) -> Operation | Sequence[Operation]:
    return of_url(QueryParams(sent)) if batch is None else of_body(sent, batch)


async def body_of(request: Request) -> bytes:
    """The body, which is JSON. Raises Refused where it is something else, or too large."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != JSON:
        raise Refused(415, f"send the query as {JSON}, not {kind or 'nothing'}.", {"Accept-Post": JSON})
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:18]) > MAX_BODY_BYTES:
        raise _too_large()
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise _too_large()
    return bytes(body)


def _too_large() -> Refused:
    return Refused(413, f"the body is larger than {MAX_BODY_BYTES // 1024} KiB.")
