"""Sessions, streams and stake as PostgreSQL statements."""

from backends.backend import SessionQuestion, StakeQuestion, StreamQuestion
from backends.postgres.compile import Statement
from backends.postgres.tables import among
from backends.records import RECORD_NAMES

FIRST = "requested_ms, request_id, owner"


def compiled_sessions(question: SessionQuestion) -> Statement:
    """The statement that answers with sessions."""
    statement = Statement("sessions")
    tests = passing(statement, question)
    statement.sql = (
        f"SELECT {', '.join(RECORD_NAMES)} FROM sessions WHERE {tests} ORDER BY requested_ms, owner "
        f"LIMIT {statement.bind(question.limit)}"
    )
    return statement


def compiled_streams(question: StreamQuestion) -> Statement:
    """The statement that answers with a page of streams."""
    statement = Statement("streams")
    passed = passing(statement, question.sessions)
    later, earlier = ("<", ">") if question.descending else (">", "<")
    bounds = [
        f"(min(requested_ms), stream_id) {sign} ({statement.bind(at[0])}, {statement.bind(at[1], 'text')})"
        for sign, at in ((later, question.after), (earlier, question.before))
        if at is not None
    ]
    way = "DESC" if question.descending else "ASC"
    statement.sql = (
        f"WITH wanted AS MATERIALIZED (SELECT DISTINCT stream_id FROM sessions WHERE stream_id <> '' AND {passed}) "
        "SELECT stream_id, min(requested_ms) AS started, max(last_ms), "
        f"(array_agg(workflow ORDER BY {FIRST}))[1], (array_agg(gateway ORDER BY {FIRST}))[1] FROM sessions "
        f"WHERE {among('stream_id', 'ARRAY(SELECT stream_id FROM wanted)')} "
        f"GROUP BY stream_id {'HAVING ' if bounds else ''}{' AND '.join(bounds)} "
        f"ORDER BY started {way}, stream_id {way} LIMIT {statement.bind(question.limit)}"
    )
    return statement


def compiled_stream_count(question: SessionQuestion) -> Statement:
    """The statement that counts streams."""
    statement = Statement("stream_count")
    tests = passing(statement, question)
    statement.sql = f"SELECT count(DISTINCT stream_id) FROM sessions WHERE stream_id <> '' AND {tests}"
    return statement


def passing(statement: Statement, question: SessionQuestion) -> str:
    """The tests that a session must pass."""
    tests = ["outcome <> ''"]  # a sample that stands alone is no session
    if question.start_ms is not None:
        tests.append(f"requested_ms >= {statement.bind(question.start_ms)}")
    if question.end_ms is not None:
        tests.append(f"requested_ms < {statement.bind(question.end_ms)}")
    if question.outcomes:
        tests.append(statement.among("outcome", question.outcomes))
    if question.stream_ids is not None:
        # A session without a stream may be asked for too.
        tests.append(among("stream_id", statement.bind(list(question.stream_ids), "text[]")))
    tests += [statement.among(dimension.value, values) for dimension, values in question.where if values]
    if any(not values for _, values in question.where):
        tests.append("false")
    return " AND ".join(tests)


def compiled_stakes(question: StakeQuestion) -> Statement:
    """The statement that answers a question about stake. Its columns: orchestrator, instant, LPTU."""
    statement = Statement("stakes")
    names = statement.bind([name for name in question.orchestrators if name], "text[]")
    first, last = (statement.bind(at_ms) for at_ms in (question.first_ms, question.last_ms))
    statement.sql = (
        "SELECT DISTINCT ON (orchestrator, at_ms) orchestrator, at_ms, lptu FROM stakes "
        f"WHERE {among('orchestrator', names)} AND at_ms <= {last} AND (at_ms >= {first} OR at_ms = ("
        "SELECT max(earlier.at_ms) FROM stakes AS earlier WHERE hashtextextended(earlier.orchestrator, 0) = "
        f"hashtextextended(stakes.orchestrator, 0) AND earlier.orchestrator = stakes.orchestrator "
        f"AND earlier.at_ms <= {first})) "
        "ORDER BY orchestrator, at_ms, source, id"
    )
    return statement
