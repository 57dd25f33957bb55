"""The numbers that parts of the gateway keep themselves, by the names that Prometheus knows them by."""

from auth.meter import Meter, Shared
from gateway.health import Lag
from gateway.observed import Observed
from gateway.writer import Writer
from graph.live import Live
from resolvers.results import Counts as AnswerCounts


def tell(observed: Observed, lag: Lag, meter: Meter, answers: AnswerCounts, live: Live, writer: Writer | None) -> None:
    """Let Prometheus know what parts of the gateway count themselves."""
    tells = observed.tells
    observed.asks(lag.ask)
    tells("naap_store_up", "1 where the store says what it holds.", lambda: lag.up, "store")
    tells("naap_data_lag_seconds", "How long ago the latest event of the store was.", lambda: lag.seconds, "store")
    tells("naap_pending_events", "Events that are kept and not yet counted.", lambda: lag.pending, "store")
    tells(
        "naap_budget_alone",
        "1 while Redis is away and this gateway counts budgets alone.",
        lambda: isinstance(meter, Shared) and meter.is_away,
    )
    tells(
        "naap_answers",
        "Answers: from memory, joined to another's, or made.",
        lambda: {"memory": answers.hits, "joined": answers.joined, "made": answers.misses},
        "came",
        is_counter=True,
    )
    tells("naap_answers_kept_bytes", "Memory that kept answers take.", lambda: answers.bytes)
    count = live.counts
    tells("naap_live_connections", "WebSockets that are open.", lambda: live.connections.count)
    tells("naap_live_subscriptions", "Subscriptions that are open.", lambda: count.open, "transport")
    tells("naap_live_updates", "Updates that were sent.", lambda: count.updates, "transport", is_counter=True)
    tells("naap_live_dropped", "Subscribers that the gateway sent away.", lambda: count.dropped, "reason", True)
    if writer is not None:
        tells("naap_loader_waiting", "Bodies of events that wait for the loader.", lambda: writer.waiting)
        tells("naap_loader_waited_seconds", "How long the oldest not yet counted has waited.", lambda: writer.waited_s)
        tells(
            "naap_events", "Events that came, by what became of them.", lambda: writer.taken, "became", is_counter=True
        )
