"""What is sent back from the graph: bodies, what they cost, and how they are written in each media type."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from starlette.responses import Response

from auth.account import Account
from graph import event_stream
from graph.accept import JSON, MULTIPART
from graph.errors import extensions_of
from graph.event_stream import EVENTS
from metrics.errors import GatewayError

# GraphQL's parts end with `--` and a boundary of one `-`, as its clients expect them.
BOUNDARY = "-"

Body = dict[str, Any]


def with_cost(body: Body, account: Account | None) -> Body:
    """The body as it is told to one caller, with what is left of the budget when all of the request is paid."""
    return body if account is None else {**body, "extensions": {**body.get("extensions", {}), "cost": account.told()}}


def refusal(error: GatewayError, headers: Mapping[str, str] | None = None, account: Account | None = None) -> Response:
    """The answer to a request that one of our own errors stops before it is read."""
    return written(with_cost(refused_body(error), account), error.status, JSON, headers)


def refused_body(error: GatewayError) -> Body:
    """What one of our own errors is told as."""
    return told(str(error), extensions_of(error))


def told(message: str, extensions: Mapping[str, Any]) -> Body:
    """An error and nothing else."""
    return {"errors": [{"message": message, "extensions": extensions}]}


def written(
    body: Body | Sequence[Body], status: int, wanted: str, headers: Mapping[str, str] | None = None
) -> Response:
    """The response in a media type of JSON or events."""
    content = orjson.dumps(body)
    if wanted == EVENTS:
        return event_stream.answered(content)
    kind = wanted
    if wanted == MULTIPART:
        # The only part: nothing is delivered later.
        content = b"\r\n--%b\r\nContent-Type: %b\r\n\r\n%b\r\n--%b--\r\n" % (
            *(BOUNDARY.encode(), JSON.encode(), content, BOUNDARY.encode()),
        )
        kind = f'{MULTIPART}; boundary="{BOUNDARY}"'
    return Response(content, status, {"Vary": "Accept", **(headers or {})}, media_type=kind)
