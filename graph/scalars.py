"""Scalars: how times, durations, addresses and money are written on the wire."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, NewType

import strawberry
from strawberry.types.scalar import ScalarDefinition

from metrics.errors import BadRequest

Address = NewType("Address", str)
Wei = NewType("Wei", int)
Decimal = NewType("Decimal", str)

_DATETIME = re.compile(r"(?a:\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d))")
_ADDRESS = re.compile(r"0[xX][0-9a-fA-F]{40}")
_DURATION = re.compile(
    r"P(?=[\dT])(?:(?P<weeks>\d+)W|(?:(?P<days>\d+)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d{1,3})?)S)?)?)",
    re.ASCII,
)


def read_datetime(value: object) -> datetime:
    """An RFC 3339 text as a datetime in UTC, cut to milliseconds."""
    if not isinstance(value, str) or not _DATETIME.fullmatch(value):
        raise BadRequest(f"{value!r} is not a time. Write it as 2026-01-09T13:00:00Z.")
    text = re.sub(r"(\.\d{1,6})\d*", r"\1", value.upper())
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadRequest(f"{value!r} is no time of the calendar.") from None


def write_datetime(at: datetime) -> str:
    """A datetime as RFC 3339 in UTC; milliseconds only where there are any."""
    text = at.astimezone(UTC).isoformat(timespec="seconds").removesuffix("+00:00")
    ms = at.microsecond // 1000
    return f"{text}.{ms:03}Z" if ms else f"{text}Z"


def read_duration(value: object) -> timedelta:
    """An ISO 8601 duration of weeks, or days, hours, minutes and seconds."""
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise BadRequest(
            f"{value!r} is not a duration. Write it as PT1H, PT30M or P7D; years and months have no fixed length."
        )
    try:
        return timedelta(**{unit: float(count) for unit, count in found.groupdict().items() if count is not None})
    except OverflowError:
        raise BadRequest(f"{value!r} is longer than the calendar.") from None


def write_duration(length: timedelta) -> str:
    """A timedelta as ISO 8601."""
    seconds = length.total_seconds()
    whole, days = seconds % 86_400, int(seconds // 86_400)
    clock = "".join(
        f"{count:g}{unit}"
        for count, unit in ((whole // 3600, "H"), (whole % 3600 // 60, "M"), (whole % 60, "S"))
        if count
    )
    return (
        "P"
        + (f"{days}D" if days else "")
        + (f"T{clock}" if clock or not days else "")
        + ("" if clock or days else "0S")
    )


def read_address(value: object) -> Address:
    """A wallet in any case as lower case."""
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
        raise BadRequest(f"{value!r} is not an address. Write it as 0x and 40 hexadecimal digits.")
    return Address(value.lower())


def read_wei(value: object) -> Wei:
    """A decimal text as an exact integer."""
    if not isinstance(value, str) or not (value.isascii() and value.isdecimal()):
        raise BadRequest(f"{value!r} is no amount of wei. Write a whole number in quotes.")
    return Wei(int(value))


def read_decimal(value: object) -> Decimal:
    """A decimal text as it is."""
    if not isinstance(value, str) or not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value):
        raise BadRequest(f'{value!r} is no decimal number. Write it in quotes, like "0.012".')
    return Decimal(value)


SCALARS: dict[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="A time as RFC 3339 in UTC, like 2026-01-09T13:00:00Z; milliseconds are kept.",
        serialize=write_datetime,
        parse_value=read_datetime,
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
    ),
    timedelta: strawberry.scalar(
        name="Duration",
        description="A length of time as ISO 8601: PT1H, PT30M, P7D. Not years and months: they have no fixed length.",
        serialize=write_duration,
        parse_value=read_duration,
    ),
    Address: strawberry.scalar(
        name="Address",
        description="A wallet: 0x and 40 hexadecimal digits, accepted in any case, answered in lower case.",
        serialize=str,
        parse_value=read_address,
    ),
    Wei: strawberry.scalar(
        name="Wei", description="An exact amount of wei as a decimal text.", serialize=str, parse_value=read_wei
    ),
    Decimal: strawberry.scalar(
        name="Decimal",
        description="An exact decimal number as a text (ETH, LPT).",
        serialize=str,
        parse_value=read_decimal,
    ),
}


def address_or_none(text: Any) -> Address | None:
    """The text as an address, where it is one."""
    return Address(text.lower()) if isinstance(text, str) and _ADDRESS.fullmatch(text) else None
