"""What a store must be able to answer. `metrics` defines the answers: `fold`, `seen` and `evidence`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from metrics.evidence import EvidenceQuestion
from metrics.fact import Fact
from metrics.question import Question, Where
from metrics.row import Row, Sum
from metrics.sighting import Seen, SightingQuestion


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a store holds: per source the first and latest event time (Unix ms), events not yet counted, and a version.

    Stake, which is imported beside a feed, is left out of these times. The version changes whenever an answer may.
    """

    sources: Mapping[str, tuple[int, int]]
    pending: int
    version: int
    # Of several stores: the names of those that do not answer now.
    missing: tuple[str, ...] = ()

    @property
    def latest_ms(self) -> int | None:
        """The latest event time of any source."""
        return max((last for _, last in self.sources.values()), default=None)


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """One derived session, as it is shown. Times in Unix ms, latencies in thousandths of a millisecond.

    A job, or a sample that belongs to no session, is kept as one with a blank outcome and is never answered.
    """

    owner: str
    source: str
    stream_id: str
    request_id: str
    requested_ms: int
    last_ms: int
    ended: bool
    outcome: str
    orchestrator: str | None
    gpu: str | None
    gpu_model: str | None
    gpu_attribution: str
    workflow: str | None
    gateway: str | None
    region: str | None
    synthetic: bool
    prompt_to_first_frame_us: int | None
    prompt_to_playable_us: int | None
    e2e_latency_us: int | None
    swaps: int
    errors: int
    # The sums of the session's own samples: measure name → sum.
    sums: Mapping[str, Sum]
    # Place (a service URI, say) → the wallet that it belonged to then; unresolved ones are left out.
    wallets: Mapping[str, str] = field(default_factory=dict)


class StreamRecord(NamedTuple):
    """One stream: its first session's start, workflow and gateway, and its last event."""

    stream_id: str
    started_ms: int
    last_ms: int
    workflow: str | None
    gateway: str | None


@dataclass(frozen=True, slots=True)
class SessionQuestion:
    """Sessions requested in [start_ms, end_ms), where dimensions or outcomes have values, of these streams."""

    start_ms: int | None = None
    end_ms: int | None = None
    where: Where = ()
    outcomes: tuple[str, ...] = ()
    stream_ids: tuple[str, ...] | None = None
    limit: int = 10_000


@dataclass(frozen=True, slots=True)
class StreamQuestion:
    """Streams with a session that passes `sessions`, ordered by (started_ms, stream_id); a page of them.

    `after` and `before` are exclusive positions in that order; `descending` reverses order and meaning.
    """

    sessions: SessionQuestion
    descending: bool = True
    after: tuple[int, str] | None = None
    before: tuple[int, str] | None = None
    limit: int = 100


class LoggedEvent(NamedTuple):
    """An event of the raw log that counts (no loser of a conflict)."""

    owner: str
    source: str
    id: str
    at_ms: int
    body: bytes


class Staked(NamedTuple):
    """What an orchestrator had staked from an instant on, in LPTU (10⁻¹⁸ LPT)."""

    orchestrator: str
    at_ms: int
    lptu: int


@dataclass(frozen=True, slots=True)
class StakeQuestion:
    """What these orchestrators had staked at `first_ms`, and every later statement until `last_ms`, both included."""

    orchestrators: tuple[str, ...]
    first_ms: int
    last_ms: int


# The owner of a payment's fact is this, its source, "/" and its event's id.
PAYMENT_OWNER = "payment/"
# A place in a list that is ordered by time, source and a text: by code points, the latest first.
Position = tuple[int, str, str]


class PaymentRecord(NamedTuple):
    """One payment: as its event states it, with the gateway and the workflow that its fact counts for."""

    recipient: str
    at_ms: int
    source: str
    id: str
    request_id: str  # "" where not said
    gateway: str | None
    workflow: str | None
    tickets: int
    face_value_wei: int | None  # face value × tickets
    fees_wei: int | None


class IncidentRecord(NamedTuple):
    """One error event or rise of a restart counter: what its fact counts for, and the event that says it."""

    orchestrator: str
    at_ms: int
    source: str
    key: str  # of the fact: a word, "/" and the event's id
    gpu: str | None
    workflow: str | None
    gateway: str | None
    restarts: int | None  # how far the counter rose; None: an error event
    body: bytes  # empty where the event counts no longer


class PaymentEvent(NamedTuple):
    """The event of a payment that carries a request's id."""

    request_id: str
    at_ms: int
    source: str
    id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class PageQuestion:
    """Of each of these wallets at most `limit` records in [start_ms, end_ms), the latest first, behind `after`.

    `after` is the place of a record in the order (at_ms, source, id), that of incidents in (at_ms, source, key).
    """

    wallets: tuple[str, ...]
    start_ms: int
    end_ms: int
    after: Position | None = None
    limit: int = 100


class Backend(Protocol):
    """Somewhere facts are kept and questions are answered."""

    name: str

    async def holds(self) -> Holdings:
        """What is here and how far it reaches."""

    async def rows(self, question: Question) -> Sequence[Row]:
        """The sums that answer a question, as `fold` would."""

    async def seen(self, question: SightingQuestion) -> Sequence[Seen]:
        """Which combinations of traits were seen, as `metrics.sighting.seen` would."""

    async def evidence(self, question: EvidenceQuestion) -> Sequence[Fact]:
        """Single facts of measured things, as `metrics.evidence.evidence` would."""

    async def sessions(self, question: SessionQuestion) -> Sequence[SessionRecord]:
        """Sessions, ordered by (requested_ms, owner)."""

    async def streams(self, question: StreamQuestion) -> Sequence[StreamRecord]:
        """A page of streams."""

    async def stream_count(self, question: SessionQuestion) -> int:
        """How many streams have a session that passes."""

    async def events(self, owners: Iterable[str]) -> Sequence[LoggedEvent]:
        """The events of these sessions, ordered by (owner, at_ms, id)."""

    async def stakes(self, question: StakeQuestion) -> Sequence[Staked]:
        """Stake, ordered by (orchestrator, at_ms): of each the latest at or before `first_ms`, and all until `last_ms`.

        Of several statements of one instant the one with the smallest (source, id).
        """

    async def payments(self, question: PageQuestion) -> Sequence[PaymentRecord]:
        """Payments to these recipients, ordered by recipient, then descending by (at_ms, source, id)."""

    async def incidents(self, question: PageQuestion) -> Sequence[IncidentRecord]:
        """Facts of these orchestrators that count error events or restarts, each with the body of its event.

        Ordered by orchestrator, then descending by (at_ms, source, key).
        """

    async def incident_counts(self, question: PageQuestion) -> Mapping[str, int]:
        """How many incidents each orchestrator has in the window, whatever `after` and `limit`. None: left out."""

    async def payment_events(self, request_ids: Iterable[str]) -> Sequence[PaymentEvent]:
        """The events of the payments that carry one of these request ids (never ""), ordered by their fields."""

    async def ping(self) -> None:
        """Return if the store answers. Raises StoreUnavailable or StoreTimeout."""

    async def close(self) -> None:
        """Let go of everything held."""
