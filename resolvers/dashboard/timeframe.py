"""Timeframes as the NaaP dashboard writes them: hours as a text, until now."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from metrics.errors import BadRequest
from metrics.window import Window

DEFAULT_HOURS = 12
MAX_HOURS = 24 * 366
DAY_HOURS = 24
WRITTEN = re.compile(r"(?P<count>[1-9][0-9]{0,4})(?P<unit>[hd]?)")


@dataclass(frozen=True, slots=True)
class Timeframe:
    """So many hours until now."""

    hours: int
    window: Window


def hours_until(now: datetime, text: str | None, argument: str) -> Timeframe:
    """The hours that `12`, `12h` or `7d` mean; 12 where nothing is given. Raises BadRequest, naming the argument."""
    hours = DEFAULT_HOURS if text is None else _hours(text, argument)
    return Timeframe(hours, Window.last(timedelta(hours=hours), now))


def _hours(text: str, argument: str) -> int:
    found = WRITTEN.fullmatch(text)
    hours = int(found["count"]) * (DAY_HOURS if found["unit"] == "d" else 1) if found else 0
    if not 1 <= hours <= MAX_HOURS:
        raise BadRequest(
            f"{argument} must be a number of hours or days such as 12, 12h or 7d, at most {MAX_HOURS}h, "
            f"not {text[:80]!r}.",
            argument,
        )
    return hours
