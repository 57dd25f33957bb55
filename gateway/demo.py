"""`make demo`: a simulated network of the last hours, loaded and served. Run again, it begins afresh."""

import fcntl
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import click

from gateway.progress import Progress
from gateway.serve import bound, serve_one
from gateway.settings import Settings
from gateway.simulate import simulation
from gateway.store import opened, utc_now
from metrics.errors import StoreInUse
from telemetry.stake import stake_events

ORCHESTRATORS, SEED = 12, 7
SOURCE = "demo"


def run(port: int, directory: str, hours: float) -> None:
    """Simulate, load, serve."""
    home = Path(directory)
    home.mkdir(parents=True, exist_ok=True)
    with _alone(home):
        store, regions = home.resolve() / "store", home.resolve() / "regions.json"
        door = str(home.resolve() / "auth")
        settings = replace(Settings(), backend=f"chdb://{store}", regions=regions, port=port, auth_directory=door)
        listening = bound(settings.host, settings.port, "make demo PORT=")
        shutil.rmtree(store, ignore_errors=True)
        end = utc_now().replace(microsecond=0)
        regions.write_text(json.dumps(_regions(end)), encoding="utf-8")
        _load(settings, end, hours)
        serve_one(settings, listening)


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Two demos in one directory would take the store from each other."""
    with open(home / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreInUse(f"a demo already runs in {home}. Stop it with Ctrl-C first.") from None
        yield


def _regions(end: datetime) -> dict[str, object]:
    """The regions of the simulated network, as NAAP_REGIONS wants them. One seed gives one network, at any length."""
    network = simulation(ORCHESTRATORS, 0.1, SEED, end)
    for _ in network.events():
        pass
    return {"version": "demo", "regions": network.truth()["regions"]}


def _load(settings: Settings, end: datetime, hours: float) -> None:
    click.echo(f"Simulating a network of {ORCHESTRATORS} orchestrators over the last {hours:g} hours …")
    network = simulation(ORCHESTRATORS, hours, SEED, end)
    progress = Progress("loading")
    with opened(settings) as loader:
        report = loader.load(SOURCE, progress.over(network.events()))
        loader.load(SOURCE, (event for _, event in stake_events(network.stakes(), "the simulated stake")))
        progress.say("bringing the rollups up to date …")
        loader.derive()
    progress.done()
    click.echo(f"{report.accepted:,} events are loaded into {settings.backend}.\n")
