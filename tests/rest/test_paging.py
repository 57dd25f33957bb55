"""Paging through 10,000 rows while a writer adds rows: every row that was there at the start comes exactly once."""

import asyncio
import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from backends.chdb import open_chdb
from backends.log import Derivation
from backends.memory import MemoryStore
from tests.rest.conftest import Surface
from tests.rest.test_gpu_metrics import fact

ROWS = 10_000
STORES = {"memory": MemoryStore, "chdb": open_chdb}


@pytest.fixture(params=STORES)
def written(request: pytest.FixtureRequest) -> Iterator["Written"]:
    one = Written(STORES[request.param]())
    yield one
    asyncio.run(one.surface.store.close())


class Written:
    """A store with many keys, and a writer that adds others everywhere between them."""

    def __init__(self, store: Any) -> None:
        self.surface = Surface()
        self.surface.store = store
        self.chance, self.owners = random.Random(1), 0
        self.write(range(ROWS))

    def write(self, numbers: Any) -> None:
        """A row for each number: even ones are there from the start, odd ones appear."""
        facts = []
        for number in numbers:
            self.owners += 1
            wallet, name = f"0x{number // 100:040x}", f"{number % 100:03}"
            dims = {"orchestrator": wallet, "gpu": f"GPU-{name}", "gateway": wallet, "workflow": name, "region": None}
            values = {"sessions": 1, "served": 1, "samples": 1, "output_fps": 10**9}
            # Wallets from 50 on an hour earlier, so that demand has rows in two intervals.
            made = fact("1", 30 if number < ROWS // 2 else 90, values, **dims)
            facts.append(made._replace(owner=f"o{self.owners}"))
        self.surface.store.replace(Derivation([one.owner for one in facts], facts, []))
        self.surface.store.refresh()

    def go_on(self) -> None:
        """Time passes; new rows appear in front of and behind every page, and old ones change."""
        self.surface.now += timedelta(minutes=7)
        appearing = [number + ROWS * 1000 for number in self.chance.sample(range(ROWS), 50)]
        between = [number * 100 + 99 + 1_000_000 for number in self.chance.sample(range(100), 20)]
        self.write([*appearing, *between, *self.chance.sample(range(ROWS), 50)])


async def pages(written: Written, path: str) -> list[dict[str, Any]]:
    """The rows of every page, one after the other."""
    found, cursor, more = list[dict[str, Any]](), {}, True
    async with written.surface.client() as client:
        while more:
            answer = (await client.get(path, params={"time_range": "2h", "limit": "1000", **cursor})).json()
            assert answer["meta"]["time_window"] == "2026-01-09T12:00:00Z/2026-01-09T14:00:00Z"
            found += answer["data"]
            more, cursor = answer["pagination"]["has_more"], {"cursor": answer["pagination"]["next_cursor"]}
            written.go_on()
    return found


@pytest.mark.parametrize(
    ("path", "key"),
    [("/v1/sla/gpu/metrics", ("o_wallet", "workflow")), ("/v1/sla/network/demand", ("gateway", "workflow"))],
)
async def test_every_row_of_the_start_comes_exactly_once(written: Written, path: str, key: tuple[str, ...]) -> None:
    found = [tuple(row[part] for part in key) for row in await pages(written, path)]

    assert len(found) == len({*found})
    assert {(f"0x{number // 100:040x}", f"{number % 100:03}") for number in range(ROWS)} <= {*found}
    assert len(found) > ROWS
