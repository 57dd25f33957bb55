"""Delegations given, listed and taken back."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from auth import delegation
from auth.audit import record
from auth.caller import Caller
from auth.delegation import Delegation
from auth.refusal import Refused
from auth.site import Site
from auth.store import delegations
from auth.store.delegations import Kept
from auth.store.store import Connection, Store
from metrics.errors import Forbidden, NotFound, Unauthenticated

# In force, by one orchestrator.
MOST = 50


@dataclass(frozen=True, slots=True)
class Grants:
    """Who may act for whom. `changed` is told when that may have changed."""

    store: Store
    site: Site
    clock: Callable[[], datetime]
    changed: Callable[[], None] = lambda: None

    def draft(self, orchestrator: str, delegate: str, scopes: Iterable[str], expires_at: datetime) -> Delegation:
        """A delegation to sign, issued now. Raises BadRequest where it cannot be."""
        now = self.clock()
        return delegation.proposed(orchestrator, delegate, scopes, now, expires_at, now)

    async def give(
        self,
        caller: Caller,
        orchestrator: str,
        delegate: str,
        scopes: Iterable[str],
        issued_at: datetime,
        expires_at: datetime,
        signature: str,
        client: str | None = None,
    ) -> Kept:
        """Take a signed delegation; once more is once. Sent by either wallet. Raises BadRequest, Refused, Forbidden."""
        now, wallet = self.clock(), _wallet(caller)
        if wallet not in (orchestrator, delegate):
            raise Forbidden("a delegation is sent by the orchestrator or the delegate: sign in with one of these.")
        given = delegation.proposed(orchestrator, delegate, scopes, issued_at, expires_at, now)
        try:
            delegation.check(given, signature, self.site)
        except Refused as error:
            record("delegation_refused", now, client, wallet=wallet, reason=error.reason)
            raise
        id = given.digest(self.site).hex()

        def work(connection: Connection) -> tuple[Kept, bool]:
            known = delegations.named(connection, id)
            if known is not None:
                return known, False
            if delegations.count_by(connection, orchestrator, now) >= MOST:
                raise Forbidden(f"{orchestrator} has {MOST} delegations in force. Revoke one first.")
            delegations.keep(connection, id, given)
            return Kept(id, given, None), True

        kept, is_new = await self.store.run(work)
        if kept.revoked_at is not None:
            record("delegation_refused", now, client, wallet=wallet, reason="revoked")
            raise Forbidden("this delegation was revoked. Let the orchestrator's wallet sign a new one.")
        self.changed()
        if is_new:
            _record("delegation", now, client, kept)
        return kept

    async def listed(self, caller: Caller) -> Sequence[Kept]:
        """Those in force that the caller's wallet gave or was given; at most a hundred."""
        now, wallet = self.clock(), _wallet(caller)
        return await self.store.run(lambda c: delegations.of_wallet(c, wallet, now, 2 * MOST))

    async def revoke(self, caller: Caller, id: str, client: str | None = None) -> Kept:
        """End one that the caller's wallet gave or was given. Raises NotFound also for those of others."""
        now, wallet = self.clock(), _wallet(caller)

        def work(connection: Connection) -> Kept | None:
            found = delegations.named(connection, id)
            if found is None or wallet not in (found.delegation.orchestrator, found.delegation.delegate):
                return None
            delegations.revoke(connection, id, now)
            return delegations.named(connection, id)

        kept = await self.store.run(work)
        if kept is None:
            raise NotFound("there is no delegation of this id that you gave or were given.")
        self.changed()
        _record("delegation_revoked", now, client, kept, by=wallet)
        return kept


def _record(event: str, now: datetime, client: str | None, kept: Kept, **more: object) -> None:
    given = kept.delegation
    told = {"orchestrator": given.orchestrator, "delegate": given.delegate, "scopes": given.scopes}
    record(event, now, client, id=kept.id, **told, expires_at=given.expires_at, **more)


def _wallet(caller: Caller) -> str:
    """The wallet that signed in. Raises Unauthenticated, Forbidden where there is none."""
    if caller.subject is None:
        raise Unauthenticated("sign in with a wallet first: POST /auth/nonce, then /auth/login.")
    if caller.wallet is None:
        raise Forbidden("delegations belong to wallets: sign in with one; a machine's token cannot do this.")
    return caller.wallet
