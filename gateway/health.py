"""`/healthz`: the process lives. `/readyz`: the stores answer and what was taken in is counted."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from backends.backend import Backend, Holdings
from backends.federated import Federated
from gateway.writer import STANDBY, Writer
from metrics.errors import GatewayError, StoreTimeout
from metrics.window import from_ms
from rest.json import Json
from rest.page import instant

log = logging.getLogger("naap.health")


class Lag:
    """How far each store reaches, by its name, as it was when last asked; of one that is away nothing is known."""

    def __init__(self, store: Backend, clock: Callable[[], datetime], timeout_s: float) -> None:
        self._members, self._clock, self._timeout_s = _members(store), clock, timeout_s
        self.up: dict[str, float] = {}
        self.seconds: dict[str, float] = {}
        self.pending: dict[str, float] = {}

    async def ask(self) -> None:
        """Ask them all."""
        found = await asyncio.gather(*(self._holds(store) for store in self._members.values()))
        held = {name: one for name, one in zip(self._members, found, strict=True) if one is not None}
        now = self._clock()
        self.up = {name: float(name in held) for name in self._members}
        self.pending = {name: one.pending for name, one in held.items()}
        self.seconds = {
            name: (now - from_ms(one.latest_ms)).total_seconds()
            for name, one in held.items()
            if one.latest_ms is not None
        }

    async def _holds(self, store: Backend) -> Holdings | None:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await store.holds()
        except (TimeoutError, GatewayError):
            return None


def _members(store: Backend) -> Mapping[str, Backend]:
    return {one.name: one.store for one in store.members} if isinstance(store, Federated) else {store.name: store}


async def healthz(request: Request) -> Response:
    """Alive, whatever else."""
    return Json({"status": "alive"})


async def readiness(store: Backend, writer: Writer | None, timeout_s: float) -> Response:
    """Ready, or 503 with what is missing.

    Of several stores one that is away leaves the gateway `degraded` (200) where partial answers are allowed.
    """
    loader = {} if writer is None else {"loader": writer.state}
    members = _members(store)
    states = await asyncio.gather(*(_state(name, one, timeout_s) for name, one in members.items()))
    told = [{"name": name, **state} for name, state in zip(members, states, strict=True)]
    away = [state for state in states if state["status"] != "ready"]
    refused = bool(away) and not (isinstance(store, Federated) and store.allows_partial and len(away) < len(states))
    ready = not refused and loader.get("loader", "ready") in ("ready", STANDBY)
    status = "unavailable" if not ready else "degraded" if away else "ready"
    held = Holdings({}, 0, 0) if refused else await store.holds()
    content = {"status": status, "store": away[0]["status"] if away else "ready", **loader}
    content |= {"last_event_at": _instant(held), "pending_events": held.pending, "backends": told}
    return Json(content, 200 if ready else 503)


async def _state(name: str, store: Backend, timeout_s: float) -> Mapping[str, Any]:
    """One store: does it answer, and how far does it reach? What an error says may name a host or a path."""
    try:
        async with asyncio.timeout(timeout_s):
            await store.ping()
            held = await store.holds()
    except (TimeoutError, StoreTimeout):
        log.warning("store %s does not answer in time", name)
        return {"status": f"no answer within {timeout_s:g} s"}
    except GatewayError as error:
        log.warning("store %s is not ready: %s", name, error)
        return {"status": "unavailable; the reason is in the log"}
    return {"status": "ready", "last_event_at": _instant(held), "pending_events": held.pending}


def _instant(held: Holdings) -> str | None:
    return None if held.latest_ms is None else instant(from_ms(held.latest_ms))
