"""Opening the store that the settings name, and the commands that need nothing more."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import click

from backends.backend import Backend
from backends.log import Log
from gateway.interpreter import tuned
from gateway.places import places_of, shown, written
from gateway.settings import Settings
from metrics.errors import BadRequest
from metrics.window import Window
from telemetry.flops import Flops
from telemetry.loader import Loader
from telemetry.regions import Regions


class Store(Backend, Log, Protocol):
    """A store that answers and keeps."""


SCHEMES = "chdb:///path (embedded; chdb://~/path and chdb://./path work, chdb:// alone is in memory)"


def utc_now() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


def is_embedded(url: str) -> bool:
    """Whether this store belongs to one process."""
    return url.partition(":")[0] == "chdb"


def open_store(url: str, timeout_s: float = 20.0) -> Store:
    """The store at a URL, where a read may take so long.

    Raises BadRequest for a URL that names none, StoreUnavailable where it cannot be used.
    """
    place = _place(url)
    from backends.chdb import Limits, open_chdb  # half a second that other commands need not wait

    return open_chdb(place, limits=Limits(seconds=timeout_s))


def _place(url: str) -> Path | None:
    """The directory that a URL names; None for memory."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _no_store(url) from None
    if parts.scheme != "chdb" or parts.query or parts.fragment:
        raise _no_store(url)
    try:
        return Path(parts.netloc + parts.path).expanduser() if parts.netloc + parts.path else None
    except RuntimeError:
        raise BadRequest(f"NAAP_BACKEND: {parts.netloc} is the home of no user here.", "NAAP_BACKEND") from None


def _no_store(url: str) -> BadRequest:
    return BadRequest(f"NAAP_BACKEND must be {SCHEMES}, not {url.partition('@')[2] or url!r}.", "NAAP_BACKEND")


@contextmanager
def opened(settings: Settings) -> Iterator[Loader]:
    """The loader of the store that is written, which is let go of at the end. What a crash left is derived first."""
    store = open_store(written(settings.backend).url, settings.store_timeout_s)
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
    with opened(settings) as loader:
        count = loader.rebuild(window)
    click.echo(f"derived {count} events again")


def migrate(settings: Settings) -> None:
    """Opening a store creates and updates its tables; there is nothing else to do."""
    for place in places_of(settings.backend):
        with opened(replace(settings, backend=place.url)):
            click.echo(f"{shown(place.url)} is up to date")
