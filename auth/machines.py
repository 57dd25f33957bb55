"""Machines' tokens: API keys and signed tokens, issued and revoked by whoever runs the gateway."""

import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from auth import access_token
from auth.audit import record
from auth.caller import OWN_SCOPES, Caller, Role, Scope
from auth.refusal import Refused
from auth.signing import KeyRing
from auth.site import Site
from auth.store import tokens
from auth.store.rows import hashed
from auth.store.store import Connection, Store
from auth.store.tokens import Token
from metrics.errors import BadRequest, NotFound

PREFIX = "naap_"
KINDS = ("key", "jwt")
MAX_LIFETIME = timedelta(days=731)
NOTED_EVERY = timedelta(minutes=1)
OVER = "Ask whoever runs the gateway for another one."
_KEY = re.compile(r"naap_(?P<id>[0-9a-f]{16})_(?P<secret>[A-Za-z0-9_-]{43})")
# Never what a wallet looks like, nor the name of the one token that is a setting.
_NAME = re.compile(r"(?!0x)(?!operator$)[a-z0-9][a-z0-9._-]{0,62}")


@dataclass(frozen=True, slots=True)
class Machines:
    """The tokens of machines."""

    store: Store
    keys: KeyRing
    site: Site

    def issue(
        self,
        name: str,
        kind: str,
        role: Role,
        wallets: Sequence[str],
        scopes: frozenset[Scope],
        lifetime: timedelta,
        now: datetime,
    ) -> tuple[Token, str]:
        """A new token, and its text: the one time that it can be had. Raises BadRequest naming an option."""
        checked(name, role, wallets, scopes, lifetime)
        secret, id, named = secrets.token_urlsafe(32), secrets.token_hex(8), frozenset(wallets)
        token = Token(
            id,
            name,
            kind,
            scopes,
            orchestrators=named if role is Role.ORCHESTRATOR else frozenset(),
            gateways=named if role is Role.GATEWAY else frozenset(),
            operator=role is Role.OPERATOR,
            created_at=now,
            expires_at=now + lifetime,
            hash=hashed(secret) if kind == "key" else None,
        )
        self.store.work(lambda connection: tokens.keep(connection, token))
        record("token_issued", now, id=id, name=name, kind=kind, role=role, scopes=scopes, expires_at=token.expires_at)
        if kind == "key":
            return token, f"{PREFIX}{id}_{secret}"
        given = frozenset(str(scope) for scope in scopes)
        return token, access_token.issued(self.keys, self.site, name, given, now, token.expires_at, id=id)

    def listed(self) -> Sequence[Token]:
        """All, also those that are over."""
        return self.store.work(tokens.every)

    def revoke(self, id: str, now: datetime) -> Token:
        """End one. Raises NotFound."""

        def work(connection: Connection) -> Token | None:
            tokens.revoke(connection, id, now)
            return tokens.named(connection, id)

        found = self.store.work(work)
        if found is None:
            raise NotFound(f"there is no token {id!r}. `naap token list` shows them.")
        record("token_revoked", now, id=id, name=found.name)
        return found

    def of_key(self, connection: Connection, text: str, now: datetime) -> Caller:
        """Who an API key stands for. Raises Refused."""
        found = _KEY.fullmatch(text)
        token = tokens.named(connection, found["id"]) if found else None
        # What is compared is a hash, and it is compared also where there is no such key.
        kept = token.hash if token is not None and token.hash else hashed("")
        if found is None or not hmac.compare_digest(hashed(found["secret"]), kept) or token is None:
            raise Refused("key", f"the API key is not one of this gateway's. {OVER}")
        return _living(connection, token, now)

    def of_claims(self, connection: Connection, claims: access_token.Claims, now: datetime) -> Caller:
        """Who a machine's signed token stands for. Raises Refused."""
        token = tokens.named(connection, claims.id)
        if token is None or token.kind != "jwt":
            raise Refused("unknown", f"the token was not issued here. {OVER}")
        return _living(connection, token, now)


def checked(
    name: str, role: Role, wallets: Sequence[str], scopes: frozenset[Scope], lifetime: timedelta
) -> None:  # fmt: skip
    """Whether such a token can be. Raises BadRequest naming the option."""
    if not _NAME.fullmatch(name):
        raise BadRequest(
            "--name: 1 to 63 of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit; not 0x…, not operator.",
            "--name",
        )
    if role is Role.OPERATOR and wallets:
        raise BadRequest("--wallet: an operator's token is about every wallet; leave it out.", "--wallet")
    if role is not Role.OPERATOR and not 1 <= len(wallets) <= 90:
        raise BadRequest(f"--wallet: name the {role}'s wallets, 1 to 90 of them.", "--wallet")
    strange = sorted(scopes - OWN_SCOPES) if role is not Role.OPERATOR else []
    if strange:
        raise BadRequest(f"--scope: {strange[0]} is for --role operator only.", "--scope")
    if not timedelta() < lifetime <= MAX_LIFETIME:
        raise BadRequest("--expires: at most 731 days.", "--expires")


def _living(connection: Connection, token: Token, now: datetime) -> Caller:
    if token.revoked_at is not None:
        raise Refused("revoked", f"the token was revoked. {OVER}")
    if token.expires_at <= now:
        raise Refused("expired", f"the token has expired. {OVER}")
    if token.last_used_at is None or now - token.last_used_at >= NOTED_EVERY:
        tokens.used(connection, token.id, now)
    return Caller(
        subject=token.name,
        scopes=token.scopes,
        orchestrators=token.orchestrators,
        gateways=token.gateways,
        operator=token.operator,
        expires_at=token.expires_at,
    )
