"""Cursors: opaque to callers, the key of the last item they saw to us."""

import base64
import binascii
from collections.abc import Sequence

import orjson

from metrics.errors import BadRequest

Key = tuple[str | None, ...]


def encode(key: Sequence[str | None]) -> str:
    """The cursor behind the item with this key."""
    return base64.urlsafe_b64encode(orjson.dumps(list(key))).rstrip(b"=").decode()


def decode(text: str, width: int) -> Key:
    """The key that a cursor holds. Raises BadRequest for anything that `encode` did not write."""
    try:
        key = orjson.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        key = None
    if not isinstance(key, list) or len(key) != width or not all(part is None or isinstance(part, str) for part in key):
        raise BadRequest(
            "cursor is not one of ours. Pass pagination.next_cursor back unchanged, or leave it out.", "cursor"
        )
    return tuple(key)


def order(key: Key) -> tuple[tuple[bool, str], ...]:
    """Sorts keys part by part, None last."""
    return tuple((part is None, part or "") for part in key)
