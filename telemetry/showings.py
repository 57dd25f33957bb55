"""What service URIs show, kept in memory: a snapshot a minute says mostly what the one before said."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from backends.log import Card, Log, Showing, SupplyHour
from metrics.window import DAY_MS
from telemetry.slots import hours_of
from telemetry.touched import Touched

MOST_URIS, MOST_SHOWINGS = 20_000, 1_000
FOREVER_MS = 2**62


@dataclass(slots=True)
class Kept:
    """Everything that one URI has shown since an instant."""

    since_ms: int
    showings: list[Showing]


class Showings:
    """Reads the showings of a URI once, and lets later snapshots join them."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self._kept: dict[tuple[str, str], Kept] = {}

    def update(self, touched: Touched) -> set[SupplyHour]:
        """Let snapshots join, which the log already has; returns the hours that they may change, or more.

        Later snapshots that repeat the last one only prolong it. Anything else is read again.
        """
        source, hours = touched.source, set[SupplyHour]()
        gone = {offer.uri for offer in touched.withdrawn_offers}
        told: dict[str, dict[int, set[Card]]] = defaultdict(lambda: defaultdict(set))
        for offer in (*touched.offers, *touched.withdrawn_offers):
            told[offer.uri][offer.at_ms].add(Card(offer.gpu, offer.gpu_model, offer.workflow, offer.wallet))
        for uri, instants in told.items():
            shown = self._last(source, uri)
            if shown is None or uri in gone or min(instants) <= shown[-1].last_ms:
                self._kept.pop((source, uri), None)
                changed = [(at_ms, at_ms) for at_ms in instants]
            else:
                changed = [_joined(shown, at_ms, tuple(sorted(instants[at_ms]))) for at_ms in sorted(instants)]
            for since_ms, at_ms in changed:
                hours.update(hours_of(source, uri, since_ms, at_ms + DAY_MS))
        return hours

    def shown(self, source: str, uris: Iterable[str], since_ms: int) -> Mapping[str, list[Showing]]:
        """What each URI has shown since an instant, possibly more."""
        wanted = set(uris)
        kept = {uri: found for uri in wanted if (found := self._kept.get((source, uri))) and found.since_ms <= since_ms}
        missing = wanted - kept.keys()
        fresh = {uri: Kept(since_ms, []) for uri in missing}
        for showing in self.log.showings(source, missing, since_ms, FOREVER_MS) if missing else ():
            fresh[showing.uri].showings.append(showing)
        if len(self._kept) + len(fresh) > MOST_URIS:
            self._kept.clear()
        self._kept.update({(source, uri): found for uri, found in fresh.items()})
        return {uri: found.showings for uri, found in (kept | fresh).items()}

    def _last(self, source: str, uri: str) -> list[Showing] | None:
        """The showings to which later ones may be added."""
        kept = self._kept.get((source, uri))
        return kept.showings if kept and 0 < len(kept.showings) < MOST_SHOWINGS else None


def _joined(shown: list[Showing], at_ms: int, cards: tuple[Card, ...]) -> tuple[int, int]:
    """A later snapshot added: from when on it changes what is in force, and its instant."""
    last = shown[-1]
    if last.cards == cards and at_ms - last.last_ms <= DAY_MS:
        shown[-1] = last._replace(last_ms=at_ms)
        return last.last_ms + DAY_MS, at_ms
    shown.append(Showing(last.uri, at_ms, at_ms, cards))
    return at_ms, at_ms
