"""Writes so many simulated events to a file: `python -m bench.simulate EVENTS PATH`."""

import sys
from datetime import UTC, datetime
from itertools import islice

from telemetry.simulator.network import Simulation
from telemetry.simulator.options import Options

END = datetime(2026, 1, 10, tzinfo=UTC)
# One network of 60 orchestrators and 145 GPUs over two days: more events mean that it is busier, not larger.
ORCHESTRATORS, HOURS = 60, 48.0
EVENTS_PER_RATE = 310_000


def main() -> None:
    """Write the events."""
    events, path = int(sys.argv[1]), sys.argv[2]
    network = Simulation(Options(ORCHESTRATORS, HOURS, seed=1, end=END, rate=events / EVENTS_PER_RATE))
    with open(path, "wb") as file:
        file.writelines(islice(network.events(), events))


if __name__ == "__main__":
    main()
