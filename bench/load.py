"""Loads a file into a new store, and says how long that took: `python -m bench.load FILE URL`."""

import asyncio
import resource
import sys
import time

import orjson

from gateway.interpreter import tuned
from gateway.store import open_store, shown, utc_now
from telemetry.files import lines
from telemetry.loader import Loader


def main() -> None:
    """Load, derive, bring the rollups up to date."""
    file, url = sys.argv[1:3]
    store = open_store(url)
    if asyncio.run(store.holds()).sources:
        sys.exit(f"{shown(url)} holds events already: name a new database.")
    loader = Loader(store, utc_now)
    tuned()
    began = time.perf_counter()
    report = loader.load("bench", lines(file))
    loader.derive()
    seconds = time.perf_counter() - began
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    asyncio.run(store.close())
    print(orjson.dumps({"events": report.accepted, "seconds": seconds, "peak_mb": peak_mb}).decode())


if __name__ == "__main__":
    main()
