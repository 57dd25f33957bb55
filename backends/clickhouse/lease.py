"""One writer at a time: who opens a server's store says so in it, and says so again every few seconds.

A ClickHouse has no locks. Whoever comes writes a row first and then looks for others, so that of two who come at the
same moment at least one sees the other; a row that is no longer renewed counts no more. See docs/decisions/0092.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from uuid import uuid4

from backends.clickhouse.handle import Handle
from metrics.errors import GatewayError, StoreInUse
from metrics.window import DAY_MS

LEASE = "lease"  # the name of its statements
RENEW_S, LEASE_S = 3.0, 15.0
PREFIX = "writer "
log = logging.getLogger(__name__)
# What this process holds: a row of its own that is not among these is of a process of the same number that has gone.
_HELD: set[str] = set()
NOW = "toUnixTimestamp64Milli(now64(3))"
# Whoever leaves says so with a negative time, so that one that was cut off for a while learns of it.
SAY = f"INSERT INTO marks (name, value, ver) SELECT {{name:String}}, {{sign:Int64}} * {NOW}, {{ver:UInt64}}"
FORGET = f"""
INSERT INTO marks (name, value, ver, deleted) SELECT name, value, {{ver:UInt64}}, 1 FROM marks FINAL
WHERE startsWith(name, '{PREFIX}') AND abs(value) < {NOW} - {DAY_MS}"""
SINCE = f"""
SELECT count() FROM marks FINAL WHERE startsWith(name, '{PREFIX}') AND name != {{name:String}}
AND abs(value) > (SELECT max(value) FROM marks FINAL WHERE name = {{name:String}})"""
OTHERS = f"""
SELECT name, value, value > {NOW} - {int(LEASE_S * 1000)} FROM marks FINAL
WHERE startsWith(name, '{PREFIX}') AND name != {{name:String}} ORDER BY name"""


class Lease:
    """The right to write one store, from its making until `release`. Raises StoreInUse where another has it."""

    def __init__(self, handle: Handle, beside: Callable[[], Handle]) -> None:
        self.name = f"{PREFIX}{socket.gethostname()} {os.getpid()} {uuid4().hex}"
        self._beside = beside  # makes a handle for the thread that renews
        self._done = threading.Event()
        self._renewed = time.monotonic()
        _HELD.add(self.name)
        try:
            self._take(handle)
        except BaseException:
            _HELD.discard(self.name)
            raise
        self._thread = threading.Thread(target=self._keep, name="naap-lease", daemon=True)
        self._thread.start()

    @property
    def expired(self) -> bool:
        """May another have taken it? So where the server could not be told in time."""
        return time.monotonic() - self._renewed > LEASE_S

    def check(self, handle: Handle) -> None:
        """Before a write. Raises StoreInUse where another has, or had, the store since this one was last renewed."""
        if self.expired:
            if handle.query("lease since", SINCE, {"name": self.name})[0][0]:
                raise StoreInUse("another process has taken over the writing of this store. Start this one again.")
            self._say(handle)
            if self._others(handle):
                raise StoreInUse("another process is taking over the writing of this store. Try again in a moment.")

    def release(self, handle: Handle) -> None:
        """Let the next one come."""
        self._done.set()
        self._thread.join()
        _HELD.discard(self.name)
        try:
            self._say(handle, leaving=True)
        except GatewayError:
            log.warning("the store could not be told that it is free; it will be in %d s", LEASE_S)

    def _take(self, handle: Handle) -> None:
        handle.command(LEASE, FORGET, {"ver": time.time_ns()})
        self._say(handle)
        first = self._others(handle)
        until = time.monotonic() + LEASE_S
        while others := self._others(handle):
            # One that died without a word is silent; one that lives is heard again soon.
            if time.monotonic() > until or any(first.get(name, said) != said for name, said in others.items()):
                self._say(handle, leaving=True)
                host = next(iter(others)).split()[1]
                raise StoreInUse(
                    f"another process (on {host}) writes this store. Stop it, or send it your events: "
                    "naap ingest --to URL."
                )
            time.sleep(RENEW_S / 3)
            self._say(handle)

    def _others(self, handle: Handle) -> dict[str, int]:
        found = handle.query("lease holders", OTHERS, {"name": self.name})
        return {name: said for name, said, alive in found if alive and not _is_gone(name)}

    def _say(self, handle: Handle, leaving: bool = False) -> None:
        began = time.monotonic()
        handle.command(LEASE, SAY, {"name": self.name, "sign": -1 if leaving else 1, "ver": time.time_ns()})
        self._renewed = began

    def _keep(self) -> None:
        handle = None
        while not self._done.wait(RENEW_S):
            try:
                handle = handle or self._beside()
                if not self.expired:  # then only a writer may, who looks around first
                    self._say(handle)
            except GatewayError as error:
                log.warning("the lease on the store could not be renewed: %s", error)
        if handle is not None:
            handle.close()


def _is_gone(name: str) -> bool:
    """Is it of a process of this machine that is no more?"""
    _, host, pid, _ = name.split()
    if host != socket.gethostname() or name in _HELD:
        return False
    if int(pid) == os.getpid():
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
