"""Logins as they are kept: nonces that were used, sessions, and the refresh tokens that renew them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from auth.caller import Scope
from auth.store.rows import hashed, joined, scopes, seconds
from auth.store.tables import REFRESH_TOKENS, SESSIONS, USED_NONCES


@dataclass(frozen=True, slots=True)
class Session:
    """A login: whose, with which scopes, and for which orchestrator alone, where there is one."""

    id: str
    wallet: str
    scopes: frozenset[Scope]
    orchestrator: str | None
    expires_at: datetime


class Refused(Enum):
    """Why a refresh token renews nothing."""

    UNKNOWN = auto()
    REUSED = auto()
    OVER = auto()


def use_nonce(connection: Connection, nonce: str, expires_at: datetime) -> bool:
    """Remember that a nonce was used; False where it was before."""
    try:
        with connection.begin_nested():
            connection.execute(insert(USED_NONCES).values(nonce=hashed(nonce), expires_s=seconds(expires_at)))
    except IntegrityError:
        return False
    return True


def begin(connection: Connection, session: Session, now: datetime) -> None:
    """Keep a new session."""
    connection.execute(
        insert(SESSIONS).values(
            id=session.id,
            wallet=session.wallet,
            scopes=joined(session.scopes),
            orchestrator=session.orchestrator,
            created_s=seconds(now),
            expires_s=seconds(session.expires_at),
        )
    )


def living(connection: Connection, id: str, now: datetime) -> Session | None:
    """The session of this id, unless it is over."""
    found = connection.execute(
        select(SESSIONS).where(SESSIONS.c.id == id, SESSIONS.c.revoked_s.is_(None), SESSIONS.c.expires_s > seconds(now))
    ).one_or_none()
    if found is None:
        return None
    until = datetime.fromtimestamp(found.expires_s, UTC)
    return Session(found.id, found.wallet, scopes(found.scopes), found.orchestrator, until)


def give_refresh(connection: Connection, session: str, token: str, expires_at: datetime) -> None:
    """Keep that this token renews the session."""
    connection.execute(
        insert(REFRESH_TOKENS).values(hash=hashed(token), session=session, expires_s=seconds(expires_at))
    )


def use_refresh(connection: Connection, token: str, now: datetime) -> tuple[Refused | None, str | None]:
    """Use a refresh token up: why it is refused, and the id of its session where that is known."""
    digest, at = hashed(token), seconds(now)
    used = connection.execute(
        update(REFRESH_TOKENS)
        .where(REFRESH_TOKENS.c.hash == digest, REFRESH_TOKENS.c.used_s.is_(None))
        .values(used_s=at)
    )
    found = connection.execute(select(REFRESH_TOKENS).where(REFRESH_TOKENS.c.hash == digest)).one_or_none()
    if found is None:
        return Refused.UNKNOWN, None
    if not used.rowcount:
        return Refused.REUSED, found.session
    return (Refused.OVER if found.expires_s <= at else None), found.session


def session_of(connection: Connection, token: str) -> str | None:
    """The id of the session that a refresh token belongs to, used or not."""
    found = connection.scalar(select(REFRESH_TOKENS.c.session).where(REFRESH_TOKENS.c.hash == hashed(token)))
    return None if found is None else str(found)


def end(connection: Connection, session: str, now: datetime) -> str | None:
    """End a session: its wallet, where it lived until now."""
    ended = connection.execute(
        update(SESSIONS).where(SESSIONS.c.id == session, SESSIONS.c.revoked_s.is_(None)).values(revoked_s=seconds(now))
    )
    if not ended.rowcount:
        return None
    return str(connection.scalar(select(SESSIONS.c.wallet).where(SESSIONS.c.id == session)))
