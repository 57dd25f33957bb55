"""Stake: rows of a file become events, and an event says what an orchestrator had staked at its time.

docs/decisions/0031-stake.md says what counts.
"""

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from backends.log import STAKE, Stake
from metrics.errors import BadRequest
from metrics.exact import DIGITS, UNIT, decimal_text
from telemetry.names import wallet
from telemetry.reading import Stamp
from telemetry.values import Unreadable, text, time_ms

MAX_LPT = 10**12
COLUMNS = ("address", "lpt", "time")
_PLAIN = re.compile(r"(\d{1,30})(?:\.(\d{1,18}))?", re.ASCII)
# Numbers stay as they are written: a float would round them.
_DECODER = json.JSONDecoder(parse_float=str, parse_int=str)


def read_stake(data: Mapping[str, Any], stamp: Stamp) -> Stake:
    """What a stake event says. Raises Unreadable."""
    return Stake(stamp.source, _address(data.get("address")), stamp.at_ms, stamp.id, lptu(data.get("lpt")))


def lptu(value: Any) -> int:
    """LPT as a plain decimal number, in LPTU (10⁻¹⁸ LPT), exactly. Raises Unreadable."""
    found = _PLAIN.fullmatch(text(value))
    if found is None:
        raise Unreadable("bad_number", "lpt is no plain decimal number with at most 18 digits after the point")
    units = int(found[1]) * UNIT + int((found[2] or "").ljust(DIGITS, "0"))
    if units > MAX_LPT * UNIT:
        raise Unreadable("bad_number", f"lpt is above {MAX_LPT:,}")
    return units


def _address(value: Any) -> str:
    found = wallet(value)
    if not found:
        raise Unreadable("bad_address", "address is not 0x and 40 hexadecimal digits")
    return found


def stake_events(lines: Iterable[bytes], name: str) -> Iterator[tuple[int, bytes]]:
    """(line, event) for each row of a CSV with a header, or of JSON objects, in order; `name` is the file's.

    A row that cannot be read becomes an event that is rejected where all events are, with the reason.
    Raises BadRequest where the header is missing.
    """
    numbered = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
    start, first = next(numbered, (1, b""))
    if first.lstrip(b"\xef\xbb\xbf \t").startswith((b"{", b"[")):
        for number, line in chain([(start, first)], numbered):
            for row in _objects(line):
                yield number, row
        return
    header = [column.lower() for column in _cells(first) or ()]
    if any(header.count(column) != 1 for column in COLUMNS):
        raise BadRequest(
            f"{name} does not begin with a header: its first line names the columns {', '.join(COLUMNS)}, once each. "
            "JSON objects with these keys are read too.",
            "--stake",
        )
    for number, line in numbered:
        cells = _cells(line)
        # Too many cells are no matter to guess about: 1,234.5 is two.
        known = dict(zip(header, cells, strict=True)) if cells and len(cells) == len(header) else None
        yield number, _event(known, line)


def _cells(line: bytes) -> list[str] | None:
    try:
        found = next(csv.reader([line.decode("utf-8-sig", "replace")], strict=True), [])
    except csv.Error:
        return None
    return [cell.strip() for cell in found]


def _objects(line: bytes) -> Iterator[bytes]:
    try:
        value = _DECODER.decode(line.decode("utf-8-sig").strip())
    except (ValueError, RecursionError):
        yield line
        return
    for row in value if isinstance(value, list) else [value]:
        yield _event({str(key).lower(): said for key, said in row.items()} if isinstance(row, dict) else None, line)


def _event(row: Mapping[str, Any] | None, line: bytes) -> bytes:
    """A row as an event in its one form; one that cannot be read as it stands, for the loader to reject."""
    if row is None:
        return _dumped({"type": STAKE, "data": line.decode("utf-8", "replace")})
    address, amount, time = (row.get(column) for column in COLUMNS)
    try:
        who, units, at_ms = _address(address), lptu(amount), time_ms(time, "time")
    except Unreadable:
        return _dumped({"type": STAKE, "timestamp": time, "data": {"address": address, "lpt": amount}})
    return _dumped(
        {
            "id": f"stake/{who}/{at_ms}",
            "type": STAKE,
            "timestamp": None if at_ms is None else str(at_ms),
            "data": {"address": who, "lpt": decimal_text(units)},
        }
    )


def _dumped(event: Mapping[str, Any]) -> bytes:
    return json.dumps(event).encode()
