"""How far the data reaches."""

from dataclasses import dataclass
from datetime import datetime

from backends.backend import Holdings
from metrics.window import Window, from_ms, to_ms
from resolvers.context import Context


@dataclass(frozen=True, slots=True)
class Freshness:
    """The latest event, how long ago it was, and whether the window may still fill up or a store is missing.

    What changes without the window changing is worked out when it is asked for, so that answers without it last.
    """

    context: Context
    held: Holdings
    partial: bool

    @property
    def as_of(self) -> datetime | None:
        """When the latest event happened."""
        self.context.made_of.present = True
        return None if self.held.latest_ms is None else from_ms(self.held.latest_ms)

    @property
    def lag_seconds(self) -> float | None:
        """How long before now that was."""
        return None if self.held.latest_ms is None else (to_ms(self.context.now) - self.held.latest_ms) / 1000


async def freshness(context: Context, window: Window) -> Freshness:
    """How far the data reaches, seen from a window."""
    held = await context.held()
    context.made_of.reaches(window.end_ms)
    latest = held.latest_ms
    if context.several is not None:
        # What is read beside this may find a store away that a moment ago was not.
        await context.loader.settled()
    missing = context.several is not None and context.several.partial
    return Freshness(context, held, latest is None or held.pending > 0 or missing or latest < window.end_ms - 1)
