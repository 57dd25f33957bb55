"""Lists of entities: filtered, ordered, cut into pages."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from metrics.sighting import Trait
from resolvers.condition import EVERYTHING, Condition
from resolvers.context import Context
from resolvers.entities import Entity, Kind, entities
from resolvers.order import BY_KEY, Order, Rank, rank, values
from resolvers.page import Page, Slice, cut
from resolvers.scope import EVERYWHERE, Scope


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of entities, and how many there are in all."""

    page: Page[Entity]
    total: int


async def listing(
    context: Context,
    kind: Kind,
    wanted: Slice,
    traits: Iterable[Trait] = (),
    condition: Condition = EVERYTHING,
    order: Order = BY_KEY,
    scope: Scope = EVERYWHERE,
) -> Listing:
    """A page of the entities of a scope that pass the condition, in this order, knowing these traits."""
    needed = {*traits, *condition.traits, *order.traits} - {kind.trait}
    found = [one for one in await entities(context, kind, needed, scope) if condition.test(one)]
    by = await values(context, kind, found, order, scope)
    ranked = sorted(
        ((rank(by.get(one.key), one.key, order.descending), one) for one in found), key=lambda pair: pair[0]
    )

    def position(one: Entity) -> list[Any]:
        return [by.get(one.key), one.key]

    def of_position(at: list[Any]) -> Rank:
        value, key = at
        return rank(value, key, order.descending)

    scheme = f"{kind.name} {order}"
    page = cut([first for first, _ in ranked], [one for _, one in ranked], wanted, scheme, position, of_position)
    return Listing(page, len(found))
