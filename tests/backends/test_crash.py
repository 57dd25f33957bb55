"""A store that is killed at any statement, again and again, loses nothing and doubles nothing."""

import random
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
OPENING = 30  # statements before the first that loads
WRITING = (
    *("insert conflicts", "insert raw", "insert ids", "insert paths", "insert stale", "insert facts"),
    *("insert sightings", "insert sessions", "refresh facts_minute", "refresh sightings_hour", "refresh facts_hour"),
    *("refresh facts_day", "insert marks"),
)


def run(place: str, dies_in: str, dies_after: int, seconds: float | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.backends.crash", place, dies_in, str(dies_after)]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        out, err = child.communicate(timeout=seconds or 120)
    except subprocess.TimeoutExpired:
        child.kill()
        out, err = child.communicate()
    return subprocess.CompletedProcess(command, child.returncode, out, err)


def test_an_embedded_store_killed_after_any_kind_of_write_is_whole_again(tmp_path: Path) -> None:
    for name in WRITING:
        died = run(f"chdb://{tmp_path}", name, 1)
        assert died.returncode in (-9, 0), died.stderr

    after = run(f"chdb://{tmp_path}", "", 0)
    assert after.stdout == "whole\n", after.stderr


def test_a_loader_killed_between_any_statements_leaves_a_whole_store(place: str) -> None:
    chance = random.Random(1)
    for _ in range(4):
        died = run(place, "", OPENING + chance.randrange(60))
        assert died.returncode == -9, died.stderr

    after = run(place, "", 0)
    assert after.stdout == "whole\n", after.stderr


def test_an_embedded_store_killed_within_statements_is_whole_again(tmp_path: Path) -> None:
    chance = random.Random(3)
    for _ in range(5):
        died = run(f"chdb://{tmp_path}", "", 0, seconds=1.0 + chance.random())
        assert died.returncode in (-9, 0), died.stderr

    after = run(f"chdb://{tmp_path}", "", 0)
    assert after.stdout == "whole\n", after.stderr
