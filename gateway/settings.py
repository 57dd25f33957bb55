"""What can be configured: environment variables beginning `NAAP_`, each typed, with a default and a help line.

An unknown or malformed variable stops the start with a message that names it: a typing error never becomes a default.
"""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from metrics.errors import BadRequest

PREFIX = "NAAP_"
KIB, MIB = 1024, 1024 * 1024
LOG_LEVELS = ("debug", "info", "warning", "error")


def _text(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    return text.strip()


def _secret(text: str) -> str:
    if len(text.strip()) < 16:
        raise ValueError("must be at least 16 characters long")
    return text.strip()


def _path(text: str) -> Path:
    try:
        return Path(_text(text)).expanduser()
    except RuntimeError:
        raise ValueError(f"begins with the home of a user that there is not: {text.strip()}") from None


def _existing(text: str) -> Path:
    path = _path(text)
    return path if path.is_dir() else _readable(text)


def _readable(text: str) -> Path:
    path = _path(text)
    try:
        found = path.is_file()
    except OSError as error:
        raise ValueError(f"names a file that cannot be read: {path} ({error.strerror})") from None
    if not found:
        raise ValueError(f"names no file: {path}")
    return path


def _secret_in(path: Path) -> Callable[[str], str]:
    def parse(_: str) -> str:
        try:
            return _secret(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ValueError(f"names a file that cannot be read: {path} ({error.strerror})") from None
        except UnicodeDecodeError:
            raise ValueError(f"names a file that holds no text: {path}") from None

    return parse


def _one_of(*allowed: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text.strip().lower() not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}, not {text!r}")
        return text.strip().lower()

    return parse


def _between(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise ValueError(f"must be a whole number from {low:,} to {high:,}, not {text!r}") from None
        if not low <= number <= high:
            raise ValueError(f"must be from {low:,} to {high:,}, not {number:,}")
        return number

    return parse


def _origin(text: str) -> str:
    given = text.strip().rstrip("/")
    try:
        parts = urlsplit(given)
        right = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        right = False
    if not right or given != f"{parts.scheme}://{parts.netloc}" or "@" in given:
        raise ValueError(f"must be an origin like https://gateway.example, not {text!r}")
    return given.lower()


def _listed(pattern: str, what: str) -> Callable[[str], frozenset[str]]:
    def parse(text: str) -> frozenset[str]:
        found = [one.strip().lower() for one in text.split(",")]
        for one in found:
            if not re.fullmatch(pattern, one):
                raise ValueError(f"must be {what}, with commas between, not {one!r}")
        return frozenset(found)

    return parse


def _setting(default: Any, parse: Callable[[str], Any], doc: str) -> Any:
    return field(default=default, metadata={"parse": parse, "doc": doc})


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a start depends on."""

    backend: str = _setting(
        "chdb://~/.naap",
        _text,
        "The store: chdb:///path (embedded; ~ and . may begin it) or clickhouse[s]://user:password@host/database.",
    )
    store_timeout_s: int = _setting(20, _between(1, 600), "How many seconds one read of the store may take.")
    store_pool: int = _setting(10, _between(1, 256), "Reads at the same time, where the store is a server.")
    store_retry_s: int = _setting(
        60, _between(0, 3600), "How many seconds a write is tried again while such a server is away."
    )
    regions: Path | None = _setting(None, _readable, "A versioned file of regions: name, gateways, service URIs.")
    flops: Path | None = _setting(
        None, _readable, "A versioned file of peak FLOPS by GPU model and FLOPs per frame by workflow; unset: our own."
    )
    targets: Path | None = _setting(
        None, _readable, "A versioned file of targets per workflow; unset: the one that comes along."
    )
    datasets: str | None = _setting(
        None, _text, "Datasets, instead of the packaged ones: a directory, a .tar.gz or .zip, https://…#sha256=…."
    )
    host: str = _setting("127.0.0.1", _text, "The address to listen on.")
    port: int = _setting(8000, _between(1, 65_535), "The port to listen on.")
    workers: int = _setting(1, _between(1, 64), "Serving processes; an embedded store allows one.")
    operator_token: str | None = _setting(None, _secret, "Who may POST /v1/events; unset: loopback only.")
    operator_token_file: Path | None = _setting(None, _readable, "The same, read from a file.")
    public_url: str | None = _setting(
        None, _origin, "Where the world finds this gateway, which logins are bound to; unset: http://HOST:PORT."
    )
    login_domains: frozenset[str] | None = _setting(
        None, _listed(r"[a-z0-9.:\[\]-]+", "host names"), "Further hosts whose pages may ask a wallet to sign in here."
    )
    chain_id: int = _setting(42_161, _between(1, 2**53), "The chain of the wallets that sign in (Arbitrum One).")
    operators: frozenset[str] | None = _setting(
        None, _listed("0x[0-9a-f]{40}", "wallets"), "Wallets that have an operator's rights when they sign in."
    )
    auth_directory: str = _setting("~/.naap-auth", _text, "Where signing keys and, by default, logins are kept.")
    auth_store: str | None = _setting(
        None, _text, "Where logins are kept: sqlite:///path or postgresql://…; unset: in NAAP_AUTH_DIRECTORY."
    )
    issuers: Path | None = _setting(None, _readable, "A file of outside issuers whose tokens are accepted.")
    events_max_bytes: int = _setting(
        32 * MIB, _between(KIB, KIB * MIB), "The largest body of POST /v1/events, as sent."
    )
    events_max_inflated_bytes: int = _setting(64 * MIB, _between(KIB, KIB * MIB), "The same after decompression.")
    loader_queue: int = _setting(16, _between(1, 10_000), "Bodies that may wait for the loader before answers are 429.")
    batch: int = _setting(10, _between(1, 100), "GraphQL operations that one request may batch; 1: no batches.")
    cache_bytes: int = _setting(
        64 * MIB, _between(0, 64 * 1024 * MIB), "Memory for answers that others ask for too; 0: none are kept."
    )
    trusted_documents: Path | None = _setting(
        None, _existing, "Trusted GraphQL documents, a directory or a file: no others are executed then."
    )
    log_level: str = _setting("info", _one_of(*LOG_LEVELS), f"How much is logged: {', '.join(LOG_LEVELS)}.")

    @property
    def token(self) -> str | None:
        """The operator's token, wherever it was given."""
        if self.operator_token is None and self.operator_token_file is not None:
            return str(_parsed("operator_token_file", _secret_in(self.operator_token_file), ""))
        return self.operator_token


def from_environment(environment: Mapping[str, str]) -> Settings:
    """The settings that these variables give. Raises BadRequest naming the first variable that is wrong."""
    known = {variable(one.name): one for one in fields(Settings)}
    values = {}
    for name in sorted(environment):
        if not name.startswith(PREFIX):
            continue
        if name not in known:
            raise BadRequest(f"{name} is not a setting{_meant(name, known)} `naap serve --help` lists them.", name)
        one = known[name]
        values[one.name] = _parsed(one.name, one.metadata["parse"], environment[name])
    settings = Settings(**values)
    if settings.operator_token and settings.operator_token_file:
        raise BadRequest(
            "NAAP_OPERATOR_TOKEN and NAAP_OPERATOR_TOKEN_FILE are both set. Keep one of them.", "NAAP_OPERATOR_TOKEN"
        )
    _ = settings.token  # a file without a usable token stops the start, not the first request
    return settings


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def described() -> list[tuple[str, str, str]]:
    """Every setting as (variable, default, help line), in order."""
    return [(variable(one.name), _shown(one.default), one.metadata["doc"]) for one in fields(Settings)]


def _parsed(name: str, parse: Callable[[str], Any], text: str) -> Any:
    try:
        return parse(text)
    except ValueError as error:
        raise BadRequest(f"{variable(name)} {error}.", variable(name)) from None


def _meant(name: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else "."


def _shown(default: object) -> str:
    return "unset" if default is None else str(default)
