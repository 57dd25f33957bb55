"""Who an event speaks of: service URIs, wallets, node keys, models, in one spelling each."""

import re
from functools import lru_cache
from typing import Any

from telemetry.values import text

ADDRESS = re.compile(r"0x[0-9a-f]{40}\Z")
KEY, WALLET = "key:", "wallet:"


@lru_cache(maxsize=4096)
def uri(spelled: str) -> str:
    """A service URI in lower case, without trailing slashes."""
    plain = spelled.strip().lower().rstrip("/")
    return "uri:" + plain if plain.startswith((KEY, WALLET)) else plain


def wallet(value: Any) -> str:
    """A wallet in lower case, or "" for anything that is no address."""
    lower = text(value).lower()
    return lower if ADDRESS.match(lower) else ""


def place(address: Any, url: Any) -> str:
    """The place that a service URI, or else a node key alone, names."""
    if spelled := text(url):
        return uri(spelled)
    key = text(address).lower()
    return KEY + key if key else ""


def wallet_place(value: Any) -> str:
    """The place that a wallet names."""
    known = wallet(value)
    return WALLET + known if known else ""


def gateway(value: Any) -> str:
    """An envelope's gateway name; an address in lower case."""
    return wallet(value) or text(value)


def manifest_model(value: Any) -> str:
    """The model of a `35_<model>` manifest, or ""."""
    manifest = text(value)
    return manifest[3:] if manifest.startswith("35_") else ""
