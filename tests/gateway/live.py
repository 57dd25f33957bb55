"""The whole application on a real server, over a store that can be stuck."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from backends.memory import MemoryStore
from gateway.app import Parts, build_app
from gateway.serve import _config
from gateway.settings import Settings
from gateway.writer import Writer
from telemetry.loader import Loader
from telemetry.regions import Regions
from tests.gateway.conftest import NOW
from tests.gateway.processes import free_port


class StuckStore(MemoryStore):
    """The in-memory store, whose reads of rows never end by themselves while `stuck`."""

    def __init__(self) -> None:
        super().__init__()
        self.stuck = True
        self.asked = threading.Event()
        self.cancelled = threading.Event()

    async def rows(self, question: Any) -> Any:
        self.asked.set()
        try:
            if self.stuck:
                await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return await super().rows(question)


def parts_of(settings: Settings, store: MemoryStore) -> Parts:
    """An application's parts over this store."""
    loader = Loader(store, lambda: NOW, Regions())
    return Parts(settings, store, Writer(loader, settings.loader_queue), Regions(), lambda: NOW)


@contextmanager
def live(settings: Settings, store: MemoryStore) -> Iterator[int]:
    """The port of a server as `naap serve` makes it."""
    port = free_port()
    listening = socket.create_server(("127.0.0.1", port))
    server = uvicorn.Server(_config(settings, build_app(parts_of(settings, store))))
    thread = threading.Thread(target=lambda: server.run(sockets=[listening]))
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield port
    finally:
        server.should_exit = True
        thread.join(15)
        listening.close()
