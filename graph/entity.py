"""How entities come to be answered: one by one, in lists, in pages; and what they say of themselves.

An entity that comes from a list knows what the query selects of it; one that is only named (by a session, say) is
looked up when something else than its key is asked.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, ClassVar, Protocol, TypeVar, cast

from strawberry.types import Info

from graph.connection import Connection, Paged
from graph.selection import selected
from metrics.sighting import Trait
from metrics.window import from_ms
from resolvers.condition import EVERYTHING, Condition
from resolvers.context import Context
from resolvers.entities import Entity, Kind, entities, entity
from resolvers.listing import listing
from resolvers.order import BY_KEY, Order
from resolvers.page import Slice
from resolvers.scope import EVERYWHERE, Scope, narrowed, without

T = TypeVar("T")
Ctx = Info[Context, None]

# The selected fields that need traits, to read them with the list.
TRAIT_OF = {
    "serviceUris": Trait.SERVICE_URI,
    "nodeVersion": Trait.NODE_VERSION,
    "regions": Trait.REGION,
    "region": Trait.REGION,
    "model": Trait.GPU_MODEL,
    "vramBytes": Trait.VRAM_BYTES,
    "vramGib": Trait.VRAM_BYTES,
    "cudaCapability": Trait.CUDA_CAPABILITY,
    "runnerVersion": Trait.RUNNER_VERSION,
    "pipeline": Trait.PIPELINE,
    "priceWeiPerPixel": Trait.PRICE_WEI_PER_PIXEL,
    "names": Trait.GATEWAY_NAME,
}


class Told(Protocol):
    """An answered entity: its kind, its key, the scope it is counted in, and what is known of it already."""

    kind: ClassVar[Kind]
    key: str
    scope: Scope
    entity: Entity | None


def told(thing: Told, info: Ctx, change: Callable[[Entity], T], missing: T, trait: Trait | None = None) -> T:
    """What an entity says of itself: at once where it is known, else an awaitable (which the executor awaits)."""
    if thing.entity is not None and (trait is None or trait in thing.entity.traits):
        return change(thing.entity)
    return cast(T, _looked_up(thing, info.context, change, missing))


def latest(thing: Told, info: Ctx, trait: Trait) -> str | None:
    """The value of a trait that was seen last."""
    return told(thing, info, lambda one: one.latest(trait), None, trait)


def all_of(thing: Told, info: Ctx, trait: Trait) -> list[str]:
    """Every value of a trait, the one seen last first."""
    return told(thing, info, lambda one: [*one.traits[trait]], [], trait)


def first_seen(thing: Told, info: Ctx) -> datetime | None:
    """When it was first seen."""
    return told(thing, info, lambda one: from_ms(one.first_ms), None)


def last_seen(thing: Told, info: Ctx) -> datetime | None:
    """When it was last seen."""
    return told(thing, info, lambda one: from_ms(one.last_ms), None)


async def _looked_up(thing: Told, context: Context, change: Callable[[Entity], T], missing: T) -> T:
    kind: Kind = thing.kind
    # With the whole profile, so that all fields of all entities share one look.
    found = await entity(context, kind, thing.key, kind.profile, thing.scope)
    return missing if found is None else change(found)


def made(cls: type[T], key: str, scope: Scope = EVERYWHERE, known: Entity | None = None) -> T:
    """An entity of a type, within a scope."""
    make: Any = cls
    return cast(T, make(key=key, scope=narrowed(scope, make.kind.dimension, (key,)), entity=known))


async def one(cls: type[T], info: Ctx, key: str) -> T | None:
    """The entity of a type with this key, or None where it was never seen."""
    kind = _kind(cls)
    found = await entity(info.context, kind, key, traits_for(kind, selected(info).names))
    return None if found is None else made(cls, found.key, EVERYWHERE, found)


async def every(cls: type[T], info: Ctx, scope: Scope) -> list[T]:
    """All entities of a type within a scope."""
    kind = _kind(cls)
    scope = without(scope, kind.dimension)
    found = await entities(info.context, kind, traits_for(kind, selected(info).names), scope)
    return [made(cls, entity.key, scope, entity) for entity in found]


async def connection(
    cls: type[T],
    info: Ctx,
    wanted: Slice,
    scope: Scope = EVERYWHERE,
    condition: Condition = EVERYTHING,
    order: Order = BY_KEY,
) -> Connection[T]:
    """A page of entities of a type within a scope."""
    kind = _kind(cls)
    traits = traits_for(kind, selected(info).of_nodes())
    scope = without(scope, kind.dimension)
    found = await listing(info.context, kind, wanted, traits, condition, order, scope)
    paged = Paged(found.page.map(lambda entity: made(cls, entity.key, scope, entity)), lambda: found.total)
    return cast(Connection[T], paged)


def traits_for(kind: Kind, names: Iterable[str]) -> frozenset[Trait]:
    """The traits that selected fields need."""
    return kind.profile & {TRAIT_OF[name] for name in names if name in TRAIT_OF}


def _kind(cls: type) -> Kind:
    kind: Kind = cast(Any, cls).kind
    return kind
