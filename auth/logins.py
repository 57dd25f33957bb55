"""Signing in, staying signed in and signing out."""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from auth import access_token, nonce, siwe
from auth.audit import record
from auth.caller import OWN_SCOPES, Caller, Scope
from auth.delegation import read_scopes
from auth.refusal import Refused
from auth.signature import personal_digest, signer
from auth.signing import KeyRing
from auth.site import Site
from auth.store import delegations, sessions
from auth.store.sessions import Session
from auth.store.store import Connection, Store
from metrics.errors import BadRequest, Forbidden

# A refresh token is good for a week and once; with all that follow from it a login lasts at most 30 days.
REFRESH_LIFETIME, SESSION_LIFETIME = timedelta(days=7), timedelta(days=30)
REFRESH_PREFIX = "naapr_"
# More delegations than these to one wallet are not looked at.
MOST_DELEGATIONS = 100
AGAIN = "Sign in again."


@dataclass(frozen=True, slots=True)
class Challenge:
    """What to sign. `message` is ready to be signed where the wallet was named, else None."""

    nonce: str
    expires_at: datetime
    domain: str
    uri: str
    chain_id: int
    message: str | None


@dataclass(frozen=True, slots=True)
class Issued:
    """What somebody who signed in gets. The tokens are shown here and nowhere else."""

    access_token: str
    expires_at: datetime
    refresh_token: str
    refresh_expires_at: datetime
    wallet: str
    scopes: frozenset[Scope]
    orchestrators: frozenset[str]


@dataclass(frozen=True, slots=True)
class Logins:
    """Logins by wallet. `operators` are wallets that have every right here."""

    store: Store
    keys: KeyRing
    site: Site
    clock: Callable[[], datetime]
    operators: frozenset[str] = frozenset()
    # Called where a login was ended that somebody may be known by.
    ended: Callable[[], None] = lambda: None

    def challenge(self, wallet: str | None = None) -> Challenge:
        """A nonce, and for a wallet the whole message to sign."""
        now, site = self.clock(), self.site
        given = nonce.made(self.store.nonce_secret, now)
        until = nonce.expiry(self.store.nonce_secret, given, now)
        message = None
        if wallet is not None:
            message = siwe.Message(
                site.domain, wallet, site.uri, site.chain_id, given, now, until, statement=siwe.STATEMENT
            ).text()
        return Challenge(given, until, site.domain, site.uri, site.chain_id, message)

    async def login(
        self,
        message: str,
        signature: str,
        scopes: Iterable[str] | None = None,
        orchestrator: str | None = None,
        client: str | None = None,
    ) -> Issued:
        """Sign a wallet in.

        With `orchestrator` the token acts for that one alone; without, for the wallet itself and for every orchestrator
        that has delegated all of the token's scopes to it. Raises BadRequest, Refused, Forbidden.
        """
        now = self.clock()
        try:
            asked = siwe.parse(message)
            siwe.check(asked, self.site, now)
            until = nonce.expiry(self.store.nonce_secret, asked.nonce, now)
            if signer(personal_digest(message), signature) != asked.address:
                raise Refused(
                    "signature",
                    f"the signature is not that of {asked.address} for this message. Sign the message as it is sent "
                    "(contract wallets, EIP-1271, cannot sign in: delegate to a wallet with a key).",
                )
            wanted = None if scopes is None else read_scopes(scopes, self._allowed(asked.address, orchestrator))
            issued = await self.store.run(
                lambda c: self._begun(c, asked.address, asked.nonce, until, wanted, orchestrator, now)
            )
        except (Refused, Forbidden) as error:
            record("login_refused", now, client, reason=_reason(error))
            raise
        record("login", now, client, wallet=issued.wallet, scopes=issued.scopes, orchestrators=issued.orchestrators)
        await self.store.sweep(now)
        return issued

    async def refresh(self, token: str, client: str | None = None) -> Issued:
        """New tokens for a refresh token, which is used up. One that was used before ends its whole login."""
        now = self.clock()
        try:
            return await self._refreshed(token, now, client)
        except Refused as error:
            record("refresh_refused", now, client, reason=error.reason)
            raise

    async def logout(self, session: str | None, refresh_token: str | None = None, client: str | None = None) -> None:
        """End a login, named by its id or by a refresh token of it. Raises BadRequest where neither is given."""
        now = self.clock()
        if session is None and refresh_token is None:
            raise BadRequest(
                "say which login to end: send its access token as Authorization, or its refresh token. "
                "A machine's token is ended with `naap token revoke`.",
                "refresh_token",
            )

        def work(connection: Connection) -> str | None:
            named = session or sessions.session_of(connection, refresh_token or "")
            return sessions.end(connection, named, now) if named else None

        wallet = await self.store.run(work)
        if wallet is not None:
            record("logout", now, client, wallet=wallet)

    def caller(self, connection: Connection, claims: access_token.Claims, now: datetime) -> Caller:
        """Who an access token of a login stands for. Raises Refused where the login or its delegation is over."""
        session = sessions.living(connection, claims.session or "", now)
        if session is None or session.wallet != claims.subject:
            raise Refused("session_over", f"this login was ended. {AGAIN}")
        alone = session.orchestrator is not None
        return Caller(
            subject=session.wallet,
            scopes=session.scopes & self._allowed(session.wallet, session.orchestrator),
            orchestrators=_acts_for(connection, session, now),
            gateways=frozenset() if alone else frozenset({session.wallet}),
            operator=not alone and session.wallet in self.operators,
            wallet=session.wallet,
            session=session.id,
            expires_at=claims.expires_at,
        )

    def _allowed(self, wallet: str, orchestrator: str | None) -> frozenset[Scope]:
        """What a wallet may have; an operator that acts for one orchestrator alone is none meanwhile."""
        return frozenset(Scope) if wallet in self.operators and orchestrator is None else OWN_SCOPES

    def _begun(
        self,
        connection: Connection,
        wallet: str,
        used: str,
        until: datetime,
        wanted: frozenset[Scope] | None,
        orchestrator: str | None,
        now: datetime,
    ) -> Issued:
        if not sessions.use_nonce(connection, used, until):
            raise Refused("nonce_replayed", "the nonce was used before. Ask for another one and sign again.")
        if wanted is None:
            wanted = self._allowed(wallet, orchestrator)
            if orchestrator not in (None, wallet):
                wanted = _delegated(connection, wallet, str(orchestrator), now)
        session = Session(secrets.token_hex(16), wallet, wanted, orchestrator, now + SESSION_LIFETIME)
        try:
            acts_for = _acts_for(connection, session, now)
        except Refused:
            raise Forbidden(
                f"{orchestrator} has not delegated {' '.join(sorted(wanted)) or 'anything'} to {wallet}. Its wallet "
                "signs a delegation first, which POST /auth/delegations takes."
            ) from None
        sessions.begin(connection, session, now)
        return self._issued(connection, session, acts_for, now)

    async def _refreshed(self, token: str, now: datetime, client: str | None) -> Issued:
        def work(connection: Connection) -> Issued | Refused:
            refused, id = sessions.use_refresh(connection, token, now)
            if refused is sessions.Refused.REUSED and id is not None:
                # Two have it, and one of them stole it: neither stays signed in. This must last, so nothing is raised.
                wallet = sessions.end(connection, id, now)
                if wallet is not None:
                    record("refresh_reused", now, client, wallet=wallet)
                return Refused("reused", f"the refresh token was used before, so its login was ended. {AGAIN}")
            session = sessions.living(connection, id, now) if id is not None and refused is None else None
            if session is None:
                return Refused("unknown_or_over", f"the refresh token is not one, or is over. {AGAIN}")
            return self._issued(connection, session, _acts_for(connection, session, now), now)

        done = await self.store.run(work)
        if isinstance(done, Refused):
            if done.reason == "reused":
                self.ended()
            raise done
        record("refresh", now, client, wallet=done.wallet)
        return done

    def _issued(self, connection: Connection, session: Session, acts_for: frozenset[str], now: datetime) -> Issued:
        until = min(now + access_token.LIFETIME, session.expires_at)
        refresh = REFRESH_PREFIX + secrets.token_urlsafe(32)
        refresh_until = min(now + REFRESH_LIFETIME, session.expires_at)
        sessions.give_refresh(connection, session.id, refresh, refresh_until)
        scopes = frozenset(str(scope) for scope in session.scopes)
        access = access_token.issued(self.keys, self.site, session.wallet, scopes, now, until, session.id)
        return Issued(access, until, refresh, refresh_until, session.wallet, session.scopes, acts_for)


def _acts_for(connection: Connection, session: Session, now: datetime) -> frozenset[str]:
    """The orchestrators whose private data a login may read, each with all of its scopes. Raises Refused for none."""
    if session.orchestrator == session.wallet:
        return frozenset({session.wallet})
    given = delegations.to_delegate(connection, session.wallet, now, MOST_DELEGATIONS)
    by = {one.delegation.orchestrator for one in given if session.scopes <= one.delegation.scopes}
    if session.orchestrator is None:
        return frozenset({session.wallet, *by})
    if session.orchestrator not in by:
        raise Refused("delegation_over", f"the delegation that this login acts by is over. {AGAIN}")
    return frozenset({session.orchestrator})


def _delegated(connection: Connection, wallet: str, orchestrator: str, now: datetime) -> frozenset[Scope]:
    """The scopes that an orchestrator has delegated to a wallet: of several delegations those of the widest."""
    given = delegations.to_delegate(connection, wallet, now, MOST_DELEGATIONS)
    found = [one.delegation.scopes for one in given if one.delegation.orchestrator == orchestrator]
    return max(found, key=len, default=frozenset())


def _reason(error: Refused | Forbidden) -> str:
    return error.reason if isinstance(error, Refused) else "no_delegation"
