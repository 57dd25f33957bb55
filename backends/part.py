"""A part of what stores hold: how they are shared out among several, and what is copied from one to another."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from metrics.errors import BadRequest
from metrics.window import HOUR_MS, to_ms

SOURCE, REGION, FROM, UNTIL = "source", "region", "from", "until"
KEYS = (SOURCE, REGION, FROM, UNTIL)
MOST_TEXT = 200


@dataclass(frozen=True, slots=True)
class Part:
    """What is of these sources and regions (None: of all; region "": none is known) and begins in [from_ms, until_ms).

    Both edges are whole hours (Unix ms; None: open): no span of a fact crosses one, so that parts add up.
    """

    sources: frozenset[str] | None = None
    regions: frozenset[str] | None = None
    from_ms: int | None = None
    until_ms: int | None = None

    def covers(self, source: str, region: str | None, at_ms: int) -> bool:
        """Does something of this source and region, at this instant, belong to the part?"""
        if self.sources is not None and source not in self.sources:
            return False
        if self.regions is not None and (region or "") not in self.regions:
            return False
        return self.reaches(at_ms, at_ms + 1)

    def reaches(self, start_ms: int, end_ms: int) -> bool:
        """Does it contain all of [start_ms, end_ms)?"""
        return (self.from_ms is None or self.from_ms <= start_ms) and (self.until_ms is None or end_ms <= self.until_ms)


WHOLE = Part()


def part_of(pairs: Iterable[tuple[str, str]], argument: str, label: str = "") -> Part:
    """The part that `source=…`, `region=…`, `from=…`, `until=…` describe. Raises BadRequest about `argument`.

    Its message begins with `label` (the argument itself where none is given).
    `source` and `region` may come several times; `region=` with nothing behind it is what has no region.
    """
    label = label or argument
    sources, regions = set[str](), set[str]()
    edges: dict[str, int] = {}
    for key, value in pairs:
        if key not in KEYS:
            raise BadRequest(f"{label}: {key!r} is none of {', '.join(KEYS)}.", argument)
        if len(value) > MOST_TEXT:
            raise BadRequest(f"{label}: {key} is longer than {MOST_TEXT} characters.", argument)
        if key == SOURCE:
            if not value:
                raise BadRequest(f"{label}: source is blank. Name one, like source=default.", argument)
            sources.add(value)
        elif key == REGION:
            regions.add(value)
        elif key in edges:
            raise BadRequest(f"{label}: {key} is given more than once.", argument)
        else:
            edges[key] = _hour(key, value, argument, label)
    first, end = edges.get(FROM), edges.get(UNTIL)
    if first is not None and end is not None and first >= end:
        raise BadRequest(f"{label}: until must be later than from.", argument)
    return Part(frozenset(sources) or None, frozenset(regions) or None, first, end)


def _hour(key: str, text: str, argument: str, label: str) -> int:
    # In a URL a + stands for a space, also that of a zone.
    example = f"Write a whole hour with its zone, like {key}=2026-01-10T00:00:00Z."
    try:
        at = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    except ValueError:
        raise BadRequest(f"{label}: {key} {text[:40]!r} is not a time. {example}", argument) from None
    if at.tzinfo is None:
        raise BadRequest(f"{label}: {key} {text!r} has no time zone. {example}", argument)
    at_ms = to_ms(at)
    if at_ms % HOUR_MS or at.microsecond:
        raise BadRequest(f"{label}: {key} {text!r} is not a whole hour. {example}", argument)
    return at_ms


def told(part: Part) -> dict[str, Any]:
    """The part as a record that can be written as JSON: the same for equal parts."""
    return {
        SOURCE: None if part.sources is None else sorted(part.sources),
        REGION: None if part.regions is None else sorted(part.regions),
        FROM: part.from_ms,
        UNTIL: part.until_ms,
    }
