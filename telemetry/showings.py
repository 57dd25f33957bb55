"""What service URIs show, kept in memory: a snapshot a minute says mostly what the one before said."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from backends.log import Card, Log, Offer, Showing, SupplyHour
from metrics.window import DAY_MS
from telemetry.slots import hours_of
from telemetry.touched import Touched

MOST_URIS, MOST_SHOWINGS = 20_000, 1_000
FOREVER_MS = 2**62
Offered = tuple[str, ...]  # the fields of a Card


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
        for uri, told in _told((*touched.offers, *touched.withdrawn_offers)).items():
            shown = self._last(source, uri)
            if shown is None or uri in gone or min(told) <= shown[-1].last_ms:
                self._kept.pop((source, uri), None)
                spans = _united((at_ms, at_ms + DAY_MS) for at_ms in sorted(told))
            else:
                spans = _united(_joined(shown, at_ms, told[at_ms]) for at_ms in sorted(told))
            for start_ms, end_ms in spans:
                hours.update(hours_of(source, uri, start_ms, end_ms))
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


def _told(offers: Iterable[Offer]) -> dict[str, dict[int, set[Offered]]]:
    """What is offered, by URI and instant."""
    found: dict[str, dict[int, set[Offered]]] = defaultdict(dict)
    for _, uri, at_ms, _, _, *offered in offers:
        instants = found[uri]
        if at_ms not in instants:
            instants[at_ms] = set()
        instants[at_ms].add(tuple(offered))
    return found


def _joined(shown: list[Showing], at_ms: int, offered: set[Offered]) -> tuple[int, int]:
    """A later snapshot added: from when until when it changes what is in force."""
    last = shown[-1]
    cards = tuple(sorted(offered))
    if last.cards == cards and at_ms - last.last_ms <= DAY_MS:
        shown[-1] = last._replace(last_ms=at_ms)
        return last.last_ms + DAY_MS, at_ms + DAY_MS
    shown.append(Showing(last.uri, at_ms, at_ms, tuple(Card(*card) for card in cards)))
    return at_ms, at_ms + DAY_MS


def _united(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans as few: those that touch become one."""
    found: list[tuple[int, int]] = []
    for start_ms, end_ms in sorted(spans):
        if found and start_ms <= found[-1][1]:
            found[-1] = found[-1][0], max(end_ms, found[-1][1])
        else:
            found.append((start_ms, end_ms))
    return found
