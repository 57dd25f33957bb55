"""A question as one PostgreSQL statement: pieces of facts and rollups, put together and grouped. Values are bound.

The same plan as backends.clickhouse.compile, in this dialect's words.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from backends.pieces import NOTHING, Behind, Level, Piece, pieces
from backends.postgres import tables
from backends.postgres.text import escaped
from metrics.measure import Aggregate, Measure
from metrics.question import Question
from metrics.sighting import SightingQuestion
from metrics.window import DAY_MS, HOUR_MS, MINUTE_MS, Grain

ROLLUPS = {Level.MINUTE: "facts_minute", Level.HOUR: "facts_hour", Level.DAY: "facts_day"}
INDEXED = frozenset({"orchestrator"})  # dimensions whose index over 64 bits is worth asking


@dataclass(slots=True)
class Statement:
    """SQL text and the values bound to it."""

    name: str
    values: list[object] = field(default_factory=list)
    sql: str = ""

    def bind(self, value: object, type_name: str = "bigint") -> str:
        """A placeholder for a value."""
        if type_name == "text":
            value = escaped(str(value))
        elif type_name == "text[]":
            value = [escaped(one) for one in value]  # type: ignore[attr-defined]
        self.values.append(value)
        return f"${len(self.values)}::{type_name}"

    def among(self, column: str, values: Sequence[str]) -> str:
        """The test that a text column has one of these values. "" is how None is kept, and no value equals None."""
        bound = self.bind([value for value in values if value], "text[]")
        return tables.among(column, bound) if column in INDEXED else f"{column} = ANY ({bound})"


def compiled(question: Question, behind: Behind = NOTHING, limit: int = 500_000) -> Statement:
    """The statement that answers a question, past the rollups that are behind.

    Its columns: bucket, dimensions, measures. One row more than the limit says that there are too many.
    """
    statement = Statement("rows")
    branches = _of_supply(statement, question) if question.hourly else _of_levels(statement, question, behind)
    by = [dimension.value for dimension in question.by]
    sums = [merged(measure, f"m{index}") for index, measure in enumerate(question.measures)]
    statement.sql = (
        f"SELECT {', '.join(['bucket', *by, *sums])} FROM (\n  " + "\n  UNION ALL ".join(branches) + "\n) AS parts "
        f"GROUP BY {', '.join(['bucket', *by])} ORDER BY {', '.join(['bucket', *nones_last(by)])} "
        f"LIMIT {statement.bind(limit + 1)}"
    )
    return statement


def _of_levels(statement: Statement, question: Question, behind: Behind) -> list[str]:
    levels: dict[Level, list[Piece]] = {}
    for piece in pieces(question.window, question.grain, behind):
        levels.setdefault(piece.level, []).append(piece)
    branches = [_of_rollup(statement, question, found) for level, found in levels.items() if level is not Level.FACTS]
    return branches + (_of_facts(statement, question, levels[Level.FACTS]) if Level.FACTS in levels else [])


def _of_supply(statement: Statement, question: Question) -> list[str]:
    start, end = (statement.bind(at_ms) for at_ms in (question.window.start_ms, question.window.end_ms))
    # What lasts never crosses an hour, so only the first hour can hold what began before the window.
    first = statement.bind(question.window.start_ms // HOUR_MS * HOUR_MS)
    spans = sorted({measure.span for measure in question.measures if measure.span is not None})
    reaching = " OR ".join(f"at_ms + coalesce({span}, 0) > {start}" for span in spans)
    bounds = f"slot >= {first} AND slot < {end} AND at_ms < {end} AND (at_ms >= {start} OR {reaching})"
    measures = [_clipped(measure, start, end) for measure in question.measures]
    return [_branch(statement, question, "at_ms", measures, "supply", bounds)]


def _of_rollup(statement: Statement, question: Question, found: Sequence[Piece]) -> str:
    measures = [_kept(measure) for measure in question.measures]
    bounds = _within(statement, "bucket_ms", found)
    return _branch(statement, question, "bucket_ms", measures, ROLLUPS[found[0].level], bounds)


def _of_facts(statement: Statement, question: Question, found: Sequence[Piece]) -> list[str]:
    slots = [Piece(piece.level, slot_of(piece.start_ms), piece.end_ms) for piece in found]
    bounds = f"{_within(statement, 'slot', slots)} AND {_within(statement, 'at_ms', found)}"
    spans = [m.column.name for m in question.measures if m.aggregate is Aggregate.SPAN]
    if not spans:
        return [_branch(statement, question, "at_ms", [of_fact(one) for one in question.measures], "facts", bounds)]
    start, end = (statement.bind(at_ms) for at_ms in (question.window.start_ms, question.window.end_ms))
    measures = [_clipped(measure, start, end) for measure in question.measures]
    branches = [_branch(statement, question, "at_ms", measures, "facts", bounds)]
    if question.window.start_ms % MINUTE_MS:
        # Spans never cross a minute, so only those of the first, broken minute can reach into the window.
        slot = statement.bind(slot_of(question.window.start_ms))
        reaching = " OR ".join(f"at_ms + coalesce({span}, 0) > {start}" for span in spans)
        bounds = f"slot = {slot} AND at_ms < {start} AND ({reaching})"
        rest = [
            _clipped(measure, start, end) if measure.aggregate is Aggregate.SPAN else f"NULL::{type_of(measure)}"
            for measure in question.measures
        ]
        branches.append(_branch(statement, question, "at_ms", rest, "facts", bounds))
    return branches


def slot_of(at_ms: int) -> int:
    """The slot that a fact of this instant is filed under."""
    return at_ms // MINUTE_MS * MINUTE_MS


def _within(statement: Statement, column: str, found: Sequence[Piece]) -> str:
    ranges = [
        f"{column} >= {statement.bind(piece.start_ms)} AND {column} < {statement.bind(piece.end_ms)}"
        for piece in found
    ]  # fmt: skip
    return f"({' OR '.join(ranges)})"


def _branch(
    statement: Statement, question: Question, time: str, measures: Sequence[str], table: str, bounds: str
) -> str:
    columns = [f"{floored(time, question.grain)} AS bucket", *(dimension.value for dimension in question.by)]
    columns += [f"{expression} AS m{index}" for index, expression in enumerate(measures)]
    tests = [bounds, *(statement.among(dimension.value, values) for dimension, values in question.where)]
    return f"SELECT {', '.join(columns)} FROM {table} WHERE {' AND '.join(tests)}"


def floored(time: str, grain: Grain | None) -> str:
    """The start of the grain's bucket that holds an instant."""
    if grain is None:
        return "0::bigint"
    origin = grain.origin_ms
    shifted = f"({time} + {-origin})" if origin else time
    back = f" - {-origin}" if origin else ""
    return f"{shifted} / {grain.value} * {grain.value}{back}"


def type_of(measure: Measure) -> str:
    """What a part of a measure is, before parts are put together."""
    kinds = {Aggregate.HISTOGRAM: "text", Aggregate.MIN: "bigint", Aggregate.MAX: "bigint"}
    return kinds.get(measure.aggregate, "numeric")


def _kept(measure: Measure) -> str:
    if measure.aggregate is Aggregate.HISTOGRAM:
        return f"array_to_string({measure.name}, ',')"
    return f"{measure.name}::{type_of(measure)}"


def merged(measure: Measure, column: str) -> str:
    """The aggregate that puts a measure's parts together. Without evidence a sum is zero, all else null."""
    if measure.aggregate in (Aggregate.MIN, Aggregate.MAX):
        return f"{measure.aggregate.value}({column})"
    # Entries of histograms are added up by whoever reads them: see backends.postgres.histogram.
    return f"string_agg({column}, ',')" if measure.aggregate is Aggregate.HISTOGRAM else f"coalesce(sum({column}), 0)"


def of_fact(measure: Measure) -> str:
    """What one fact contributes to a measure; null where it says nothing."""
    column = measure.column.name
    if measure.aggregate is Aggregate.COUNT:
        return f"CASE WHEN {column} IS NULL THEN NULL ELSE 1 END::numeric"
    if measure.aggregate is Aggregate.SUMSQ:
        return f"{column}::numeric * {column}"
    if measure.aggregate is Aggregate.HISTOGRAM:
        return f"entry({column})::text"
    return f"{column}::{type_of(measure)}"


def _clipped(measure: Measure, start: str, end: str) -> str:
    if measure.aggregate is not Aggregate.SPAN:
        return of_fact(measure)
    lasts = f"greatest(0, least(at_ms + coalesce({measure.span}, 0), {end}) - greatest(at_ms, {start}))::numeric"
    return f"{measure.column.name} * {lasts}" if measure.column.held else lasts


def compiled_sightings(
    question: SightingQuestion, days_unseen: Collection[int] = (), limit: int = 500_000
) -> Statement:
    """The statement that says what was seen, past the days whose rollup is behind. Its columns: traits, first, last."""
    statement = Statement("seen")
    by = [trait.value for trait in question.by]
    tests = "".join(f" AND {trait.value} = ANY ({_texts(statement, values)})" for trait, values in question.where)
    columns = ", ".join([*by, "first_ms", "last_ms"])
    behind = statement.bind(sorted(days_unseen), "bigint[]")
    parts = (
        f"SELECT {columns} FROM sightings_day WHERE bucket_ms <> ALL ({behind}){tests} UNION ALL "
        f"SELECT {columns} FROM unnest({behind}) AS day JOIN sightings_hour ON bucket_ms >= day "
        f"AND bucket_ms < day + {DAY_MS}{tests}"
    )
    since = "" if question.since_ms is None else f" AND max(last_ms) >= {statement.bind(question.since_ms)}"
    statement.sql = (
        f"SELECT {', '.join([*by, 'min(first_ms)', 'max(last_ms)'])} FROM ({parts}) AS parts "
        + (f"GROUP BY {', '.join(by)} " if by else "")
        + f"HAVING count(*) > 0{since}"
        + (f" ORDER BY {', '.join(nones_last(by))}" if by else "")
        + f" LIMIT {statement.bind(limit + 1)}"
    )
    return statement


def _texts(statement: Statement, values: Sequence[str]) -> str:
    return statement.bind([value for value in values if value], "text[]")


def nones_last(columns: Sequence[str]) -> list[str]:
    """The order of text columns in which None, kept as "", comes last."""
    return [part for name in columns for part in (f"{name} = ''", name)]
