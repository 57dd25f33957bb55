"""Errors as they are answered: a code, a message to act on, and nothing about what went wrong inside."""

import logging
import secrets
from typing import Any

from graphql import GraphQLError
from graphql.validation.validate import ValidationAbortedError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.graphql import OperationType

from graph.places import Places
from metrics.errors import BadRequest, GatewayError, RateLimited

log = logging.getLogger("naap.graph")

HOW = {
    OperationType.MUTATION: "send it by POST",
    OperationType.SUBSCRIPTION: "accept text/event-stream, or use a WebSocket (graphql-transport-ws)",
    OperationType.QUERY: "send it by POST or GET",
}
ABORTED = (
    "the document was not checked to its end: it has too many errors or its fragments are nested too deeply. Put right "
    "what is told first, use fewer fragments, and send it again."
)


def told(error: GraphQLError, places: Places) -> GraphQLError:
    """The error as the caller may see it; `places` are those of its document."""
    cause = error.original_error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    argument = None if error.path else places.argument(error)
    named = {"argument": argument} if argument else {}
    if isinstance(cause, GatewayError):
        # Without a path it is about a value as it was written, which does not know where it stands.
        message = f"{argument}: {cause}" if argument else str(cause)
        return _with(error, message, {**extensions_of(cause), **named})
    if isinstance(cause, ValueError) and error.path is None:
        # Python reads no whole number of thousands of digits.
        message = "the number has too many digits to be read. Write a smaller one."
        return _with(error, f"{argument}: {message}" if argument else message, {"code": "BAD_REQUEST", **named})
    if isinstance(error, ValidationAbortedError):
        return _with(error, ABORTED, {"code": "BAD_REQUEST"})
    if cause is None:
        # Syntax, validation and coercion: written by the library for the caller.
        return _with(error, error.message, {"code": "BAD_REQUEST", **named, **(error.extensions or {})})
    return _with(error, "internal error", {"code": "INTERNAL", "id": logged(cause)})


def refused(error: Exception) -> GraphQLError:
    """A document without the operation that is asked for, or none at all, as an error of the caller."""
    if isinstance(error, CannotGetOperationTypeError):
        message = error.as_http_error_reason()
    elif isinstance(error, InvalidOperationTypeError):
        how = HOW[error.operation_type]
        message = f"a {error.operation_type.value} cannot be asked for this way: {how}."
    else:
        message = "there is no operation to execute: send a query."
    return GraphQLError(message, extensions={"code": "BAD_REQUEST"}, original_error=error)


def extensions_of(error: GatewayError) -> dict[str, Any]:
    """What stands beside the message of one of our own errors."""
    extensions: dict[str, Any] = {"code": error.code}
    if isinstance(error, BadRequest) and error.argument is not None:
        extensions["argument"] = error.argument
    if isinstance(error, RateLimited):
        extensions["retryAfterSeconds"] = error.retry_after_s
    return extensions


def logged(cause: BaseException) -> str:
    """Write a stranger to the log, and give the id to find it by."""
    id = secrets.token_hex(8)
    log.error("internal error %s", id, exc_info=cause)
    return id


def _with(error: GraphQLError, message: str, extensions: dict[str, Any]) -> GraphQLError:
    return GraphQLError(message, error.nodes, error.source, error.positions, error.path, None, extensions)
