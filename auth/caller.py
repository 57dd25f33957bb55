"""Who asks. A caller is a frozen value that says what it may; the rest of the gateway never sees a token."""

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """What a token may be good for. A token without a scope may read what is public, under its own budget."""

    EARNINGS = "earnings:read"
    PAYMENTS = "payments:read"
    INCIDENTS = "incidents:read"
    STANDING = "standing:read"
    SESSIONS = "sessions:read"
    EVENTS = "events:write"
    PLAN = "plan:read"


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who asks.

    `subject` is a wallet (lower-case hex), an API key's or a machine's name, or None for somebody unknown.
    `orchestrators` and `gateways` are the wallets whose private data it may read, as far as its scopes go;
    an operator may read everybody's, likewise as far as its scopes go.
    """

    subject: str | None = None
    scopes: frozenset[Scope] = frozenset()
    orchestrators: frozenset[str] = frozenset()
    gateways: frozenset[str] = frozenset()
    operator: bool = False


ANONYMOUS = Caller()
