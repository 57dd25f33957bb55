"""`naap simulate`: a simulated network's events on standard output."""

import json
import sys
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import IO

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
        raise BadRequest(f"--{error}.", f"--{str(error).partition(' ')[0]}") from None
    return Simulation(options)


def run(truth: str | None, **options: object) -> None:
    """Write the events, and what is true of them where it is asked for."""
    network = simulation(**options)  # type: ignore[arg-type]  # click has given each option its type
    with _opened(truth) as truths:  # before the work begins: it may take an hour
        out = sys.stdout.buffer
        for event in network.events():
            out.write(event)
        out.flush()
        if truths is not None:
            json.dump(network.truth(), truths, indent=1)


def _opened(path: str | None) -> AbstractContextManager[IO[str] | None]:
    try:
        return nullcontext() if path is None else open(path, "w", encoding="utf-8")
    except OSError as error:
        raise BadRequest(f"--truth: {path} cannot be written: {error.strerror}.", "--truth") from error
