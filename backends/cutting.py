"""Questions cut to what one store answers for, and the answers joined again. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from backends.backend import (
    IncidentRecord,
    LoggedEvent,
    PageQuestion,
    PaymentEvent,
    PaymentRecord,
    SessionQuestion,
    SessionRecord,
    Staked,
    StakeQuestion,
    StreamQuestion,
    StreamRecord,
)
from backends.routing import FOREVER_MS, Ask, Asked, Regions
from metrics.dimension import INDEX, Dimension
from metrics.evidence import EvidenceQuestion
from metrics.fact import Fact
from metrics.fold import join
from metrics.question import Question, Where
from metrics.row import Row
from metrics.sighting import Seen, SightingQuestion, Trait
from metrics.window import Window

Key = TypeVar("Key", Dimension, Trait)
Listed = TypeVar("Listed", PaymentRecord, IncidentRecord)
Values = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cut:
    """A question to one store; `drop` says which regions of its answer to leave out, where no filter can."""

    store: int
    question: Question
    drop: Regions | None


@dataclass(frozen=True, slots=True)
class SightingCut:
    """The same of sightings."""

    store: int
    question: SightingQuestion
    drop: Regions | None


@dataclass(frozen=True, slots=True)
class SessionCut:
    """The same of sessions."""

    store: int
    question: SessionQuestion
    drop: Regions | None


@dataclass(frozen=True, slots=True)
class EvidenceCut:
    """The same of single facts."""

    store: int
    question: EvidenceQuestion
    drop: Regions | None


def about(question: Question) -> Asked:
    """What a question is about."""
    where = dict(question.where)
    return Asked(question.window.start_ms, question.window.end_ms, *_named(where, Dimension.SOURCE, Dimension.REGION))


def about_seen(question: SightingQuestion) -> Asked:
    """What a question about sightings is about: no time, for it is only told of the whole."""
    return Asked(-FOREVER_MS, FOREVER_MS, *_named(dict(question.where), Trait.SOURCE, Trait.REGION))


def about_evidence(question: EvidenceQuestion) -> Asked:
    """What a question about single facts is about."""
    named = _named(dict(question.where), Dimension.SOURCE, Dimension.REGION)
    return Asked(question.start_ms, max(question.start_ms, question.end_ms), *named)


def about_sessions(question: SessionQuestion) -> Asked:
    """What a question about sessions is about: they belong to the instant of their request."""
    start = -FOREVER_MS if question.start_ms is None else question.start_ms
    end = FOREVER_MS if question.end_ms is None else question.end_ms
    return Asked(start, max(start, end), *_named(dict(question.where), Dimension.SOURCE, Dimension.REGION))


def cut(question: Question, ask: Ask) -> Cut:
    """The part of a question that a store answers."""
    where, drop = _narrowed(dict(question.where), Dimension.SOURCE, Dimension.REGION, ask)
    by = question.by if drop is None else (*question.by, Dimension.REGION)
    window = Window.of_ms(ask.start_ms, ask.end_ms)
    return Cut(ask.store, Question.of(question.measures, window, question.grain, by, where), drop)


def joined(question: Question, parts: Sequence[tuple[Cut, Sequence[Row]]]) -> Sequence[Row]:
    """The rows that answer a question, from those of its cuts."""
    if len(parts) == 1 and parts[0][0].drop is None:
        return parts[0][1]
    return join([_kept(question, *part) for part in parts], question.measures)


def _kept(question: Question, made: Cut, rows: Sequence[Row]) -> Iterable[Row]:
    if made.drop is None:
        return rows
    by = made.question.by
    region, places = by.index(Dimension.REGION), [by.index(dimension) for dimension in question.by]
    return [
        Row(row.start_ms, tuple(row.by[place] for place in places), row.sums)
        for row in rows
        if made.drop.admit(row.by[region])
    ]


def cut_seen(question: SightingQuestion, ask: Ask, alone: bool) -> SightingCut:
    """The part of a question about sightings. Only one who is asked alone can test `since_ms`: of a whole it is."""
    where, drop = _narrowed(dict(question.where), Trait.SOURCE, Trait.REGION, ask)
    by = question.by if drop is None else (*question.by, Trait.REGION)
    since_ms = question.since_ms if alone and drop is None else None
    return SightingCut(ask.store, SightingQuestion.of(by, where, since_ms), drop)


def joined_seen(question: SightingQuestion, parts: Sequence[tuple[SightingCut, Sequence[Seen]]]) -> Sequence[Seen]:
    """The sightings that answer a question."""
    if len(parts) == 1 and parts[0][0].drop is None:
        return parts[0][1]
    found: dict[tuple[str | None, ...], tuple[int, int]] = {}
    for made, seen in parts:
        by = made.question.by
        places = [by.index(trait) for trait in question.by]
        for one in seen:
            if made.drop is not None and not made.drop.admit(one.traits[by.index(Trait.REGION)]):
                continue
            key = tuple(one.traits[place] for place in places)
            first, last = found.get(key, (one.first_ms, one.last_ms))
            found[key] = min(first, one.first_ms), max(last, one.last_ms)
    since = question.since_ms
    kept = (Seen(key, first, last) for key, (first, last) in found.items() if since is None or last >= since)
    return sorted(kept, key=lambda one: tuple((value is None, value or "") for value in one.traits))


def cut_evidence(question: EvidenceQuestion, ask: Ask) -> EvidenceCut:
    """The part of a question about single facts."""
    told, drop = _narrowed(dict(question.where), Dimension.SOURCE, Dimension.REGION, ask)
    return EvidenceCut(ask.store, replace(question, start_ms=ask.start_ms, end_ms=ask.end_ms, where=_where(told)), drop)


def joined_evidence(question: EvidenceQuestion, parts: Iterable[Sequence[Fact]]) -> Sequence[Fact]:
    """The first facts of all, each once."""
    found: dict[tuple[str, str], Fact] = {}
    for facts in parts:
        for fact in facts:
            found.setdefault((fact.owner, fact.key), fact)
    return sorted(found.values(), key=lambda fact: (fact.at_ms, fact.owner, fact.key))[: question.limit]


def cut_sessions(question: SessionQuestion, ask: Ask) -> SessionCut:
    """The part of a question about sessions."""
    told, drop = _narrowed(dict(question.where), Dimension.SOURCE, Dimension.REGION, ask)
    start_ms, end_ms = _bound(ask.start_ms), _bound(ask.end_ms)
    return SessionCut(ask.store, replace(question, start_ms=start_ms, end_ms=end_ms, where=_where(told)), drop)


def joined_sessions(question: SessionQuestion, parts: Iterable[Sequence[SessionRecord]]) -> Sequence[SessionRecord]:
    """The first sessions of all, each once."""
    found: dict[str, SessionRecord] = {}
    for records in parts:
        for record in records:
            found.setdefault(record.owner, record)
    return sorted(found.values(), key=lambda record: (record.requested_ms, record.owner))[: question.limit]


def joined_events(parts: Iterable[Sequence[LoggedEvent]]) -> Sequence[LoggedEvent]:
    """The events of all, each identity once."""
    found: dict[tuple[str, str], LoggedEvent] = {}
    for events in parts:
        for event in events:
            found.setdefault((event.source, event.id), event)
    return sorted(found.values(), key=lambda event: (event.owner, event.at_ms, event.id, event.source))


def joined_stakes(question: StakeQuestion, parts: Iterable[Sequence[Staked]]) -> Sequence[Staked]:
    """What was staked at `first_ms` by the latest statement of any store, and what came later.

    Of two statements of one instant that of the store listed first counts: a store does not tell their ids.
    """
    found: dict[tuple[str, int], Staked] = {}
    for stakes in parts:
        for one in stakes:
            found.setdefault((one.orchestrator, one.at_ms), one)
    since: dict[str, int] = {}
    for name, at_ms in found:
        if at_ms <= question.first_ms:
            since[name] = max(at_ms, since.get(name, at_ms))
    return [one for (name, at_ms), one in sorted(found.items()) if at_ms >= since.get(name, at_ms)]


def about_page(question: PageQuestion) -> Asked:
    """What a page of payments or incidents is about: a stretch of time."""
    return Asked(question.start_ms, question.end_ms)


def cut_pages(question: PageQuestion, asks: Iterable[Ask]) -> list[tuple[int, PageQuestion]]:
    """The same question for each store and stretch of time that it answers for; what two tell is told once later."""
    stretches = {(ask.store, ask.start_ms, ask.end_ms): None for ask in asks}
    return [(store, replace(question, start_ms=start_ms, end_ms=end_ms)) for store, start_ms, end_ms in stretches]


def joined_pages(question: PageQuestion, parts: Iterable[Sequence[Listed]]) -> list[Listed]:
    """The first `limit` of each wallet, each record once, with its body where any store has it."""
    found: dict[tuple[Any, ...], Listed] = {}
    for records in parts:
        for record in records:
            place = tuple(record[:4])  # wallet, instant, source, and the id or key
            if place not in found or (isinstance(record, IncidentRecord) and record.body):
                found[place] = record
    ordered = sorted(found.items(), key=lambda one: one[0], reverse=True)
    by_wallet: dict[str, list[Listed]] = {}
    for place, record in ordered:
        by_wallet.setdefault(str(place[0]), []).append(record)
    return [one for wallet in sorted(by_wallet) for one in by_wallet[wallet][: question.limit]]


def joined_payment_events(parts: Iterable[Sequence[PaymentEvent]]) -> list[PaymentEvent]:
    """The events of all, each once."""
    found = {(event.source, event.id): event for events in reversed([*parts]) for event in events}
    return sorted(found.values())


def merged_stream(records: Sequence[StreamRecord]) -> StreamRecord | None:
    """One stream as several stores tell it; None where they tell its first session apart and only that can decide."""
    started_ms = min(record.started_ms for record in records)
    first = {(record.workflow, record.gateway) for record in records if record.started_ms == started_ms}
    if len(first) > 1:
        return None
    return StreamRecord(records[0].stream_id, started_ms, max(record.last_ms for record in records), *first.pop())


def in_bounds(stream: StreamRecord, question: StreamQuestion) -> bool:
    """Does it lie between the question's positions?"""
    here = (stream.started_ms, stream.stream_id)
    low, high = (question.before, question.after) if question.descending else (question.after, question.before)
    return (low is None or here > low) and (high is None or here < high)


def _where(told: Mapping[Dimension, Iterable[str]]) -> Where:
    return tuple((key, tuple(sorted(told[key]))) for key in sorted(told, key=INDEX.__getitem__))


def _bound(at_ms: int) -> int | None:
    return None if abs(at_ms) >= FOREVER_MS else at_ms


def _named(
    where: Mapping[Key, Values], source: Key, region: Key
) -> tuple[frozenset[str] | None, frozenset[str] | None]:
    sources, regions = where.get(source), where.get(region)
    # A blank text is a value that nothing has.
    return (
        None if sources is None else frozenset(sources) - {""},
        None if regions is None else frozenset(regions) - {""},
    )


def _narrowed(
    where: Mapping[Key, Values], source: Key, region: Key, ask: Ask
) -> tuple[dict[Key, Iterable[str]], Regions | None]:
    """The filter of a cut, and the regions to keep where it cannot say them."""
    told: dict[Key, Iterable[str]] = dict(where)
    if ask.sources is not None:
        told[source] = ask.sources.intersection(where[source]) if source in where else ask.sources
    if ask.regions is None:
        return told, None
    if region in where:
        told[region] = [value for value in where[region] if value and ask.regions.admit(value)]
        return told, None
    if ask.regions.plain:
        told[region] = ask.regions.names
        return told, None
    return told, ask.regions
