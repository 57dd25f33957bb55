"""How far the data reaches."""

from dataclasses import dataclass
from datetime import datetime

from metrics.window import Window, from_ms, to_ms
from resolvers.context import Context


@dataclass(frozen=True, slots=True)
class Freshness:
    """The latest event, how long ago it was, and whether the window may still fill up or a store is missing."""

    as_of: datetime | None
    lag_seconds: float | None
    partial: bool


async def freshness(context: Context, window: Window) -> Freshness:
    """How far the data reaches, seen from a window."""
    held = await context.holds()
    latest = held.latest_ms
    if context.several is not None:
        # What is read beside this may find a store away that a moment ago was not.
        await context.loader.settled()
    missing = context.several is not None and context.several.partial
    if latest is None:
        return Freshness(None, None, True)
    lag_ms = to_ms(context.now) - latest
    return Freshness(from_ms(latest), lag_ms / 1000, held.pending > 0 or missing or latest < window.end_ms - 1)
