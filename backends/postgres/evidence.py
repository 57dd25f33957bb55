"""Single facts as a PostgreSQL statement."""

from backends.postgres.compile import Statement
from backends.tables import DIMS
from metrics.evidence import EvidenceQuestion
from metrics.window import MINUTE_MS


def compiled_evidence(question: EvidenceQuestion) -> Statement:
    """The statement that answers with facts. Its columns: owner, key, instant, dimensions, the asked columns."""
    statement = Statement("evidence")
    slot = statement.bind(question.start_ms // MINUTE_MS * MINUTE_MS)
    start, end = statement.bind(question.start_ms), statement.bind(question.end_ms)
    columns = [column.name for column in question.columns]
    tests = [
        f"slot >= {slot} AND slot < {end} AND at_ms >= {start} AND at_ms < {end}",
        f"({' OR '.join(f'{column} IS NOT NULL' for column in columns)})",
        # Facts have no index over a dimension.
        *(
            f"{dimension.value} = ANY ({statement.bind([value for value in values if value], 'text[]')})"
            for dimension, values in question.where
        ),
    ]
    told = ", ".join(["owner", "key", "at_ms", *(field.name for field in DIMS), *columns])
    statement.sql = (
        f"SELECT {told} FROM facts WHERE {' AND '.join(tests)} ORDER BY at_ms, owner, key "
        f"LIMIT {statement.bind(question.limit)}"
    )
    return statement
