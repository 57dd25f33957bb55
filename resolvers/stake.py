"""Stake: what the orchestrators of a scope had staked at an instant, exactly."""

from collections.abc import Iterable, Mapping, Sequence

from backends.backend import Staked, StakeQuestion
from metrics.dimension import Dimension
from metrics.exact import decimal_text
from metrics.window import to_ms
from resolvers.context import Context
from resolvers.entities import ORCHESTRATOR, entities
from resolvers.scope import Scope, is_empty


async def stakes(context: Context, scope: Scope, instants_ms: Sequence[int]) -> Mapping[int, str | None]:
    """Instant (Unix ms) → LPT as exact decimal text, of the latest statements at or before it; None without one."""
    names = await _names(context, scope) if instants_ms else ()
    if not names:
        return dict.fromkeys(instants_ms)
    question = StakeQuestion(tuple(names), min(instants_ms), max(instants_ms))
    totals = totalled(await context.stakes(question), instants_ms)
    return {at_ms: None if units is None else decimal_text(units) for at_ms, units in totals.items()}


async def stake(context: Context, orchestrator: str) -> str | None:
    """What one orchestrator has staked now, as LPT."""
    now_ms = to_ms(context.now)
    return (await stakes(context, {Dimension.ORCHESTRATOR: (orchestrator,)}, [now_ms]))[now_ms]


async def each(context: Context, orchestrators: Iterable[str]) -> Mapping[str, int]:
    """What each orchestrator has staked now, in LPTU; those without a statement are left out."""
    now_ms = to_ms(context.now)
    found = await context.stakes(StakeQuestion(tuple(orchestrators), now_ms, now_ms))
    return {one.orchestrator: one.lptu for one in found}


def totalled(found: Iterable[Staked], instants_ms: Iterable[int]) -> dict[int, int | None]:
    """The sum over orchestrators of the latest at or before each instant; None where there is none of any."""
    coming = sorted(found, key=lambda one: one.at_ms, reverse=True)
    held: dict[str, int] = {}
    totals: dict[int, int | None] = {}
    total = 0
    for at_ms in sorted(set(instants_ms)):
        while coming and coming[-1].at_ms <= at_ms:
            one = coming.pop()
            total += one.lptu - held.get(one.orchestrator, 0)
            held[one.orchestrator] = one.lptu
        totals[at_ms] = total if held else None
    return totals


async def _names(context: Context, scope: Scope) -> Sequence[str]:
    """Whose stake counts: the orchestrators that the scope names, all that were seen where it is the whole network."""
    if is_empty(scope):
        return ()
    if Dimension.ORCHESTRATOR in scope:
        return scope[Dimension.ORCHESTRATOR]
    if scope.keys() - {Dimension.SYNTHETIC}:
        return ()  # a workflow's share of a stake would be a guess
    return [one.key for one in await entities(context, ORCHESTRATOR)]
