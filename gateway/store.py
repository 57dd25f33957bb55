"""Opening the store that the settings name, and the commands that need nothing more."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import click

from backends.backend import Backend
from backends.log import Log
from gateway.interpreter import tuned
from gateway.places import PARAMETERS, is_clickhouse, is_embedded, places_of, shown, written
from gateway.settings import Settings
from metrics.errors import BadRequest
from metrics.window import Window
from telemetry.flops import Flops
from telemetry.loader import Loader
from telemetry.regions import Regions

if TYPE_CHECKING:
    from backends.postgres.options import Options

DEFAULTS = Settings()


class Store(Backend, Log, Protocol):
    """A store that answers and keeps."""


SCHEMES = (
    "chdb:///path (embedded; chdb://~/path and chdb://./path work, chdb:// alone is in memory) "
    "or clickhouse://user:password@host:8123/database (a server; clickhouses:// with TLS) "
    "or postgresql://user:password@host:5432/database"
)
# Called after every statement with its name, its seconds and the rows it answered or wrote.
OnStatement = Callable[[str, float, int], None]


def utc_now() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


def open_store(url: str, settings: Settings = DEFAULTS, on_statement: OnStatement | None = None) -> Store:
    """The store at a URL. Raises BadRequest for a URL that names none, StoreUnavailable where it cannot be used."""
    if is_clickhouse(url):
        return _clickhouse(url, settings, on_statement)
    if url.partition(":")[0] == "postgresql":
        return _postgres(url, settings, on_statement)
    place = _place(url)
    from backends.chdb import open_chdb  # half a second that other commands need not wait
    from backends.clickhouse.limits import Limits

    return open_chdb(place, limits=Limits(seconds=settings.store_timeout_s), on_statement=on_statement)


def _clickhouse(url: str, settings: Settings, on_statement: OnStatement | None) -> Store:
    from backends.clickhouse.address import address_of
    from backends.clickhouse.limits import Limits
    from backends.clickhouse.retry import Patience

    address = address_of(url)
    try:
        from backends.clickhouse.server import open_clickhouse
    except ModuleNotFoundError as error:
        raise BadRequest(
            f"NAAP_BACKEND: a ClickHouse server needs {error.name}: pip install 'naap-gateway[clickhouse]'.",
            "NAAP_BACKEND",
        ) from error
    return open_clickhouse(
        address,
        limits=Limits(seconds=settings.store_timeout_s, threads=0),
        pool=settings.store_pool,
        patience=Patience(settings.store_retry_s),
        on_statement=on_statement,
    )


def _postgres(url: str, settings: Settings, on_statement: OnStatement | None) -> Store:
    try:
        from backends.postgres.store import open_postgres
    except ModuleNotFoundError as error:
        raise _postgres_missing(error) from error
    return open_postgres(url, _postgres_options(settings), on_statement)


def _postgres_options(settings: Settings) -> "Options":
    from backends.postgres.options import Options

    return Options(
        pool=settings.store_pool,
        connect_s=settings.store_connect_s,
        statement_s=settings.store_timeout_s,
        retry_s=settings.store_retry_s,
        compress_days=settings.timescale_compress_days,
        retain_days=settings.timescale_retain_days,
    )


def _migrated(settings: Settings) -> Sequence[str]:
    try:
        from backends.postgres.migrate import layout, migrate
    except ModuleNotFoundError as error:
        raise _postgres_missing(error) from error
    options = _postgres_options(settings)
    return [*migrate(settings.backend, options, whole=True), layout(settings.backend, options)]


def _postgres_missing(error: ModuleNotFoundError) -> BadRequest:
    return BadRequest(
        f"NAAP_BACKEND: PostgreSQL needs {error.name}: pip install 'naap-gateway[postgres]'.", "NAAP_BACKEND"
    )


def _place(url: str) -> Path | None:
    """The directory that a URL names; None for memory."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _no_store(url) from None
    if parts.scheme == "chdb" and parts.query:
        key, equals, _ = parts.query.partition("=")
        # Without a value it is no key, and perhaps a secret.
        given = repr(key[:60]) if equals else "what follows the ?"
        raise BadRequest(
            f"NAAP_BACKEND: {given} is no parameter of an embedded store. There are {', '.join(PARAMETERS)}.",
            "NAAP_BACKEND",
        )
    if parts.scheme != "chdb" or parts.query or parts.fragment:
        raise _no_store(url)
    try:
        return Path(parts.netloc + parts.path).expanduser() if parts.netloc + parts.path else None
    except RuntimeError:
        raise BadRequest(f"NAAP_BACKEND: {parts.netloc} is the home of no user here.", "NAAP_BACKEND") from None


def _no_store(url: str) -> BadRequest:
    return BadRequest(f"NAAP_BACKEND must be {SCHEMES}, not {shown(url)!r}.", "NAAP_BACKEND")


@contextmanager
def opened(settings: Settings) -> Iterator[Loader]:
    """The loader of the store that is written, which is let go of at the end. What a crash left is derived first."""
    store = open_store(written(settings.backend).url, settings)
    try:
        loader = Loader(store, utc_now, Regions.load(settings.regions), Flops.load(settings.flops))
        tuned()
        loader.recover()
        yield loader
    finally:
        asyncio.run(store.close())


def rebuild(settings: Settings, start: datetime | None, end: datetime | None) -> None:
    """Derive everything again, or what lies in a window."""
    if (start is None) != (end is None):
        raise BadRequest("--start and --end go together: give both, or neither to derive everything again.", "--start")
    try:
        window = None if start is None or end is None else Window(start, end)
    except BadRequest as error:
        raise BadRequest(f"--start, --end: the {error}", "--end") from None
    place = written(settings.backend).url
    # Opening would make a new one.
    if is_embedded(place) and (path := _place(place)) and not path.exists():
        raise BadRequest(f"NAAP_BACKEND: there is no store at {path}.", "NAAP_BACKEND")
    with opened(settings) as loader:
        count = loader.rebuild(window)
    click.echo(f"derived {count} events again")


def migrate(settings: Settings) -> None:
    """Opening a store creates and updates its tables; a PostgreSQL may have more to do, and says what."""
    for place in places_of(settings.backend):
        here = replace(settings, backend=place.url)
        if place.url.partition(":")[0] == "postgresql":
            for text in _migrated(here):
                click.echo(text)
        with opened(here):
            click.echo(f"{shown(place.url)} is up to date")
