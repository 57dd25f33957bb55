"""Nonces that any process of the gateway knows again: signed and dated, so that none is kept before it is used."""

import hashlib
import hmac
import re
import secrets
from datetime import UTC, datetime, timedelta

from auth.refusal import Refused

LIFETIME = timedelta(minutes=10)
# Expiry (Unix seconds), 128 random bits and 128 bits of the tag, in hexadecimal: EIP-4361 wants letters and digits.
_NONCE = re.compile(r"(?P<body>(?P<expires>[0-9a-f]{8})[0-9a-f]{32})(?P<tag>[0-9a-f]{32})")


def made(secret: bytes, now: datetime) -> str:
    """A new nonce."""
    body = f"{int((now + LIFETIME).timestamp()):08x}{secrets.token_hex(16)}"
    return body + _tag(secret, body)


def expiry(secret: bytes, nonce: str, now: datetime) -> datetime:
    """When a nonce of ours expires. Raises Refused where it is not ours, or has expired."""
    found = _NONCE.fullmatch(nonce)
    if found is None or not hmac.compare_digest(_tag(secret, found["body"]), found["tag"]):
        raise Refused("nonce", "the signed message has a nonce that this gateway did not give. Ask for one first.")
    expires = datetime.fromtimestamp(int(found["expires"], 16), UTC)
    if expires <= now:
        raise Refused("nonce_expired", "the nonce has expired. Ask for another one and sign again.")
    return expires


def _tag(secret: bytes, body: str) -> str:
    return hmac.new(secret, body.encode(), hashlib.sha256).hexdigest()[:32]
