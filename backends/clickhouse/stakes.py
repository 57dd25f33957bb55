"""Stake as a ClickHouse answers it."""

from backends.backend import StakeQuestion
from backends.clickhouse.compile import Statement


def compiled_stakes(question: StakeQuestion) -> Statement:
    """The statement that answers a question about stake. Its columns: orchestrator, instant, LPTU."""
    statement = Statement("stakes")
    among = statement.among("orchestrator", question.orchestrators)
    first, last = (statement.bind(at_ms, "Int64") for at_ms in (question.first_ms, question.last_ms))
    statement.sql = (
        "SELECT orchestrator, at_ms, argMin(lptu, (source, id)) FROM stakes FINAL "
        f"WHERE {among} AND at_ms <= {last} AND (at_ms >= {first} OR (orchestrator, at_ms) IN ("
        f"SELECT orchestrator, max(at_ms) FROM stakes FINAL WHERE {among} AND at_ms <= {first} GROUP BY orchestrator)) "
        "GROUP BY orchestrator, at_ms ORDER BY orchestrator, at_ms"
    )
    return statement
