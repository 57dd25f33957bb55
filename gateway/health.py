"""`/healthz`: the process lives. `/readyz`: the store answers and what was taken in is counted."""

from collections.abc import Callable
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from backends.backend import Backend
from gateway.writer import STANDBY, Writer
from metrics.errors import GatewayError
from metrics.window import from_ms
from rest.json import Json
from rest.page import instant


class Lag:
    """How far the data reach, as it was when last asked."""

    def __init__(self, store: Backend, clock: Callable[[], datetime]) -> None:
        self._store, self._clock = store, clock
        self.is_up = False
        self.seconds: float | None = None
        self.pending: int | None = None

    async def ask(self) -> None:
        """Ask the store. Where it does not answer nothing is known."""
        self.is_up, self.seconds, self.pending = False, None, None
        held = await self._store.holds()
        self.is_up, self.pending = True, held.pending
        if held.latest_ms is not None:
            self.seconds = (self._clock() - from_ms(held.latest_ms)).total_seconds()


async def healthz(request: Request) -> Response:
    """Alive, whatever else."""
    return Json({"status": "alive"})


async def readiness(store: Backend, writer: Writer) -> Response:
    """Ready, or 503 with what is missing."""
    loader = writer.state
    try:
        await store.ping()
        held = await store.holds()
    except GatewayError as error:
        return Json({"status": "unavailable", "store": str(error), "loader": loader}, 503)
    latest = None if held.latest_ms is None else instant(from_ms(held.latest_ms))
    ready = loader in ("ready", STANDBY)
    content = {"status": "ready" if ready else "unavailable", "store": "ready", "loader": loader}
    return Json(content | {"last_event_at": latest, "pending_events": held.pending}, 200 if ready else 503)
