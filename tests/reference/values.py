"""Texts, numbers, money and instants as the wire writes them. Slow and exact: everything is an int or a Fraction."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeVar

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?")
AMOUNT = re.compile(r"(.*?)\s*(wei|gwei|eth)?", re.IGNORECASE | re.DOTALL)
ADDRESS = re.compile(r"0x[0-9a-f]{40}")
RFC3339 = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
UNIT = {"wei": 1, "gwei": 10**9, "eth": 10**18}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
YEAR_2000 = 946_684_800_000
T = TypeVar("T")


class BadNumber(ValueError):
    """A number that we would use is present, not blank, and is not a finite number ≥ 0 within its bound."""


class BadTime(ValueError):
    """A time that is there and cannot be read, or lies before 2000-01-01."""


def text(value: Any) -> str | None:
    """Blank or white-space strings, `null` and absent mean the same: nothing. (0001 §5)"""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value).strip() or None


def blank(value: Any) -> bool:
    """Whether a value of any type means nothing."""
    return value is None or (isinstance(value, str) and not value.strip())


def rational(value: Any) -> Fraction:
    """A JSON number, or a string of one, exactly as it is written."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise BadNumber(value)
    written = str(value).strip()
    if not NUMBER.fullmatch(written):
        raise BadNumber(value)
    return Fraction(Decimal(written))


def number(value: Any, most: int | None = None) -> Fraction | None:
    """`bad_number`: not a finite number ≥ 0; fps above 10,000, counters above 2^53 and the like included. (0001 §4)"""
    if blank(value):
        return None
    found = rational(value)
    if found < 0 or (most is not None and found > most):
        raise BadNumber(value)
    return found


def wei(value: Any) -> int | None:
    """`"2402400000000000 WEI"` and `"0.012 ETH"` both occur. Bounded by 2^128 wei."""
    if blank(value):
        return None
    match = AMOUNT.fullmatch(str(value).strip()) if isinstance(value, str) else None
    plain, unit = (match[1], match[2]) if match else (value, None)
    amount = rational(plain) * UNIT[(unit or "wei").lower()]
    if not 0 <= amount <= 2**128:
        raise BadNumber(value)
    return round(amount)


def fixed(value: Fraction, digits: int) -> Fraction:
    """Fixed point rounds half to even once, when a value is first read. (0001 §31)"""
    return Fraction(round(value * 10**digits), 10**digits)


def instant(value: Any) -> int:
    """Milliseconds: a string of Unix milliseconds; integers, RFC 3339 and, below 10¹¹, seconds also occur."""
    try:
        found = rational(value)
        at = found * 1000 if abs(found) < 10**11 else found
    except BadNumber:
        at = rfc3339(value)
    # Fractions of a millisecond are cut off. A time before 2000-01-01 or unreadable: `bad_time`. (0001 §3)
    if at < YEAR_2000:
        raise BadTime(value)
    return int(at)


def rfc3339(value: Any) -> Fraction:
    """Milliseconds of an RFC 3339 text, exactly."""
    match = RFC3339.fullmatch(value.strip()) if isinstance(value, str) else None
    if not match:
        raise BadTime(value)
    zone = UTC if match[8] in "Zz" else timezone(offset(match[8]))
    try:
        whole = datetime(*(int(match[i]) for i in range(1, 7)), tzinfo=zone)  # type: ignore[misc, arg-type]
    except ValueError as error:
        raise BadTime(value) from error
    return millis(whole) + Fraction(match[7] or "0") * 1000


def offset(written: str) -> timedelta:
    """`+02:30` as a time difference."""
    size = timedelta(hours=int(written[1:3]), minutes=int(written[4:6]))
    if size >= timedelta(hours=24):
        raise BadTime(written)
    return size if written[0] == "+" else -size


def instant_or_none(value: Any) -> int | None:
    """An instant that is only evidence (not the event's own time): unreadable means nothing."""
    try:
        return None if blank(value) else instant(value)
    except BadTime:
        return None


def millis(at: datetime | int) -> Fraction:
    """A UTC datetime (or milliseconds already) as exact milliseconds."""
    if isinstance(at, datetime):
        return Fraction((at - EPOCH) // timedelta(microseconds=1), 1000)
    return Fraction(at)


def address(value: Any) -> str | None:
    """A wallet or node key in lower case."""
    found = text(value)
    return found.lower() if found else None


def service_uri(value: Any) -> str | None:
    """A service URI: lower case, no trailing slash."""
    found = text(value)
    return (found.lower().rstrip("/") or None) if found else None


def gateway_name(value: Any) -> str | None:
    """An envelope name that is an address is that wallet, lower case. (0001 §23)"""
    found = text(value)
    return found.lower() if found and ADDRESS.fullmatch(found.lower()) else found


def listed(value: Any) -> list[Any]:
    """Arrays are null or maps: the elements of a list, the values of a map, else nothing."""
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, list) else []


def mapped(value: Any) -> dict[str, Any]:
    """An object, or an empty one where something else stands."""
    return value if isinstance(value, dict) else {}


def only(values: Iterable[T]) -> T | None:
    """The one distinct value there is, else nothing."""
    found = set(values)
    return found.pop() if len(found) == 1 else None
