"""Latencies of one session: "they need the request event itself; of repeated edges the earliest counts"."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from tests.reference.event import FEW_SEGMENTS, FIRST_SEGMENT, GATEWAY_SENT, RUNNER_SENT, Event, Place
from tests.reference.sessions import Session

COLD = 15 * 60_000


@dataclass(frozen=True)
class Latency:
    """One measured latency in ms, or (where the edges are out of order) a clock skew with None."""

    metric: str
    ms: Fraction | None
    place: Place | None
    after_swap: bool  # then it counts for no orchestrator and no GPU


def latencies(session: Session, others: list[Session]) -> Iterator[Latency]:
    """Every latency of a session; a latency belongs to the request's bucket."""
    if session.request_event is None:
        return
    for metric, edge in (("promptToFirstFrameMs", FIRST_SEGMENT), ("promptToPlayableMs", FEW_SEGMENTS)):
        end = first(session, edge)
        if end:
            yield measured(session, metric, Fraction(end.at - session.requested), end)
    segment = first(session, FIRST_SEGMENT)
    if segment and segment.at > session.requested and is_cold(session, segment, others):
        yield measured(session, "startupTimeS", Fraction(segment.at - session.requested), segment)
    yield from end_to_end(session)


def first(session: Session, edge: str, place: Place | None = None) -> Event | None:
    """The earliest such edge (of one place)."""
    fitting = [e for e in session.events if e.edge == edge and (place is None or session.place_of(e) == place)]
    return fitting[0] if fitting else None


def measured(session: Session, metric: str, ms: Fraction, end: Event) -> Latency:
    """ "A difference ≤ 0 is null and one `clockSkew`, in the place where the latency would have counted." "A latency
    for which a swap event has (time, id) before its end edge counts for no orchestrator and no GPU." (0001 §27)"""
    after_swap = any(swap.key < end.key for swap, _ in session.swaps)
    return Latency(metric, ms if ms > 0 else None, session.place_of(end), after_swap)


def end_to_end(session: Session) -> Iterator[Latency]:
    """`runner_send_first_processed_segment` − `gateway_send_first_ingest_segment`, of one URI. "Of the places that
    have both edges, the one with the earliest end edge. v1 `e2e_latency_ms`: the earliest event that carries it, used
    where the two edges are missing." (0001 §27)"""
    pairs = [(first(session, RUNNER_SENT, place), first(session, GATEWAY_SENT, place)) for place in session.named]
    both = [(end, start) for end, start in pairs if end and start]
    if both:
        end, start = min(both, key=lambda pair: pair[0].key)
        yield measured(session, "e2eLatencyMs", Fraction(end.at - start.at), end)
        return
    for event in session.events:
        stated = event.numbers.get("e2e")
        if stated is not None:
            yield measured(session, "e2eLatencyMs", stated, event)
            return


def is_cold(session: Session, segment: Event, others: list[Session]) -> bool:
    """No other session's leg on that URI and workflow reaches into the 15 minutes before the request, or
    `last_restart_time` lies there or before the first segment. "Place and workflow are those of the first processed
    segment's edge; an unknown workflow equals only an unknown one. Another session's leg [start, end] reaches in if
    start < request and end ≥ request − 15 min." (0001 §28)"""
    place, since = session.place_of(segment), session.requested - COLD
    warm = any(
        leg.place == place and leg.start < session.requested and leg.end >= since
        for other in others
        if other is not session and other.workflow == session.workflow and place is not None
        for leg in other.legs
    )
    # "A restart counts if it is stated by a sample of that session and place, and lies in [request − 15 min, first
    # segment]."
    stated = [e.restarted for e in session.samples if e.restarted is not None and session.place_of(e) == place]
    return not warm or any(since <= at <= segment.at for at in stated)
