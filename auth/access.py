"""Who asks: from the header of a request to a Caller. What was verified is known again for a few seconds."""

import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import jwt

from auth import access_token
from auth.caller import ANONYMOUS, Caller, Scope
from auth.grants import Grants
from auth.issuers import Issuers
from auth.logins import Logins
from auth.machines import PREFIX, Machines
from auth.refusal import Refused
from auth.signing import KeyRing
from auth.site import Site
from auth.store.store import Store

# For so long a token that was revoked elsewhere may still be good; here it ends at once.
KNOWN_FOR = timedelta(seconds=5)
KNOWN = 10_000
OPERATOR = Caller(subject="operator", scopes=frozenset(Scope), operator=True)
HOW = "Send Authorization: Bearer and an access token or API key, or no Authorization at all."


class Access:
    """The gateway's door: logins, delegations, machines' tokens, and whom a token stands for."""

    def __init__(
        self,
        store: Store,
        keys: KeyRing,
        site: Site,
        clock: Callable[[], datetime],
        operators: frozenset[str] = frozenset(),
        operator_token: str | None = None,
        issuers: Issuers | None = None,
    ) -> None:
        self.keys, self.site, self.clock = keys, site, clock
        self.logins = Logins(store, keys, site, clock, operators, self.forget)
        self.grants = Grants(store, site, clock, self.forget)
        self.machines = Machines(store, keys, site)
        self._store, self._operator_token = store, operator_token
        self._issuers = issuers or Issuers()
        self._known: OrderedDict[bytes, tuple[datetime, Caller]] = OrderedDict()

    def known(self, header: str | None) -> Caller | None:
        """Whom an Authorization header stands for, where that is known already; cheap."""
        if header is None:
            return ANONYMOUS
        found = self._known.get(_digest(header))
        return found[1] if found is not None and self.clock() < found[0] else None

    async def caller(self, header: str | None) -> Caller:
        """Whom an Authorization header stands for; ANONYMOUS without one. Raises Refused, never a guess."""
        known = self.known(header)
        if known is not None or header is None:
            return known or ANONYMOUS
        now = self.clock()
        caller = await self._resolved(_bearer(header), now)
        until = now + KNOWN_FOR
        self._known[_digest(header)] = (min(until, caller.expires_at or until), caller)
        while len(self._known) > KNOWN:
            self._known.popitem(last=False)
        return caller

    def forget(self) -> None:
        """Look everybody up again: something was given or taken back."""
        self._known.clear()

    async def logout(self, caller: Caller, refresh_token: str | None = None, client: str | None = None) -> None:
        """End the login that a refresh token names, else the caller's own."""
        await self.logins.logout(None if refresh_token else caller.session, refresh_token, client)
        self.forget()

    def close(self) -> None:
        """Let go of the store."""
        self._store.close()

    async def _resolved(self, token: str, now: datetime) -> Caller:
        if self._operator_token and hmac.compare_digest(token.encode(), self._operator_token.encode()):
            return OPERATOR
        if token.startswith(PREFIX):
            return await self._store.run(lambda connection: self.machines.of_key(connection, token, now))
        header, issuer = _peeked(token)
        if issuer in self._issuers:
            return await self._issuers.caller(token, str(issuer), header, now)
        return await self._store.thread(lambda: self._own(token, header, now))

    def _own(self, token: str, header: dict[str, Any], now: datetime) -> Caller:
        """Whom a token of our own stands for."""
        self.keys.look(now)
        key = self.keys.named(str(header.get("kid")))
        if key is None:
            raise Refused("key", "the token is signed with no key of this gateway. Sign in again.")
        claims = access_token.verified(token, key, self.site, now)
        whose = self.machines.of_claims if claims.session is None else self.logins.caller
        return self._store.work(lambda connection: whose(connection, claims, now))


def _digest(header: str) -> bytes:
    return hashlib.sha256(header.encode()).digest()


def _bearer(header: str) -> str:
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Refused("scheme", f"the Authorization header is not understood. {HOW}")
    return token.strip()


def _peeked(token: str) -> tuple[dict[str, Any], object]:
    """The header of a JWT and whose it says it is: nothing of it is believed, it says only what to check it with."""
    if len(token) > access_token.MAX_LENGTH:
        raise Refused("length", f"the token is longer than {access_token.MAX_LENGTH:,} characters.")
    try:
        found = jwt.decode_complete(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        raise Refused("no_token", f"the token is not one. {HOW}") from None
    return found["header"], found["payload"].get("iss")
