"""PostgreSQL's errors as ours, whichever driver raises them."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import psycopg
import sqlalchemy.exc
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi

from metrics.errors import GatewayError, StoreFull, StoreTimeout, StoreUnavailable, TooComplex

log = logging.getLogger(__name__)

DRIVERS = (
    *(asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError),
    *(psycopg.Error, psycopg.Warning, sqlalchemy.exc.SQLAlchemyError, AsyncAdapt_asyncpg_dbapi.Error),
    # What connecting and waiting raise by themselves; TimeoutError is an OSError.
    OSError,
)
# https://www.postgresql.org/docs/current/errcodes-appendix.html
TIMEOUT = frozenset(
    {"57014", "55P03", "25P03", "25P04"}
)  # query_canceled, lock_not_available, idle or long transaction
FULL = frozenset({"53100"})  # disk_full
TOO_BIG = frozenset({"53200", "53400", "54000", "54001", "54011", "54023"})  # memory, limits of a statement
# The server goes, is not there yet, is full, or chose this one of several: the same again may succeed.
PASSING = frozenset({"57P01", "57P02", "57P03", "57P05", "53300", "40001", "40P01", "40003"})
SAID = {
    "28": "PostgreSQL refuses this user or password. Look at the URL in NAAP_BACKEND and at pg_hba.conf.",
    "3D": "PostgreSQL has no database of this name. Create it: createdb NAME.",
    "42501": "PostgreSQL does not allow this user to do it. The user must own the database, or the schema naap in it.",
    "53300": "PostgreSQL has no connection left. Lower NAAP_STORE_POOL, or raise max_connections.",
    "25006": "PostgreSQL is read-only here: a standby, perhaps. NAAP_BACKEND must name the primary.",
}
REFUSED = {
    "3D000": re.compile(r'FATAL:\s+database ".*" does not exist'),
    "28000": re.compile(r'FATAL:\s+(.*authentication failed|no pg_hba\.conf entry|role ".*" does not exist)'),
}


@contextmanager
def as_gateway_errors(name: str) -> Iterator[None]:
    """Translate what a driver raises while it runs the statement called `name`."""
    try:
        yield
    except GatewayError:
        raise
    except DRIVERS as error:
        raise translated(name, error) from error


def translated(name: str, error: BaseException) -> GatewayError:
    """The error that a caller should see. The cause is logged, never shown: it may hold values or names."""
    code = code_of(error)
    if code in FULL:
        return StoreFull("the store has no space left. Free some on the disk that holds it, then try again.")
    if code in TIMEOUT or _timed_out(error):
        return StoreTimeout(
            f"the store took too long to answer ({name}). Ask for a shorter window or a wider interval."
        )
    if code in TOO_BIG:
        return TooComplex(
            f"the answer is too big for the store ({name}). Ask for a shorter window or fewer dimensions."
        )
    for known, said in SAID.items():
        if code.startswith(known):
            return StoreUnavailable(said)
    if is_passing(error):
        return StoreUnavailable("PostgreSQL cannot be reached. Look whether it runs where NAAP_BACKEND says.")
    log.error("statement %s failed: %s", name, error)
    return StoreUnavailable(f"the store cannot answer ({name}); the reason is in its log.")


def code_of(error: BaseException) -> str:
    """The SQLSTATE that an error carries, whoever wraps it; "" where it has none."""
    for one in _wrapped(error):
        code = getattr(one, "sqlstate", None)
        if isinstance(code, str):
            return code
    # libpq does not pass on the code of an error met while connecting.
    refused = str(error) if isinstance(error, psycopg.OperationalError | sqlalchemy.exc.OperationalError) else ""
    return next((code for code, said in REFUSED.items() if said.search(refused)), "")


def is_passing(error: BaseException) -> bool:
    """Is the connection gone, or would the same be worth trying again?"""
    code = code_of(error)
    if code:
        return code in PASSING or code.startswith("08")
    return any(isinstance(one, _LOST) for one in _wrapped(error))


# Without a code: the connection itself failed.
_LOST = (
    *(OSError, psycopg.OperationalError, asyncpg.InterfaceError, sqlalchemy.exc.OperationalError),
    *(sqlalchemy.exc.InterfaceError, sqlalchemy.exc.DisconnectionError),
)  # fmt: skip


def _timed_out(error: BaseException) -> bool:
    waited = (TimeoutError, sqlalchemy.exc.TimeoutError, psycopg.errors.ConnectionTimeout)
    return not code_of(error) and any(isinstance(one, waited) for one in _wrapped(error))


def _wrapped(error: BaseException) -> Iterator[BaseException]:
    """The error, and those that it stands for."""
    one: BaseException | None = error
    seen = 0
    while one is not None and seen < 8:
        yield one
        seen += 1
        one = getattr(one, "orig", None) or one.__cause__
