"""Downloading an archive over https, bounded in bytes, time and redirects.

The address is the operator's own choice and may be on their network. A redirect is somebody else's: it may lead only to
https and to public addresses. The address that was checked is the one that is connected to, so that a name
cannot mean another one a moment later.
"""

import http.client
import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from ipaddress import IPv6Address, ip_address
from queue import Empty, SimpleQueue
from threading import Thread
from urllib.parse import SplitResult, urljoin, urlsplit

from metrics.errors import BadRequest
from promptsets.archive import MAX_ARCHIVE_BYTES
from promptsets.reading import MIB

MAX_REDIRECTS = 5
SILENCE_S = 20
DEADLINE_S = 120
REDIRECTS = (301, 302, 303, 307, 308)
HEADERS = {"User-Agent": "naap-gateway", "Accept": "application/octet-stream, */*;q=0.5"}

Connect = Callable[[str, int, Sequence[str]], http.client.HTTPConnection]
"""A connection for a host and a port, made to one of these addresses of it."""


class _Https(http.client.HTTPSConnection):
    """A connection to the first address that answers, which must prove that it is the host."""

    def __init__(self, host: str, port: int, addresses: Sequence[str]) -> None:
        self._tls = ssl.create_default_context()
        super().__init__(host, port, timeout=SILENCE_S, context=self._tls)
        self._addresses = addresses

    def connect(self) -> None:
        self.sock = self._tls.wrap_socket(self._plain(), server_hostname=self.host)

    def _plain(self) -> socket.socket:
        for address in self._addresses[:-1]:
            with suppress(OSError):
                return socket.create_connection((address, self.port), self.timeout)
        return socket.create_connection((self._addresses[-1], self.port), self.timeout)


def downloaded(url: str, connect: Connect = _Https) -> bytes:
    """What lies at an https address. Raises BadRequest saying why it cannot be had."""
    outcome: SimpleQueue[bytes | Exception] = SimpleQueue()

    def work() -> None:
        try:
            outcome.put(_followed(url, connect))
        except Exception as error:
            outcome.put(error)

    # Beside us, because a host may be slow in more ways than timeouts of single steps can bound.
    Thread(target=work, daemon=True).start()
    try:
        found = outcome.get(timeout=DEADLINE_S)
    except Empty:
        raise BadRequest(f"{without_secrets(url)} cannot be fetched within {DEADLINE_S:g} seconds.") from None
    if isinstance(found, Exception):
        raise found
    return found


def _followed(url: str, connect: Connect) -> bytes:
    """The same, however long it takes."""
    shown, own = without_secrets(url), _host(url)
    for _ in range(MAX_REDIRECTS + 1):
        try:
            parts = _https(url)
            addresses = _addresses(parts, is_own=_host(url) == own)
            answer = _asked(connect(parts.hostname or "", parts.port or 443, addresses), parts)
        except ValueError as error:
            raise BadRequest(f"{shown} cannot be fetched: {error}.") from error
        except (OSError, http.client.HTTPException) as error:
            raise BadRequest(f"{shown} cannot be fetched: {str(error) or type(error).__name__}.") from error
        if isinstance(answer, bytes):
            return answer
        url = answer
    raise BadRequest(f"{shown} cannot be fetched: it is redirected more than {MAX_REDIRECTS} times.")


def without_secrets(url: str) -> str:
    """A URL without what may be secret in it: user, password, query and fragment."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _https(url: str) -> SplitResult:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.port == 0:
        raise ValueError(f"{without_secrets(url)} does not begin with https:// and a host")
    if "@" in parts.netloc:
        raise ValueError("an address may not hold a user or a password")
    if not url.isprintable() or not url.isascii() or " " in url:
        raise ValueError("an address is of plain characters; write others as %20 and so on")
    return parts


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
        return f"{parts.hostname}:{parts.port or 443}"
    except ValueError:
        return ""


def _addresses(parts: SplitResult, is_own: bool) -> list[str]:
    """The addresses of the host. Raises ValueError where somebody else leads to one that is not public."""
    host = parts.hostname or ""
    try:
        found = [str(one[4][0]) for one in socket.getaddrinfo(host, parts.port or 443, type=socket.SOCK_STREAM)]
    except UnicodeError:
        raise ValueError(f"{host} is no name of a host") from None
    if not is_own and (private := next((one for one in found if not is_public(one)), None)):
        raise ValueError(f"it is redirected to {host}, which is not public ({private})")
    return found


def is_public(address: str) -> bool:
    """Whether an address is one of the public internet."""
    try:
        at = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(at, IPv6Address) and at.ipv4_mapped is not None:
        at = at.ipv4_mapped
    return at.is_global and not at.is_multicast


def _asked(connection: http.client.HTTPConnection, parts: SplitResult) -> bytes | str:
    """The content, or where it is redirected to. Raises ValueError for any other answer."""
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("GET", target, headers=HEADERS)
        response = connection.getresponse()
        if response.status in REDIRECTS:
            return urljoin(parts.geturl(), response.headers.get("Location") or "")
        if response.status != http.client.OK:
            raise ValueError(f"{parts.hostname} answers {response.status} {response.reason[:80]}".rstrip())
        return _content(response)
    finally:
        connection.close()


def _content(response: http.client.HTTPResponse) -> bytes:
    promised = response.length
    content = response.read(MAX_ARCHIVE_BYTES + 1) if promised is None or promised <= MAX_ARCHIVE_BYTES else b""
    if (promised or len(content)) > MAX_ARCHIVE_BYTES:
        raise ValueError(f"it is larger than {MAX_ARCHIVE_BYTES // MIB} MiB")
    if promised is not None and len(content) < promised:
        raise ValueError("it broke off")
    return content
