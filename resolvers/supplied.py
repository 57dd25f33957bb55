"""Questions about supply: which column of a family answers depends on what is asked by.

Supply makes no row beside what was measured: an hour in which GPUs only waited stays out of a series of metrics. Asked
alone, it has its own rows.
"""

from asyncio import gather
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from metrics.dimension import Dimension
from metrics.fold import in_order
from metrics.measure import Measure
from metrics.question import Question
from metrics.row import Row, Sum
from metrics.supply import FAMILIES

Load = Callable[[Question], Awaitable[list[Row]]]


def asks_supply(question: Question) -> bool:
    """Does the question name a family's measure?"""
    return any(measure.column.hourly for measure in question.measures)


async def supplied(load: Load, question: Question) -> list[Row]:
    """The rows that answer a question in which measures stand for their families; 0 where no column tells it."""
    measured = tuple(measure for measure in question.measures if not measure.column.hourly)
    members = _members(question)
    told = tuple(sorted({member for member in members.values() if member is not None}))
    rows, supply = await gather(_rows(load, question, measured), _rows(load, question, told))
    found = {(row.start_ms, row.by): row.sums for row in supply}
    if measured:
        return [row._replace(sums={**row.sums, **_named(members, found.get(row[:2], {}))}) for row in rows]
    return in_order(Row(*key, _named(members, sums)) for key, sums in found.items())


def _members(question: Question) -> dict[Measure, Measure | None]:
    dimensions: set[Dimension] = {*question.by, *(dimension for dimension, _ in question.where)}
    asked = (measure for measure in question.measures if measure.column.hourly)
    return {measure: FAMILIES[measure].member(dimensions, question.grain) for measure in asked}


def _named(members: Mapping[Measure, Measure | None], sums: Mapping[str, Sum]) -> dict[str, Sum]:
    """What the members tell, under the names that formulas know."""
    return {asked.name: sums.get(member.name, 0) if member else 0 for asked, member in members.items()}


async def _rows(load: Load, question: Question, measures: Sequence[Measure]) -> list[Row]:
    return await load(replace(question, measures=tuple(measures))) if measures else []
