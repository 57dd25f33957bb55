"""Conditions: what a filter lets through, and which traits it must know for that.

An entity has sets of values (an orchestrator has several workflows): `eq` and `in` ask whether it has such a one, `ne`
and `notIn` whether it has none.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from metrics.sighting import Trait
from resolvers.entities import Entity


@dataclass(frozen=True, slots=True)
class Condition:
    """A test of entities."""

    test: Callable[[Entity], bool]
    traits: frozenset[Trait] = frozenset()
    # The filter as it was written, to know it again: tests cannot be compared.
    said: str = ""


EVERYTHING = Condition(lambda entity: True)


def key(allowed: Callable[[Sequence[str]], bool]) -> Condition:
    """A test of the entity's own key."""
    return Condition(lambda entity: allowed((entity.key,)))


def trait(name: Trait, allowed: Callable[[Sequence[str]], bool]) -> Condition:
    """A test of all values that a trait has."""
    return Condition(lambda entity: allowed(entity.traits[name]), frozenset((name,)))


def time(name: str, allowed: Callable[[int], bool]) -> Condition:
    """A test of `first_ms` or `last_ms`."""
    return Condition(lambda entity: allowed(getattr(entity, name)))


def all_of(conditions: Iterable[Condition]) -> Condition:
    """Every condition holds."""
    parts = tuple(conditions)
    return Condition(lambda entity: all(part.test(entity) for part in parts), _traits(parts))


def any_of(conditions: Iterable[Condition]) -> Condition:
    """Some condition holds."""
    parts = tuple(conditions)
    return Condition(lambda entity: any(part.test(entity) for part in parts), _traits(parts))


def negated(condition: Condition) -> Condition:
    """The condition does not hold."""
    return Condition(lambda entity: not condition.test(entity), condition.traits)


def _traits(conditions: Iterable[Condition]) -> frozenset[Trait]:
    return frozenset(trait for condition in conditions for trait in condition.traits)
