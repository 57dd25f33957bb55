"""Payments and incidents of wallets as PostgreSQL statements."""

from collections.abc import Sequence

from backends.backend import PAYMENT_OWNER, PageQuestion
from backends.postgres.compile import Statement
from backends.postgres.tables import among, beginning, hashed
from metrics.columns import ERROR_EVENTS, RESTARTS
from metrics.window import MINUTE_MS

COUNTED = f"({ERROR_EVENTS.name} IS NOT NULL OR {RESTARTS.name} IS NOT NULL)"
LATEST = "at_ms DESC, source DESC"


def compiled_payments(question: PageQuestion) -> Statement:
    """The statement that answers with payments. Its columns are those of PaymentRecord."""
    statement = Statement("payments")
    found = _page(statement, "payments", question, "recipient", "id", "true")
    owner = f"'{PAYMENT_OWNER}' || page.source || '/' || page.id"
    statement.sql = (
        "SELECT page.recipient, page.at_ms, page.source, page.id, page.request_id, fact.gateway, fact.workflow, "
        f"page.tickets, page.face_value_wei, page.fees_wei FROM {found} AS page LEFT JOIN LATERAL ("
        f"SELECT gateway, workflow FROM facts WHERE {hashed('owner')} = {hashed(owner)} AND owner = {owner} LIMIT 1"
        ") AS fact ON true ORDER BY page.recipient, page.at_ms DESC, page.source DESC, page.id DESC"
    )
    return statement


def compiled_incidents(question: PageQuestion) -> Statement:
    """The statement that answers with incidents. Its columns are those of IncidentRecord."""
    statement = Statement("incidents")
    found = _page(statement, "facts", question, "orchestrator", "key", _slots(statement, question))
    # What follows the first "/" of a fact's key.
    id = "substr(page.key, strpos(page.key, '/') + 1)"
    statement.sql = (
        "SELECT page.orchestrator, page.at_ms, page.source, page.key, page.gpu, page.workflow, page.gateway, "
        f"page.{RESTARTS.name}, coalesce(event.body, ''::bytea) FROM {found} AS page LEFT JOIN raw AS event "
        f"ON {beginning('event.owner')} = {beginning('page.owner')} AND event.owner = page.owner "
        f"AND event.at_ms = page.at_ms AND event.source = page.source AND event.id = {id} "
        "ORDER BY page.orchestrator, page.at_ms DESC, page.source DESC, page.key DESC"
    )
    return statement


def compiled_incident_counts(question: PageQuestion) -> Statement:
    """The statement that counts incidents by orchestrator."""
    statement = Statement("incident_counts")
    wallets = statement.bind([wallet for wallet in question.wallets if wallet], "text[]")
    tests = [_slots(statement, question), _window(statement, question), f"orchestrator = ANY ({wallets})"]
    statement.sql = f"SELECT orchestrator, count(*) FROM facts WHERE {' AND '.join(tests)} GROUP BY orchestrator"
    return statement


def compiled_payment_events(request_ids: Sequence[str]) -> Statement:
    """The statement that answers with the events of payments for requests. Its columns are those of PaymentEvent."""
    statement = Statement("payment_events")
    asked = among("paid.request_id", statement.bind([one for one in request_ids if one], "text[]"))
    event = "paid.at_ms, paid.source, paid.id"
    statement.sql = (
        f"SELECT paid.request_id, {event}, event.body FROM payments AS paid JOIN raw AS event "
        f"ON {beginning('event.owner')} = '' AND event.owner = '' AND event.at_ms = paid.at_ms "
        f"AND event.source = paid.source AND event.id = paid.id WHERE {asked} ORDER BY paid.request_id, {event}"
    )
    return statement


def _page(statement: Statement, table: str, question: PageQuestion, wallet: str, last: str, more: str) -> str:
    """Of each wallet its own page."""
    wallets = statement.bind([wallet for wallet in question.wallets if wallet], "text[]")
    tests = [more, _window(statement, question), f"{wallet} = one"]
    if question.after is not None:
        at_ms, source, text = question.after
        place = f"{statement.bind(at_ms)}, {statement.bind(source, 'text')}, {statement.bind(text, 'text')}"
        tests.append(f"(at_ms, source, {last}) < ({place})")
    limit = statement.bind(question.limit)
    return (
        f"(SELECT found.* FROM (SELECT DISTINCT unnest({wallets}) AS one) AS asked CROSS JOIN LATERAL ("
        f"SELECT * FROM {table} WHERE {' AND '.join(tests)} ORDER BY {LATEST}, {last} DESC LIMIT {limit}) AS found)"
    )


def _window(statement: Statement, question: PageQuestion) -> str:
    return f"at_ms >= {statement.bind(question.start_ms)} AND at_ms < {statement.bind(question.end_ms)}"


def _slots(statement: Statement, question: PageQuestion) -> str:
    first = statement.bind(question.start_ms // MINUTE_MS * MINUTE_MS)
    return f"slot >= {first} AND slot < {statement.bind(question.end_ms)} AND {COUNTED}"
