"""The plan of sightings: like `resolvers.plan`, for who was seen with whom."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

from metrics.sighting import Seen, SightingQuestion, Trait


@dataclass(frozen=True, slots=True)
class Look:
    """One sighting question to a store, and the questions that it answers."""

    question: SightingQuestion
    askers: tuple[SightingQuestion, ...]
    varying: tuple[Trait, ...] = ()


def plan_seen(questions: Iterable[SightingQuestion]) -> list[Look]:
    """The looks that answer these questions: one for each `by` and set of filtered traits."""
    shapes: dict[tuple[object, ...], dict[SightingQuestion, None]] = defaultdict(dict)
    for question in questions:
        shapes[question.by, tuple(trait for trait, _ in question.where)][question] = None
    return [_merged(tuple(askers)) for askers in shapes.values()]


def split_seen(look: Look, found: Sequence[Seen]) -> dict[SightingQuestion, list[Seen]]:
    """What each asker gets: what `metrics.sighting.seen` would have answered it."""
    if len(look.askers) == 1:
        return {look.askers[0]: list(found)}
    places = [look.question.by.index(trait) for trait in look.varying]
    index: dict[tuple[str | None, ...], list[Seen]] = defaultdict(list)
    for one in found:
        index[tuple(one.traits[place] for place in places)].append(one)
    return {asker: _own(look, asker, index) for asker in look.askers}


def _merged(askers: tuple[SightingQuestion, ...]) -> Look:
    if len(askers) == 1:
        return Look(askers[0], askers)
    where: dict[Trait, set[str]] = {trait: set() for trait, _ in askers[0].where}
    told: dict[Trait, set[tuple[str, ...]]] = {trait: set() for trait in where}
    for asker in askers:
        for trait, values in asker.where:
            where[trait].update(values)
            told[trait].add(values)
    varying = tuple(trait for trait, seen in told.items() if len(seen) > 1)
    # `since_ms` is tested on whole combinations, so a finer read must not test it.
    return Look(SightingQuestion.of((*askers[0].by, *varying), where), askers, varying)


def _own(look: Look, asker: SightingQuestion, index: dict[tuple[str | None, ...], list[Seen]]) -> list[Seen]:
    wanted = [values for trait, values in asker.where if trait in look.varying]
    places = [look.question.by.index(trait) for trait in asker.by]
    found: dict[tuple[str | None, ...], tuple[int, int]] = {}
    for key in product(*wanted):
        for one in index.get(key, ()):
            traits = tuple(one.traits[place] for place in places)
            first, last = found.get(traits, (one.first_ms, one.last_ms))
            found[traits] = (min(first, one.first_ms), max(last, one.last_ms))
    since = asker.since_ms
    kept = (Seen(traits, first, last) for traits, (first, last) in found.items() if since is None or last >= since)
    return sorted(kept, key=lambda one: tuple((value is None, value or "") for value in one.traits))
