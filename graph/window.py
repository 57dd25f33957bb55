"""Windows as clients write and read them, and how far the data reaches."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated

import strawberry

from metrics.window import Window
from resolvers.arguments import window_of


@strawberry.input(
    description="A window of time, half-open: it includes its start and excludes its end. Either `last` alone (until "
    "now) or `start` and `end` together; without any of them the last hour (PT1H)."
)
class WindowInput:
    """The argument `window`."""

    last: timedelta | None = strawberry.field(default=None, description="The length of a window that ends now.")
    start: datetime | None = strawberry.field(default=None, description="When it starts, included.")
    end: datetime | None = strawberry.field(default=None, description="When it ends, excluded.")


WindowArgument = Annotated[
    WindowInput | None, strawberry.argument(description="The window of time; the last hour where none is given.")
]


def window_from(given: WindowInput | None, clock: Callable[[], datetime], argument: str = "window") -> Window:
    """The window that the argument describes."""
    if given is None:
        return window_of(clock, argument=argument)
    return window_of(clock, given.last, given.start, given.end, argument)


@strawberry.federation.type(shareable=True, description="A half-open window of time in UTC.")
class TimeWindow:
    """`metrics.window.Window` as it is answered."""

    start: datetime = strawberry.field(description="When it starts, included.")
    end: datetime = strawberry.field(description="When it ends, excluded.")


@strawberry.type(description="How far the data reaches.")
class Freshness:
    """`resolvers.freshness.Freshness` as it is answered."""

    as_of: datetime | None = strawberry.field(description="When the latest event happened; null in an empty store.")
    lag_seconds: float | None = strawberry.field(description="How long before now that was.")
    partial: bool = strawberry.field(
        description="Can the window still fill up? True where the data end before it does or events wait to be counted."
    )
