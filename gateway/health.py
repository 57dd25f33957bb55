"""`/healthz`: the process lives. `/readyz`: the store answers and what was taken in is counted."""

from starlette.requests import Request
from starlette.responses import Response

from backends.backend import Backend
from gateway.writer import STANDBY, Writer
from metrics.errors import GatewayError
from metrics.window import from_ms
from rest.json import Json
from rest.page import instant


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
