"""`make bench`: loads 100,000 and 1,000,000 simulated events, asks, and writes `bench/results.md`. Ends by itself.

With `--stores` it does so in each of several stores, compares their answers, and prints them side by side.
"""

import argparse
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

HERE = Path(__file__).parent
SIZES = (100_000, 1_000_000)
EMBEDDED = "chdb"
# (events, store) → what loading and asking said.
Found = dict[tuple[int, str], dict[str, Any]]


def main() -> None:
    """Measure every size in every store, print what was found, and keep it."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--events", type=int, nargs="+", default=SIZES, help="how many events, smallest first")
    options.add_argument("--repeats", type=int, default=40, help="how often each query is asked")
    options.add_argument(
        "--stores",
        nargs="+",
        default=[EMBEDDED],
        metavar="URL",
        help=f"{EMBEDDED}, or URLs of new databases; {{events}} in a URL becomes the number of events",
    )
    asked = options.parse_args()
    if len(asked.events) > 1 and any(url != EMBEDDED and "{events}" not in url for url in asked.stores):
        options.error("several sizes need a database each: write {events} into the URL, as in …/bench_{events}")
    found = measured(asked.events, asked.stores, asked.repeats)
    text = report(found) + added(_run("bench.overhead", "2000"))
    if asked.stores == [EMBEDDED]:
        (HERE / "results.md").write_text(text, encoding="utf-8")
    print(text)
    if different := disagreements(found):
        sys.exit("stores give different answers: " + "; ".join(different))


def measured(sizes: Sequence[int], stores: Sequence[str], repeats: int) -> Found:
    """What loading and asking said, for each size and store."""
    found: Found = {}
    with tempfile.TemporaryDirectory(prefix="naap-bench-") as home:
        for events in sizes:
            file = Path(home) / f"{events}.ndjson"
            _run("bench.simulate", str(events), str(file))
            for store in stores:
                url = f"chdb://{home}/{events}" if store == EMBEDDED else store.replace("{events}", str(events))
                loaded = _run("bench.load", str(file), url)
                found[events, named(store)] = loaded | _run("bench.ask", url, str(repeats))
            file.unlink()
    return found


def named(store: str) -> str:
    """What a store is called in the tables: its URL without user, password and database."""
    scheme, _, rest = store.partition("://")
    return f"{scheme} {rest.rpartition('@')[2].partition('/')[0]}".strip()


def disagreements(found: Found) -> list[str]:
    """The queries that are not answered alike by all stores."""
    answers: dict[tuple[int, str], set[str]] = {}
    for (events, _), one in found.items():
        for query, times in one["queries"].items():
            answers.setdefault((events, query), set()).add(times["answer"])
    return [f"{query} of {events:,} events" for (events, query), given in answers.items() if len(given) > 1]


def _run(module: str, *arguments: str) -> dict[str, Any]:
    """What a measuring process says on its last line, if anything."""
    print(f"… {module} {' '.join(_quiet(one) for one in arguments)}", file=sys.stderr, flush=True)
    done = subprocess.run([sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, check=True)
    answer: dict[str, Any] = orjson.loads((done.stdout.splitlines() or [b"{}"])[-1])
    return answer


def _quiet(argument: str) -> str:
    """An argument without the user and password of a URL."""
    return f"{named(argument)} …" if "://" in argument else argument


def report(found: Found) -> str:
    """The tables."""
    sizes, stores = (list(dict.fromkeys(key[index] for key in found)) for index in (0, 1))
    queries = next(iter(found.values()))["queries"]
    which = [""] * len(stores) if len(stores) == 1 else [f" {store} |" for store in stores]
    head, line = ("", "") if len(stores) == 1 else (" store |", "---|")
    parts = [
        "# Results of `make bench`",
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, Python {platform.python_version()}, {_processors()}.\n",
        "## Loading, rollups included",
        f"| events |{head} seconds | events/s | peak memory |\n|---|{line}---|---|---|",
        *(_load(mark, found[size, store]) for size in sizes for mark, store in zip(which, stores, strict=True)),
        "\n## Asking",
        "The page: 50 orchestrators × 8 metrics with percentiles × their GPUs, last 24 h. Store: the same statements "
        "alone, one after the other.\n",
        f"| events | query |{head} store reads | store p50 | store p95 | total p50 | total p95 "
        "| total p95 / store p95 |",
        f"|---|---|{line}---|---|---|---|---|---|",
        *(
            _row(events, name, mark, found[events, store]["queries"][name])
            for events in sizes
            for name in queries
            for mark, store in zip(which, stores, strict=True)
        ),
    ]
    if len(stores) > 1 and not disagreements(found):
        parts.append(f"\nEvery query has the same answer in all {len(stores)} stores, byte by byte.")
    if len(sizes) > 1:
        for store in stores:
            small, large = (
                found[size, store]["queries"]["whole period"]["total_p50_ms"] for size in (sizes[0], sizes[-1])
            )
            parts.append(
                f"\nThe whole period with {sizes[-1]:,} events costs {large / small:.2f} × what it costs with "
                f"{sizes[0]:,}" + (f" in {store}." if len(stores) > 1 else ".")
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


def _load(mark: str, one: dict[str, Any]) -> str:
    rate = one["events"] / one["seconds"]
    return f"| {one['events']:,} |{mark} {one['seconds']:.1f} | {rate:,.0f} | {one['peak_mb']:,.0f} MB |"


def _row(events: int, name: str, mark: str, one: dict[str, Any]) -> str:
    ratio = one["total_p95_ms"] / one["store_p95_ms"]
    times = (f"{one[key]:.1f} ms" for key in ("store_p50_ms", "store_p95_ms", "total_p50_ms", "total_p95_ms"))
    return f"| {events:,} | {name} |{mark} {one['reads']} | {' | '.join(times)} | {ratio:.2f} |"


def _processors() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} × {names[0]}" if names else platform.machine()


if __name__ == "__main__":
    main()
