"""`naap serve`: the gateway, until it is stopped."""

import asyncio
import errno
import logging
import socket
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import click
import uvicorn
from starlette.applications import Starlette

from auth import audit
from gateway import logs
from gateway.app import Parts, build_app
from gateway.interpreter import tuned
from gateway.login import ANYWHERE, open_access
from gateway.places import is_clickhouse, is_embedded, places_of, shown
from gateway.protocol import Bounded
from gateway.settings import Settings
from gateway.store import utc_now
from gateway.stores import open_stores
from gateway.writer import Writer
from metrics.errors import BadRequest
from metrics.targets import Targets
from metrics.window import Window, from_ms
from promptsets.dataset import Catalogue
from promptsets.source import load
from resolvers.pulse import Pulse
from rest.page import interval
from telemetry.flops import Flops
from telemetry.loader import Loader
from telemetry.regions import Regions

GRACE_S = 10
GOODBYE_S = 0.2
MAX_MESSAGE_BYTES = 256 * 1024
MAX_FILES = 65_536


def run(settings: Settings, host: str | None, port: int | None, workers: int | None) -> None:
    """Serve with these settings, and with what the command line says instead of them."""
    settings = replace(
        settings,
        host=settings.host if host is None else host,
        port=settings.port if port is None else port,
        workers=settings.workers if workers is None else workers,
    )
    if settings.workers > 1 and any(is_embedded(place.url) for place in places_of(settings.backend)):
        raise BadRequest(
            f"{settings.workers} workers cannot share {shown(settings.backend)}: an embedded store belongs to one "
            "process. Serve with --workers 1, or set NAAP_BACKEND to a store that is a server.",
            "workers",
        )
    if settings.workers > 1 and any(is_clickhouse(place.url) for place in places_of(settings.backend)):
        raise BadRequest(
            f"{settings.workers} workers cannot share {shown(settings.backend)}: one process writes it, and others "
            "could not follow yet. Serve with --workers 1.",
            "workers",
        )
    if settings.workers > 1:
        raise BadRequest(
            "one process serves. Start `naap serve` several times, each with a port or machine of its own: one of them "
            "writes, and all of them answer.",
            "workers",
        )
    serve_one(settings, bound(settings.host, settings.port))


def bound(host: str, port: int, choose: str = "--port ") -> socket.socket:
    """A socket that has this address. Raises BadRequest where that cannot be; another port is chosen with `choose`."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except UnicodeError:  # what getaddrinfo says to a name that no DNS can hold
        raise BadRequest(f"{host!r} is no address to listen on.", "host") from None
    except OSError as error:
        raise BadRequest(_cannot_bind(error, host, port, choose), "port") from error
    listening.set_inheritable(True)
    return listening


def serve_one(settings: Settings, listening: socket.socket) -> None:
    """One process, which also writes."""
    _log(settings)
    datasets, targets = Catalogue.of(load(settings.datasets)), Targets.load(settings.targets)
    opened, regions, flops = open_stores(settings), Regions.load(settings.regions), Flops.load(settings.flops)
    writer = None
    if opened.store is not None:
        writer = Writer(Loader(opened.store, utc_now, regions, flops), settings.loader_queue)
    access = open_access(settings, utc_now)
    parts = Parts(settings, opened.backend, writer, regions, utc_now, datasets, targets, door=access)
    app = build_app(parts)
    tuned()
    _roomy()
    _announce(settings, asyncio.run(opened.backend.holds()).latest_ms)
    # Ctrl-C has stopped the server in good order when uvicorn raises it again.
    with suppress(KeyboardInterrupt):
        Server(_config(settings, app), parts.pulse).run(sockets=[listening])


class Server(uvicorn.Server):
    """uvicorn's, which ends subscriptions before it waits for requests to end."""

    def __init__(self, config: uvicorn.Config, pulse: Pulse) -> None:
        super().__init__(config)
        self._pulse = pulse

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End in good order."""
        self._pulse.close()
        # Time to say so to those who subscribe, before their connections are closed.
        await asyncio.sleep(GOODBYE_S)
        await super().shutdown(sockets)


def _cannot_bind(error: OSError, host: str, port: int, choose: str) -> str:
    if error.errno == errno.EADDRINUSE:
        another = port + 1 if port < 65_535 else 8000
        return f"port {port} on {host} is in use. Stop what listens there, or choose another one: {choose}{another}"
    if error.errno == errno.EACCES:
        return f"port {port} needs more rights than this user has. Choose one above 1023, such as 8000."
    return f"{host}:{port} is no address to listen on here: {error.strerror or error}."


def _log(settings: Settings) -> None:
    logs.begin(settings.log_level, settings.log_format)
    audit.to_stream()
    logging.getLogger("uvicorn.error").setLevel("WARNING" if settings.log_level != "debug" else "DEBUG")


def _config(settings: Settings, app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=Bounded,
        log_config=None,
        access_log=False,  # every request has a line of our own, which holds nothing that it asked
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
        ws_max_size=MAX_MESSAGE_BYTES,
        # Updates are shared among subscribers; compressing them for each of them would not be.
        ws_per_message_deflate=False,
    )


def _roomy() -> None:
    """Allow this process as many connections as it may have: many systems begin with 1,024 files."""
    try:
        import resource
    except ImportError:  # not on Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _announce(settings: Settings, latest_ms: int | None) -> None:
    """Say what to open. What is shown ends at the latest event, so that an old dump is not an empty page."""
    host = "127.0.0.1" if settings.host in ANYWHERE else settings.host
    at = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
    click.echo(f"naap-gateway serves {shown(settings.backend)}. Open:")
    click.echo(f"  {at}/graphql   GraphiQL, with a first query that shows something")
    if latest_ms is None:
        click.echo(f"There are no events yet. Load some: naap ingest --to {at} FILE …")
    else:
        day = interval(Window.last(timedelta(days=1), now=from_ms(latest_ms + 1)))
        click.echo(f"  {at}/v1/sla/gpu/metrics?time_range={day}")
    click.echo("Ctrl-C stops it.")
