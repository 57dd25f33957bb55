"""`make bench`: loads 100,000 and 1,000,000 simulated events, asks, and writes `bench/results.md`. Ends by itself."""

import argparse
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

HERE = Path(__file__).parent
SIZES = (100_000, 1_000_000)


def main() -> None:
    """Measure every size, print what was found, and keep it."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--events", type=int, nargs="+", default=SIZES, help="how many events, smallest first")
    options.add_argument("--repeats", type=int, default=40, help="how often each query is asked")
    asked = options.parse_args()
    found = {}
    with tempfile.TemporaryDirectory(prefix="naap-bench-") as home:
        for events in asked.events:
            store, file = Path(home) / str(events), Path(home) / f"{events}.ndjson"
            _run("bench.simulate", str(events), str(file))
            loaded = _run("bench.load", str(file), str(store))
            file.unlink()
            found[events] = loaded | _run("bench.ask", str(store), str(asked.repeats))
    text = report(found) + added(_run("bench.overhead", "2000"))
    (HERE / "results.md").write_text(text, encoding="utf-8")
    print(text)


def _run(module: str, *arguments: str) -> dict[str, Any]:
    """What a measuring process says on its last line, if anything."""
    print(f"… {module} {' '.join(arguments)}", file=sys.stderr, flush=True)
    done = subprocess.run([sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, check=True)
    answer: dict[str, Any] = orjson.loads((done.stdout.splitlines() or [b"{}"])[-1])
    return answer


def report(found: dict[int, dict[str, Any]]) -> str:
    """The tables."""
    sizes = list(found)
    parts = [
        "# Results of `make bench`",
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, Python {platform.python_version()}, {_processors()}.\n",
        "## Loading, rollups included",
        "| events | seconds | events/s | peak memory |\n|---|---|---|---|",
        *(
            f"| {one['events']:,} | {one['seconds']:.1f} | {one['events'] / one['seconds']:,.0f} "
            f"| {one['peak_mb']:,.0f} MB |"
            for one in found.values()
        ),
        "\n## Asking",
        "The page: 50 orchestrators × 8 metrics with percentiles × their GPUs, last 24 h. Store: the same statements "
        "alone, one after the other.\n",
        "| events | query | store reads | store p50 | store p95 | total p50 | total p95 | total p95 / store p95 |",
        "|---|---|---|---|---|---|---|---|",
        *(_row(events, name, found[events]["queries"][name]) for events in sizes for name in found[events]["queries"]),
    ]
    if len(sizes) > 1:
        small, large = (found[size]["queries"]["whole period"]["total_p50_ms"] for size in (sizes[0], sizes[-1]))
        parts.append(
            f"\nThe whole period with {sizes[-1]:,} events costs {large / small:.2f} × what it costs with {sizes[0]:,}."
        )
    return "\n".join(parts) + "\n"


def added(found: dict[str, dict[str, float]]) -> str:
    """What budgets and limits cost."""
    rows = (
        f"| {name} | {one['without']:.2f} ms | {one['with']:.2f} ms | {one['added']:.2f} ms |"
        for name, one in found.items()
    )
    parts = [
        "\n## Budgets and limits",
        "What they add to the median of a request over an empty store in memory, asked by turns with and without them. "
        "At most 0.3 ms, together with authentication.\n",
        "| query | without | with | added |\n|---|---|---|---|",
        *rows,
    ]
    return "\n".join(parts) + "\n"


def _row(events: int, name: str, one: dict[str, float]) -> str:
    ratio = one["total_p95_ms"] / one["store_p95_ms"]
    times = (f"{one[key]:.1f} ms" for key in ("store_p50_ms", "store_p95_ms", "total_p50_ms", "total_p95_ms"))
    return f"| {events:,} | {name} | {one['reads']} | {' | '.join(times)} | {ratio:.2f} |"


def _processors() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} × {names[0]}" if names else platform.machine()


if __name__ == "__main__":
    main()
