"""Query parameters of REST, checked. A bad one is an error that names it; it never falls back to a default."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from starlette.datastructures import QueryParams

from metrics.errors import BadRequest, TooComplex
from metrics.window import Window, to_ms

ADDRESS = re.compile(r"0x[0-9a-f]{40}")
LAST = re.compile(r"([1-9][0-9]{0,5})([mhdw])")
SOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
LONGEST = timedelta(days=3700)
MAX_TEXT = 1024
MAX_LIMIT = 1000
# A cursor holds a key of several texts, and must fit wherever we gave it out.
MAX_CURSOR = 8 * MAX_TEXT


def checked(params: QueryParams, allowed: Iterable[str]) -> dict[str, str]:
    """The parameters as a dictionary: each known, given once and not blank."""
    names, found = tuple(allowed), dict[str, str]()
    for name, value in params.multi_items():
        if name not in names:
            shown = name[:MAX_TEXT]
            raise BadRequest(f"{shown!r} is not a parameter here. There are: {', '.join(names)}.", shown)
        if name in found:
            raise BadRequest(f"{name} is given more than once. Give it once.", name)
        if not value.strip():
            raise BadRequest(f"{name} is blank. Give it a value or leave it out.", name)
        most = MAX_CURSOR if name == "cursor" else MAX_TEXT
        if len(value) > most:
            raise BadRequest(f"{name} is {len(value):,} characters long; at most {most:,}.", name)
        found[name] = value.strip()
    return found


def address(text: str, name: str) -> str:
    """A wallet in lower case."""
    if not ADDRESS.fullmatch(text.lower()):
        raise BadRequest(f"{name} must be 0x and 40 hexadecimal digits, not {text!r}.", name)
    return text.lower()


def limit(text: str) -> int:
    """How many items a page may have."""
    if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= MAX_LIMIT:
        raise BadRequest(f"limit must be a whole number from 1 to {MAX_LIMIT}, not {text!r}.", "limit")
    return int(text)


def source(text: str) -> str:
    """The name of a feed."""
    if not SOURCE.fullmatch(text):
        raise BadRequest(
            "source must be 1 to 64 letters, digits, dots, dashes or underscores and begin with a letter or digit, "
            f"not {text[:80]!r}.",
            "source",
        )
    return text


def time_range(text: str, now: datetime, name: str = "time_range") -> Window:
    """`5m`, `24h`, `7d` or `2w` until now, or an ISO interval `start/end`."""
    if last := LAST.fullmatch(text):
        length = timedelta(**{UNITS[last[2]]: int(last[1])})
        return _not_too_long(Window(now - length, now), name) if length <= LONGEST else _too_long(name)
    edges = text.split("/")
    if len(edges) != 2:
        raise BadRequest(
            f"{name} must be like 5m, 24h or 7d, or an interval like 2026-01-09T13:00:00Z/2026-01-09T14:00:00Z, "
            f"not {text!r}.",
            name,
        )
    start, end = (_instant(edge, name) for edge in edges)
    if to_ms(end) <= to_ms(start):
        raise BadRequest(
            f"{name} ends at {edges[1]}, not after its start {edges[0]}. Give an end later than the start, "
            "by a millisecond at least.",
            name,
        )
    return _not_too_long(Window(start, end), name)


def _instant(text: str, name: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        hint = " (write the + of an offset as %2B)" if " " in text else ""
        raise BadRequest(f"{name}: {text!r} is not a time like 2026-01-09T13:00:00Z{hint}.", name) from None
    if at.tzinfo is None:
        raise BadRequest(f"{name}: {text!r} has no time zone. Write it like 2026-01-09T13:00:00Z.", name)
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise BadRequest(f"{name}: {text!r} lies outside the calendar.", name) from None


def _not_too_long(window: Window, name: str) -> Window:
    return window if window.length <= LONGEST else _too_long(name)


def _too_long(name: str) -> Window:
    raise TooComplex(f"{name} is longer than {LONGEST.days:,} days. Use a shorter one.", name)
