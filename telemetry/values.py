"""Values as they wander on the wire: numbers as strings, with units, blank strings for nothing, three forms of time."""

import sys
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from metrics.columns import BILLIONTHS
from metrics.window import to_ms

WEI_PER_ETH = 10**18
MAX_FPS = 10_000
MAX_COUNT = 2**53
MAX_WEI = 2**128
EARLIEST_MS = to_ms(datetime(2000, 1, 1, tzinfo=UTC))
# Below this a number of time is seconds, not milliseconds.
SECONDS_BELOW = 10**11


class Unreadable(Exception):
    """An event that cannot be read; `reason` is one of a few words, the text says what was found where."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def text(value: Any) -> str:
    """A string without its outer white space; "" for anything else that says nothing."""
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def word(value: Any) -> str:
    """A text that many events share, kept in memory once."""
    return sys.intern(text(value))


def mapping(value: Any) -> dict[str, Any]:
    """An object, or an empty one."""
    return value if isinstance(value, dict) else {}


def listing(value: Any) -> list[Any]:
    """A list, the values of a map, or nothing."""
    if isinstance(value, list):
        return value
    return list(value.values()) if isinstance(value, dict) else []


def decimal(value: Any, name: str) -> Decimal | None:
    """A finite number ≥ 0, a unit behind it left off; None for nothing. Raises Unreadable."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise InvalidOperation
        number = Decimal(value.split()[0] if isinstance(value, str) else value)
    except (InvalidOperation, ValueError):
        raise Unreadable("bad_number", f"{name} is no number") from None
    if not number.is_finite() or number < 0:
        raise Unreadable("bad_number", f"{name} is not a finite number of at least 0")
    return number


def fixed(value: Any, name: str, scale: int = BILLIONTHS, most: int = MAX_FPS) -> int | None:
    """A number as an integer in fixed point, rounded half to even."""
    if type(value) is float and 0.0 <= value <= most:
        return _rounded(*value.as_integer_ratio(), scale)
    number = decimal(value, name)
    if number is None:
        return None
    if number > most:
        raise Unreadable("bad_number", f"{name} is above {most}")
    return _rounded(*_exact(number, name).as_integer_ratio(), scale)


def _rounded(top: int, bottom: int, scale: int) -> int:
    whole, rest = divmod(top * scale, bottom)
    return whole + (rest * 2 > bottom or (rest * 2 == bottom and whole & 1))


def count(value: Any, name: str, most: int = MAX_COUNT) -> int | None:
    """A counter: a whole number ≥ 0; fractions are cut off."""
    if type(value) is int and 0 <= value <= most:
        return value
    number = decimal(value, name)
    if number is None:
        return None
    if number > most:
        raise Unreadable("bad_number", f"{name} is above {most:,}")
    return int(number)


def wei(value: Any, name: str) -> Fraction | None:
    """An amount in wei: `"2402400000000000 WEI"`, `"0.012 ETH"` or a plain number of wei."""
    number = decimal(value, name)
    if number is None:
        return None
    parts = value.split() if isinstance(value, str) else []
    unit = parts[1].upper() if len(parts) > 1 else "WEI"
    if unit not in ("WEI", "ETH", "GWEI"):
        raise Unreadable("bad_number", f"{name} has an unknown unit")
    exact = _exact(number, name) * {"WEI": 1, "GWEI": 10**9, "ETH": WEI_PER_ETH}[unit]
    if exact > MAX_WEI:
        raise Unreadable("bad_number", f"{name} is above 2^128 wei")
    return exact


def probability(value: Any, name: str) -> Fraction | None:
    """A probability of 0 to 1, exact."""
    number = decimal(value, name)
    if number is None:
        return None
    if number > 1:
        raise Unreadable("bad_number", f"{name} is above 1")
    return _exact(number, name)


def _exact(number: Decimal, name: str) -> Fraction:
    # A hostile exponent would make an integer of a billion digits.
    if number and not -100 <= number.adjusted() <= 100:
        raise Unreadable("bad_number", f"{name} is out of range")
    return Fraction(number)


def time_ms(value: Any, name: str) -> int | None:
    """A time in Unix ms: milliseconds or (below 10^11) seconds as a number or digits, or RFC 3339; None for nothing."""
    if type(value) is int and value >= SECONDS_BELOW:
        return _within(value, name)
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Unreadable("bad_time", f"{name} is no time")
    number = _time_number(value)
    if number is None:
        return _within(_rfc3339(str(value), name), name)
    if not number.is_finite() or number < 0 or number > 10**15:
        raise Unreadable("bad_time", f"{name} is out of range")
    return _within(int(number * 1000 if number < SECONDS_BELOW else number), name)


def _time_number(value: int | float | str) -> Decimal | None:
    try:
        return Decimal(value.strip() if isinstance(value, str) else value)
    except (InvalidOperation, ValueError):
        return None


def _rfc3339(value: str, name: str) -> int:
    try:
        at = datetime.fromisoformat(value.strip())
    except ValueError:
        raise Unreadable("bad_time", f"{name} is no time") from None
    try:
        return to_ms(at if at.tzinfo else at.replace(tzinfo=UTC))
    except OverflowError:
        raise Unreadable("bad_time", f"{name} is out of range") from None


def _within(at_ms: int, name: str) -> int:
    if not EARLIEST_MS <= at_ms < 10**15:
        raise Unreadable("bad_time", f"{name} is out of range")
    return at_ms
