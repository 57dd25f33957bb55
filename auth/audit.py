"""The audit log: who signed in, what was refused, what was given and taken back. One JSON object per line.

Of people it holds the wallet and a truncated address (/24, /48), nothing else; no token, signature, nonce or message.
"""

import ipaddress
import json
import logging
from datetime import UTC, datetime

LOGGER = "naap.audit"
log = logging.getLogger(LOGGER)

V4_BITS, V6_BITS = 24, 48


def record(event: str, now: datetime, client: str | None = None, **fields: object) -> None:
    """Write one line: what happened (`login`, `token_refused`, …) and to whom. `client` is an IP address or None."""
    told = {name: _plain(value) for name, value in fields.items() if value is not None}
    at = now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    network = truncated(client)
    log.info(json.dumps({"at": at, "event": event, **({"client": network} if network else {}), **told}))


def to_stream() -> None:
    """Write the lines to standard error as they are, at any level of the rest of the log."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    log.handlers[:] = [handler]
    log.setLevel(logging.INFO)
    log.propagate = False


def truncated(client: str | None) -> str | None:
    """The network that an address is in; None for what is no address."""
    try:
        address = ipaddress.ip_address((client or "").partition("%")[0])
    except ValueError:
        return None
    address = getattr(address, "ipv4_mapped", None) or address
    return str(ipaddress.ip_network((address, V4_BITS if address.version == 4 else V6_BITS), strict=False))


def _plain(value: object) -> object:
    if isinstance(value, frozenset | set):
        return sorted(str(one) for one in value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return value if isinstance(value, str | int | bool) else str(value)
