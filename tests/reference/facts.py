"""Facts: everything countable, each with its instant and its dimensions."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

from tests.reference.event import FEW_SEGMENTS, FIRST_SEGMENT, SWAP, Event, Place
from tests.reference.identity import Book, Card, Payment, Places
from tests.reference.latency import first, latencies
from tests.reference.sessions import ATTEMPTED, Session, ids, joiner
from tests.reference.values import fixed

# "Swap reason: … from `message` or `payload.reason` by a versioned table of texts." The first that matches.
SWAP_REASONS = (
    ("timeout", ("timeout", "timed out", "deadline exceeded")),
    ("model_error", ("model_error", "model error")),
    ("runner_disconnect", ("runner_disconnect", "runner disconnect")),
    ("capacity", ("capacity",)),
    ("gateway_reset", ("gateway_reset", "gateway reset")),
    ("orchestrator_reset", ("orchestrator_reset", "orchestrator reset")),
)


@dataclass(frozen=True)
class Fact:
    """One thing that counts at one instant."""

    kind: str
    at: int
    dims: dict[str, Any]
    value: Any = 1


def swap_reason(said: str | None) -> str:
    """`timeout, model_error, runner_disconnect, capacity, gateway_reset, orchestrator_reset, unknown`."""
    lower = (said or "").lower()
    return next((reason for reason, texts in SWAP_REASONS if any(t in lower for t in texts)), "unknown")


def all_facts(
    source: str,
    events: list[Event],
    sessions: list[Session],
    book: Book,
    config: Places,
    reason: Callable[[str | None], str],
) -> Iterator[Fact]:
    """Every fact of one source."""
    dims = Dimensions(source, book, config)
    for session in sessions:
        yield from session_facts(session, dims)
        yield from stay_facts(session, dims, reason)
        yield from latency_facts(session, sessions, dims)
        yield from shown_facts(session, dims)
        yield from leg_facts(session, dims)
        yield from transport_facts(session, dims)
        yield from bandwidth_facts(session, dims)
        yield from sample_facts(session, dims)
    yield from stream_facts(sessions, dims)
    yield from lone_sample_facts(events, dims)
    yield from payment_facts(sessions, dims)


@dataclass(frozen=True)
class Dimensions:
    """What a fact counts for."""

    source: str
    book: Book
    config: Places

    def of(self, session: Session, place: Place | None, card: Card | None = None) -> dict[str, Any]:
        """A fact of a session at a place. "Every fact of the session carries the session's workflow." (0001 §13)
        Region: the envelope's, else configured for the gateway; else configured for the leg's URI. (0001 §15)"""
        uri = place[1] if place and place[0] == "uri" else None
        region = session.stated_region or self.config.region(session.gateway, uri)
        wallet = session.wallets[place] if place else None
        return self.made(
            wallet,
            card or session.card(place),
            session.workflow,
            session.gateway,
            region,
            session.synthetic,
        )

    def made(
        self, wallet: str | None, card: Card, workflow: str | None, gateway: str | None, region: str | None, mark: Any
    ) -> dict[str, Any]:
        """The dimensions by name."""
        return {
            "source": self.source,
            "orchestrator": wallet,
            "gpu": card.gpu,
            "gpu_model": card.gpu_model,
            "workflow": workflow,
            "gateway": gateway,
            "region": region,
            "synthetic": mark,
        }


def session_facts(session: Session, dims: Dimensions) -> Iterator[Fact]:
    """A session belongs to the bucket of its request; outcome and session count belong to the last leg."""
    where = dims.of(session, session.last_place)
    yield Fact("session", session.requested, where, session.outcome)
    if session.unresolved:
        yield Fact("unresolved", session.requested, where)
    if session.card(session.last_place).attribution == "AMBIGUOUS":
        yield Fact("ambiguous", session.requested, where)


def stream_facts(sessions: Iterable[Session], dims: Dimensions) -> Iterator[Fact]:
    """Counted once, with its first session by (requested, request id). A blank `stream_id` is no stream."""
    by_stream: dict[str, list[Session]] = defaultdict(list)
    for session in sessions:
        if session.stream:
            by_stream[session.stream].append(session)
    for stream, same in by_stream.items():
        head = min(same, key=lambda s: (s.requested, *ids(s)))
        yield Fact("stream", head.requested, dims.of(head, head.last_place), stream)


def stay_facts(session: Session, dims: Dimensions, reason: Callable[[str | None], str]) -> Iterator[Fact]:
    """A stay is one (attempted session, orchestrator); its value is why it was first left by a swap, else None. "The
    one left has a stay even when nothing else names it." (0001 §8)"""
    if session.outcome not in ATTEMPTED:
        return
    places = [leg.place for leg in session.legs] + [left for _, left in session.swaps]
    stayed: dict[Any, Place] = {}
    for place in sorted((p for p in places if p), key=lambda p: session.named[p]):
        stayed.setdefault(session.who(place), place)
    for orchestrator, place in stayed.items():
        leaving = [swap for swap, left in session.swaps if left and session.who(left) == orchestrator]
        why = reason(leaving[0].reason) if leaving else None
        yield Fact("stay", session.requested, dims.of(session, place), why)


def latency_facts(session: Session, others: list[Session], dims: Dimensions) -> Iterator[Fact]:
    """A latency belongs to the request's bucket and to the orchestrator that its end edge names, and where a swap
    came before that edge, to none (network, workflow and gateway keep it)."""
    for latency in latencies(session, others):
        where = dims.of(session, latency.place)
        if latency.after_swap:
            where |= {"orchestrator": None, "gpu": None, "gpu_model": None}
        if latency.ms is None:
            yield Fact("clockSkew", session.requested, where)
        else:
            yield Fact(
                latency.metric, session.requested, where, latency.ms / (1000 if "TimeS" in latency.metric else 1)
            )


def shown_facts(session: Session, dims: Dimensions) -> Iterator[Fact]:
    """What `quality-benchmark-1` asks of a session. It counts where the session does; `few_processed` − the status's
    `start_time` where the other latencies of that edge count. "The first status that states one; a difference ≤ 0 is
    null and no clock skew." (0020)"""
    samples, edges = session.samples, [event.edge for event in session.events]
    shown = [event.numbers["fps"] for event in samples if event.numbers["fps"] is not None]
    is_true = {
        "status": samples,
        "first_processed": FIRST_SEGMENT in edges,
        "few_processed": FEW_SEGMENTS in edges,
        "swapped": SWAP in edges,
        "unviable": samples and (all(e.state == "LOADING" for e in samples) or (shown and max(shown) == 0)),
    }
    yield Fact("shown", session.requested, dims.of(session, session.last_place), {k for k, v in is_true.items() if v})
    few = first(session, FEW_SEGMENTS)
    starts = [event.started for event in samples if event.started is not None]
    if few and starts and few.at > starts[0]:
        where = dims.of(session, session.place_of(few))
        if any(swap.key < few.key for swap, _ in session.swaps):
            where |= {"orchestrator": None, "gpu": None, "gpu_model": None}
        yield Fact("startToPlayableMs", session.requested, where, Fraction(few.at - starts[0]))


def leg_facts(session: Session, dims: Dimensions) -> Iterator[Fact]:
    """Minutes, errors and restarts belong to the leg running then."""
    for event in session.errors:
        yield Fact("error", event.at, dims.of(session, session.leg_of(event).place))
    for leg in session.legs:
        where = dims.of(session, leg.place)
        # `inferenceMinutes`: UNSERVED and ABANDONED left out.
        if session.outcome not in ("UNSERVED", "ABANDONED"):
            for start, end in busy(session):
                if max(start, leg.start) < min(end, leg.end):
                    yield Fact("leg", max(start, leg.start), where, min(end, leg.end))
        # Σ max(0, rise of `restart_count`) between consecutive status samples of one leg, at the later's time. (0001
        # §24)
        counts = [(e.at, e.numbers.get("restarts")) for e in session.samples if session.leg_of(e) is leg]
        told = [(at, count) for at, count in counts if count is not None]
        for (_, before), (at, after) in pairwise(told):
            if after > before:
                yield Fact("restarts", at, where, after - before)


def busy(session: Session) -> list[tuple[int, int]]:
    """ "A silence of more than 24 h within a session is not counted, nor what comes more than 31 days after the
    request." (0001 §31)"""
    day = 86_400_000
    instants = sorted({session.requested, *(e.at for e in session.events if e.at > session.requested)})
    counted = [at for at in instants if at <= session.requested + 31 * day]
    return [(before, after) for before, after in pairwise(counted) if after - before <= day]


def transport_facts(session: Session, dims: Dimensions) -> Iterator[Fact]:
    """Δ`BytesReceived` (`BytesSent`) between consecutive `stream_ingest_metrics` of a session. "The delta counts at
    the later event's time, for the leg running then." (0001 §29)"""
    events = [event for event in session.events if event.kind == "stream_ingest_metrics"]
    for before, after in pairwise(events):
        where = dims.of(session, session.leg_of(after).place)
        for kind, counter in (("ingestMbps", "received"), ("egressMbps", "sent")):
            yield from rate(kind, counter, before, after, where)
        if after.at > before.at:
            yield from (Fact("packets", after.at, where, delta) for delta in packet_deltas(before, after))


def rate(kind: str, counter: str, before: Event, after: Event, where: dict[str, Any]) -> Iterator[Fact]:
    """Δ × 8 / Δt / 10⁶; a falling counter gives no delta; "Δt > 0, else no delta" (0001 §29)."""
    old, new = before.numbers.get(counter), after.numbers.get(counter)
    if old is not None and new is not None and new >= old and after.at > before.at:
        yield Fact(kind, after.at, where, fixed((new - old) * 8 / ((after.at - before.at) * Fraction(1000)), 9))


def packet_deltas(before: Event, after: Event) -> Iterator[tuple[Fraction, Fraction]]:
    """(lost, received). "Tracks are matched by type and position among their type; a track with a falling counter
    gives no delta." (0001 §29)"""
    old = positioned(before)
    for name, (lost, received) in positioned(after).items():
        lost_before, received_before = old.get(name, (None, None))
        if lost is None or received is None or lost_before is None or received_before is None:
            continue
        if lost >= lost_before and received >= received_before:
            yield lost - lost_before, received - received_before


def positioned(event: Event) -> dict[tuple[str, int], tuple[Fraction | None, Fraction | None]]:
    """Its tracks by (type, position among that type)."""
    found: dict[tuple[str, int], tuple[Fraction | None, Fraction | None]] = {}
    for kind, lost, received in event.tracks:
        found[kind, sum(1 for known, _ in found if known == kind)] = lost, received
    return found


def bandwidth_facts(session: Session, dims: Dimensions) -> Iterator[Fact]:
    """The runner's own `tx_bytes`, `rx_bytes` deltas, consecutive within one session and GPU. "GPUs that nobody knows
    are told apart by their places." (0001 §33)"""
    by_gpu: dict[object, list[Event]] = defaultdict(list)
    for event in session.samples:
        if event.kind == "runner.metrics.sample":
            by_gpu[card_of(session, event).gpu or session.place_of(event)].append(event)
    for samples in by_gpu.values():
        for before, after in pairwise(samples):
            where = dims.of(session, session.place_of(after), card_of(session, after))
            yield from rate("bandwidthUpMbps", "tx", before, after, where)
            yield from rate("bandwidthDownMbps", "rx", before, after, where)


def card_of(session: Session, sample: Event) -> Card:
    """Each sample counts for its own GPU. (0001 §19)"""
    return Card(sample.gpu, None, "EXACT") if sample.gpu else session.card(session.place_of(sample))


def sample_facts(session: Session, dims: Dimensions) -> Iterator[Fact]:
    """Samples belong to the orchestrator they name. A zero before the first non-zero sample of that session with that
    orchestrator (strictly earlier in time) is warm-up; a zero after it is a stall and counts. "If no sample was ever
    above zero, every zero counts." (0001 §21)"""
    first_output: dict[Any, int] = {}
    for event in session.samples:
        if (event.numbers["fps"] or 0) > 0:
            first_output.setdefault(session.who(session.place_of(event)), event.at)
    for event in session.samples:
        place = session.place_of(event)
        begun = first_output.get(session.who(place))
        warm_up = event.numbers["fps"] == 0 and begun is not None and event.at < begun
        yield from one_sample(event, dims.of(session, place, card_of(session, event)), warm_up)


def one_sample(event: Event, where: dict[str, Any], warm_up: bool) -> Iterator[Fact]:
    """`inputFps`: over the same samples. `degradedPct`: all samples, warm-up included."""
    yield Fact("sample", event.at, where, event.state)
    fps, given = event.numbers["fps"], event.numbers.get("input_fps")
    if fps is not None:
        yield Fact("anyFps", event.at, where, fps)
    # "Samples in `DEGRADED_INPUT` are left out: a slow user is not the orchestrator's fault."
    if fps is not None and not warm_up and event.state != "DEGRADED_INPUT":
        yield Fact("scoredOutputFps", event.at, where, fps)
        if given is not None:
            yield Fact("scoredInputFps", event.at, where, given)
    if fps is not None and not warm_up:
        yield Fact("outputFps", event.at, where, fps)
        if given is not None:
            yield Fact("inputFps", event.at, where, given)
    achieved, peak = event.numbers.get("achieved"), event.numbers.get("peak")
    # A peak of 0 is no figure. (0051)
    if achieved is not None and peak:
        yield Fact("flops", event.at, where, (achieved, peak))


def lone_sample_facts(events: Iterable[Event], dims: Dimensions) -> Iterator[Fact]:
    """A sample without a session resolves at its own time; none of its zeros is warm-up. (0001 §20)"""
    book, config = dims.book, dims.config
    for event in events:
        if not event.is_sample or event.in_session:
            continue
        workflow = event.model or book.only_workflow(event.names, event.at)
        card = Card(event.gpu, None, "EXACT") if event.gpu else book.card(event.names, event.at, workflow)
        gateway = book.sender_for(event.gateway) or event.gateway
        uri = event.names[1] if event.names and event.names[0] == "uri" else None
        region = event.region or config.region(gateway, uri)
        mark = event.synthetic or gateway in config.testers
        wallet = book.wallet(event.names, event.at)
        yield from one_sample(event, dims.made(wallet, card, workflow, gateway, region, mark), warm_up=False)


def payment_facts(sessions: list[Session], dims: Dimensions) -> Iterator[Fact]:
    """A payment counts in its own bucket and for its recipient."""
    find = joiner(sessions, dims.book)
    for payment in dims.book.payments:
        yield Fact("payment", payment.at, payment_dims(payment, find(payment), dims), money(payment))


def money(payment: Payment) -> tuple[int, int, int]:
    """(fee, face value, tickets). `faceValueWei` = face value × tickets. `feesWei` = face value × win probability ×
    tickets, rounded half up once per payment. "Blank amounts are nothing (no fee, the tickets count)." (0001 §30)"""
    tickets = payment.tickets or Fraction(0)
    face = (payment.face or 0) * tickets
    fee = face * (payment.probability or 0)
    return int(fee + Fraction(1, 2)), int(face), int(tickets)


def payment_dims(payment: Payment, session: Session | None, dims: Dimensions) -> dict[str, Any]:
    """Without a recipient they count for no orchestrator. Workflow: its own manifest, else the joined
    session's, else the earliest manifest that shares (recipient, sessionID). GPU and region: those of the joined
    session's leg at its URI, else none and the configured. (0001 §30)"""
    book, config = dims.book, dims.config
    place = ("uri", payment.uri) if payment.uri else None
    wallet = payment.recipient
    workflow = payment.model or (session and session.workflow) or book.shared_model(payment)
    gateway = payment.sender or (session and session.gateway)
    gateway = gateway or payment.gateway
    # A payment, an error or a minute has its session's. (0001 §16)
    mark = session.synthetic if session else gateway in config.testers
    if session and place in [leg.place for leg in session.legs if leg.place]:
        there = dims.of(session, place)
        card, region = Card(there["gpu"], there["gpu_model"]), there["region"]
    else:
        card, region = Card(), config.region(gateway, payment.uri)
    return dims.made(wallet, card, workflow, gateway, region, mark)


def conflict_facts(losers: Iterable[Event]) -> Iterator[Fact]:
    """One for each further content of an identity, at the time that content states, by source only. (0001 §25)"""
    nothing = ("orchestrator", "gpu", "gpu_model", "workflow", "gateway", "region", "synthetic")
    for event in losers:
        yield Fact("conflict", event.at, {"source": event.source, **dict.fromkeys(nothing)})
