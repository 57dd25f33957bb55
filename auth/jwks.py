"""The public keys of an outside issuer: fetched over https, bounded, kept for a while, and not asked for often."""

import asyncio
import json
import logging
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import jwt

log = logging.getLogger("naap.auth")

TIMEOUT_S = 5.0
MAX_BYTES, MAX_KEYS = 128 * 1024, 50
# Fetched anew after FRESH; used until STALE where that fails; asked at most once in RETRY, whatever is sent to us.
FRESH, STALE, RETRY = timedelta(minutes=5), timedelta(hours=1), timedelta(seconds=30)
ASYMMETRIC = frozenset({"EdDSA", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"})

Fetch = Callable[[str], bytes]


class KeySet:
    """The keys at a URL."""

    def __init__(self, url: str, fetch: Fetch | None = None) -> None:
        self._url, self._fetch = url, fetch or fetched
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._got: datetime | None = None
        self._tried: datetime | None = None
        self._lock = asyncio.Lock()

    async def named(self, kid: str, now: datetime) -> jwt.PyJWK | None:
        """The key of this id, where the issuer has it."""
        if kid not in self._keys or not self._within(self._got, FRESH, now):
            async with self._lock:  # whoever waits finds what the first one fetched
                await self._fetch_anew(kid, now)
        return self._keys.get(kid) if self._within(self._got, STALE, now) else None

    async def _fetch_anew(self, kid: str, now: datetime) -> None:
        if kid in self._keys and self._within(self._got, FRESH, now):
            return
        if self._within(self._tried, RETRY, now):
            return
        self._tried = now
        try:
            content = await asyncio.to_thread(self._fetch, self._url)
            self._keys, self._got = keys_in(content), now
        except (OSError, ValueError) as error:
            log.warning("the keys of an issuer cannot be had from %s: %s", self._url, error)

    @staticmethod
    def _within(at: datetime | None, length: timedelta, now: datetime) -> bool:
        return at is not None and now - at < length


def keys_in(content: bytes) -> Mapping[str, jwt.PyJWK]:
    """The keys of a JWKS document by their id; those that sign nothing we accept are left out. Raises ValueError."""
    document = json.loads(content)
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list) or len(listed) > MAX_KEYS:
        raise ValueError(f"no JWKS of at most {MAX_KEYS} keys")
    found: dict[str, jwt.PyJWK] = {}
    for one in listed:
        if not isinstance(one, dict) or not isinstance(one.get("kid"), str) or one.get("use", "sig") != "sig":
            continue
        key = _key(one)
        # A symmetric key, whatever it calls itself, is not one that only the issuer has.
        if key is not None and key.algorithm_name in ASYMMETRIC:
            found[one["kid"]] = key
    return found


def fetched(url: str) -> bytes:
    """What is at an https URL: no redirects, bounded. Raises OSError or ValueError."""
    if not is_https(url):
        raise ValueError("not an https URL")
    request = urllib.request.Request(url, headers={"Accept": "application/json"})  # noqa: S310  # see above
    with _OPENER.open(request, timeout=TIMEOUT_S) as answer:
        content: bytes = answer.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES:,} bytes")
    return content


def is_https(url: str) -> bool:
    """Whether keys may be fetched from here."""
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc and not parts.fragment
    except ValueError:
        return False


def _key(told: dict[str, Any]) -> jwt.PyJWK | None:
    try:
        return jwt.PyJWK(told)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an error: where keys come from is configured."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


_OPENER = urllib.request.OpenerDirector()
for _handler in (urllib.request.HTTPSHandler(), urllib.request.HTTPErrorProcessor(),
                 urllib.request.HTTPDefaultErrorHandler(), _NoRedirect()):  # fmt: skip
    _OPENER.add_handler(_handler)
