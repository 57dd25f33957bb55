"""Prints how the network did in the day before its latest event, with the typed client: `python3 report.py [URL]`.

Needs `pip install httpx pydantic`. `naap` beside this file is generated from the schema and the operations in queries/:
write yours there and run `make client`. URL is http://127.0.0.1:8000 where it is left out.
"""

import sys
from datetime import timedelta

try:
    import httpx
    from naap import GraphQLClientError, Naap, WindowInput
except ImportError as missing:
    sys.exit(f"{missing.name} is not installed for this Python: pip install httpx pydantic")


def main(url: str) -> None:
    """Print the report; what goes wrong is one line, and exit status 1."""
    try:
        with Naap(f"{url.rstrip('/')}/graphql") as client:
            network = client.last_event()
            if network is None or network.last_event_at is None:
                sys.exit("there are no events yet.")
            end = network.last_event_at + timedelta(milliseconds=1)
            report = client.report(WindowInput(start=end - timedelta(days=1), end=end))
    except GraphQLClientError as error:
        sys.exit(f"{url} does not answer this: {error}")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        sys.exit(f"{url} cannot be reached: {error}. Is the gateway running there? (make demo, or naap serve)")
    if report.network and report.network.metrics and report.network.demand:
        outcomes, fps = report.network.metrics.outcomes, report.network.metrics.output_fps
        print(f"{outcomes.requested} requested, {outcomes.served} served, {outcomes.unserved} unserved")
        print(
            f"output: {said(fps.value)} fps, 95 % at most {said(fps.p_95)}; fees {report.network.demand.fees_wei} wei"
        )
    for orchestrator in report.orchestrators.nodes if report.orchestrators else ():
        if orchestrator.metrics:
            failed = orchestrator.metrics.failure_rate_pct
            sessions = orchestrator.metrics.sessions
            print(
                f"{orchestrator.address} {sessions:6} sessions, {said(failed.value)} % failed, target met: {failed.met}"
            )


def said(value: float | None) -> str:
    """A number; no evidence is no number."""
    return "–" if value is None else f"{value:.2f}"


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000")
