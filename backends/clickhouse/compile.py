"""A question as one ClickHouse statement: pieces of facts and rollups, put together and grouped. Values are bound."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from backends.clickhouse.ddl import type_of
from backends.pieces import NOTHING, Behind, Level, Piece, pieces
from backends.tables import of_measure
from metrics.measure import Aggregate, Measure
from metrics.question import Question
from metrics.sighting import SightingQuestion
from metrics.window import DAY_MS, HOUR_MS, MINUTE_MS, Grain

ROLLUPS = {Level.MINUTE: "facts_minute", Level.HOUR: "facts_hour", Level.DAY: "facts_day"}
NO_HISTOGRAM = "CAST(map(), 'Map(UInt32, UInt64)')"


@dataclass(slots=True)
class Statement:
    """SQL text and the values bound to it."""

    name: str
    values: dict[str, object] = field(default_factory=dict)
    sql: str = ""

    def bind(self, value: object, type_name: str) -> str:
        """A placeholder for a value."""
        name = f"p{len(self.values)}"
        self.values[name] = value
        return f"{{{name}:{type_name}}}"

    def among(self, column: str, values: Sequence[str]) -> str:
        """The test that a text column has one of these values. "" is how None is kept, and no value equals None."""
        return f"`{column}` IN {self.bind([value for value in values if value], 'Array(String)')}"


def compiled(question: Question, behind: Behind = NOTHING) -> Statement:
    """The statement that answers a question, past the rollups that are behind.

    Its columns: bucket, dimensions, measures.
    """
    statement = Statement("rows")
    branches = _of_supply(statement, question) if question.hourly else _of_levels(statement, question, behind)
    by = [f"`{dimension.value}`" for dimension in question.by]
    sums = [merged(measure, f"m{index}") for index, measure in enumerate(question.measures)]
    order = ["bucket", *nones_last(by)]
    statement.sql = (
        f"SELECT {', '.join(['bucket', *by, *sums])} FROM (\n  " + "\n  UNION ALL ".join(branches) + "\n) "
        # Without dimensions an empty answer must have no row, not one row of zeros.
        f"GROUP BY {', '.join(['bucket', *by])} HAVING count() > 0 ORDER BY {', '.join(order)}"
    )
    return statement


def _of_levels(statement: Statement, question: Question, behind: Behind) -> list[str]:
    levels: dict[Level, list[Piece]] = {}
    for piece in pieces(question.window, question.grain, behind):
        levels.setdefault(piece.level, []).append(piece)
    # One branch per level: the time to analyse a statement grows with its branches, and is most of a short read.
    branches = [_of_rollup(statement, question, found) for level, found in levels.items() if level is not Level.FACTS]
    return branches + (_of_facts(statement, question, levels[Level.FACTS]) if Level.FACTS in levels else [])


def _of_supply(statement: Statement, question: Question) -> list[str]:
    start, end = (statement.bind(at_ms, "Int64") for at_ms in (question.window.start_ms, question.window.end_ms))
    # What lasts never crosses an hour, so only the first hour can hold what began before the window.
    first = statement.bind(question.window.start_ms // HOUR_MS * HOUR_MS, "Int64")
    spans = sorted({measure.span for measure in question.measures if measure.span is not None})
    reaching = " OR ".join(f"at_ms + ifNull(`{span}`, 0) > {start}" for span in spans)
    bounds = f"slot >= {first} AND slot < {end} AND at_ms < {end} AND (at_ms >= {start} OR {reaching})"
    measures = [_clipped(measure, start, end) for measure in question.measures]
    return [_branch(statement, question, "at_ms", measures, "supply FINAL", bounds)]


def _of_rollup(statement: Statement, question: Question, found: Sequence[Piece]) -> str:
    measures = [f"`{measure.name}`" for measure in question.measures]
    table = f"{ROLLUPS[found[0].level]} FINAL"
    return _branch(statement, question, "bucket_ms", measures, table, _within(statement, "bucket_ms", found))


def _of_facts(statement: Statement, question: Question, found: Sequence[Piece]) -> list[str]:
    start, end = (statement.bind(at_ms, "Int64") for at_ms in (question.window.start_ms, question.window.end_ms))
    measures = [_clipped(measure, start, end) for measure in question.measures]
    slots = [Piece(piece.level, slot_of(piece.start_ms), piece.end_ms) for piece in found]
    bounds = f"{_within(statement, 'slot', slots)} AND {_within(statement, 'at_ms', found)}"
    branches = [_branch(statement, question, "at_ms", measures, "facts FINAL", bounds)]
    spans = [f"`{m.column.name}`" for m in question.measures if m.aggregate is Aggregate.SPAN]
    if spans and question.window.start_ms % MINUTE_MS:
        # Spans never cross a minute, so only those of the first, broken minute can reach into the window.
        slot = statement.bind(slot_of(question.window.start_ms), "Int64")
        minute = statement.bind(question.window.start_ms // MINUTE_MS * MINUTE_MS, "Int64")
        reaching = " OR ".join(f"at_ms + ifNull({span}, 0) > {start}" for span in spans)
        bounds = f"slot = {slot} AND at_ms >= {minute} AND at_ms < {start} AND ({reaching})"
        rest = [
            _clipped(measure, start, end) if measure.aggregate is Aggregate.SPAN else nothing(measure)
            for measure in question.measures
        ]
        branches.append(_branch(statement, question, "at_ms", rest, "facts FINAL", bounds))
    return branches


def slot_of(at_ms: int) -> int:
    """The slot that a fact of this instant is filed under."""
    return at_ms // MINUTE_MS * MINUTE_MS


def _within(statement: Statement, column: str, found: Sequence[Piece]) -> str:
    ranges = [
        f"{column} >= {statement.bind(piece.start_ms, 'Int64')} AND {column} < {statement.bind(piece.end_ms, 'Int64')}"
        for piece in found
    ]
    return f"({' OR '.join(ranges)})"


def _branch(
    statement: Statement, question: Question, time: str, measures: Sequence[str], table: str, bounds: str
) -> str:
    columns = [f"{floored(time, question.grain)} AS bucket", *(f"`{dimension.value}`" for dimension in question.by)]
    # Numbered, since an alias that is also a column's name would be meant in the tests below.
    columns += [f"{expression} AS m{index}" for index, expression in enumerate(measures)]
    tests = [bounds, *(statement.among(dimension.value, values) for dimension, values in question.where)]
    return f"SELECT {', '.join(columns)} FROM {table} WHERE {' AND '.join(tests)}"


def floored(time: str, grain: Grain | None) -> str:
    """The start of the grain's bucket that holds an instant."""
    if grain is None:
        return "toInt64(0)"
    origin = grain.origin_ms
    shifted = f"({time} + {-origin})" if origin else time
    back = f" - {-origin}" if origin else ""
    return f"intDiv({shifted}, {grain.value}) * {grain.value}{back}"


def of_fact(measure: Measure) -> str:
    """What one fact contributes to a measure."""
    column, wide = f"`{measure.column.name}`", type_of(of_measure(measure))
    if measure.aggregate is Aggregate.COUNT:
        return f"toUInt64(isNotNull({column}))"
    if measure.aggregate in (Aggregate.SUM, Aggregate.SPAN):
        return f"to{wide}(ifNull({column}, 0))"
    if measure.aggregate is Aggregate.SUMSQ:
        return f"to{wide}(ifNull({column}, 0)) * to{wide}(ifNull({column}, 0))"
    if measure.aggregate is Aggregate.HISTOGRAM:
        # The same bucket as metrics.histogram.bucket_of, bit by bit.
        bucket = f"toUInt32(bitShiftRight(reinterpretAsUInt64(toFloat64(assumeNotNull({column}))), 46))"
        return f"if(isNull({column}), {NO_HISTOGRAM}, map({bucket}, toUInt64(1)))"
    return column


def nothing(measure: Measure) -> str:
    """What a row without evidence contributes to a measure."""
    if measure.aggregate is Aggregate.HISTOGRAM:
        return NO_HISTOGRAM
    empty = "NULL" if measure.aggregate in (Aggregate.MIN, Aggregate.MAX) else "0"
    return f"CAST({empty}, '{type_of(of_measure(measure))}')"


def merged(measure: Measure, column: str) -> str:
    """The aggregate function that puts a measure's parts together."""
    functions = {Aggregate.MIN: "min", Aggregate.MAX: "max", Aggregate.HISTOGRAM: "sumMap"}
    return f"{functions.get(measure.aggregate, 'sum')}({column})"


def _clipped(measure: Measure, start: str, end: str) -> str:
    if measure.aggregate is not Aggregate.SPAN:
        return of_fact(measure)
    lasts = f"greatest(0, least(at_ms + ifNull(`{measure.span}`, 0), {end}) - greatest(at_ms, {start}))"
    return f"toInt128(ifNull(`{measure.column.name}`, 0)) * {lasts}" if measure.column.held else lasts


def compiled_sightings(question: SightingQuestion, days_unseen: Collection[int] = ()) -> Statement:
    """The statement that says what was seen, past the days whose rollup is behind. Its columns: traits, first, last."""
    statement = Statement("seen")
    by = [f"`{trait.value}`" for trait in question.by]
    tests = " AND ".join(statement.among(trait.value, values) for trait, values in question.where) or "1"
    columns = ", ".join([*by, "first_ms", "last_ms"])
    days = f"SELECT {columns} FROM sightings_day FINAL WHERE {tests}"
    if days_unseen:
        behind = statement.bind(sorted(days_unseen), "Array(Int64)")
        days += (
            f" AND bucket_ms NOT IN {behind} UNION ALL SELECT {columns} FROM sightings_hour FINAL WHERE {tests} "
            f"AND intDiv(bucket_ms, {DAY_MS}) * {DAY_MS} IN {behind}"
        )
    since = "" if question.since_ms is None else f" AND max(last_ms) >= {statement.bind(question.since_ms, 'Int64')}"
    statement.sql = (
        f"SELECT {', '.join([*by, 'min(first_ms)', 'max(last_ms)'])} FROM ({days}) "
        + (f"GROUP BY {', '.join(by)} " if by else "")
        + f"HAVING count() > 0{since}"
        + (f" ORDER BY {', '.join(nones_last(by))}" if by else "")
    )
    return statement


def nones_last(columns: Sequence[str]) -> list[str]:
    """The order of text columns in which None, kept as "", comes last."""
    return [part for name in columns for part in (f"{name} = ''", name)]
