"""A read that nobody waits for any more does not go on in the embedded store, and one in time is left alone."""

import asyncio
import time

import pytest

from backends.chdb import ReadPool, open_chdb
from backends.clickhouse.compile import Statement
from backends.memory import MemoryStore
from backends.patient import Patient
from metrics.errors import StoreTimeout

SLOW = Statement("slow", sql="SELECT count() FROM numbers(100000000000) WHERE sipHash64(number) = 1")
QUICK = Statement("quick", sql="SELECT 1")


@pytest.mark.parametrize("is_killed", [True, False])
async def test_a_cancelled_read_frees_its_thread(monkeypatch: pytest.MonkeyPatch, is_killed: bool) -> None:
    if not is_killed:
        monkeypatch.setattr(ReadPool, "_kill", lambda *_: None)
    store = open_chdb(readers=1)
    pool = store._pool
    try:
        slow = asyncio.create_task(pool.query(SLOW))
        waiting = asyncio.create_task(pool.query(SLOW))
        await asyncio.sleep(0.3)
        slow.cancel()
        waiting.cancel()
        began = time.monotonic()
        try:
            async with asyncio.timeout(1.5):
                assert await pool.query(QUICK) == [(1,)]
        except TimeoutError:
            assert not is_killed
        else:
            assert is_killed, time.monotonic() - began
    finally:
        monkeypatch.undo()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        if not is_killed:
            _end_all(pool)
        await store.close()


def _end_all(pool: ReadPool) -> None:
    killer = pool._connect_killer()
    killer.command("KILL QUERY WHERE query NOT LIKE 'KILL%' AND position(query, 'sipHash64(number) = 1') > 0 SYNC")
    killer.close()


class Slow(MemoryStore):
    """A store whose ping takes a second."""

    cancelled = False

    async def ping(self) -> None:
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            self.cancelled = True
            raise


async def test_a_store_is_waited_for_only_so_long() -> None:
    store = Slow()

    with pytest.raises(StoreTimeout, match=r"within 0\.05 s"):
        await Patient(store, 0.05).ping()
    assert store.cancelled


async def test_a_timeout_of_the_store_itself_is_not_taken_for_ours() -> None:
    class Broken(MemoryStore):
        async def ping(self) -> None:
            raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        await Patient(Broken(), 5).ping()
