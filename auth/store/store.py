"""The login store: a few small tables in SQLite, or in PostgreSQL where several machines share them.

It works in threads of its own, so that no request waits for another one's read, and in short transactions.
"""

import asyncio
import os
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection as Connection
from sqlalchemy import Engine, create_engine, delete, event, insert, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from auth.store.tables import DELEGATIONS, METADATA, SECRETS, SESSIONS, TOKENS, USED_NONCES
from metrics.errors import BadRequest, StoreUnavailable

T = TypeVar("T")
THREADS = 4
BUSY_S = 5
SWEEP_EVERY = timedelta(minutes=10)
# How long what is over can still be listed.
KEPT = timedelta(days=30)
WRONG = "NAAP_AUTH_STORE must be sqlite:///path or postgresql://user@host/database."


class Store:
    """Where logins are kept. `work` is a function of a connection: all of it happens, or nothing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # In memory there is one connection, for one thread.
        threads = 1 if isinstance(engine.pool, StaticPool) else THREADS
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="naap-auth")
        self._swept: datetime | None = None
        with _as_gateway_errors():
            _created(engine)
            self.nonce_secret = self.work(_nonce_secret)

    async def run(self, work: Callable[[Connection], T]) -> T:
        """What `work` gives, done in a thread. Raises StoreUnavailable where the store is away."""
        return await self.thread(lambda: self.work(work))

    async def thread(self, function: Callable[[], T]) -> T:
        """What a function gives, called in a thread of the store's; it may call `work`."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, function)

    def work(self, work: Callable[[Connection], T]) -> T:
        """The same, done here: for commands, and in the store's threads."""
        with _as_gateway_errors(), self._engine.begin() as connection:
            return work(connection)

    async def sweep(self, now: datetime) -> None:
        """Delete what is over; called often, done seldom."""
        if self._swept is None or now - self._swept >= SWEEP_EVERY:
            self._swept = now
            await self.run(lambda connection: swept(connection, now))

    def close(self) -> None:
        """Let go of it."""
        self._threads.shutdown()
        self._engine.dispose()


def open_store(url: str) -> Store:
    """The store at a URL; `sqlite://` alone is in memory. Raises BadRequest, StoreUnavailable."""
    try:
        place = make_url(url)
    except (ArgumentError, ValueError):
        raise BadRequest(WRONG, "NAAP_AUTH_STORE") from None
    if place.drivername == "sqlite":
        return Store(_sqlite(place.database))
    if place.drivername in ("postgresql", "postgres"):
        return Store(_postgres(place.set(drivername="postgresql+psycopg")))
    raise BadRequest(WRONG, "NAAP_AUTH_STORE")


def swept(connection: Connection, now: datetime) -> int:
    """How many rows were over and are deleted now."""
    at, long_ago = int(now.timestamp()), int((now - KEPT).timestamp())
    # A revoked delegation stays until it would have expired: sent again, it is known as revoked.
    over = (
        delete(USED_NONCES).where(USED_NONCES.c.expires_s < at),
        delete(SESSIONS).where(SESSIONS.c.expires_s < at),
        delete(DELEGATIONS).where(DELEGATIONS.c.expires_s < long_ago),
        delete(TOKENS).where(TOKENS.c.expires_s < long_ago),
    )
    return sum(connection.execute(one).rowcount for one in over)


def _sqlite(path: str | None) -> Engine:
    if path in (None, "", ":memory:"):
        engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    else:
        place = Path(str(path)).expanduser()
        _made_private(place)
        engine = create_engine(f"sqlite:///{place}", connect_args={"timeout": BUSY_S})

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _: object) -> None:
        connection.isolation_level = None  # transactions begin where we say, see below
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        # One that reads first and writes later must not find that another process wrote between.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _made_private(place: Path) -> None:
    """The file, there and readable by its owner only."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(place, os.O_CREAT | os.O_RDWR, 0o600))
        place.chmod(0o600)
    except OSError as error:
        raise StoreUnavailable(f"the login store {place} cannot be used: {error.strerror}.") from error


def _postgres(place: Any) -> Engine:
    try:
        return create_engine(place, pool_size=THREADS, max_overflow=0, pool_pre_ping=True,
                             connect_args={"connect_timeout": BUSY_S})  # fmt: skip
    except (ModuleNotFoundError, NoSuchModuleError):
        raise BadRequest(
            "NAAP_AUTH_STORE: PostgreSQL needs its driver. Install naap-gateway[postgres].", "NAAP_AUTH_STORE"
        ) from None


def _created(engine: Engine) -> None:
    for _ in METADATA.tables:
        with suppress(DBAPIError):  # another process creates one of them at this moment
            METADATA.create_all(engine)
            return
    METADATA.create_all(engine)


def _nonce_secret(connection: Connection) -> bytes:
    """The secret that is shared by all who use the store; made by whoever comes first."""
    wanted = select(SECRETS.c.value).where(SECRETS.c.name == "nonce")
    if connection.scalar(wanted) is None:
        try:
            with connection.begin_nested():
                connection.execute(insert(SECRETS).values(name="nonce", value=secrets.token_hex(32)))
        except IntegrityError:
            pass
    return bytes.fromhex(str(connection.scalar(wanted)))


@contextmanager
def _as_gateway_errors() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise StoreUnavailable("the login store cannot be used at the moment. Try again soon.") from error
