"""Single facts as a ClickHouse statement."""

from backends.clickhouse.compile import Statement, slot_of
from backends.tables import DIMS
from metrics.evidence import EvidenceQuestion


def compiled_evidence(question: EvidenceQuestion) -> Statement:
    """The statement that answers with facts. Its columns: owner, key, instant, dimensions, the asked columns."""
    statement = Statement("evidence")
    start, end = (statement.bind(at_ms, "Int64") for at_ms in (question.start_ms, question.end_ms))
    columns = [f"`{column.name}`" for column in question.columns]
    tests = [
        f"slot >= {statement.bind(slot_of(question.start_ms), 'Int64')} AND slot < {end}",
        f"at_ms >= {start} AND at_ms < {end}",
        f"({' OR '.join(f'{column} IS NOT NULL' for column in columns)})",
        *(statement.among(dimension.value, values) for dimension, values in question.where),
    ]
    passing = " AND ".join(tests)
    told = ", ".join(["owner", "key", "at_ms", *(f"`{field.name}`" for field in DIMS), *columns])
    statement.sql = (
        # Sought without FINAL, which would merge all the others too; it then reads only where some were found.
        f"SELECT {told} FROM facts FINAL WHERE (slot, owner, key) IN (SELECT slot, owner, key FROM facts "
        f"WHERE {passing}) AND {passing} ORDER BY at_ms, owner, key "
        f"LIMIT {statement.bind(question.limit, 'UInt64')}"
    )
    return statement
