"""A load that is killed at any instant and sent again loses nothing and doubles nothing."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from telemetry.simulator.network import Simulation
from telemetry.simulator.options import Options, parse_faults
from tests.laws.killed import NOW

ASK = """
import asyncio, sys
from backends.chdb import open_chdb
from tests.laws.answers import everything
print(everything(open_chdb(sys.argv[1])))
"""
KILLS = 6
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("feed") / "events.ndjson"
    faults = parse_faults("duplicate,conflict,late,malformed,wander")
    simulation = Simulation(Options(orchestrators=4, hours=5, seed=21, end=NOW, faults=faults))
    path.write_bytes(b"".join(simulation.events()))
    return path


def start(store: Path, file: Path) -> "subprocess.Popen[str]":
    """A loader in a process of its own."""
    command = [sys.executable, "-m", "tests.laws.killed", str(store), str(file)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def answers(store: Path) -> str:
    """Everything that the store answers, asked in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", ASK, str(store)], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout


def test_killed_at_random_points_and_loaded_again(tmp_path: Path, file: Path) -> None:
    clean, torn = tmp_path / "clean", tmp_path / "torn"
    assert "done" in start(clean, file).communicate(timeout=120)[0]
    chance = random.Random()
    kills = 0

    for _ in range(KILLS):
        loading = start(torn, file)
        assert loading.stdout is not None
        # After the loader has opened the store, and a random number of batches and milliseconds later.
        for _ in range(1 + chance.randrange(8)):
            loading.stdout.readline()
        try:
            loading.wait(chance.random() * 0.4)
        except subprocess.TimeoutExpired:
            kills += 1
        loading.kill()
        loading.communicate()
    assert "done" in start(torn, file).communicate(timeout=120)[0]

    assert kills >= KILLS // 2
    assert answers(torn) == answers(clean)
