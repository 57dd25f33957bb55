"""Watches a running gateway: prints each minute's numbers as soon as they change. `python3 examples/watch.py [URL]`.

Needs nothing but Python. When the connection breaks it comes back, and misses nothing that the gateway still watches.
URL is http://127.0.0.1:8000 where it is left out; `--updates N` ends after N updates, Ctrl-C at any time.
"""

import argparse
import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

QUERY = """subscription {
  metricsUpdated { buckets { start partial metrics { sessions outputFps { value } } } }
}"""
AGAIN_AFTER_S = 3
# The gateway says something every 15 seconds, if only that it is there.
SILENT_S = 40


def main() -> None:
    """Print updates until there were enough; what goes wrong is one line, and exit status 1."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("url", nargs="?", default="http://127.0.0.1:8000")
    options.add_argument("--updates", type=int, default=-1, help="end after so many")
    asked = options.parse_args()
    left: int = asked.updates
    cursor: str | None = None
    while left:
        again_after_s = AGAIN_AFTER_S
        try:
            for at, answer in updates(asked.url, cursor):
                cursor = at
                if "errors" in answer:
                    sys.exit(answer["errors"][0]["message"])
                show(answer["data"]["metricsUpdated"]["buckets"])
                left -= 1
                if not left:
                    return
        except urllib.error.HTTPError as error:
            waits = error.headers.get("Retry-After", "")
            if cursor is None or error.code not in (429, 503) or not waits.isdigit():
                sys.exit(f"{asked.url} answers {error.code} {error.reason}: {error.read(500).decode(errors='replace')}")
            again_after_s = int(waits)
        except (OSError, ValueError) as error:
            if cursor is None:
                sys.exit(f"{asked.url} cannot be watched: {error}. Is the gateway running there? (make demo)")
        print(f"the connection broke off; again in {again_after_s} s", file=sys.stderr)
        time.sleep(again_after_s)


def updates(url: str, cursor: str | None) -> Iterator[tuple[str | None, dict[str, Any]]]:
    """Each update with its cursor, until the connection ends. With a cursor it goes on from there."""
    headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
    if cursor is not None:
        headers["Last-Event-ID"] = cursor
    body = json.dumps({"query": QUERY}).encode()
    request = urllib.request.Request(f"{url.rstrip('/')}/graphql", body, headers)
    with urllib.request.urlopen(request, timeout=SILENT_S) as stream:
        event: dict[str, str] = {}
        for line in stream:
            name, _, value = line.decode().rstrip("\r\n").partition(":")
            if name:
                event[name] = value.strip()
            elif event.get("event") == "next":
                yield event.get("id", cursor), json.loads(event["data"])
                event = {}


def show(buckets: list[dict[str, Any]]) -> None:
    """A line for each bucket; the one that still fills up is marked."""
    for bucket in buckets:
        metrics = bucket["metrics"]
        fps = metrics["outputFps"]["value"]
        shown = "no frame rate" if fps is None else f"{fps:.1f} fps"
        print(f"{bucket['start']}  {metrics['sessions']:>5} sessions  {shown}{'  …' if bucket['partial'] else ''}")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:
        # Whoever read the output left, as `head` does; Python would complain once more when it closes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        sys.exit(130)
