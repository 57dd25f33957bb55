"""`naap simulate`: a simulated network's events on standard output."""

import json
import sys
from datetime import datetime
from pathlib import Path

from metrics.errors import BadRequest
from telemetry.simulator.network import Simulation
from telemetry.simulator.options import DEFAULT_END, DEFAULT_RATE, Options, parse_faults


def simulation(
    orchestrators: int,
    hours: float,
    seed: int,
    end: datetime | None = None,
    rate: float | None = None,
    faults: str = "none",
) -> Simulation:
    """The simulation that these options ask for. Raises BadRequest naming the one that is wrong."""
    try:
        options = Options(
            orchestrators=orchestrators,
            hours=hours,
            seed=seed,
            end=DEFAULT_END if end is None else end,
            rate=DEFAULT_RATE if rate is None else rate,
            faults=parse_faults(faults),
        )
    except ValueError as error:
        raise BadRequest(f"--{error}.") from None
    return Simulation(options)


def run(truth: str | None, **options: object) -> None:
    """Write the events, and what is true of them where it is asked for."""
    network = simulation(**options)  # type: ignore[arg-type]  # click has given each option its type
    out = sys.stdout.buffer
    for event in network.events():
        out.write(event)
    out.flush()
    if truth is not None:
        write_truth(network, truth)


def write_truth(network: Simulation, path: str) -> None:
    """Write what is true of a simulation, once all its events are out, as JSON."""
    try:
        Path(path).write_text(json.dumps(network.truth(), indent=1), encoding="utf-8")
    except OSError as error:
        raise BadRequest(f"--truth: {path} cannot be written: {error.strerror}.", "--truth") from error
