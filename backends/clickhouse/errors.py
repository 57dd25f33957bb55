"""ClickHouse's errors as ours."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from clickhouse_connect.driver.exceptions import ClickHouseError

from metrics.errors import GatewayError, StoreFull, StoreTimeout, StoreUnavailable, TooComplex

log = logging.getLogger(__name__)

# https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp
TIMEOUT = frozenset({159, 160, 209})  # TIMEOUT_EXCEEDED, TOO_SLOW, SOCKET_TIMEOUT
TOO_BIG = frozenset({158, 241, 307, 396})  # TOO_MANY_ROWS, MEMORY_LIMIT_EXCEEDED, TOO_MANY_BYTES, .._ROWS_OR_BYTES
FULL = frozenset({243, 1002})  # NOT_ENOUGH_SPACE
NO_SPACE = ("no space left on device", "errno: 28", "disk quota exceeded")


@contextmanager
def as_gateway_errors(name: str) -> Iterator[None]:
    """Translate what the engine raises while it runs the statement called `name`."""
    try:
        yield
    except GatewayError:
        raise
    except ClickHouseError as error:
        raise translated(name, error) from error
    except OSError as error:
        # clickhouse-connect writes rows to a temporary file before the engine reads them.
        raise translated(name, error) from error


def translated(name: str, error: Exception) -> GatewayError:
    """The error that a caller should see. The cause is logged, never shown: it may hold values or paths."""
    text, code = str(error), getattr(error, "code", None)
    if code in FULL or any(mark in text.lower() for mark in NO_SPACE):
        return StoreFull("the store has no space left. Free some on the disk that holds it, then try again.")
    if code in TIMEOUT:
        return StoreTimeout(
            f"the store took too long to answer ({name}). Ask for a shorter window or a wider interval."
        )
    if code in TOO_BIG:
        return TooComplex(
            f"the answer is too big for the store ({name}). Ask for a shorter window or fewer dimensions."
        )
    log.error("statement %s failed: %s", name, text)
    return StoreUnavailable(f"the store cannot answer ({name}); the reason is in its log.")
