"""Outside issuers: whose tokens are accepted besides our own, and how little they give. Never an operator's role."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jwt

from auth.access_token import check_times
from auth.caller import OWN_SCOPES, Caller, Role, Scope
from auth.jwks import ASYMMETRIC, Fetch, KeySet, is_https
from auth.refusal import Refused
from auth.signature import ADDRESS
from metrics.errors import BadRequest

SETTING = "NAAP_ISSUERS"
KEYS = {"issuer", "jwks_uri", "audience", "algorithms", "scopes", "role", "wallet_claim"}
MAX_LIFETIME = timedelta(days=1)
OPTIONS: Any = {
    "require": ["iss", "aud", "sub", "exp", "iat"], "verify_exp": False, "verify_nbf": False, "verify_iat": False,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Issuer:
    """An outside issuer. The claim `wallet_claim` of its tokens names the wallet whose data `role` may read."""

    issuer: str
    jwks_uri: str
    audience: str
    algorithms: frozenset[str] = frozenset({"RS256"})
    scopes: frozenset[Scope] = frozenset()
    role: Role = Role.ORCHESTRATOR
    wallet_claim: str | None = None


class Issuers:
    """Those that are configured, each with its keys."""

    def __init__(self, issuers: Iterable[Issuer] = (), fetch: Fetch | None = None) -> None:
        self._known = {one.issuer: (one, KeySet(one.jwks_uri, fetch)) for one in issuers}

    def __contains__(self, issuer: object) -> bool:
        return isinstance(issuer, str) and issuer in self._known

    async def caller(self, token: str, issuer: str, header: Mapping[str, Any], now: datetime) -> Caller:
        """Who a token of this issuer stands for. Raises Refused."""
        known, keys = self._known[issuer]
        kid = header.get("kid")
        key = await keys.named(kid, now) if isinstance(kid, str) else None
        if key is None:
            raise Refused("key", "the token is signed with a key that its issuer does not publish.")
        if key.algorithm_name not in known.algorithms:
            raise Refused("algorithm", "the token is signed with an algorithm that is not accepted of its issuer.")
        try:
            # The algorithm is the key's, whatever the token says of itself.
            claims = jwt.decode(token, key, [key.algorithm_name], OPTIONS, audience=known.audience, issuer=known.issuer)
        except (jwt.InvalidAudienceError, jwt.InvalidIssuerError):
            raise Refused("audience", f"the token is for another audience; here it must be {known.audience}.") from None
        except jwt.PyJWTError:
            raise Refused("signature", "the token is not its issuer's.") from None
        ends = check_times({"nbf": claims["iat"], **claims}, now)
        return _caller(known, claims, min(ends, now + MAX_LIFETIME))


def load_issuers(path: Path | None, own: str) -> list[Issuer]:
    """The issuers of a file (see docs/auth.md). Raises BadRequest saying what is wrong in it.

    `own` is what our tokens call us, and what theirs are for unless the file says otherwise.
    """
    if path is None:
        return []
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        listed = document["issuers"]
        assert isinstance(listed, list)
    except (OSError, ValueError, KeyError, TypeError, AssertionError):
        raise BadRequest(f'{SETTING} must name a JSON file of {{"issuers": […]}}: {path}.', SETTING) from None
    return [_issuer(one, own) for one in listed]


def _issuer(told: Any, own: str) -> Issuer:
    def wrong(what: str) -> BadRequest:
        return BadRequest(f"{SETTING}: {what}", SETTING)

    if not isinstance(told, dict) or not all(isinstance(told.get(key), str) for key in ("issuer", "jwks_uri")):
        raise wrong("every issuer needs `issuer` and `jwks_uri`.")
    name = told["issuer"]
    strange = sorted(told.keys() - KEYS)
    if strange:
        raise wrong(f"{name} has {strange[0]!r}. There are: {', '.join(sorted(KEYS))}.")
    if name == own:
        raise wrong(f"{name} is this gateway itself.")
    if not is_https(told["jwks_uri"]):
        raise wrong(f"{name}: jwks_uri must be an https URL.")
    algorithms = _texts(told.get("algorithms", ["RS256"]))
    if not algorithms or not algorithms <= ASYMMETRIC:
        raise wrong(f"{name}: algorithms must be some of {', '.join(sorted(ASYMMETRIC))}.")
    scopes = _texts(told.get("scopes", []))
    if scopes is None or not scopes <= OWN_SCOPES:
        raise wrong(f"{name}: scopes must be some of {', '.join(sorted(OWN_SCOPES))}.")
    if told.get("role", Role.ORCHESTRATOR) not in (Role.ORCHESTRATOR, Role.GATEWAY):
        raise wrong(f"{name}: role must be orchestrator or gateway.")
    for key in ("audience", "wallet_claim"):
        if not isinstance(told.get(key, ""), str):
            raise wrong(f"{name}: {key} must be a text.")
    return Issuer(
        name,
        told["jwks_uri"],
        told.get("audience", own),
        algorithms,
        frozenset(Scope(one) for one in scopes),
        Role(told.get("role", Role.ORCHESTRATOR)),
        told.get("wallet_claim"),
    )


def _texts(value: object) -> frozenset[str] | None:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        return None
    return frozenset(value)


def _caller(known: Issuer, claims: Mapping[str, Any], until: datetime) -> Caller:
    said = claims.get("scope")
    asked = frozenset(said.split()) if isinstance(said, str) else frozenset()
    wallet = claims.get(known.wallet_claim) if known.wallet_claim else None
    wallets = frozenset({wallet.lower()} if isinstance(wallet, str) and ADDRESS.fullmatch(wallet) else set())
    return Caller(
        subject=f"{known.issuer}#{claims['sub']}",
        scopes=frozenset(scope for scope in known.scopes if scope in asked),
        orchestrators=wallets if known.role is Role.ORCHESTRATOR else frozenset(),
        gateways=wallets if known.role is Role.GATEWAY else frozenset(),
        expires_at=until,
    )
