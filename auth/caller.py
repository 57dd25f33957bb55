"""Who asks. A caller is a frozen value that says what it may; the rest of the gateway never sees a token."""

from dataclasses import dataclass
from datetime import datetime
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


class Role(StrEnum):
    """As what a caller may ask."""

    ORCHESTRATOR = "orchestrator"
    GATEWAY = "gateway"
    OPERATOR = "operator"


# What a wallet may have by signing in, and an outside issuer may give; the others are an operator's.
OWN_SCOPES = frozenset({Scope.EARNINGS, Scope.PAYMENTS, Scope.INCIDENTS, Scope.STANDING, Scope.SESSIONS})


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who asks.

    `subject` is a wallet (lower-case hex), an API key's or a machine's name, or None for somebody unknown.
    `orchestrators` and `gateways` are the wallets whose private data it may read, as far as its scopes go;
    an operator may read everybody's, likewise as far as its scopes go. Every scope holds for every one of them.
    """

    subject: str | None = None
    scopes: frozenset[Scope] = frozenset()
    orchestrators: frozenset[str] = frozenset()
    gateways: frozenset[str] = frozenset()
    operator: bool = False
    # The wallet that signed in here; None for machines and outside issuers.
    wallet: str | None = None
    # The login that the token belongs to, by which it is ended.
    session: str | None = None
    expires_at: datetime | None = None

    @property
    def roles(self) -> frozenset[Role]:
        """As what it may ask."""
        held = ((Role.ORCHESTRATOR, self.orchestrators), (Role.GATEWAY, self.gateways), (Role.OPERATOR, self.operator))
        return frozenset(role for role, has in held if has)


ANONYMOUS = Caller()
