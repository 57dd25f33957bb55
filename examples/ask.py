"""Asks a running gateway the query in a file, about the last day of its data: `python3 examples/ask.py FILE [URL]`.

Needs nothing but Python. `$window` in the query becomes the 24 hours before the latest event, `$week` the 7 days: an
old dump answers too.
FILE may be - for standard input; URL is http://127.0.0.1:8000 where it is left out.
"""

import http.client
import json
import os
import sys
import urllib.error
import urllib.request
from datetime import datetime, timedelta
from typing import Any

USAGE = "usage: python3 examples/ask.py FILE [URL]     for example: python3 examples/ask.py examples/first.graphql"
HERE = "http://127.0.0.1:8000"


def ask(url: str, query: str, variables: dict[str, object] | None = None) -> dict[str, Any]:
    """The answer to a query: `data`, `errors` or both. Raises OSError or ValueError where no gateway answers."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(f"{url.rstrip('/')}/graphql", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as response:
        answer = json.load(response)
    if not isinstance(answer, dict):
        raise ValueError("the answer is no GraphQL")
    return answer


def windows(url: str) -> dict[str, object]:
    """The variables: the day and the week before the latest event; none where there is no event yet."""
    data = ask(url, "{ network { lastEventAt } }").get("data")
    if not data or not data["network"]["lastEventAt"]:
        return {}
    end = datetime.fromisoformat(data["network"]["lastEventAt"]) + timedelta(milliseconds=1)
    lengths = {"window": timedelta(days=1), "week": timedelta(days=7)}
    return {name: {"start": (end - length).isoformat(), "end": end.isoformat()} for name, length in lengths.items()}


def main() -> None:
    """Print the answer; what goes wrong is one line, and exit status 1 (2: wrong usage)."""
    arguments = sys.argv[1:]
    if not 1 <= len(arguments) <= 2 or arguments[0] in ("-h", "--help"):
        print(USAGE, file=sys.stderr)
        sys.exit(2)
    path, url = arguments[0], arguments[1] if len(arguments) > 1 else HERE
    try:
        answer = ask(url, query_in(path), windows(url))
    except urllib.error.HTTPError as error:
        sys.exit(f"{url} answers {error.code} {error.reason}: {error.read(500).decode(errors='replace')}")
    except urllib.error.URLError as error:
        sys.exit(f"{url} cannot be reached: {error.reason}. Is the gateway running there? (make demo, or naap serve)")
    except (OSError, http.client.HTTPException) as error:
        sys.exit(f"{url} broke off: {error or type(error).__name__}.")
    except (ValueError, KeyError, TypeError) as error:
        sys.exit(f"{url} does not answer as a naap-gateway does: {error}.")
    print(json.dumps(answer, indent=2))
    sys.stdout.flush()
    sys.exit(1 if "errors" in answer else 0)


def query_in(path: str) -> str:
    """The text of a file."""
    try:
        if path == "-":
            return sys.stdin.read()
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError as error:
        sys.exit(f"{path} cannot be read: {error.strerror}.")
    except UnicodeDecodeError:
        sys.exit(f"{path} is not text.")


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:
        # Whoever read the answer left, as `head` does; Python would complain once more when it closes the output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        sys.exit(130)
