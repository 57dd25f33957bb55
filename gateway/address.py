"""The address that a request came from, behind proxies that are trusted, and whom it is counted for."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import Scope

# Whoever has one address of these has all of it.
IPV6_PREFIX = 64
UNKNOWN = "unknown"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies of our own, and where they write whom they saw."""

    count: int = 0
    is_rfc7239: bool = False

    def caller_of(self, scope: Scope) -> str | None:
        """The address that a request came from; None where nothing says it."""
        peer = scope["client"][0] if scope.get("client") else None
        told = Headers(scope=scope).getlist("forwarded" if self.is_rfc7239 else "x-forwarded-for") if self.count else []
        return caller_address(peer, told, self.count, self.is_rfc7239)


def caller_address(peer: str | None, forwarded: Sequence[str], proxies: int, is_rfc7239: bool = False) -> str | None:
    """The address of the caller; None where nothing says it.

    `peer` is who connected, `forwarded` the values of the header that the proxies add to, `proxies` how many of them
    are ours: each has added the address that it saw on the right, so what lies further left is the caller's own tale.
    """
    if proxies:
        told = [one.strip() for value in forwarded for one in value.split(",")]
        if len(told) >= proxies:
            seen = told[-proxies]
            address = _address(_for(seen) if is_rfc7239 else seen)
            if address is not None:
                return str(address)
    address = _address(peer or "")
    return None if address is None else str(address)


def counted(address: str | None) -> str:
    """What a caller's address is counted as: an IPv6 one as its /64."""
    if address is None:
        return UNKNOWN
    return str(ipaddress.ip_network((address, IPV6_PREFIX), strict=False)) if ":" in address else address


def _for(element: str) -> str:
    """What `for=` says in an element of the header Forwarded (RFC 7239)."""
    for pair in element.split(";"):
        name, _, value = pair.strip().partition("=")
        if name.lower() == "for":
            return value.strip('"')
    return ""


def _address(text: str) -> Address | None:
    host = text.partition("]")[0].removeprefix("[") if text.startswith("[") else text
    if host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
