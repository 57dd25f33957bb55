"""Access tokens: JWTs of this gateway (RFC 9068). Short-lived for people, long-lived and listed for machines."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from auth.refusal import Refused
from auth.signing import KeyRing, SigningKey
from auth.site import Site

TYPE = "at+jwt"
LIFETIME = timedelta(minutes=15)
MAX_LENGTH = 8192
# How far the clocks of two machines of a gateway may be apart.
LEEWAY = timedelta(seconds=5)
LATEST_S = 32_503_680_000  # the year 3000: what others write may be anything
REQUIRED = ("iss", "aud", "sub", "exp", "nbf", "iat", "jti", "scope")
# Times are checked below against the clock that everything else here goes by.
OPTIONS: Any = {"require": [*REQUIRED], "verify_exp": False, "verify_nbf": False, "verify_iat": False}
EXPIRED = "the token has expired. Refresh it (POST /auth/refresh), or sign in again."


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token of ours says, once its signature is checked. `session` is None for a machine's token."""

    subject: str
    id: str
    session: str | None
    expires_at: datetime


def issued(
    keys: KeyRing, site: Site, subject: str, scopes: frozenset[str], now: datetime, until: datetime,
    session: str | None = None, id: str | None = None,
) -> str:  # fmt: skip
    """A signed token."""
    keys.look(now)
    key = keys.current
    at = int(now.timestamp())
    claims = {
        "iss": site.uri,
        "aud": site.uri,
        "sub": subject,
        "iat": at,
        "nbf": at,
        "exp": int(until.timestamp()),
        "jti": id or secrets.token_hex(16),
        "scope": " ".join(sorted(scopes)),
        **({"sid": session} if session else {}),
    }
    return jwt.encode(claims, key.private, key.algorithm, {"kid": key.kid, "typ": TYPE})


def verified(token: str, key: SigningKey, site: Site, now: datetime) -> Claims:
    """What a token says. Raises Refused where it is not this key's, not for here or not for now."""
    try:
        found = jwt.decode_complete(
            token, key.private.public_key(), [key.algorithm], OPTIONS, audience=site.uri, issuer=site.uri
        )
    except (jwt.InvalidAudienceError, jwt.InvalidIssuerError):
        raise Refused("audience", f"the token is for another gateway; here it must be {site.uri}'s.") from None
    except jwt.PyJWTError:
        raise Refused("signature", "the token is not one of this gateway's. Sign in again.") from None
    if found["header"].get("typ") != TYPE:
        raise Refused("type", "the token is no access token.")
    claims = found["payload"]
    return Claims(claims["sub"], claims["jti"], claims.get("sid"), check_times(claims, now))


def check_times(claims: dict[str, Any], now: datetime) -> datetime:
    """When a token ends. Raises Refused where it is over, not yet begun, or does not say so in numbers."""
    at, leeway_s = now.timestamp(), LEEWAY.total_seconds()
    exp, nbf, iat = (_seconds(claims[name]) for name in ("exp", "nbf", "iat"))
    if exp <= at - leeway_s:
        raise Refused("expired", EXPIRED)
    if nbf > at + leeway_s or iat > at + leeway_s:
        raise Refused("not_yet_valid", "the token is not valid yet. Wait, or set the clock right.")
    return datetime.fromtimestamp(exp, UTC)


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LATEST_S:
        raise Refused("times", "the token's times are no seconds since 1970.")
    return value
