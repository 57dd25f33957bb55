"""Filters of streams. A stream passes where one of its sessions does, and where it started in the asked time.

Stores filter sessions by lists of values, so a filter is brought into the form "this or that or …", each part a list of
values per dimension; a test such as `ne` or `contains` becomes the list of known values that pass it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from backends.backend import SessionQuestion
from metrics.dimension import INDEX, Dimension
from metrics.errors import TooComplex
from resolvers.scope import Scope, is_empty, narrowed

MAX_PARTS = 8
OUTCOMES = ("SERVED", "UNSERVED", "STARTUP_FAILED", "OUTPUT_FAILED", "ABANDONED", "OPEN")


@dataclass(frozen=True, slots=True)
class Has:
    """The session's dimension passes a test; a session that does not know it never passes."""

    dimension: Dimension
    allowed: Callable[[Sequence[str]], bool]


@dataclass(frozen=True, slots=True)
class Ended:
    """The session's outcome passes a test."""

    allowed: Callable[[Sequence[str]], bool]


@dataclass(frozen=True, slots=True)
class Started:
    """The stream started at or after `since_ms` and before `until_ms`."""

    since_ms: int | None = None
    until_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Both:
    """Every part holds."""

    parts: tuple["StreamTest", ...] = ()


@dataclass(frozen=True, slots=True)
class Either:
    """Some part holds."""

    parts: tuple["StreamTest", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: "StreamTest"


StreamTest: TypeAlias = Has | Ended | Started | Both | Either | Not
EVERY_STREAM = Both()


@dataclass(frozen=True, slots=True)
class Part:
    """Sessions that a store can filter, and when their stream started."""

    scope: Scope
    outcomes: tuple[str, ...] | None = None
    since_ms: int | None = None
    until_ms: int | None = None

    @property
    def sessions(self) -> SessionQuestion:
        """The sessions of this part."""
        where = tuple((dimension, self.scope[dimension]) for dimension in sorted(self.scope, key=INDEX.__getitem__))
        return SessionQuestion(where=where, outcomes=self.outcomes or ())

    @property
    def is_empty(self) -> bool:
        """Can nothing pass?"""
        return is_empty(self.scope) or self.outcomes == ()


def dimensions(test: StreamTest) -> set[Dimension]:
    """The dimensions whose known values a test needs."""
    if isinstance(test, Has):
        return {test.dimension}
    if isinstance(test, Not):
        return dimensions(test.part)
    inner = test.parts if isinstance(test, Both | Either) else ()
    return {dimension for part in inner for dimension in dimensions(part)}


def parts_of(test: StreamTest, known: Mapping[Dimension, Sequence[str]], scope: Scope) -> list[Part]:
    """The parts that together are the test, within a scope; those that nothing can pass are left out."""
    return [part for part in _parts(test, known, [Part(scope)], True) if not part.is_empty]


def _parts(test: StreamTest, known: Mapping[Dimension, Sequence[str]], bases: list[Part], holds: bool) -> list[Part]:
    """Each base, narrowed to where the test holds (or does not)."""
    if isinstance(test, Not):
        return _parts(test.part, known, bases, not holds)
    if isinstance(test, Both | Either):
        if isinstance(test, Both) is holds:
            for part in test.parts:
                bases = _parts(part, known, bases, holds)
            return bases
        found = [made for part in test.parts for made in _parts(part, known, bases, holds)]
        if len(found) > MAX_PARTS:
            raise TooComplex(f"the filter has more than {MAX_PARTS} alternatives. Use `in` instead of `or`.", "filter")
        return found
    return [made for base in bases for made in _leaf(test, known, base, holds)]


def _leaf(test: Has | Ended | Started, known: Mapping[Dimension, Sequence[str]], base: Part, holds: bool) -> list[Part]:
    if isinstance(test, Has):
        values = [value for value in known[test.dimension] if test.allowed((value,)) is holds]
        return [replace(base, scope=narrowed(base.scope, test.dimension, values))]
    if isinstance(test, Ended):
        passing = [name for name in base.outcomes or OUTCOMES if test.allowed((name,)) is holds]
        return [replace(base, outcomes=() if base.outcomes == () else tuple(passing))]
    if holds:
        return [_within(base, test.since_ms, test.until_ms)]
    # Outside an interval is before it or after it.
    before = [_within(base, None, test.since_ms)] if test.since_ms is not None else []
    return before + ([_within(base, test.until_ms, None)] if test.until_ms is not None else [])


def _within(base: Part, since: int | None, until: int | None) -> Part:
    return replace(base, since_ms=_of(max, base.since_ms, since), until_ms=_of(min, base.until_ms, until))


def _of(choose: Callable[[Iterable[int]], int], *bounds: int | None) -> int | None:
    given = [bound for bound in bounds if bound is not None]
    return choose(given) if given else None
