"""Logins once more, with a PostgreSQL that their processes share."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from auth.store.store import open_store
from tests.auth.test_delegations import *  # noqa: F403
from tests.auth.test_logins import *  # noqa: F403


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    servers = pytest.importorskip("tests.backends.servers", reason="backend postgresql16: no server for tests")
    stores = pytest.importorskip("tests.backends.stores", reason="backend postgresql16: no server for tests")
    with ExitStack() as held:
        try:
            yield held.enter_context(servers.serving_postgresql(16)).url()
        except stores.Missing as missing:
            pytest.skip(f"backend postgresql16: {missing}")


@pytest.fixture
def store_url(server: str) -> Iterator[str]:
    from tests.backends.servers import database  # type: ignore[import-not-found,unused-ignore]

    with database(server) as url:
        yield url


def test_those_who_begin_at_once_make_one_store(store_url: str) -> None:
    with ThreadPoolExecutor(6) as threads:
        stores = [*threads.map(open_store, [store_url] * 6)]

    assert len({store.nonce_secret for store in stores}) == 1
    for store in stores:
        store.close()
