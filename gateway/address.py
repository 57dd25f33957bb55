"""Whom an anonymous request is counted for: the address that it came from, behind proxies that are trusted."""

import ipaddress
from collections.abc import Sequence

# Whoever has one address of these has all of it.
IPV6_PREFIX = 64


def counted_address(peer: str | None, forwarded: Sequence[str], proxies: int, is_rfc7239: bool = False) -> str:
    """The address, an IPv6 one as its /64.

    `peer` is who connected, `forwarded` the values of the header that the proxies add to, `proxies` how many of them
    are ours: each has added the address that it saw on the right, so what lies further left is the caller's own tale.
    """
    if proxies:
        told = [one.strip() for value in forwarded for one in value.split(",")]
        if len(told) >= proxies:
            seen = told[-proxies]
            address = _address(_for(seen) if is_rfc7239 else seen)
            if address is not None:
                return address
    return _address(peer or "") or "unknown"


def _for(element: str) -> str:
    """What `for=` says in an element of the header Forwarded (RFC 7239)."""
    for pair in element.split(";"):
        name, _, value = pair.strip().partition("=")
        if name.lower() == "for":
            return value.strip('"')
    return ""


def _address(text: str) -> str | None:
    host = text.partition("]")[0].removeprefix("[") if text.startswith("[") else text
    if host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return str(ipaddress.ip_network((address, IPV6_PREFIX), strict=False))
        address = address.ipv4_mapped
    return str(address)
