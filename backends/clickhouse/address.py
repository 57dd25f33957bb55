"""Where a ClickHouse server is: `clickhouse://user:password@host:8123/database?cluster=…`, read strictly.

Nothing that is wrong with it repeats the address: it may hold a password.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from metrics.errors import BadRequest

SETTING = "NAAP_BACKEND"
SCHEMES = {"clickhouse": 8123, "clickhouses": 8443}
DATABASE = "naap"
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_\-]{0,63}")
BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
# What may follow the question mark, with what it must be.
PARAMETERS = {
    "cluster": "the name of a cluster as the server knows it: letters, digits, - and _",
    "ca": "a file of the certificates to trust instead of this machine's; with clickhouses:// only",
}


@dataclass(frozen=True, slots=True)
class Address:
    """One server, or one node of a cluster."""

    host: str
    port: int
    secure: bool = False
    user: str = "default"
    password: str = field(default="", repr=False)
    database: str = DATABASE
    cluster: str | None = None
    ca: Path | None = None

    @property
    def shown(self) -> str:
        """Where it is, without user and password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"clickhouse{'s' if self.secure else ''}://{host}:{self.port}/{self.database}"


def address_of(url: str) -> Address:
    """The address that a URL says. Raises BadRequest naming NAAP_BACKEND and the part that is wrong."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _wrong("its host or port cannot be read; write clickhouse://user:password@host:8123/database") from None
    if parts.scheme not in SCHEMES:
        raise _wrong("it must begin with clickhouse:// or clickhouses:// (TLS)")
    if not host:
        raise _wrong("it names no host; write clickhouse://host:8123/database")
    if port == 0:
        raise _wrong("its port must be from 1 to 65535")
    if parts.fragment or "#" in url:
        raise _wrong("it holds a #; write %23 where the password has one")
    user, password = _userinfo(parts)
    given = _parameters(parts.query)
    secure = parts.scheme == "clickhouses"
    return Address(
        host, port or SCHEMES[parts.scheme], secure, user, password, _database(parts.path), given.get("cluster"),
        _certificates(given.get("ca"), secure),
    )  # fmt: skip


def _userinfo(parts: SplitResult) -> tuple[str, str]:
    if BROKEN_ESCAPE.search(parts.netloc):
        raise _wrong("its user or password has a % that begins no escape; write %25 for it")
    if parts.netloc.count("@") > 1:
        raise _wrong("its user or password has an @; write %40 for it")
    if parts.password and not parts.username:
        raise _wrong("it has a password and no user; write user:password@")
    user = unquote(parts.username or "default")
    if ":" in user:
        raise _wrong("its user has a :, which HTTP cannot carry")
    return user, unquote(parts.password or "")


def _database(path: str) -> str:
    name = path.removeprefix("/")
    if name and not NAME.fullmatch(name):
        raise _wrong("its database must be one name of letters, digits, - and _, at most 64")
    return name or DATABASE


def _parameters(query: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    allowed = "; ".join(f"{name}: {meaning}" for name, meaning in PARAMETERS.items())
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in PARAMETERS:
            raise _wrong(f"the parameter {name[:40]!r} does not exist. There are {allowed}")
        if name in found:
            raise _wrong(f"the parameter {name} is given twice")
        found[name] = value
    if "cluster" in found and not NAME.fullmatch(found["cluster"]):
        raise _wrong(f"the parameter cluster must be {PARAMETERS['cluster']}")
    return found


def _certificates(path: str | None, secure: bool) -> Path | None:
    if path is None:
        return None
    if not secure:
        raise _wrong("the parameter ca needs clickhouses://")
    file = Path(path).expanduser()
    if not file.is_file():
        raise _wrong("the parameter ca names no file")
    return file


def _wrong(what: str) -> BadRequest:
    return BadRequest(f"{SETTING}: this ClickHouse address cannot be used: {what}.", SETTING)
