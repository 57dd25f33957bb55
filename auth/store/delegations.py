"""Delegations as they are kept. One that was revoked stays known until it would have expired: it cannot come back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, func, insert, or_, select, update

from auth.delegation import Delegation
from auth.store.rows import instant, joined, scopes, seconds
from auth.store.tables import DELEGATIONS


@dataclass(frozen=True, slots=True)
class Kept:
    """A delegation that was given here. `id` is the digest that was signed, in hexadecimal."""

    id: str
    delegation: Delegation
    revoked_at: datetime | None


def keep(connection: Connection, id: str, given: Delegation) -> None:
    """Keep a new one."""
    connection.execute(
        insert(DELEGATIONS).values(
            id=id,
            orchestrator=given.orchestrator,
            delegate=given.delegate,
            scopes=joined(given.scopes),
            issued_s=seconds(given.issued_at),
            expires_s=seconds(given.expires_at),
        )
    )


def named(connection: Connection, id: str) -> Kept | None:
    """The one of this id, in force or not."""
    found = connection.execute(select(DELEGATIONS).where(DELEGATIONS.c.id == id)).one_or_none()
    return None if found is None else _kept(found)


def of_wallet(connection: Connection, wallet: str, now: datetime, most: int) -> Sequence[Kept]:
    """Those in force that a wallet gave or was given; those that end last first."""
    mine = or_(DELEGATIONS.c.orchestrator == wallet, DELEGATIONS.c.delegate == wallet)
    wanted = select(DELEGATIONS).where(mine, *_in_force(now))
    rows = connection.execute(wanted.order_by(DELEGATIONS.c.expires_s.desc(), DELEGATIONS.c.id).limit(most))
    return [_kept(row) for row in rows]


def to_delegate(connection: Connection, delegate: str, now: datetime, most: int) -> Sequence[Kept]:
    """Those in force that a wallet may act by."""
    wanted = select(DELEGATIONS).where(DELEGATIONS.c.delegate == delegate, *_in_force(now))
    return [_kept(row) for row in connection.execute(wanted.order_by(DELEGATIONS.c.id).limit(most))]


def count_by(connection: Connection, orchestrator: str, now: datetime) -> int:
    """How many in force an orchestrator has given."""
    wanted = select(func.count()).where(DELEGATIONS.c.orchestrator == orchestrator, *_in_force(now))
    return int(connection.scalar(wanted) or 0)


def revoke(connection: Connection, id: str, now: datetime) -> None:
    """End one."""
    connection.execute(
        update(DELEGATIONS)
        .where(DELEGATIONS.c.id == id, DELEGATIONS.c.revoked_s.is_(None))
        .values(revoked_s=seconds(now))
    )


def _in_force(now: datetime) -> tuple[Any, ...]:
    return DELEGATIONS.c.revoked_s.is_(None), DELEGATIONS.c.expires_s > seconds(now)


def _kept(row: Any) -> Kept:
    given = Delegation(
        row.orchestrator,
        row.delegate,
        scopes(row.scopes),
        datetime.fromtimestamp(row.issued_s, UTC),
        datetime.fromtimestamp(row.expires_s, UTC),
    )
    return Kept(row.id, given, instant(row.revoked_s))
