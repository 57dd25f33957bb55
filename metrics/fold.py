"""`fold`: what every store must answer. Keeps what the question asks for and adds what falls together."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from metrics.dimension import INDEX
from metrics.fact import Dims, Fact
from metrics.histogram import Histogram, bucket_of, merged
from metrics.measure import Aggregate, Measure
from metrics.question import Question
from metrics.row import Row, Sum
from metrics.window import Grain

Group = tuple[int | None, tuple[str | None, ...]]


def fold(facts: Iterable[Fact], question: Question) -> list[Row]:
    """The rows that answer `question` from facts, in order: bucket, then dimensions, None last.

    A group has a row where any fact of it lies in the window (or, where a span is asked, reaches into it).
    """
    start, end = question.window.start_ms, question.window.end_ms
    spans = {measure.span for measure in question.measures if measure.span is not None}
    keeps, group_of = _keeps(question), _group_of(question)
    groups: dict[Group, dict[str, Sum]] = {}
    for fact in facts:
        inside = start <= fact.at_ms < end
        if not (inside or any(_overlap(fact, span, question) > 0 for span in spans)) or not keeps(fact.dims):
            continue
        sums = groups.setdefault(group_of(fact), _empty(question.measures))
        for measure in question.measures:
            if inside or measure.aggregate is Aggregate.SPAN:
                sums[measure.name] = add(measure, sums[measure.name], _of_fact(measure, fact, question))
    return in_order(Row(bucket, by, sums) for (bucket, by), sums in groups.items())


def join(parts: Iterable[Iterable[Row]], measures: Sequence[Measure]) -> list[Row]:
    """Rows of several answers to one question, added where they fall together."""
    groups: dict[Group, dict[str, Sum]] = {}
    for part in parts:
        for row in part:
            sums = groups.setdefault((row.start_ms, row.by), _empty(measures))
            for measure in measures:
                sums[measure.name] = add(measure, sums[measure.name], row.sums[measure.name])
    return in_order(Row(bucket, by, sums) for (bucket, by), sums in groups.items())


def add(measure: Measure, one: Sum, other: Sum) -> Sum:
    """Two sums of one measure as one."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return merged(one, other)
    if one is None or other is None:
        return other if one is None else one
    assert isinstance(one, int), measure.name
    assert isinstance(other, int), measure.name
    if measure.aggregate is Aggregate.MIN:
        return min(one, other)
    return max(one, other) if measure.aggregate is Aggregate.MAX else one + other


def zero(measure: Measure) -> Sum:
    """What a measure is where there is no evidence."""
    if measure.aggregate is Aggregate.HISTOGRAM:
        return {}
    return None if measure.aggregate in (Aggregate.MIN, Aggregate.MAX) else 0


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Rows in the one order that every store answers in."""
    return sorted(rows, key=lambda row: (row.start_ms or 0, tuple((value is None, value or "") for value in row.by)))


def _empty(measures: Sequence[Measure]) -> dict[str, Sum]:
    return {measure.name: zero(measure) for measure in measures}


def _keeps(question: Question) -> Callable[[Dims], bool]:
    tests = [(INDEX[dimension], frozenset(values)) for dimension, values in question.where]
    return lambda dims: all(dims[index] in values for index, values in tests)


def _group_of(question: Question) -> Callable[[Fact], Group]:
    indexes = [INDEX[dimension] for dimension in question.by]
    grain: Grain | None = question.grain
    return lambda fact: (
        None if grain is None else grain.floor(fact.at_ms),
        tuple(fact.dims[index] for index in indexes),
    )


def _overlap(fact: Fact, span: str, question: Question) -> int:
    """How many milliseconds of the fact's span lie in the window."""
    end = fact.at_ms + fact.values.get(span, 0)
    return max(0, min(end, question.window.end_ms) - max(fact.at_ms, question.window.start_ms))


def _of_fact(measure: Measure, fact: Fact, question: Question) -> Sum:
    value = fact.values.get(measure.column.name)
    if value is None:
        return zero(measure)
    if measure.aggregate is Aggregate.COUNT:
        return 1
    if measure.aggregate is Aggregate.SUMSQ:
        return value * value
    if measure.aggregate is Aggregate.HISTOGRAM:
        histogram: Histogram = {bucket_of(value): 1}
        return histogram
    if measure.span is not None:
        return _overlap(fact, measure.span, question) * (value if measure.column.held else 1)
    return value
