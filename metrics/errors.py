"""Every error a caller can meet: one tree, each with a stable code and an HTTP status.

    GatewayError
    ├── BadRequest        BAD_REQUEST 400        an argument is wrong; the message names it and says what would be right
    │   └── TooComplex    TOO_COMPLEX 400        the question is fine but too big
    ├── Unauthenticated   UNAUTHENTICATED 401
    ├── Forbidden         FORBIDDEN 403
    ├── NotFound          NOT_FOUND 404
    │   └── PersistedQueryNotFound  PERSISTED_QUERY_NOT_FOUND 400   what clients of persisted queries expect
    ├── NoEvidence        NO_EVIDENCE 404        the events do not say it, and there is no null to say so in its place
    ├── RateLimited       RATE_LIMITED 429       carries the seconds to wait
    ├── StoreTimeout      STORE_TIMEOUT 504
    └── StoreUnavailable  STORE_UNAVAILABLE 503
        ├── StoreInUse                           another process holds the embedded store
        └── StoreFull                            no space left where the store keeps its files

Anything else is INTERNAL 500: logged with an id, masked.
"""

from collections.abc import Iterator
from typing import ClassVar


class GatewayError(Exception):
    """Something a caller can act on. `str(error)` is public."""

    code: ClassVar[str] = "INTERNAL"
    status: ClassVar[int] = 500


class BadRequest(GatewayError):
    """An argument is wrong; `argument` names it."""

    code = "BAD_REQUEST"
    status = 400

    def __init__(self, message: str, argument: str | None = None) -> None:
        super().__init__(message)
        self.argument = argument


class TooComplex(BadRequest):
    """The question is well-formed and too big."""

    code = "TOO_COMPLEX"


class Unauthenticated(GatewayError):
    """The caller must say who they are."""

    code = "UNAUTHENTICATED"
    status = 401


class Forbidden(GatewayError):
    """The caller is known and may not."""

    code = "FORBIDDEN"
    status = 403


class NotFound(GatewayError):
    """There is no such thing."""

    code = "NOT_FOUND"
    status = 404


class NoEvidence(GatewayError):
    """The events do not say this: they never do, or none of the window does."""

    code = "NO_EVIDENCE"
    status = 404


class PersistedQueryNotFound(NotFound):
    """No document is known by this hash: the client sends it beside the hash. Code and message are the protocol's."""

    code = "PERSISTED_QUERY_NOT_FOUND"
    status = 400

    def __init__(self) -> None:
        super().__init__("PersistedQueryNotFound")


class RateLimited(GatewayError):
    """Too much at once; try again after `retry_after_s` seconds."""

    code = "RATE_LIMITED"
    status = 429

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class StoreTimeout(GatewayError):
    """A store did not answer in time."""

    code = "STORE_TIMEOUT"
    status = 504


class StoreUnavailable(GatewayError):
    """A store cannot be reached or used."""

    code = "STORE_UNAVAILABLE"
    status = 503


class StoreInUse(StoreUnavailable):
    """Another process holds the embedded store."""


class StoreFull(StoreUnavailable):
    """No space is left where the store keeps its files."""


def every_error() -> "Iterator[type[GatewayError]]":
    """Every class of the tree, those nearer to its root first: of one code the one that brings it in."""
    waiting = [GatewayError]
    for one in waiting:
        yield one
        waiting += one.__subclasses__()
