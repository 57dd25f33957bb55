"""The gateway's door over a store in a file, with a clock that is set."""

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from auth.access import Access
from auth.audit import LOGGER
from auth.signing import KeyRing
from auth.site import Site
from auth.store.store import open_store
from tests.auth.wallet import Clock, Wallet

NOW = datetime(2026, 1, 9, 14, 0, tzinfo=UTC)
SITE = Site("https://gateway.example", 42_161)
OPERATOR_TOKEN = "the-operators-own-token"
ALICE, BOB, EVE = Wallet(1), Wallet(2), Wallet(3)


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'auth.db'}"


@pytest.fixture
def open_door(clock: Clock, tmp_path: Path, store_url: str) -> Iterator[Callable[..., Access]]:
    """Makes doors that share keys and store, as processes of one gateway do."""
    doors: list[Access] = []

    def make(site: Site = SITE, **more: object) -> Access:
        door = Access(
            open_store(store_url), KeyRing(tmp_path / "keys"), site, clock, operator_token=OPERATOR_TOKEN, **more
        )
        doors.append(door)
        return door

    yield make
    for door in doors:
        door.close()


@pytest.fixture
def access(open_door: Callable[..., Access]) -> Access:
    return open_door()


@pytest.fixture
def audited(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, logger=LOGGER)
    return caplog
