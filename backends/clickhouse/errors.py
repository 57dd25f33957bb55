"""ClickHouse's errors, and those of the way to it, as ours."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException

from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError, StreamCompleteException
from urllib3.exceptions import HTTPError, ReadTimeoutError

from metrics.errors import GatewayError, StoreFull, StoreTimeout, StoreUnavailable, TooComplex

log = logging.getLogger(__name__)

# Everything that clickhouse-connect raises, over HTTP too; aiohttp's own errors are told apart in `server`.
# OSError: also while rows are put into the temporary file that the embedded engine reads.
DRIVER_ERRORS: tuple[type[Exception], ...] = (
    *(ClickHouseError, StreamCompleteException),
    *(HTTPError, HTTPException, OSError, EOFError),
)

# https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp
TIMEOUT = frozenset({159, 160, 209})  # TIMEOUT_EXCEEDED, TOO_SLOW, SOCKET_TIMEOUT
TOO_BIG = frozenset({158, 241, 307, 396})  # TOO_MANY_ROWS, MEMORY_LIMIT_EXCEEDED, TOO_MANY_BYTES, .._ROWS_OR_BYTES
FULL = frozenset({243, 1002})  # NOT_ENOUGH_SPACE
REFUSED = frozenset({192, 193, 194, 516})  # UNKNOWN_USER, WRONG_PASSWORD, REQUIRED_PASSWORD, AUTHENTICATION_FAILED
FORBIDDEN = frozenset({164, 497})  # READONLY, ACCESS_DENIED
# What another try may find gone: TOO_MANY_SIMULTANEOUS_QUERIES, SOCKET_TIMEOUT, NETWORK_ERROR, NO_ZOOKEEPER, ABORTED,
# TABLE_IS_READ_ONLY, TOO_MANY_PARTS, ALL_CONNECTION_TRIES_FAILED, TOO_FEW_LIVE_REPLICAS, UNSATISFIED_QUORUM_..,
# UNKNOWN_STATUS_OF_INSERT, QUERY_WAS_CANCELLED (by a server that stops), ALL_REPLICAS_LOST, KEEPER_EXCEPTION
PASSING = frozenset({202, 209, 210, 225, 236, 242, 252, 279, 285, 286, 319, 394, 415, 999})
BAD_GATEWAY = "HTTP status 502"
NO_SPACE = ("no space left on device", "errno: 28", "disk quota exceeded")


@contextmanager
def as_gateway_errors(name: str, also: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Translate what the engine, or the way to it, raises while it runs the statement called `name`."""
    try:
        yield
    except GatewayError:
        raise
    except (*DRIVER_ERRORS, *also) as error:
        raise translated(name, error) from error


def translated(name: str, error: Exception) -> GatewayError:
    """The error that a caller should see. The cause is logged, never shown: it may hold values or paths."""
    text, code = str(error), _code(error)
    if code in FULL or any(mark in text.lower() for mark in NO_SPACE):
        return StoreFull("the store has no space left. Free some on the disk that holds it, then try again.")
    if code in TIMEOUT or (code is None and _took_too_long(error)):
        return StoreTimeout(
            f"the store took too long to answer ({name}). Ask for a shorter window or a wider interval."
        )
    if code in TOO_BIG:
        return TooComplex(
            f"the answer is too big for the store ({name}). Ask for a shorter window or fewer dimensions."
        )
    log.error("statement %s failed: %s", name, text)
    if code in REFUSED:
        return StoreUnavailable("the store refuses the user or the password that NAAP_BACKEND names.")
    if code in FORBIDDEN:
        return StoreUnavailable(f"the store does not let the user of NAAP_BACKEND do this ({name}).")
    if code is None and is_passing(error):
        return StoreUnavailable(f"the store cannot be reached ({name}). Try again in a moment.")
    return StoreUnavailable(f"the store cannot answer ({name}); the reason is in its log.")


def is_passing(error: BaseException) -> bool:
    """May the same work a moment later: is the server away, starting, or busy?"""
    code = _code(error)
    if code is not None:
        return code in PASSING
    # OperationalError without a code: the way to the server broke, or something on it said 429, 503 or 504.
    if isinstance(error, OperationalError) or BAD_GATEWAY in str(error):
        return True
    return any(isinstance(cause, OSError | HTTPError) for cause in _causes(error))


def _code(error: BaseException) -> int | None:
    # Not getattr alone: an HTTP error's `code` is its status.
    return getattr(error, "code", None) if isinstance(error, ClickHouseError) else None


def _took_too_long(error: BaseException) -> bool:
    # Connecting that takes too long is a server that is away, not a question that is too big.
    return any(
        isinstance(cause, TimeoutError | ReadTimeoutError) and type(cause).__name__ != "ConnectionTimeoutError"
        for cause in _causes(error)
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__
