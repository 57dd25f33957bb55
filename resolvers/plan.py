"""The plan: questions of one moment become few reads, and each read is split back to its askers. Pure.

Questions of one shape (window, grain, `by`, the dimensions they filter) become one read: their measures are united, and
a dimension that they filter differently is read for all its values and grouped by.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from metrics.dimension import Dimension
from metrics.errors import TooComplex
from metrics.fold import in_order, join
from metrics.measure import Aggregate, Measure
from metrics.question import Question
from metrics.row import Row

MAX_ROWS = 200_000

Values = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Read:
    """One question to a store, and the questions that it answers."""

    question: Question
    askers: tuple[Question, ...]
    # The dimensions that the askers filter differently; grouped by in `question`.
    varying: tuple[Dimension, ...] = ()

    def __str__(self) -> str:
        return f"{words(self.question)} ← {len(self.askers)} questions"


def words(question: Question) -> str:
    """A question in words, without the values that it asks for."""
    grain = question.grain.name if question.grain else "in all"
    by = ", ".join(question.by) or "nothing"
    return f"{len(question.measures)} measures, {grain}, by {by}, {places(question.where)}"


def places(where: Iterable[tuple[str, Sequence[str]]]) -> str:
    """What is filtered, by how many values each."""
    return "; ".join(f"{name} in {len(values)}" for name, values in where) or "everywhere"


def plan(questions: Iterable[Question]) -> list[Read]:
    """The reads that answer these questions, in the order in which their shapes first come up."""
    shapes: dict[tuple[object, ...], dict[Question, None]] = defaultdict(dict)
    for question in questions:
        dimensions = tuple(dimension for dimension, _ in question.where)
        shapes[question.window, question.grain, question.by, dimensions, *_kind(question)][question] = None
    return [_merged(tuple(askers)) for askers in shapes.values()]


def check(read: Read) -> None:
    """Raise TooComplex where the answer may be too long to hold."""
    grain, groups = read.question.grain, len(read.askers)
    points = 1 if grain is None else read.question.window.count(grain)
    if points * groups > MAX_ROWS:
        raise TooComplex(
            f"{groups:,} series of {points:,} buckets are {points * groups:,} rows; at most {MAX_ROWS:,} at once. "
            "Ask for fewer at a time, a wider interval or a shorter window.",
            "interval",
        )


def split(read: Read, rows: Sequence[Row]) -> dict[Question, list[Row]]:
    """What each asker gets of the rows of its read: what `fold` would have answered it."""
    if len(read.askers) == 1:
        return {read.askers[0]: list(rows)}
    index = _indexed(read, rows)
    return {asker: _own(read, asker, index) for asker in read.askers}


def _kind(question: Question) -> tuple[bool, bool]:
    """What may share a read: a span lets rows exist that no fact of the window begins; supply is kept apart."""
    return any(measure.aggregate is Aggregate.SPAN for measure in question.measures), question.hourly


def _merged(askers: tuple[Question, ...]) -> Read:
    if len(askers) == 1:
        return Read(askers[0], askers)
    first = askers[0]
    where: dict[Dimension, set[str]] = {dimension: set() for dimension, _ in first.where}
    told: dict[Dimension, set[Values]] = {dimension: set() for dimension, _ in first.where}
    measures: dict[Measure, None] = {}
    shapes: set[tuple[Measure, ...]] = set()
    for asker in askers:
        for dimension, values in asker.where:
            where[dimension].update(values)
            told[dimension].add(values)
        shapes.add(asker.measures)
    for shape in shapes:
        measures.update(dict.fromkeys(shape))
    varying = tuple(dimension for dimension, seen in told.items() if len(seen) > 1)
    question = Question.of(measures, first.window, first.grain, (*first.by, *varying), where)
    return Read(question, askers, varying)


Index = Mapping[tuple[str | None, ...], list[Row]]


def _indexed(read: Read, rows: Sequence[Row]) -> Index:
    """Rows by the values of the varying dimensions."""
    by = read.question.by
    places = [by.index(dimension) for dimension in read.varying]
    found: dict[tuple[str | None, ...], list[Row]] = defaultdict(list)
    for row in rows:
        found[tuple(row.by[place] for place in places)].append(row)
    return found


def _own(read: Read, asker: Question, index: Index) -> list[Row]:
    wanted = [values for dimension, values in asker.where if dimension in read.varying]
    places = [read.question.by.index(dimension) for dimension in asker.by]
    whole = asker.measures == read.question.measures
    names = [measure.name for measure in asker.measures]
    own = [
        Row(
            row.start_ms,
            tuple(row.by[place] for place in places),
            row.sums if whole else {name: row.sums[name] for name in names},
        )
        for key in product(*wanted)
        for row in index.get(key, ())
    ]
    # One value of each varying dimension: nothing falls together, and the store's order still holds.
    if all(len(values) == 1 for values in wanted):
        return own
    if all(dimension in asker.by for dimension in read.varying):
        return in_order(own)
    return join([own], asker.measures)
