"""Sessions and streams as ClickHouse statements."""

from backends.backend import SessionQuestion, StreamQuestion
from backends.clickhouse.compile import Statement
from backends.records import RECORD_COLUMNS
from metrics.window import HOUR_MS

FIRST = "(requested_ms, request_id, owner)"


def compiled_sessions(question: SessionQuestion) -> Statement:
    """The statement that answers with sessions."""
    statement = Statement("sessions")
    tests = passing(statement, question)
    statement.sql = (
        f"SELECT {RECORD_COLUMNS} FROM sessions FINAL WHERE {tests} ORDER BY requested_ms, owner "
        f"LIMIT {statement.bind(question.limit, 'UInt64')}"
    )
    return statement


def compiled_streams(question: StreamQuestion) -> Statement:
    """The statement that answers with a page of streams."""
    statement = Statement("streams")
    ids = _streams_with(statement, question.sessions)
    later, earlier = ("<", ">") if question.descending else (">", "<")
    bounds = [
        f"(started, stream_id) {sign} ({statement.bind(at[0], 'Int64')}, {statement.bind(at[1], 'String')})"
        for sign, at in ((later, question.after), (earlier, question.before))
        if at is not None
    ]
    way = "DESC" if question.descending else "ASC"
    statement.sql = (
        "SELECT stream_id, min(requested_ms) AS started, max(last_ms), "
        f"argMin(workflow, {FIRST}), argMin(gateway, {FIRST}) FROM sessions FINAL "
        # The other sessions of the stream may lie in any hour: the paths know which.
        f"WHERE stream_id IN ({ids}) "
        f"AND (slot, owner) IN (SELECT slot, owner FROM paths WHERE kind = 'stream' AND value IN ({ids})) "
        f"GROUP BY stream_id {'HAVING ' if bounds else ''}{' AND '.join(bounds)} "
        f"ORDER BY started {way}, stream_id {way} LIMIT {statement.bind(question.limit, 'UInt64')}"
    )
    return statement


def compiled_stream_count(question: SessionQuestion) -> Statement:
    """The statement that counts streams."""
    statement = Statement("stream_count")
    statement.sql = f"SELECT count() FROM ({_streams_with(statement, question)})"
    return statement


def passing(statement: Statement, question: SessionQuestion) -> str:
    """The tests that a session must pass."""
    tests = ["outcome != ''"]  # a sample that stands alone is no session
    if question.start_ms is not None:
        hour = statement.bind(question.start_ms // HOUR_MS * HOUR_MS, "Int64")
        tests += [f"slot >= {hour}", f"requested_ms >= {statement.bind(question.start_ms, 'Int64')}"]
    if question.end_ms is not None:
        end = statement.bind(question.end_ms, "Int64")
        tests += [f"slot < {end}", f"requested_ms < {end}"]
    if question.outcomes:
        tests.append(statement.among("outcome", question.outcomes))
    if question.stream_ids is not None:
        ids = statement.bind(list(question.stream_ids), "Array(String)")
        tests += [
            f"stream_id IN {ids}",
            # A session without a stream has no path; "" is asked for as itself here.
            "(stream_id = '' OR (slot, owner) IN "
            f"(SELECT slot, owner FROM paths WHERE kind = 'stream' AND value IN {ids}))",
        ]
    tests += [statement.among(dimension.value, values) for dimension, values in question.where]
    return " AND ".join(tests)


def _streams_with(statement: Statement, question: SessionQuestion) -> str:
    return f"SELECT DISTINCT stream_id FROM sessions FINAL WHERE stream_id != '' AND {passing(statement, question)}"
