"""Whose pages may open what stays open: a browser lets any page open a WebSocket, and says only where it comes from."""

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection


def is_welcome(connection: HTTPConnection, origins: frozenset[str]) -> bool:
    """Is this no page (a program says no origin), a page of this gateway, or one of these origins?"""
    origin = connection.headers.get("origin")
    if origin is None:
        return True
    try:
        own = urlsplit(origin).netloc.lower()
    except ValueError:
        return False
    is_own = bool(own) and own == connection.headers.get("host", "").lower()
    return is_own or "*" in origins or origin.lower() in origins
