"""Sessions, their legs and outcomes, of one source."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.reference.event import CLOSED, FEW_SEGMENTS, FIRST_SEGMENT, NO_ORCHESTRATORS, REQUEST, SWAP, Event, Place
from tests.reference.identity import Book, Card, Payment, Places
from tests.reference.values import only

SILENCE, FIVE_SECONDS = 300_000, 5_000
NOBODY_FREE = "no orchestrators available"
USERS_CONNECTION = ("ice connection state failed", "missing video", "mediamtx ingest disconnected")
USER_LEFT = ("whip disconnected", "user disconnected")
ATTEMPTED = {"SERVED", "STARTUP_FAILED", "OUTPUT_FAILED"}


@dataclass(frozen=True)
class Leg:
    """A stretch of a session with one orchestrator, [start, end]."""

    start: int
    end: int
    place: Place | None
    opened: tuple[int, str] | None  # (time, id) of the event that opened it; the first leg has always been running


@dataclass
class Session:
    """One attempt: (`source`, `stream_id`, `request_id`), with at least one of the two ids."""

    source: str
    stream: str | None
    request: str | None
    events: list[Event]  # in (time, id) order
    requested: int = 0
    request_event: Event | None = None
    last: int = 0
    legs: list[Leg] = field(default_factory=list)
    swaps: list[tuple[Event, Place | None]] = field(default_factory=list)
    named: dict[Place, int] = field(default_factory=dict)  # the instant of the first event that names it
    wallets: dict[Place, str | None] = field(default_factory=dict)
    cards: dict[Place, Card] = field(default_factory=dict)
    workflow: str | None = None
    gateway: str | None = None
    stated_region: str | None = None
    synthetic: bool = False
    ended: bool = False
    outcome: str = "OPEN"

    def leg_at(self, at: int) -> Leg:
        """The leg running then. "The instant of the event that names another belongs to the new leg." (0001 §9) "An
        event earlier than the request belongs to … its first leg." (0001 §10)"""
        return [leg for leg in self.legs if leg.start <= at or leg is self.legs[0]][-1]

    def leg_of(self, event: Event) -> Leg:
        """The leg an event is of: what it names itself wins over what else happened in its millisecond."""
        if event.names is None or event.edge == SWAP:
            return self.leg_at(event.at)
        return [leg for leg in self.legs if leg.opened is None or leg.opened <= event.key][-1]

    def place_of(self, event: Event) -> Place | None:
        """The place an event names, else that of the leg running then."""
        return event.names if event.names and event.edge != SWAP else self.leg_at(event.at).place

    def who(self, place: Place | None) -> str | Place | None:
        """An orchestrator: wallet; if unresolved, place. (0001 §21)"""
        return (self.wallets[place] or place) if place else None

    def card(self, place: Place | None) -> Card:
        """The GPU of a place in this session."""
        return self.cards[place] if place else Card()

    @property
    def samples(self) -> list[Event]:
        """Its status samples."""
        return [event for event in self.events if event.is_sample]

    @property
    def errors(self) -> list[Event]:
        """An `ai_stream_events` of type `error`, or a v1 event with a `failure_reason`. (0001 §12)"""
        return [event for event in self.events if event.error is not None]

    @property
    def last_place(self) -> Place | None:
        """Outcome and session count belong to the last leg."""
        return self.legs[-1].place

    @property
    def orchestrator(self) -> str | None:
        """The last leg's wallet."""
        return self.wallets[self.last_place] if self.last_place else None

    @property
    def unresolved(self) -> bool:
        """The last leg names somebody, and no wallet is found. (0001 §22)"""
        return self.last_place is not None and self.orchestrator is None


def derive_sessions(events: Iterable[Event], book: Book, config: Places) -> list[Session]:
    """Every session of one source, from all of its events."""
    everything = list(events)
    # "Stake is no event of the feed": it ends no session by silence. (0031)
    latest = max((event.at for event in everything if event.kind != "orchestrator_stake"), default=0)
    sessions = grouped(everything)
    for session in sessions:
        lay_out(session)
        resolve(session, book)
        session.ended = has_ended(session, latest)
        session.outcome = outcome(session)
    joins = joined_payments(sessions, book)
    for session in sessions:
        session.gateway = gateway_of(session, joins[id(session)], book)
        session.synthetic = any(e.synthetic for e in session.events) or session.gateway in config.testers
        session.stated_region = next((e.region for e in session.events if e.region), None)
    return sessions


def grouped(events: Iterable[Event]) -> list[Session]:
    """One session for each (`stream_id`, `request_id`) that its events carry."""
    by_ids: dict[tuple[str | None, str | None], list[Event]] = defaultdict(list)
    for event in events:
        if event.in_session:
            by_ids[event.stream, event.request].append(event)
    return [Session(of[0].source, *ids, sorted(of, key=lambda e: e.key)) for ids, of in by_ids.items()]


def lay_out(session: Session) -> None:
    """Request, last event, legs and swaps."""
    events = session.events
    # Requested is the earliest `gateway_receive_stream_request`, else the session's first event. (0001 §10)
    session.request_event = next((event for event in events if event.edge == REQUEST), None)
    session.requested = (session.request_event or events[0]).at
    session.last = events[-1].at
    running: Place | None = None
    cuts: list[tuple[Place, Event]] = []
    for event in events:
        if event.names:
            session.named.setdefault(event.names, event.at)
        if event.edge == SWAP:
            # `orchestrator_swap` names the orchestrator that is left (blank: the running leg).
            session.swaps.append((event, event.names or running))
        # A swap never opens a leg, except where none runs. (0001 §8)
        if event.names and event.names != running and (event.edge != SWAP or running is None):
            cuts.append((event.names, event))
            running = event.names
    session.legs = tiles(session, cuts)


def tiles(session: Session, cuts: list[tuple[Place, Event]]) -> list[Leg]:
    """Legs are cut where the place changes and tile [request, last event]: a leg ends where the next begins. A session
    that names nobody has one leg without an orchestrator. (0001 §9)"""
    if not cuts:
        return [Leg(session.requested, session.last, None, None)]
    starts = [session.requested] + [max(event.at, session.requested) for _, event in cuts[1:]]
    ends = [*starts[1:], session.last]
    opened = [None, *(event.key for _, event in cuts[1:])]
    return [Leg(*parts) for parts in zip(starts, ends, [place for place, _ in cuts], opened, strict=True)]


def resolve(session: Session, book: Book) -> None:
    """Wallets, workflow and GPUs; "resolved once, at the first event that names the URI"."""
    session.wallets = {place: book.wallet(place, at) for place, at in session.named.items()}
    session.workflow = workflow_of(session, book)
    for place, at in session.named.items():
        own = {e.gpu for e in session.samples if e.gpu and session.place_of(e) == place}
        session.cards[place] = sampled(own) if own else book.card(place, at, session.workflow)


def sampled(gpus: set[str]) -> Card:
    """v1: if the samples of a place name exactly one GPU, it is that one (`EXACT`), several: `AMBIGUOUS`. (0001
    §19)"""
    return Card(only(gpus), None, "EXACT" if len(gpus) == 1 else "AMBIGUOUS")


def workflow_of(session: Session, book: Book) -> str | None:
    """The model of its own events; else the `35_<model>` manifest of a payment with its requestID; else of a payment
    that shares that payment's sessionID; else the only workflow that its URI offers; else unknown."""
    own = [event.model for event in session.events if event.model]
    if own:
        return own[0]
    paid = [p for p in book.payments if p.request == session.request and p.request]
    groups = {p.shared for p in paid if p.shared}
    direct = [p.model for p in paid if p.model]
    shared = [p.model for p in book.payments if p.model and p.shared in groups]
    place = session.last_place
    offered = [book.only_workflow(place, session.named[place])] if place else []
    return next(iter(direct + shared + offered), None)


def has_ended(session: Session, latest: int) -> bool:
    """Closed, has an error event, or silent for 5 minutes before the latest event time of its source."""
    closed = any(event.edge == CLOSED for event in session.events)
    return closed or bool(session.errors) or latest - session.last >= SILENCE


def outcome(session: Session) -> str:
    """Exactly one outcome, the first that matches."""
    samples = session.samples
    output = any((event.numbers["fps"] or 0) > 0 for event in samples)
    segment = any(event.edge in (FIRST_SEGMENT, FEW_SEGMENTS) or event.success for event in session.events)
    nobody_named = not session.named
    if output or (segment and not samples):
        return "SERVED"
    refused = any(e.edge == NO_ORCHESTRATORS for e in session.events)
    if nobody_named and (refused or any(NOBODY_FREE in (e.error or "") for e in session.errors)):
        return "UNSERVED"
    if session.ended and not segment and (nobody_named or users_fault(session)):
        return "ABANDONED"
    if session.ended and not segment:
        return "STARTUP_FAILED"
    return "OUTPUT_FAILED" if session.ended else "OPEN"


def users_fault(session: Session) -> bool:
    """An error of the user's own connection; or the user left (`whip disconnected`, `user disconnected`, closed)
    within 5 s of the request without another error. "Another": other than one that says the user left. (0001 §12)"""
    if any(said in (e.error or "") for e in session.errors for said in USERS_CONNECTION):
        return True
    leaving = [e for e in session.events if e.edge == CLOSED or says_left(e)]
    return any(e.at <= session.requested + FIVE_SECONDS for e in leaving) and all(map(says_left, session.errors))


def says_left(event: Event) -> bool:
    """An error that says the user left."""
    return any(said in (event.error or "") for said in USER_LEFT)


def gateway_of(session: Session, payments: list[Payment], book: Book) -> str | None:
    """The `sender` wallet of the earliest payment joined to the session; else the one sender that payments with the
    same envelope gateway show; else that envelope name. "The session's envelope name is its earliest non-blank one."
    (§23)"""
    senders = [p.sender for p in sorted(payments, key=lambda p: p.key) if p.sender]
    name = next((e.gateway for e in session.events if e.gateway), None)
    return senders[0] if senders else book.sender_for(name) or name


def joined_payments(sessions: list[Session], book: Book) -> dict[int, list[Payment]]:
    """The payments of each session, by the session's `id()`."""
    joins: dict[int, list[Payment]] = defaultdict(list)
    finder = joiner(sessions, book)
    for payment in book.payments:
        session = finder(payment)
        if session:
            joins[id(session)].append(payment)
    return joins


def joiner(sessions: list[Session], book: Book) -> Any:
    """It joins the session with its requestID; else, of the sessions that payments with the same (recipient,
    sessionID) name by requestID, the nearest in time (0 within request…last event; tie: the later request); else
    none."""
    by_request: dict[str, list[Session]] = defaultdict(list)
    for session in sessions:
        if session.request:
            by_request[session.request].append(session)
    groups: dict[tuple[str, str] | None, set[str | None]] = defaultdict(set)
    for payment in book.payments:
        groups[payment.shared].add(payment.request)

    def find(payment: Payment) -> Session | None:
        own = by_request.get(payment.request or "", [])
        named = groups[payment.shared] if payment.shared else set()
        others = [session for request in named for session in by_request.get(request or "", [])]
        return max(own or others, key=lambda s: (-distance(s, payment.at), s.requested, *ids(s)), default=None)

    return find


def distance(session: Session, at: int) -> int:
    """0 within request…last event."""
    return max(session.requested - at, 0, at - session.last)


def ids(session: Session) -> tuple[str, str]:
    """A total order of sessions with one instant: request id, then stream id."""
    return session.request or "", session.stream or ""
