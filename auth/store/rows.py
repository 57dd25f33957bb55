"""How values become columns and come back."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime

from auth.caller import Scope


def hashed(secret: str) -> str:
    """What is kept of a secret. It has 256 random bits, so that no slow hash is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def joined(values: Iterable[str]) -> str:
    """A set as a text."""
    return " ".join(sorted(values))


def parts(text: str) -> frozenset[str]:
    """The set that a text is."""
    return frozenset(text.split())


def scopes(text: str) -> frozenset[Scope]:
    """The scopes that a text is."""
    return frozenset(Scope(one) for one in text.split())


def seconds(at: datetime) -> int:
    """A time as it is kept."""
    return int(at.timestamp())


def instant(at_s: int | None) -> datetime | None:
    """A time that was kept."""
    return None if at_s is None else datetime.fromtimestamp(at_s, UTC)
