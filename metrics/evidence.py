"""Evidence: single facts, where sums would not do."""

from collections.abc import Iterable
from dataclasses import dataclass

from metrics.dimension import INDEX
from metrics.fact import Fact
from metrics.measure import Column
from metrics.question import Where


@dataclass(frozen=True, slots=True)
class EvidenceQuestion:
    """The facts of [start_ms, end_ms) that state one of `columns`, where dimensions have one of these values.

    They tell of these columns alone, and are what a `Question` about them adds up. The first `limit` of them, ordered
    by (at_ms, owner, key).
    """

    start_ms: int
    end_ms: int
    columns: tuple[Column, ...]
    where: Where = ()
    limit: int = 10_000


def evidence(facts: Iterable[Fact], question: EvidenceQuestion) -> list[Fact]:
    """What every store must answer."""
    names = {column.name for column in question.columns}
    told = [
        fact._replace(values={name: value for name, value in fact.values.items() if name in names})
        for fact in facts
        if question.start_ms <= fact.at_ms < question.end_ms
        and not names.isdisjoint(fact.values)
        and all(fact.dims[INDEX[dimension]] in values for dimension, values in question.where)
    ]
    return sorted(told, key=lambda fact: (fact.at_ms, fact.owner, fact.key))[: question.limit]
