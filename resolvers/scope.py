"""Scopes: what an answer counts. An entity reached through another counts only what belongs to both."""

from collections.abc import Iterable, Mapping

from metrics.dimension import Dimension, synthetic
from metrics.sighting import Trait

Scope = Mapping[Dimension, tuple[str, ...]]

EVERYWHERE: Scope = {}


def narrowed(scope: Scope, dimension: Dimension, values: Iterable[str]) -> Scope:
    """The part of the scope in which the dimension has one of these values."""
    wanted = frozenset(values)
    held = scope.get(dimension)
    kept = wanted if held is None else wanted.intersection(held)
    return {**scope, dimension: tuple(sorted(kept))}


def without(scope: Scope, dimension: Dimension) -> Scope:
    """The scope that others of a kind share: a GPU's orchestrators are all of them, whichever one led to the GPU."""
    return {held: values for held, values in scope.items() if held is not dimension}


def filtered(
    scope: Scope,
    workflow: str | None = None,
    region: str | None = None,
    gateway: str | None = None,
    is_synthetic: bool | None = None,
) -> Scope:
    """The part of the scope that the arguments of something measured leave."""
    asked = {
        Dimension.WORKFLOW: workflow,
        Dimension.REGION: region,
        Dimension.GATEWAY: None if gateway is None else gateway_id(gateway),
        Dimension.SYNTHETIC: None if is_synthetic is None else synthetic(is_synthetic),
    }
    for dimension, value in asked.items():
        if value is not None:
            scope = narrowed(scope, dimension, (value,))
    return scope


def gateway_id(text: str) -> str:
    """A gateway's id as it is kept: a wallet in lower case, a name as it is."""
    return text.lower() if text[:2].lower() == "0x" else text


def is_empty(scope: Scope) -> bool:
    """Can nothing belong to this scope?"""
    return any(not values for values in scope.values())


def traits_of(scope: Scope) -> dict[Trait, tuple[str, ...]]:
    """The scope in terms of sightings, which do not tell synthetic from real."""
    return {
        Trait(dimension.value): values for dimension, values in scope.items() if dimension is not Dimension.SYNTHETIC
    }
