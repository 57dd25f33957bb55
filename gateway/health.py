"""`/healthz`: the process lives. `/readyz`: the stores answer and what was taken in is counted."""

import asyncio
import logging
from collections.abc import Mapping
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


async def healthz(request: Request) -> Response:
    """Alive, whatever else."""
    return Json({"status": "alive"})


async def readiness(store: Backend, writer: Writer | None, timeout_s: float) -> Response:
    """Ready, or 503 with what is missing.

    Of several stores one that is away leaves the gateway `degraded` (200) where partial answers are allowed.
    """
    loader = {} if writer is None else {"loader": writer.state}
    members = {one.name: one.store for one in store.members} if isinstance(store, Federated) else {store.name: store}
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
