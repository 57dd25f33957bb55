"""The parameters that REST paths share. A bad one is an error that names it; it never falls back to a default."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from metrics.errors import BadRequest, TooComplex
from metrics.window import Grain, Window, to_ms
from resolvers.scope import gateway_id
from rest.parameter import MAX_TEXT, Parameter
from rest.schema import Schema
from rest.tables import MEDIA_TYPES

ADDRESS = "0[xX][0-9a-fA-F]{40}"
LAST = "([1-9][0-9]{0,5})m|([1-9][0-9]{0,3})h|([1-9][0-9]{0,2})d|([1-9][0-9]?)w"
MOST = "at most 999999m, 9999h, 999d or 99w"
INSTANT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.][0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:[0-9]{2})"
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# Something to read, and nothing of the above.
NAME = r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$"
# Until the year 2286.
UNIX = "[0-9]{1,10}(?:[.][0-9]{1,9})?"
SOURCE_NAME = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
UNITS = ("minutes", "hours", "days", "weeks")
INTERVALS = {"1h": Grain.HOUR, "1d": Grain.DAY, "1w": Grain.WEEK}
LONGEST = timedelta(days=3700)
MAX_LIMIT = 1000
# A cursor holds a key of several texts, and must fit wherever we gave it out.
MAX_CURSOR = 8 * MAX_TEXT


@dataclass(frozen=True, slots=True)
class TimeRange:
    """A time range as it was written: so long until now, or from a start to an end."""

    text: str
    last: timedelta | None = None
    window: Window | None = None

    def until(self, clock: Callable[[], datetime]) -> Window:
        """The window that it means now; the clock is asked only where that matters."""
        if self.window is not None:
            return self.window
        assert self.last is not None
        now = clock()
        return Window(now - self.last, now)

    def __str__(self) -> str:
        return self.text


def unix_ms(text: str, name: str) -> int:
    """Unix seconds, perhaps fractional, as milliseconds; what is finer is cut off."""
    if not re.fullmatch(UNIX, text):
        raise BadRequest(f"{name} must be Unix seconds such as 1767967200 or 1767967200.5, not {text[:80]!r}.", name)
    return int(Decimal(text) * 1000)


def plain(text: str, name: str) -> str:
    """The text as it is."""
    if CONTROL.search(text):
        raise BadRequest(f"{name} has control characters in it: {text!r}. Leave them out.", name)
    return text


def gateway(text: str, name: str) -> str:
    """A gateway's id."""
    return gateway_id(plain(text, name))


def address(text: str, name: str) -> str:
    """A wallet in lower case."""
    if not re.fullmatch(ADDRESS, text):
        raise BadRequest(f"{name} must be 0x and 40 hexadecimal digits, not {text!r}.", name)
    return text.lower()


def limit(text: str, name: str) -> int:
    """How many items a page may have."""
    if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= MAX_LIMIT:
        raise BadRequest(f"{name} must be a whole number from 1 to {MAX_LIMIT}, not {text!r}.", name)
    return int(text)


def source(text: str, name: str) -> str:
    """The name of a feed."""
    if not re.fullmatch(SOURCE_NAME, text):
        raise BadRequest(
            f"{name} must be 1 to 64 letters, digits, dots, dashes or underscores and begin with a letter or digit, "
            f"not {text[:80]!r}.",
            name,
        )
    return text


def length(text: str, name: str) -> timedelta:
    """`5m`, `24h`, `7d` or `2w`."""
    found = re.fullmatch(LAST, text)
    if found is None:
        raise BadRequest(f"{name} must be like 5m, 24h, 7d or 2w ({MOST}), not {text!r}.", name)
    return next(timedelta(**{unit: int(said)}) for unit, said in zip(UNITS, found.groups(), strict=True) if said)


def time_range(text: str, name: str) -> TimeRange:
    """`5m`, `24h`, `7d` or `2w` until now, or an ISO interval `start/end`."""
    if re.fullmatch(LAST, text):
        return TimeRange(text, last=length(text, name))
    edges = text.split("/")
    if len(edges) != 2:
        raise BadRequest(
            f"{name} must be like 5m, 24h or 7d ({MOST}), or an interval like "
            f"2026-01-09T13:00:00Z/2026-01-09T14:00:00Z, not {text!r}.",
            name,
        )
    start, end = (moment(edge, name) for edge in edges)
    if to_ms(end) <= to_ms(start):
        raise BadRequest(
            f"{name} ends at {edges[1]}, not after its start {edges[0]}. Give an end later than the start, "
            "by a millisecond at least.",
            name,
        )
    if end - start > LONGEST:
        raise TooComplex(f"{name} is longer than {LONGEST.days:,} days. Use a shorter one.", name)
    try:
        return TimeRange(text, window=Window(start, end))
    except BadRequest as error:  # a window calls itself `window`
        raise BadRequest(str(error).replace("window", name, 1), name) from error


def interval(text: str, name: str) -> Grain:
    """How wide the buckets are."""
    return INTERVALS[one_of(*INTERVALS)(text, name)]


def one_of(*values: str) -> Callable[[str, str], str]:
    """A reader of one of these values."""

    def read(text: str, name: str) -> str:
        if text not in values:
            raise BadRequest(f"{name} must be {' or '.join(values)}, not {text!r}.", name)
        return text

    return read


def named(name: str, doc: str, read: Callable[[str, str], str] = plain) -> Parameter[str]:
    """A filter by a name of any letters."""
    return Parameter(name, read, {"type": "string", "pattern": NAME, "maxLength": MAX_TEXT}, doc)


def wallet(name: str, doc: str, required: bool = False) -> Parameter[str]:
    """A wallet."""
    return Parameter(name, address, {"type": "string", "pattern": f"^{ADDRESS}$"}, doc, required=required)


def unix_seconds(name: str, doc: str) -> Parameter[int]:
    """An instant in Unix seconds, read as milliseconds."""
    return Parameter(name, unix_ms, {"type": "string", "pattern": f"^{UNIX}$"}, doc)


def time_range_of(default: str) -> Parameter[TimeRange]:
    """The time range of a list, with this default."""
    return Parameter("time_range", time_range, RANGE, RANGE_DOC, default, selects=False)


RANGE: Schema = {
    "type": "string",
    "anyOf": [
        {"pattern": f"^(?:{LAST})$", "description": "So long until now."},
        {"pattern": f"^{INSTANT}/{INSTANT}$", "format": "interval", "description": "An ISO 8601 interval."},
    ],
}
RANGE_DOC = (
    "`5m`, `24h`, `7d` or `2w` until now, or an interval `start/end`, start included, end excluded, at most "
    f"{LONGEST.days:,} days. Write the + of an offset as %2B. Following pages stay on the window of the first one."
)
WALLET = wallet("o_wallet", "Only this orchestrator, by its wallet, in any case.")
GPU_ID = named("gpu_id", "Only this GPU.")
REGION = named("region", "Only this region.")
WORKFLOW = named("workflow", "Only this workflow: the id of a model.")
GATEWAY = named(
    "gateway", "Only this gateway, by its wallet, in any case, or its name where that is not known.", gateway
)
INTERVAL: Parameter[Grain] = Parameter(
    "interval",
    interval,
    {"type": "string", "enum": [*INTERVALS]},
    "How wide the buckets are; days and weeks are UTC, weeks begin on Monday.",
    "1h",
)
SOURCE = Parameter(
    "source",
    source,
    {"type": "string", "pattern": f"^{SOURCE_NAME}$"},
    "The feed that the events come from.",
    "default",
)
LIMIT = Parameter(
    "limit",
    limit,
    {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT},
    "How many items a page has at most.",
    "100",
    selects=False,
)
CURSOR = Parameter(
    "cursor",
    plain,
    {"type": "string", "pattern": "^[A-Za-z0-9_-]+$", "maxLength": MAX_CURSOR},
    "Go on behind this: `pagination.next_cursor` of the page before, with the same filters.",
    max_length=MAX_CURSOR,
    selects=False,
)
FORMAT = Parameter(
    "format",
    one_of(*MEDIA_TYPES),
    {"type": "string", "enum": [*MEDIA_TYPES]},
    "Instead of the header Accept.",
    selects=False,
)


def moment(text: str, name: str) -> datetime:
    """A time with its zone, in UTC."""
    if not re.fullmatch(INSTANT, text):
        hint = " (write the + of an offset as %2B)" if " " in text else " with its time zone"
        raise BadRequest(f"{name}: {text!r} is not a time like 2026-01-09T13:00:00Z{hint}.", name)
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        raise BadRequest(f"{name}: {text!r} is not in the calendar.", name) from None
    except OverflowError:
        raise BadRequest(f"{name}: {text!r} lies outside the calendar.", name) from None
