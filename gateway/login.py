"""The door that the settings describe: keys in a directory, logins in a store."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from auth.access import Access
from auth.issuers import Issuers, load_issuers
from auth.signing import KeyRing
from auth.site import Site
from auth.store.store import open_store
from gateway.settings import Settings
from metrics.errors import BadRequest

ANYWHERE = ("0.0.0.0", "::", "")  # noqa: S104  # compared with, not bound to
Clock = Callable[[], datetime]


def open_access(settings: Settings, clock: Clock) -> Access:
    """The door of these settings. Raises BadRequest, StoreUnavailable where something of it cannot be used."""
    directory = auth_directory(settings)
    keys = KeyRing(keys_directory(settings))
    return _access(settings, clock, keys, settings.auth_store or f"sqlite:///{directory / 'auth.db'}")


def in_memory(settings: Settings, clock: Clock) -> Access:
    """The same, which keeps nothing."""
    return _access(settings, clock, KeyRing(), "sqlite://")


def site_of(settings: Settings) -> Site:
    """What this gateway is called by those who sign for it."""
    host = "127.0.0.1" if settings.host in ANYWHERE else settings.host
    here = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
    return Site(settings.public_url or here, settings.chain_id, settings.login_domains or frozenset())


def auth_directory(settings: Settings) -> Path:
    """Where keys and, by default, logins are."""
    try:
        return Path(settings.auth_directory).expanduser().absolute()
    except RuntimeError:
        raise BadRequest(
            f"NAAP_AUTH_DIRECTORY: {settings.auth_directory} begins with the home of no user here.",
            "NAAP_AUTH_DIRECTORY",
        ) from None


def keys_directory(settings: Settings) -> Path:
    """Where the signing keys are."""
    return auth_directory(settings) / "keys"


def _access(settings: Settings, clock: Clock, keys: KeyRing, store: str) -> Access:
    site = site_of(settings)
    issuers = Issuers(load_issuers(settings.issuers, site.uri))
    return Access(
        open_store(store), keys, site, clock, settings.operators or frozenset(), settings.token, issuers
    )  # fmt: skip
