"""Updates: what differs from what a subscriber was told. A cursor says what that was, so that nothing else must know.

A cursor holds a print (a short hash) of each bucket or incident that is watched. It is good in every process and after
every restart: what changed meanwhile has another print.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from backends.backend import PageQuestion
from metrics.buckets import Buckets
from metrics.dimension import Dimension
from metrics.errors import BadRequest
from metrics.window import HOUR_MS, Grain, Window, from_ms, to_ms
from resolvers.context import Context
from resolvers.figures import NOTHING, Figures, Sums
from resolvers.measured import Asked, Bucket, Fill, Series, is_partial, targets_of
from resolvers.page import decoded, encoded
from resolvers.scope import EVERYWHERE, Scope, filtered, narrowed
from resolvers.wallet_lists import Incident, incident

# Buckets that are watched, the running one included: what comes later than that is told to nobody.
WATCHED = 30
# Buckets that a cursor may lie back.
MISSED = 1_000
INCIDENTS = 100
INCIDENTS_WATCHED_MS = HOUR_MS
PRINT_BYTES = 4
NO_PRINT = bytes(PRINT_BYTES)

Prints = Mapping[int, bytes]


@dataclass(slots=True)
class Turn:
    """One look at what there is for a subscriber: what it was told, and what it is told now."""

    told: str | None
    is_first: bool
    cursor: str | None = None
    has_news: bool = False


@dataclass(frozen=True, slots=True)
class Topic:
    """Which buckets are watched."""

    orchestrator: str | None
    workflow: str | None
    interval: Grain

    @property
    def scope(self) -> Scope:
        """What they count."""
        held = filtered(EVERYWHERE, workflow=self.workflow)
        return held if self.orchestrator is None else narrowed(held, Dimension.ORCHESTRATOR, (self.orchestrator,))

    @property
    def scheme(self) -> str:
        """What a cursor belongs to."""
        return f"metricsUpdated {[self.orchestrator, self.workflow, self.interval.name]}"


async def changed_buckets(context: Context, turn: Turn, topic: Topic, asked: Asked) -> list[Bucket]:
    """The watched buckets that differ from what was told, in order of time. The turn then knows the next cursor.

    Raises BadRequest for a cursor of another topic, or one that lies too far back.
    """
    grain = topic.interval
    told = _told_prints(topic, turn.told)
    last = grain.floor(to_ms(context.now))
    first = watched_from = max(0, last - (WATCHED - 1) * grain.value)
    if turn.is_first and told:
        # Whoever comes back may have missed more than is watched.
        first = max(0, min(first, min(told)))
        if (last - first) // grain.value > MISSED:
            raise _too_old(from_ms(first))
    window = Window.of_ms(first, last + grain.value)
    buckets = await Series(context, topic.scope, window, Buckets(grain), Fill.NONE).buckets(asked)
    found = {to_ms(one.start): one for one in buckets}
    prints = {start: print_of(one.metrics.sums, one.partial) for start, one in found.items()}
    # Evidence that was withdrawn is told too.
    gone = {start for start, mark in told.items() if start >= first and start not in found and mark != NO_PRINT}
    reach = (await context.holds()).latest_ms
    for start in gone:
        span = Window.of_ms(start, start + grain.value)
        figures = Figures(context, span, NOTHING, targets=targets_of(context, topic.scope))
        is_open = is_partial(span.start_ms, span.end_ms, window, reach)
        found[start] = Bucket(span.start, span.end, is_open, figures)
    news = sorted(gone | {start for start, mark in prints.items() if told.get(start) != mark})
    turn.has_news = turn.is_first or bool(news)
    turn.cursor = _cursor(topic, watched_from, last, prints)
    return [found[start] for start in news]


def print_of(sums: Sums, partial: bool) -> bytes:
    """A short hash of what a bucket holds; the same in every process."""
    held = [(name, sorted(sum.items()) if isinstance(sum, Mapping) else sum) for name, sum in sorted(sums.items())]
    return _print((held, partial))


async def new_incidents(context: Context, turn: Turn, wallet: str) -> tuple[list[Incident], bool]:
    """Incidents of an orchestrator that were not told yet, the oldest first, and whether there are more of them."""
    now_ms = to_ms(context.now)
    since, told = now_ms - INCIDENTS_WATCHED_MS, frozenset[bytes]()
    if turn.told is not None:
        told_since, told = _told_incidents(wallet, turn.told, now_ms)
        since = min(since, told_since) if turn.is_first else since
    # A clock that goes ahead by a little hides nothing.
    question = PageQuestion((wallet,), max(0, since), now_ms + HOUR_MS, limit=INCIDENTS + 1)
    records = list(await context.incidents(question))
    marks = [_print((one.at_ms, one.source, one.key)) for one in records]
    news = [record for record, mark in zip(records[:INCIDENTS], marks, strict=False) if mark not in told]
    has_more = len(news) == INCIDENTS < len(records) and marks[-1] not in told
    turn.has_news = turn.is_first or bool(news)
    turn.cursor = encoded(_of_incidents(wallet), [now_ms - INCIDENTS_WATCHED_MS, _text(marks[:INCIDENTS])])
    return [incident(one, context.insides) for one in reversed(news)], has_more


def _cursor(topic: Topic, first: int, last: int, prints: Prints) -> str:
    starts = range(first, last + topic.interval.value, topic.interval.value)
    return encoded(topic.scheme, [first, _text([prints.get(start, NO_PRINT) for start in starts])])


def _told_prints(topic: Topic, cursor: str | None) -> Prints:
    if cursor is None:
        return {}
    first, marks = _read(topic.scheme, cursor, WATCHED)
    if first != max(0, topic.interval.floor(first)):
        raise _foreign()
    return {first + index * topic.interval.value: mark for index, mark in enumerate(marks)}


def _told_incidents(wallet: str, cursor: str, now_ms: int) -> tuple[int, frozenset[bytes]]:
    since, marks = _read(_of_incidents(wallet), cursor, INCIDENTS)
    return min(since, now_ms), frozenset(marks)


def _of_incidents(wallet: str) -> str:
    return f"incidents {wallet}"


def _read(scheme: str, cursor: str, most: int) -> tuple[int, Sequence[bytes]]:
    """The time and the prints of a cursor, whoever wrote it. Raises BadRequest where it is none of this scheme."""
    try:
        at_ms, text = decoded(scheme, cursor, "after")
        raw = base64.b64decode(text, validate=True)
    except (BadRequest, TypeError, ValueError, binascii.Error):
        raise _foreign() from None
    if type(at_ms) is not int or at_ms < 0 or len(raw) % PRINT_BYTES or len(raw) > most * PRINT_BYTES:
        raise _foreign()
    return at_ms, [raw[at : at + PRINT_BYTES] for at in range(0, len(raw), PRINT_BYTES)]


def _text(marks: Sequence[bytes]) -> str:
    return base64.b64encode(b"".join(marks)).decode()


def _print(value: Any) -> bytes:
    return hashlib.blake2b(repr(value).encode(), digest_size=PRINT_BYTES).digest()


def _foreign() -> BadRequest:
    return BadRequest("after is no cursor of this subscription with these arguments. Take it from an update.", "after")


def _too_old(at: datetime) -> BadRequest:
    since = at.isoformat().replace("+00:00", "Z")
    return BadRequest(
        f"after lies more than {MISSED:,} buckets back. Read `series` since {since}, and subscribe without after.",
        "after",
    )
