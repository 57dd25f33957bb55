"""Payments and incidents of wallets as ClickHouse statements."""

from collections.abc import Sequence

from backends.backend import PAYMENT_OWNER, PageQuestion
from backends.clickhouse.compile import Statement
from backends.clickhouse.statement_log import BY_REQUEST
from metrics.columns import ERROR_EVENTS, RESTARTS
from metrics.window import HOUR_MS, MINUTE_MS

COUNTED = f"(`{ERROR_EVENTS.name}` IS NOT NULL OR `{RESTARTS.name}` IS NOT NULL)"
# What follows the first "/" of a fact's key.
EVENT_ID = "substring(key, position(key, '/') + 1)"


def compiled_payments(question: PageQuestion) -> Statement:
    """The statement that answers with payments. Its columns are those of PaymentRecord."""
    statement = Statement("payments")
    tests = _tests(statement, question, "recipient", "id")
    latest = "at_ms DESC, source DESC, id DESC"
    statement.sql = (
        # A payment is filed under its hour, its fact under its minute.
        f"WITH page AS (SELECT intDiv(at_ms, {MINUTE_MS}) * {MINUTE_MS} AS fact_slot, recipient, at_ms, source, id, "
        "request_id, tickets, face_value_wei, fees_wei, "
        f"concat('{PAYMENT_OWNER}', source, '/', id) AS owner FROM payments FINAL WHERE {tests} "
        f"ORDER BY {latest} LIMIT {statement.bind(question.limit, 'UInt64')} BY recipient) "
        "SELECT recipient, at_ms, source, id, request_id, fact.gateway, fact.workflow, tickets, face_value_wei, "
        "fees_wei FROM page LEFT ANY JOIN (SELECT owner, gateway, workflow FROM facts FINAL "
        "WHERE (slot, owner) IN (SELECT fact_slot, owner FROM page)) AS fact ON fact.owner = page.owner "
        f"ORDER BY recipient, {latest}"
    )
    return statement


def compiled_incidents(question: PageQuestion) -> Statement:
    """The statement that answers with incidents. Its columns are those of IncidentRecord."""
    statement = Statement("incidents")
    found = _incidents(statement, question)
    event, latest = "owner, at_ms, source, id", "at_ms DESC, source DESC, key DESC"
    statement.sql = (
        f"WITH page AS (SELECT owner, orchestrator, at_ms, source, key, {EVENT_ID} AS id, gpu, workflow, gateway, "
        f"`{RESTARTS.name}` AS rise FROM {found} "
        f"ORDER BY {latest} LIMIT {statement.bind(question.limit, 'UInt64')} BY orchestrator) "
        "SELECT orchestrator, at_ms, source, key, gpu, workflow, gateway, rise, body "
        f"FROM page LEFT ANY JOIN (SELECT {event}, body FROM raw FINAL WHERE ({event}) IN (SELECT {event} FROM page)) "
        f"AS event USING ({event}) ORDER BY orchestrator, {latest}"
    )
    return statement


def compiled_incident_counts(question: PageQuestion) -> Statement:
    """The statement that counts incidents by orchestrator."""
    statement = Statement("incident_counts")
    found = _incidents(statement, PageQuestion(question.wallets, question.start_ms, question.end_ms))
    statement.sql = f"SELECT orchestrator, count() FROM {found} GROUP BY orchestrator"
    return statement


def compiled_payment_events(request_ids: Sequence[str]) -> Statement:
    """The statement that answers with the events of payments for requests. Its columns are those of PaymentEvent."""
    statement = Statement("payment_events")
    asked, kind = statement.among("request_id", request_ids), statement.bind(BY_REQUEST, "String")
    filed = statement.among("value", request_ids)
    event = "at_ms, source, id"
    statement.sql = (
        f"WITH paid AS (SELECT request_id, {event} FROM payments FINAL WHERE {asked} "
        f"AND (slot, id) IN (SELECT slot, owner FROM paths WHERE kind = {kind} AND {filed})) "
        f"SELECT request_id, {event}, body FROM paid INNER JOIN (SELECT {event}, body FROM raw FINAL "
        f"WHERE owner = '' AND ({event}) IN (SELECT {event} FROM paid)) AS event USING ({event}) "
        f"ORDER BY request_id, {event}"
    )
    return statement


def _incidents(statement: Statement, question: PageQuestion) -> str:
    tests = _tests(statement, question, "orchestrator", "key")
    # Few facts are incidents. They are sought without FINAL, which would merge all the others too; it then reads
    # only where some were found.
    return (
        f"facts FINAL WHERE (slot, owner, key) IN (SELECT slot, owner, key FROM facts WHERE {tests} AND {COUNTED}) "
        f"AND {tests} AND {COUNTED}"
    )


def _tests(statement: Statement, question: PageQuestion, wallet: str, last: str) -> str:
    start, end = (statement.bind(at_ms, "Int64") for at_ms in (question.start_ms, question.end_ms))
    hour = statement.bind(question.start_ms // HOUR_MS * HOUR_MS, "Int64")
    tests = [
        f"slot >= {hour} AND slot < {end} AND at_ms >= {start} AND at_ms < {end}",
        statement.among(wallet, question.wallets),
    ]
    if question.after is not None:
        at_ms, source, text = question.after
        place = (
            f"{statement.bind(at_ms, 'Int64')}, {statement.bind(source, 'String')}, {statement.bind(text, 'String')}"
        )
        tests.append(f"(at_ms, source, {last}) < ({place})")
    return " AND ".join(tests)
