"""Asks a running gateway the query in a file, about the last day of its data: `python3 examples/ask.py FILE [URL]`.

Needs nothing but Python. `$window` in the query becomes the 24 hours before the latest event: an old dump answers too.
"""

import json
import sys
import urllib.request
from datetime import datetime, timedelta


def ask(url: str, query: str, variables: dict[str, object] | None = None) -> dict[str, object]:
    """The answer to a query."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(f"{url}/graphql", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as response:
        answer: dict[str, object] = json.load(response)
    return answer


def last_day(url: str) -> dict[str, str] | None:
    """The 24 hours before the latest event; None where there is none yet."""
    network = ask(url, "{ network { lastEventAt } }")["data"]["network"]  # type: ignore[index]
    if not network["lastEventAt"]:
        return None
    end = datetime.fromisoformat(network["lastEventAt"]) + timedelta(milliseconds=1)
    return {"start": (end - timedelta(days=1)).isoformat(), "end": end.isoformat()}


def main() -> None:
    """Print the answer."""
    path, url = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "http://127.0.0.1:8000"
    with open(path, encoding="utf-8") as file:
        answer = ask(url, file.read(), {"window": last_day(url)})
    print(json.dumps(answer, indent=2))


if __name__ == "__main__":
    main()
