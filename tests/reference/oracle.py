"""The independent reference: a whole log in, every number out, each time from the beginning.

It shares no code with the project and does nothing cleverly. What the definitions say is quoted where it is done."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from tests.reference import answers, scores, supply
from tests.reference.event import Event
from tests.reference.facts import Dimensions, Fact, all_facts, conflict_facts, swap_reason
from tests.reference.identity import Book, Places
from tests.reference.jobs import job_facts
from tests.reference.latency import latencies
from tests.reference.sessions import Session, derive_sessions, ids
from tests.reference.stake import stake_at
from tests.reference.values import EPOCH, millis
from tests.reference.wire import read_log

DIMENSIONS = ("source", "orchestrator", "gpu", "gpu_model", "workflow", "gateway", "region", "synthetic")
WEEK, FIRST_MONDAY = 7 * 86_400, 4 * 86_400
Instant = datetime | int  # a UTC datetime, or Unix milliseconds


class Oracle:
    """What a feed means. `regions` is the configuration: {"regions": {id: {name, gateways, uris}}, "testers":
    [gateway]}; `flops`: {"gpus": {model: FLOP/s},
    "workflows": {name: FLOP per frame}}."""

    def __init__(
        self,
        feed: Iterable[tuple[str, bytes]],
        now: datetime,
        regions: dict[str, Any] | None = None,
        reason: Callable[[str | None], str] = swap_reason,
        flops: dict[str, dict[str, int]] | None = None,
    ) -> None:
        log = read_log(feed, now)
        self.accepted, self.duplicates, self.conflicts = len(log.events), log.duplicates, len(log.losers)
        self.rejected: dict[str, int] = dict(log.rejected)
        self.config = Places(regions)
        self.flops = flops or {"gpus": {}, "workflows": {}}
        self.facts: list[Fact] = list(conflict_facts(log.losers))
        self.derived: list[Session] = []
        self.neighbours: dict[str, list[Session]] = {}
        self.books: dict[str, Book] = {}
        self.stakes = [event for event in log.events if event.kind == "orchestrator_stake"]
        by_source: dict[str, list[Event]] = defaultdict(list)
        for event in log.events:
            by_source[event.source].append(event)
        for source, events in by_source.items():
            book = Book(events)
            sessions = derive_sessions(events, book, self.config)
            self.neighbours[source], self.books[source] = sessions, book
            self.derived.extend(sessions)
            self.facts.extend(all_facts(source, events, sessions, book, self.config, reason))
            self.facts.extend(job_facts(events, Dimensions(source, book, self.config)))

    def chosen(self, start: Instant, end: Instant, where: dict[str, Any]) -> Iterator[Fact]:
        """The facts of a half-open window; facts whose dimension is null never match."""
        unknown = where.keys() - set(DIMENSIONS)
        if unknown:
            raise TypeError(f"no such dimension: {sorted(unknown)}")
        wanted = {name: value for name, value in where.items() if value is not None}
        since, until = millis(start), millis(end)
        for fact in self.facts:
            inside = since <= fact.at < until or (fact.kind == "leg" and fact.at < until and fact.value > since)
            if inside and all(fact.dims[name] == value for name, value in wanted.items()):
                yield fact

    def metrics(self, start: Instant, end: Instant, **where: Any) -> dict[str, Any]:
        """The fields of `SlaMetrics` that events define."""
        told = answers.metrics(self.chosen(start, end, where))
        stated = told["cudaUtilizationEfficiencyPct"]
        shown = supply.efficiency(self.neighbours, self.config, self.flops, millis(start), millis(end), where)
        # Which tier answers where both exist: what was measured. (0051)
        return {**told, "cudaUtilizationEfficiencyPct": stated if stated["samples"] else shown}

    def evidence(self, start: Instant, end: Instant, **where: Any) -> dict[str, Any]:
        """What the versions of the score read besides the metrics."""
        return scores.evidence(self.chosen(start, end, where))

    def score(
        self, version: str, start: Instant, end: Instant, targets: scores.Targets, **where: Any
    ) -> dict[str, Any]:
        """The SLA score of a version of the formula."""
        return scores.score(self, version, start, end, targets, **where)

    def demand(self, start: Instant, end: Instant, **where: Any) -> dict[str, Any]:
        """The fields of `Demand` that events define."""
        return answers.demand(self.chosen(start, end, where), millis(start), millis(end))

    def capacity(self, start: Instant, end: Instant, **where: Any) -> dict[str, Any]:
        """Advertised and busy GPU time in ms, and `capacityRatePct`."""
        return supply.capacity(self.books, self.neighbours, self.config, millis(start), millis(end), where)

    def jobs(self, start: Instant, end: Instant, **where: Any) -> dict[str, Any]:
        """The fields of `JobMetrics` that events define."""
        return answers.jobs(self.chosen(start, end, where))

    def stake(self, orchestrators: Iterable[str], at: Instant) -> Fraction | None:
        """LPT of these orchestrators together: of each the latest at or before the instant; null without any."""
        found = [stake_at(self.stakes, name, millis(at)) for name in orchestrators]
        told = [lpt for lpt in found if lpt is not None]
        return sum(told, Fraction(0)) if told else None

    def series(
        self, start: Instant, end: Instant, step_seconds: int, **where: Any
    ) -> list[tuple[datetime, dict[str, Any]]]:
        """Each bucket's metrics; the bucket's own start is given, also where the window clips it."""
        return [(at, self.metrics(a, b, **where)) for at, a, b in buckets(start, end, step_seconds)]

    def demand_series(
        self, start: Instant, end: Instant, step_seconds: int, **where: Any
    ) -> list[tuple[datetime, dict[str, Any]]]:
        """Each bucket's demand."""
        return [(at, self.demand(a, b, **where)) for at, a, b in buckets(start, end, step_seconds)]

    def groups(self, start: Instant, end: Instant, dim: str) -> list[Any]:
        """The values of a dimension seen in facts, sorted; null is none."""
        return sorted({fact.dims[dim] for fact in self.chosen(start, end, {}) if fact.dims[dim] is not None})

    def sessions(self) -> list[dict[str, Any]]:
        """Every derived session, by (source, requested, request id, stream id)."""
        ordered = sorted(self.derived, key=lambda s: (s.source, s.requested, *ids(s)))
        return [self.described(session) for session in ordered]

    def described(self, session: Session) -> dict[str, Any]:
        """One session as plain values."""
        card, place = session.card(session.last_place), session.last_place
        uri = place[1] if place and place[0] == "uri" else None
        timed = {latency.metric: latency.ms for latency in latencies(session, self.neighbours[session.source])}
        startup = timed.get("startupTimeS")
        return {
            "source": session.source,
            "streamId": session.stream,
            "requestId": session.request,
            "requestedAt": session.requested,
            "lastEventAt": session.last,
            "ended": session.ended,
            "outcome": session.outcome,
            "orchestrator": session.orchestrator,
            "unresolved": session.unresolved,
            "gpu": card.gpu,
            "gpuModel": card.gpu_model,
            "gpuAttribution": card.attribution,
            "workflow": session.workflow,
            "gateway": session.gateway,
            "region": session.stated_region or self.config.region(session.gateway, uri),
            "synthetic": session.synthetic,
            **{
                name: number(timed.get(name)) for name in ("promptToFirstFrameMs", "promptToPlayableMs", "e2eLatencyMs")
            },
            "startupTimeS": number(startup / 1000) if startup is not None else None,
            "swaps": len(session.swaps),
            "errors": len(session.errors),
            "legs": [described_leg(session, i) for i in range(len(session.legs))],
        }


def described_leg(session: Session, index: int) -> dict[str, Any]:
    """One leg as plain values."""
    leg = session.legs[index]
    return {
        "start": leg.start,
        "end": leg.end,
        "place": leg.place,
        "orchestrator": session.wallets[leg.place] if leg.place else None,
        "gpu": session.card(leg.place).gpu,
        "gpuModel": session.card(leg.place).gpu_model,
    }


def number(value: Fraction | None) -> float | None:
    """A Fraction as the float nearest to it."""
    return None if value is None else float(value)


def buckets(
    start: Instant, end: Instant, step_seconds: int
) -> Iterator[tuple[datetime, int | datetime, int | datetime]]:
    """(bucket start, clipped start, clipped end); buckets are aligned to the Unix epoch (weeks: Monday), clipped by
    the window."""
    origin, step = (FIRST_MONDAY if step_seconds % WEEK == 0 else 0) * 1000, step_seconds * 1000
    since, until = at_datetime(start), at_datetime(end)
    first = (millis(start) - origin) // step * step + origin
    at = EPOCH + timedelta(milliseconds=int(first))
    while at < until:
        after = at + timedelta(seconds=step_seconds)
        yield at, max(at, since), min(after, until)
        at = after


def at_datetime(at: Instant) -> datetime:
    """Milliseconds as a datetime."""
    return at if isinstance(at, datetime) else EPOCH + timedelta(milliseconds=at)
