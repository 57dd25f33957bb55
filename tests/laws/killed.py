"""A loader that can be killed: `python -m tests.laws.killed STORE FILE` recovers, loads the file, and says so."""

import sys
from datetime import UTC, datetime

from backends.chdb import open_chdb
from telemetry import loader
from telemetry.files import lines

NOW = datetime(2026, 1, 12, tzinfo=UTC)


def main(store: str, file: str) -> None:
    """Load in small batches, so that a kill meets every kind of step."""
    loader.LINES, loader.DERIVE_AT = 300, 1_500
    opened = loader.Loader(open_chdb(store), lambda: NOW)
    print("open", flush=True)
    opened.recover()
    opened.load("default", lines(file), lambda report: print("batch", flush=True))
    opened.derive()
    print("done", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
