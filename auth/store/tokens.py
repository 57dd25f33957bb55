"""Machine tokens and API keys as they are kept: who they are, what they may, and when they were last used."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from auth.caller import Scope
from auth.store.rows import instant, joined, parts, scopes, seconds
from auth.store.tables import TOKENS


@dataclass(frozen=True, slots=True)
class Token:
    """A machine's token. `kind` is `key` (an API key) or `jwt`."""

    id: str
    name: str
    kind: str
    scopes: frozenset[Scope]
    orchestrators: frozenset[str]
    gateways: frozenset[str]
    operator: bool
    created_at: datetime
    expires_at: datetime
    hash: str | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None


def keep(connection: Connection, token: Token) -> None:
    """Keep a new one."""
    connection.execute(
        insert(TOKENS).values(
            id=token.id,
            name=token.name,
            kind=token.kind,
            hash=token.hash,
            scopes=joined(token.scopes),
            orchestrators=joined(token.orchestrators),
            gateways=joined(token.gateways),
            operator=token.operator,
            created_s=seconds(token.created_at),
            expires_s=seconds(token.expires_at),
        )
    )


def named(connection: Connection, id: str) -> Token | None:
    """The one of this id, in force or not."""
    found = connection.execute(select(TOKENS).where(TOKENS.c.id == id)).one_or_none()
    return None if found is None else _token(found)


def every(connection: Connection) -> Sequence[Token]:
    """All of them, the oldest first."""
    return [_token(row) for row in connection.execute(select(TOKENS).order_by(TOKENS.c.created_s, TOKENS.c.id))]


def revoke(connection: Connection, id: str, now: datetime) -> None:
    """End one."""
    connection.execute(
        update(TOKENS).where(TOKENS.c.id == id, TOKENS.c.revoked_s.is_(None)).values(revoked_s=seconds(now))
    )


def used(connection: Connection, id: str, now: datetime) -> None:
    """Note that one was used."""
    connection.execute(update(TOKENS).where(TOKENS.c.id == id).values(last_used_s=seconds(now)))


def _token(row: Any) -> Token:
    return Token(
        row.id,
        row.name,
        row.kind,
        scopes(row.scopes),
        parts(row.orchestrators),
        parts(row.gateways),
        row.operator,
        datetime.fromtimestamp(row.created_s, UTC),
        datetime.fromtimestamp(row.expires_s, UTC),
        row.hash,
        instant(row.revoked_s),
        instant(row.last_used_s),
    )
