"""Simulations that several tests look at, each run once."""

from functools import cache
from typing import Any

import orjson

from telemetry.simulator.network import Simulation
from telemetry.simulator.options import Options, parse_faults


@cache
def run(
    orchestrators: int = 8, hours: float = 6, seed: int = 5, faults: str = "none", rate: float = 2.0
) -> tuple[list[bytes], dict[str, Any]]:
    """The lines of a simulation and its truth."""
    simulation = Simulation(Options(orchestrators, hours, seed, rate=rate, faults=parse_faults(faults)))
    lines = list(simulation.events())
    return lines, simulation.truth()


def read(lines: list[bytes]) -> list[dict[str, Any]]:
    """Every line as an object, where it is one."""
    events = []
    for line in lines:
        try:
            event = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(event, dict):
            events.append(event)
    return events
