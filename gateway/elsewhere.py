"""An embedded store that another process reads for this one, which has one of its own open."""

import asyncio
import multiprocessing
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection

from backends.backend import LoggedEvent
from backends.contents import Page, Position, Shelf
from backends.part import Part
from gateway.store import Store, open_store
from metrics.errors import GatewayError, StoreInUse, StoreUnavailable

METHODS = ("page", "size", "pending")
# A reader whose own parent was killed needs a moment to let go of the store.
PATIENCE_S = 5.0


class Elsewhere:
    """What is read of a store's content, asked of the process that has it open."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def page(self, shelf: Shelf, part: Part, after: Position | None, limit: int) -> Page:
        found = self._ask("page", shelf, part, after, limit)
        assert isinstance(found, Page)
        return found

    def size(self, shelf: Shelf, part: Part) -> int:
        found = self._ask("size", shelf, part)
        assert isinstance(found, int)
        return found

    def pending(self, limit: int) -> Sequence[LoggedEvent]:
        found = self._ask("pending", limit)
        assert isinstance(found, Sequence)
        return found

    def _ask(self, method: str, *arguments: object) -> object:
        try:
            self._connection.send((method, arguments))
            answer = self._connection.recv()
        except (EOFError, OSError) as error:
            raise StoreUnavailable("the process that reads FROM has ended. Run the same command again.") from error
        if isinstance(answer, GatewayError):
            raise answer
        return answer


@contextmanager
def elsewhere(url: str) -> Iterator[Elsewhere]:
    """The store at a URL, read by another process. Raises what opening it raises there."""
    # Never by fork: the engine does not survive it.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    reader = context.Process(target=_serve, args=(url, theirs), daemon=True)
    reader.start()
    theirs.close()
    try:
        store = Elsewhere(ours)
        store.pending(1)  # whatever is wrong with it is said at once
        yield store
    finally:
        ours.close()
        reader.join(PATIENCE_S)
        if reader.is_alive():
            reader.kill()


def _serve(url: str, connection: Connection) -> None:
    """Answer until the other side hangs up."""
    # Ctrl-C goes to both; the other side then hangs up.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    store: Store | None = None
    with suppress(EOFError, OSError):
        while True:
            method, arguments = connection.recv()
            assert method in METHODS
            try:
                store = store or _opened(url)
                connection.send(getattr(store, method)(*arguments))
            except GatewayError as error:
                connection.send(error)
    if store is not None:
        asyncio.run(store.close())


def _opened(url: str) -> Store:
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            return open_store(url)
        except StoreInUse:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
