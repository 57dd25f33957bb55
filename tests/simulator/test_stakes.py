"""The simulated stake: the same for the same seed, for every orchestrator, and read exactly."""

import asyncio

from backends.backend import StakeQuestion
from backends.memory import MemoryStore
from metrics.exact import decimal_text
from telemetry.loader import Loader
from telemetry.simulator.network import Simulation
from telemetry.simulator.options import Options
from telemetry.stake import stake_events

OPTIONS = Options(orchestrators=3, hours=50, seed=4)


def test_the_same_seed_gives_the_same_stake_and_no_event() -> None:
    once, again = Simulation(OPTIONS), Simulation(OPTIONS)
    feed = list(once.events())

    assert list(once.stakes()) == list(again.stakes())
    assert feed == list(again.events())
    assert not any(b"stake" in line for line in feed)


def test_every_row_is_read() -> None:
    simulation, store = Simulation(OPTIONS), MemoryStore()
    loader = Loader(store, lambda: OPTIONS.end)
    report = loader.load("default", [event for _, event in stake_events(simulation.stakes(), "stake")])
    loader.derive()
    header, *rows = (line.decode().split(",") for line in simulation.stakes())
    wallets = tuple(sorted({row[0] for row in rows}))

    found = asyncio.run(store.stakes(StakeQuestion(wallets, 0, 2**60)))
    assert (report.accepted, report.rejected) == (len(rows), [])
    assert len(rows) == len(wallets) * 3
    assert header == ["address", "lpt", "time"]
    assert [[one.orchestrator, decimal_text(one.lptu), str(one.at_ms)] for one in found] == rows
