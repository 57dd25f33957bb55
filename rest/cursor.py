"""Cursors: opaque to callers; to us the list that they were reading and the key of the last item they saw."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

import orjson

from metrics.errors import BadRequest
from metrics.window import Window, from_ms

Key = tuple[str | None, ...]
# The calendar's edges in Unix milliseconds: a cursor of somebody else's making may hold any number.
CALENDAR_MS = (-62_135_596_800_000, 253_402_300_799_999)


class Cursor(NamedTuple):
    """After which key to go on, in the list over this window: what `asked` as a time range meant on the first page."""

    key: Key
    asked: str
    window: Window
    # Of the filters: a cursor holds no more of them than is needed to see that they are others.
    fingerprint: str


def encode(cursor: Cursor) -> str:
    """The text of a cursor."""
    held = [list(cursor.key), cursor.asked, cursor.window.start_ms, cursor.window.end_ms, cursor.fingerprint]
    return base64.urlsafe_b64encode(orjson.dumps(held)).rstrip(b"=").decode()


def decode(text: str, width: int) -> Cursor:
    """The cursor that a text holds. Raises BadRequest for anything that `encode` did not write."""
    try:
        held = orjson.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        key, asked, start_ms, end_ms, fingerprint = held
        if _is_key(key, width) and isinstance(asked, str) and isinstance(fingerprint, str):
            return Cursor(tuple(key), asked, Window(_at(start_ms), _at(end_ms)), fingerprint)
    except (binascii.Error, ValueError, TypeError, BadRequest):
        pass
    raise not_ours()


def not_ours() -> BadRequest:
    """The error of a cursor that was not given out here."""
    return BadRequest(
        "cursor is not one of ours. Pass pagination.next_cursor back unchanged, or leave it out.", "cursor"
    )


def fingerprint(filters: Mapping[str, str]) -> str:
    """The same for the same filters, whatever their order."""
    return blake2b(orjson.dumps(sorted(filters.items())), digest_size=8).hexdigest()


def order(key: Key) -> tuple[tuple[bool, str], ...]:
    """Sorts keys part by part, None last."""
    return tuple((part is None, part or "") for part in key)


def _is_key(key: object, width: int) -> bool:
    return (
        isinstance(key, Sequence) and len(key) == width and all(part is None or isinstance(part, str) for part in key)
    )


def _at(at_ms: object) -> datetime:
    if type(at_ms) is not int or not CALENDAR_MS[0] <= at_ms <= CALENDAR_MS[1]:
        raise ValueError("no time")
    return from_ms(at_ms)
