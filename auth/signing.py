"""The keys that tokens are signed with: PEM files in a directory, of which the last by name signs and all verify.

A new file is a rotation: what older keys signed stays good until their files are gone. Every process looks again when
it meets a key that it does not know, and every few seconds.
"""

import base64
import hashlib
import json
import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import ECAlgorithm, OKPAlgorithm

from metrics.errors import BadRequest, StoreUnavailable

log = logging.getLogger("naap.auth")

LOOK_EVERY = timedelta(seconds=5)
_THUMBPRINT = {"OKP": ("crv", "kty", "x"), "EC": ("crv", "kty", "x", "y")}

PrivateKey: TypeAlias = Ed25519PrivateKey | EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key with the one algorithm that it is for. `kid` is its thumbprint (RFC 7638)."""

    kid: str
    algorithm: str
    private: PrivateKey
    jwk: Mapping[str, Any]
    name: str = ""

    @classmethod
    def of(cls, private: object, name: str = "") -> "SigningKey":
        """A private key as one that signs tokens. Raises BadRequest for a kind that does not."""
        if isinstance(private, Ed25519PrivateKey):
            algorithm, jwk = "EdDSA", OKPAlgorithm.to_jwk(private.public_key(), as_dict=True)
        elif isinstance(private, EllipticCurvePrivateKey) and isinstance(private.curve, SECP256R1):
            algorithm, jwk = "ES256", ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
        else:
            raise BadRequest(f"{name} holds no Ed25519 or P-256 private key, so it cannot sign tokens.", name)
        told = json.dumps({part: jwk[part] for part in _THUMBPRINT[jwk["kty"]]}, separators=(",", ":"), sort_keys=True)
        kid = base64.urlsafe_b64encode(hashlib.sha256(told.encode()).digest()).decode().rstrip("=")
        public = {part: jwk[part] for part in _THUMBPRINT[jwk["kty"]]}
        return cls(kid, algorithm, private, {**public, "kid": kid, "alg": algorithm, "use": "sig"}, name)


class KeyRing:
    """The keys of a directory; without one, a key for this process only. The directory's first key is made here."""

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory
        self._looked: datetime | None = None
        self._seen: tuple[object, ...] = ()
        self._keys: tuple[SigningKey, ...] = ()
        if directory is None:
            self._keys = (SigningKey.of(Ed25519PrivateKey.generate()),)
            return
        self._read()
        if not self._keys:
            _put(directory, 1)  # of processes that begin at once one makes it
            self._read()

    @property
    def current(self) -> SigningKey:
        """The one that signs."""
        return self._keys[-1]

    @property
    def all(self) -> tuple[SigningKey, ...]:
        """Those that verify, the one that signs last."""
        return self._keys

    def named(self, kid: str) -> SigningKey | None:
        """The key of this id."""
        return next((key for key in self._keys if key.kid == kid), None)

    def look(self, now: datetime) -> None:
        """Read the directory again, where that was not done in the last seconds. Blocks for a few file reads."""
        if self._directory is None or (self._looked is not None and abs(now - self._looked) < LOOK_EVERY):
            return
        self._looked = now
        try:
            self._read()
        except (BadRequest, StoreUnavailable) as error:  # what was read before stays good
            log.error("signing keys stay as they were: %s", error)

    def jwks(self, now: datetime) -> dict[str, Any]:
        """The public halves, for `/.well-known/jwks.json`."""
        self.look(now)
        return {"keys": [dict(key.jwk) for key in self._keys]}

    def _read(self) -> None:
        assert self._directory is not None
        try:
            for place in (self._directory.parent, self._directory):
                place.mkdir(parents=True, exist_ok=True, mode=0o700)
            files = sorted(self._directory.glob("*.pem"))
            seen = tuple((file.name, file.stat().st_mtime_ns, file.stat().st_size) for file in files)
            if seen == self._seen and self._keys:
                return
            found = tuple(_loaded(file) for file in files)
        except OSError as error:
            where = self._directory
            raise StoreUnavailable(f"the signing keys in {where} cannot be read: {error.strerror}.") from error
        if found or not self._keys:  # a directory that is empty for a moment takes no key away
            self._keys, self._seen = found, seen


def rotate(directory: Path) -> SigningKey:
    """Put a new key into the directory, which signs from now on. Raises StoreUnavailable where it cannot be written."""
    numbers = [int(found[0]) for file in directory.glob("*.pem") if (found := re.match(r"\d+", file.stem))]
    return _put(directory, max(numbers, default=0) + 1)


def _put(directory: Path, number: int) -> SigningKey:
    """A new key under this number, or the one that another process put there first."""
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    name = f"{number:06}.pem"
    temporary = directory / f".{name}.{os.getpid()}"
    try:
        with os.fdopen(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            file.write(pem)
        try:
            os.link(temporary, directory / name)  # whole, or not at all; another process may have been first
        finally:
            temporary.unlink()
    except FileExistsError:
        return _loaded(directory / name)
    except OSError as error:
        raise StoreUnavailable(f"no signing key can be written to {directory}: {error.strerror}.") from error
    return SigningKey.of(private, name)


def retire(directory: Path) -> list[SigningKey]:
    """Remove every key but the one that signs; what they signed is refused from now on."""
    files = sorted(directory.glob("*.pem"))[:-1]
    retired = [_loaded(file) for file in files]
    for file in files:
        file.unlink()
    return retired


def _loaded(file: Path) -> SigningKey:
    if file.stat().st_mode & 0o077:
        log.warning("the signing key %s can be read by others than its owner: chmod 600", file)
    try:
        private = load_pem_private_key(file.read_bytes(), None)
    except (ValueError, TypeError) as error:
        raise BadRequest(f"{file} is no PEM file of a private key without a password.", file.name) from error
    return SigningKey.of(private, file.name)
