"""Lists of entities: filtered, ordered, cut into pages."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from metrics.errors import BadRequest
from metrics.sighting import Trait
from resolvers.condition import EVERYTHING, Condition
from resolvers.context import Context
from resolvers.entities import Entity, Kind, entities
from resolvers.order import BY_KEY, Order, Rank, rank, values
from resolvers.page import Page, Slice, cut, decoded, encoded, foreign
from resolvers.ranking import AsOf, Ranking, between, gone
from resolvers.scope import EVERYWHERE, Scope, narrowed


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of entities, and how many there are in all."""

    page: Page[Entity]
    total: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entities are listed in which order, knowing which traits."""

    kind: Kind
    condition: Condition
    order: Order
    scope: Scope
    traits: frozenset[Trait]

    @property
    def scheme(self) -> str:
        """What a cursor into the ranking belongs to: the list as it was asked for, whenever that was."""
        said = f"{sorted(self.scope.items())} {self.condition.said}"
        return f"{self.kind.name} {self.order} {blake2b(said.encode(), digest_size=16).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Mark:
    """What a cursor into a ranking says: which one, and where in it."""

    as_of: AsOf
    index: int


async def listing(
    context: Context,
    kind: Kind,
    wanted: Slice,
    traits: Iterable[Trait] = (),
    condition: Condition = EVERYTHING,
    order: Order = BY_KEY,
    scope: Scope = EVERYWHERE,
) -> Listing:
    """A page of the entities of a scope that pass the condition, in this order, knowing these traits.

    Keys do not move: a page goes on behind a key. Everything else does, so that its order stays that of the first page.
    """
    what = Wanted(kind, condition, order, scope, frozenset(traits) - {kind.trait})
    return await (_by_key(context, what, wanted) if order.is_by_key else _ranked(context, what, wanted))


async def _by_key(context: Context, what: Wanted, wanted: Slice) -> Listing:
    order = what.order
    found = await _passing(context, what)
    found.sort(key=lambda one: rank(one.key, one.key, order.descending))
    ranks = [rank(one.key, one.key, order.descending) for one in found]

    def position(one: Entity) -> list[Any]:
        return [one.key]

    def of_position(at: list[Any]) -> Rank:
        (key,) = at
        return rank(key, key, order.descending)

    page = cut(ranks, found, wanted, f"{what.kind.name} {order}", position, of_position)
    return Listing(page, len(found))


async def _ranked(context: Context, what: Wanted, wanted: Slice) -> Listing:
    after, before = (_mark(what.scheme, wanted, argument) for argument in ("after", "before"))
    if after and before and after.as_of != before.as_of:
        raise foreign("before")
    known: Mapping[str, Entity] = {}
    if mark := after or before:
        as_of = mark.as_of
        ranking = context.rankings.get((what.scheme, as_of))
        if ranking is None:
            ranking = await _again(context, what, as_of, "after" if after else "before")
    else:
        # Before anything is read: what is read may be newer than this version, never older.
        as_of = AsOf((await context.holds()).version, what.order.window)
        ranking = context.rankings.get((what.scheme, as_of))
        if ranking is None:
            known, ranking = await _made(context, what)
            # An order made without a store is not the order of these data.
            as_of = as_of._replace(version=as_of.version ^ context.missing_mark)
    if len(ranking) > wanted.size:
        ranking = context.rankings.keep((what.scheme, as_of), ranking)
    low, high = between(
        len(ranking),
        wanted.size,
        wanted.backward,
        None if after is None else after.index,
        None if before is None else before.index,
    )
    keys = ranking.keys(low, high)
    if not known.keys() >= set(keys):
        known = await _of_keys(context, what, keys)
    items = [
        (encoded(what.scheme, [*as_of.in_cursor, low + number]), known[key])
        for number, key in enumerate(keys)
        if key in known
    ]
    return Listing(Page(items, has_next=high < len(ranking), has_previous=low > 0), len(ranking))


def _mark(scheme: str, wanted: Slice, argument: str) -> Mark | None:
    cursor = wanted.after if argument == "after" else wanted.before
    if cursor is None:
        return None
    try:
        *as_of, index = decoded(scheme, cursor, argument)
        return Mark(AsOf.of_cursor(*as_of), max(0, int(index)))
    except (TypeError, ValueError, OverflowError, BadRequest):
        raise foreign(argument) from None


async def _made(context: Context, what: Wanted) -> tuple[Mapping[str, Entity], Ranking]:
    """The entities that pass, and their order."""
    found = await _passing(context, what)
    by = await values(context, what.kind, found, what.order, what.scope)
    found.sort(key=lambda one: rank(by.get(one.key), one.key, what.order.descending))
    return {one.key: one for one in found}, Ranking(one.key for one in found)


async def _again(context: Context, what: Wanted, as_of: AsOf, argument: str) -> Ranking:
    """The ranking that is no longer kept, made again. Raises BadRequest where the data have changed since."""
    if (await context.backend.holds()).version == as_of.version:
        _, ranking = await _made(context, replace(what, order=replace(what.order, window=as_of.window)))
        if (await context.backend.holds()).version == as_of.version:
            return ranking
    raise gone(argument)


async def _passing(context: Context, what: Wanted) -> list[Entity]:
    needed = {*what.traits, *what.condition.traits, *what.order.traits} - {what.kind.trait}
    return [one for one in await entities(context, what.kind, needed, what.scope) if what.condition.test(one)]


async def _of_keys(context: Context, what: Wanted, keys: Collection[str]) -> Mapping[str, Entity]:
    scope = narrowed(what.scope, what.kind.dimension, keys)
    return {one.key: one for one in await entities(context, what.kind, what.traits, scope)}
