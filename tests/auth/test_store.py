"""The login store: private, shared by processes, swept, and away without telling how."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from auth.access import Access
from auth.store.store import SWEEP_EVERY, Store, open_store
from auth.store.tables import METADATA, REFRESH_TOKENS, SESSIONS, USED_NONCES
from metrics.errors import BadRequest, StoreUnavailable
from tests.auth.conftest import ALICE, BOB
from tests.auth.wallet import Clock


def count(store: Store, name: str) -> int:
    return store.work(lambda connection: connection.scalar(select(func.count()).select_from(METADATA.tables[name])))


def test_its_file_is_its_owners_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = open_store(f"sqlite:///{tmp_path / 'new' / 'auth.db'}")
    finally:
        os.umask(before)

    for file in (tmp_path / "new").iterdir():
        assert file.stat().st_mode & 0o777 == 0o600, file.name
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    store.close()


async def test_what_is_over_is_swept(access: Access, clock: Clock) -> None:
    store = access._store
    for _ in range(3):
        await ALICE.login(access)
    assert [count(store, table.name) for table in (USED_NONCES, SESSIONS, REFRESH_TOKENS)] == [3, 3, 3]

    clock.on(SWEEP_EVERY + timedelta(seconds=1))
    await BOB.login(access)
    assert count(store, USED_NONCES.name) == 1
    clock.on(timedelta(days=31))
    await BOB.login(access)
    assert [count(store, table.name) for table in (USED_NONCES, SESSIONS, REFRESH_TOKENS)] == [1, 1, 1]


async def test_asking_for_nonces_keeps_nothing(access: Access) -> None:
    for _ in range(100):
        access.logins.challenge(ALICE.address)

    assert [count(access._store, name) for name in METADATA.tables if name != "auth_secrets"] == [0] * 5


def test_processes_that_begin_at_once_share_one_secret_and_one_key(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from auth.signing import KeyRing; from auth.store.store import open_store\n"
        "store = open_store(f'sqlite:///{sys.argv[1]}/auth.db')\n"
        "print(store.nonce_secret.hex(), KeyRing(Path(sys.argv[1]) / 'keys').current.kid)"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    said = {one.communicate(timeout=60)[0] for one in running}

    assert len(said) == 1
    assert len(said.pop().split()) == 2


async def test_the_event_loop_goes_on_while_the_store_works(access: Access) -> None:
    held, seen = threading.Event(), []
    waiting = asyncio.ensure_future(access._store.run(lambda _: held.wait(5)))
    for _ in range(5):
        await asyncio.sleep(0.01)
        seen.append(waiting.done())
    held.set()

    assert seen == [False] * 5
    assert await waiting


@pytest.mark.parametrize("url", ["mysql://x/y", "nonsense", "sqlite+other://x", "postgresql", ""])
def test_a_url_that_names_no_store_is_told(url: str) -> None:
    with pytest.raises(BadRequest, match="NAAP_AUTH_STORE"):
        open_store(url)


def test_a_place_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match="cannot be used"):
        open_store(f"sqlite:///{tmp_path / 'file' / 'auth.db'}")
    (tmp_path / "file").write_bytes(b"not a database, whatever it says" * 100)
    with pytest.raises(StoreUnavailable) as caught:
        open_store(f"sqlite:///{tmp_path / 'file'}")
    assert "sqlite" not in str(caught.value)


async def test_a_store_that_is_away_lets_nobody_in(access: Access, open_door: Callable[..., Access]) -> None:
    token = (await ALICE.login(access)).access_token
    other = open_door()
    METADATA.drop_all(access._store._engine)

    with pytest.raises(StoreUnavailable):
        await other.caller(f"Bearer {token}")


async def test_a_postgresql_that_is_away_is_told_without_its_password() -> None:
    pytest.importorskip("psycopg", reason="backend postgresql: psycopg is not installed")
    with pytest.raises(StoreUnavailable) as caught:
        open_store("postgresql://me:hunter2@127.0.0.1:9/naap")

    assert "hunter2" not in str(caught.value)
