"""How far the data reaches."""

from dataclasses import dataclass
from datetime import datetime

from metrics.window import Window, from_ms, to_ms
from resolvers.context import Context


@dataclass(frozen=True, slots=True)
class Freshness:
    """The latest event, how long ago it was, and whether the window may still fill up."""

    as_of: datetime | None
    lag_seconds: float | None
    partial: bool


async def freshness(context: Context, window: Window) -> Freshness:
    """How far the data reaches, seen from a window."""
    held = await context.holds()
    latest = held.latest_ms
    if latest is None:
        return Freshness(None, None, True)
    lag_ms = to_ms(context.now) - latest
    return Freshness(from_ms(latest), lag_ms / 1000, held.pending > 0 or latest < window.end_ms - 1)
