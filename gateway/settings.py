"""What can be configured: environment variables beginning `NAAP_`, each typed, with a default and a help line.

An unknown or malformed variable stops the start with a message that names it: a typing error never becomes a default.
"""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from auth.budget import Tiers
from gateway.logs import FORMATS
from metrics.errors import BadRequest

PREFIX = "NAAP_"
KIB, MIB = 1024, 1024 * 1024
PROXY_HEADERS = ("x-forwarded-for", "forwarded")
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


def _in_file(path: Path, parse: Callable[[str], str]) -> Callable[[str], str]:
    """What a file says, read as `parse` does."""

    def read(_: str) -> str:
        try:
            return parse(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ValueError(f"names a file that cannot be read: {path} ({error.strerror})") from None
        except UnicodeDecodeError:
            raise ValueError(f"names a file that holds no text: {path}") from None

    return read


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


def _flag(text: str) -> bool:
    return _one_of("on", "off")(text) == "on"


def _tiers(text: str) -> Tiers:
    parts = text.split(",")
    if len(parts) != 3:
        raise ValueError(f"must be three whole numbers, for anybody, callers with a token and operators, not {text!r}")
    return Tiers(*(_between(0, 10**12)(part) for part in parts))


def _origins(text: str) -> tuple[str, ...]:
    origins = tuple(one.strip() for one in text.split(",") if one.strip())
    for one in origins:
        parts = urlsplit(one)
        if one != "*" and (parts.scheme not in ("http", "https") or one != f"{parts.scheme}://{parts.netloc}"):
            raise ValueError(f"must be origins like https://example.org, or *, not {one!r}")
    if not origins:
        raise ValueError("must name an origin")
    return origins


def _redis_url(text: str) -> str:
    if not text.strip().startswith(("redis://", "rediss://")):
        raise ValueError("must be redis://[:password@]host:port[/database], or rediss://…")
    return text.strip()


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
    # Settings are never shown whole: some are secrets.
    return field(default=default, repr=False, metadata={"parse": parse, "doc": doc})


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a start depends on."""

    backend: str = _setting(
        "chdb://~/.naap",
        _text,
        "The store: chdb:///path (embedded; ~ and . may begin it) or clickhouse[s]://user:password@host/database or "
        "postgresql://user:password@host/database; or several, comma-separated.",
    )
    backend_file: Path | None = _setting(None, _readable, "The same, read from a file: a URL may hold a password.")
    store_timeout_s: int = _setting(20, _between(1, 600), "How many seconds one read of the store may take.")
    store_connect_s: int = _setting(5, _between(1, 600), "How many seconds connecting to a PostgreSQL may take.")
    store_pool: int = _setting(10, _between(1, 256), "Reads at the same time, where the store is a server.")
    store_retry_s: int = _setting(
        60, _between(0, 3600), "How many seconds a write is tried again while such a server is away."
    )
    partial_answers: str = _setting(
        "allow", _one_of("allow", "refuse"), "Of several stores, when one is away: allow or refuse answers of the rest."
    )
    timescale_compress_days: int | None = _setting(
        None,
        _between(1, 36_500),
        "TimescaleDB compresses what is older than so many days; unset: never. `naap migrate` applies both.",
    )
    timescale_retain_days: int | None = _setting(
        None,
        _between(7, 36_500),
        "TimescaleDB drops what is older than so many days; unset: never.",
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
    events_seconds: int = _setting(300, _between(1, 86_400), "How long such a body may take to arrive.")
    loader_queue: int = _setting(16, _between(1, 10_000), "Bodies that may wait for the loader before answers are 429.")
    budgets: Tiers = _setting(
        Tiers(300_000, 1_500_000, 15_000_000),
        _tiers,
        "Cost a minute: of an address, of a caller with a token, of an operator; 0 is no limit (docs/limits.md).",
    )
    rates: Tiers = _setting(Tiers(100, 400, 2_000), _tiers, "Requests a second of the same three; 0 is no limit.")
    request_cost: int = _setting(100_000, _between(1, 10**9), "What one request may cost at most.")
    nonces_per_minute: int = _setting(
        60, _between(0, 10**6), "Nonces an address may ask for in a minute; 0 is no limit."
    )
    logins_per_minute: int = _setting(
        20, _between(0, 10**6), "Times an address may try to sign in, or hand in a delegation; 0 is no limit."
    )
    refreshes_per_minute: int = _setting(
        60, _between(0, 10**6), "Times an address may refresh tokens, sign out or revoke; 0 is no limit."
    )
    redis_url: str | None = _setting(
        None, _redis_url, "A Redis that several gateways share budgets in; unset: each counts for itself."
    )
    redis_url_file: Path | None = _setting(None, _readable, "The same, read from a file.")
    trusted_proxies: int = _setting(
        0, _between(0, 20), "How many proxies of our own stand in front: a caller's address is what the first one saw."
    )
    proxy_header: str = _setting(
        PROXY_HEADERS[0], _one_of(*PROXY_HEADERS), f"Where they write it: {' or '.join(PROXY_HEADERS)}."
    )
    request_seconds: int = _setting(30, _between(1, 3600), "How long a request may take.")
    read_seconds: int = _setting(10, _between(1, 3600), "How long one read of a store may take.")
    body_seconds: int = _setting(30, _between(1, 3600), "How long the body of a query may take to arrive.")
    cors_origins: tuple[str, ...] = _setting(
        (), _origins, "Web pages that may ask from a browser: origins, comma-separated, or *; unset: none."
    )
    introspection: bool = _setting(True, _flag, "Whether the graph describes itself: on or off.")
    suggestions: bool = _setting(True, _flag, "Whether errors say what may have been meant: on or off.")
    batch: int = _setting(10, _between(1, 100), "GraphQL operations that one request may batch; 1: no batches.")
    live_subscriptions: int = _setting(
        5_000, _between(0, 1_000_000), "Live subscriptions at the same time, in all; as many connections."
    )
    live_per_caller: int = _setting(100, _between(1, 1_000_000), "The same of one caller: a login, else an address.")
    live_per_connection: int = _setting(20, _between(1, 10_000), "Live subscriptions that one WebSocket may carry.")
    cache_bytes: int = _setting(
        64 * MIB, _between(0, 64 * 1024 * MIB), "Memory for answers that others ask for too; 0: none are kept."
    )
    trusted_documents: Path | None = _setting(
        None, _existing, "Trusted GraphQL documents, a directory or a file: no others are executed then."
    )
    log_level: str = _setting("info", _one_of(*LOG_LEVELS), f"How much is logged: {', '.join(LOG_LEVELS)}.")

    @property
    def redis(self) -> str | None:
        """Where budgets are shared, wherever it was given."""
        if self.redis_url is None and self.redis_url_file is not None:
            return str(_parsed("redis_url_file", _in_file(self.redis_url_file, _redis_url), ""))
        return self.redis_url

    log_format: str = _setting(
        "text", _one_of(*FORMATS), "How it is logged: text, or json: one object a line, also one for every request."
    )
    traces: str | None = _setting(
        None, _origin, "A collector of OpenTelemetry traces, such as http://127.0.0.1:4318 (OTLP over HTTP)."
    )

    @property
    def token(self) -> str | None:
        """The operator's token, wherever it was given."""
        if self.operator_token is None and self.operator_token_file is not None:
            return str(_parsed("operator_token_file", _in_file(self.operator_token_file, _secret), ""))
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
    for name in ("operator_token", "redis_url"):
        if getattr(settings, name) and getattr(settings, f"{name}_file"):
            said = variable(name)
            raise BadRequest(f"{said} and {said}_FILE are both set. Keep one of them.", said)
    if settings.backend_file is not None:
        if variable("backend") in environment:
            raise BadRequest("NAAP_BACKEND and NAAP_BACKEND_FILE are both set. Keep one of them.", "NAAP_BACKEND")
        settings = replace(settings, backend=_parsed("backend_file", _in_file(settings.backend_file, _text), ""))
    _ = settings.token, settings.redis  # a file without a usable secret stops the start, not the first request
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
    if isinstance(default, bool):
        return "on" if default else "off"
    return "unset" if default is None or default == () else str(default)
