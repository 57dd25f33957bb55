"""What a store must be able to keep. Synchronous: one writer, in a thread of its own.

The raw log is the truth; everything else is derived from it and replaced whole. A batch is durable when `append`
returns; what was appended and not yet derived is remembered, so that a crash at any instant loses nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from backends.backend import LoggedEvent, SessionRecord
from backends.contents import Page, Position, Shelf
from backends.part import Part
from metrics.fact import Fact
from metrics.sighting import Sighting


class Event(NamedTuple):
    """An accepted event as the raw log keeps it. `owner` is its session, or "" for an event of no session."""

    source: str
    id: str
    sha: bytes  # 32 bytes: SHA-256 of the canonical content
    at_ms: int
    owner: str
    type: str
    body: bytes


class Identity(NamedTuple):
    """The content that counts for an identity at present."""

    sha: bytes
    at_ms: int
    owner: str


class Rejected(NamedTuple):
    """A line that could not be read."""

    source: str
    sha: bytes  # SHA-256 of the bytes
    reason: str
    detail: str
    body: bytes


class Claim(NamedTuple):
    """At this instant somebody said that the place (a service URI, or "key:" + a node key) belongs to the wallet."""

    source: str
    place: str
    at_ms: int
    wallet: str
    id: str  # the event that says so


class Offer(NamedTuple):
    """One row of a capability snapshot: the URI offers the GPU for the workflow. Blank text where not said."""

    source: str
    uri: str
    at_ms: int
    id: str
    n: int  # position within the event
    gpu: str
    gpu_model: str
    workflow: str
    wallet: str = ""  # that the row names


class Card(NamedTuple):
    """One GPU that a service URI advertises, as a snapshot row names it. Blank text where not said."""

    gpu: str
    gpu_model: str
    workflow: str
    wallet: str


class Showing(NamedTuple):
    """Snapshots of a URI, one after the other and at most 24 h apart, that say the same; rows without a GPU too."""

    uri: str
    first_ms: int
    last_ms: int
    cards: tuple[Card, ...]  # distinct, in order


class SupplyHour(NamedTuple):
    """What supply facts are replaced by: one hour at one service URI."""

    source: str
    uri: str
    hour_ms: int


class Payment(NamedTuple):
    """One payment as its event states it. Wei are exact; blank text where not said."""

    source: str
    id: str
    at_ms: int
    uri: str
    recipient: str
    sender: str
    session_id: str
    request_id: str
    model: str  # of its 35_ manifest
    gateway_name: str
    tickets: int
    face_value_wei: int | None  # face value × tickets
    fees_wei: int | None


class Stake(NamedTuple):
    """What an orchestrator had staked at an instant, in LPTU (10⁻¹⁸ LPT)."""

    source: str
    orchestrator: str
    at_ms: int
    id: str
    lptu: int


# Imported beside a feed: such events say nothing of how far the feed reaches.
STAKE = "orchestrator_stake"


@dataclass(frozen=True, slots=True)
class StoredSession:
    """What the log keeps of a derived session: the record, what else may change it, and its whole state as JSON."""

    record: SessionRecord
    first_ms: int  # of its first event or leg, whichever is earlier
    open: bool  # not closed, no error: silence would end it
    gateway_name: str
    paid_gateway: str  # by payment, "" where none is joined
    paid_workflow: str
    workflow_by_uri: bool  # found by its URI, or not at all
    # One entry per place that the session names, in parallel: the place, when it was first named, and the instants of
    # the claim and of the snapshot that explain it (0: none does).
    places: tuple[str, ...]
    named_ms: tuple[int, ...]
    claim_ms: tuple[int, ...]
    offer_ms: tuple[int, ...]
    state: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """What one append writes."""

    events: Sequence[Event] = ()
    # Losers of conflicts; those that counted until now are also in `superseded` (same identity, other content).
    conflicts: Sequence[Event] = ()
    superseded: Sequence[Event] = ()  # body may be empty: only keys are needed to withdraw them
    rejected: Sequence[Rejected] = ()


@dataclass(frozen=True, slots=True)
class Derivation:
    """What one derivation replaces, all or nothing: everything that `owners` had gives way to what is here.

    A fact or sighting of another owner is put beside what that one has, in the place of one with the same key.
    """

    owners: Sequence[str]
    facts: Sequence[Fact] = ()
    sightings: Sequence[Sighting] = ()
    sessions: Sequence[StoredSession] = ()
    gone: Sequence[str] = ()  # owners of sessions that no longer have any event
    # Everything that these hours had of supply gives way to these facts; a fact's owner is its URI. Facts of other
    # hours are put beside what those have, in the place of those with the same key.
    hours: Sequence[SupplyHour] = ()
    supply: Sequence[Fact] = ()


@dataclass(frozen=True, slots=True)
class Statements:
    """What events of no session say, kept per event; `withdrawn` are (source, id) of events that count no longer.

    What is stated is put beside what the event said already: it may come in several pieces, and again.
    """

    claims: Sequence[Claim] = ()
    offers: Sequence[Offer] = ()
    payments: Sequence[Payment] = ()
    stakes: Sequence[Stake] = ()
    withdrawn: Sequence[tuple[str, str]] = ()


Spot = tuple[str, str, int]  # (source, place or URI, instant in Unix ms)


@dataclass(frozen=True, slots=True)
class Explained:
    """Sessions that new claims or snapshots of a place between `first_ms` and `last_ms` may explain otherwise.

    `wallet` is the one that all these claims name, of a "key:" place alone; "" stands for any.
    """

    source: str
    place: str
    first_ms: int
    last_ms: int
    wallet: str = ""


class Log(Protocol):
    """A store that can also be written."""

    # Raw log
    def identities(self, source: str, ids: Sequence[str]) -> Mapping[str, Identity]:
        """What counts at present for these ids; absent ones are left out."""

    def append(self, batch: Batch) -> None:
        """Keep a batch. Durable on return; `pending` again until `derived` is called."""

    def pending(self, limit: int) -> Sequence[LoggedEvent]:
        """Up to `limit` events (first-appended first), appended and not marked derived: those a crash left behind.

        Mends first what an append that broke off left half done.
        Superseded events come too, as LoggedEvent with an empty body, since their sessions must be derived again.
        """

    def mark_derived(self) -> None:
        """Everything appended until now has been derived."""

    def event_log(
        self, start_ms: int, end_ms: int, limit: int, after: tuple[str, int, str, str] | None
    ) -> Sequence[LoggedEvent]:
        """A page of the raw log in the window, ordered by (owner, at_ms, source, id), after that position."""

    def session_events(self, owners: Iterable[str]) -> Sequence[LoggedEvent]:
        """The events of these sessions, ordered by (owner, at_ms, id)."""

    def logged(self, keys: Sequence[tuple[str, int, str, str]]) -> Sequence[LoggedEvent]:
        """The events at these (owner, at_ms, source, id)."""

    def conflict_counts(self, keys: Iterable[tuple[str, str]]) -> Sequence[tuple[str, str, bytes, int]]:
        """(source, id, sha, at_ms) of every loser under these identities."""

    def latest(self) -> Mapping[str, int]:
        """The latest event time by source (Unix ms), over the events that count; those of type STAKE left out."""

    # Statements
    def state(self, statements: Statements) -> None:
        """Keep what events say; statements of withdrawn events go."""

    def claims_around(self, spots: Sequence[Spot]) -> Mapping[Spot, Sequence[Claim]]:
        """For each spot the claims at the latest instant at or before it and at the earliest instant after it."""

    def claims_between(self, source: str, place: str, start_ms: int, end_ms: int) -> Sequence[str]:
        """The distinct wallets claimed for a place in [start_ms, end_ms]."""

    def offers_around(self, spots: Sequence[Spot], naming: str) -> Mapping[Spot, Sequence[Offer]]:
        """The same for snapshot rows, of instants at which a row of the URI names a `naming` ("gpu" or "workflow")."""

    def showings(self, source: str, uris: Iterable[str], start_ms: int, end_ms: int) -> Sequence[Showing]:
        """What snapshots in [start_ms, end_ms) say of these URIs, by (URI, time); rows of one instant are united."""

    def payments_by_request(self, source: str, request_ids: Iterable[str]) -> Sequence[Payment]:
        """Payments that carry one of these request ids."""

    def payments_by_session(self, source: str, sessions: Iterable[tuple[str, str]]) -> Sequence[Payment]:
        """Payments of these (recipient, session id)."""

    def senders(self, source: str, gateway_names: Iterable[str]) -> Mapping[str, Sequence[str]]:
        """Up to two distinct senders that payments with each envelope gateway show."""

    # Derived sessions
    def sessions_of(self, owners: Iterable[str]) -> Sequence[StoredSession]:
        """The stored sessions of these owners."""

    def sessions_by_request(self, source: str, request_ids: Iterable[str]) -> Sequence[StoredSession]:
        """The stored sessions with one of these request ids."""

    def sessions_by_stream(self, source: str, stream_ids: Iterable[str]) -> Sequence[StoredSession]:
        """The stored sessions of these streams."""

    def sessions_at(self, source: str, places: Iterable[str], start_ms: int, end_ms: int) -> Sequence[StoredSession]:
        """The stored sessions that name one of the places and whose [first, last event] touches [start_ms, end_ms]."""

    def owners_explained(self, by_claims: Sequence[Explained], by_offers: Sequence[Explained]) -> Sequence[str]:
        """Owners of sessions that new claims (snapshots) may change.

        By claims, for a place named at f and explained by the claim at c: no claim (c = 0), or c > f and c ≥ first, or
        f ≥ first and c ≤ last. "key:" places: f within [first − 24 h, last + 24 h] unless the session's record already
        says that the place is the claims' one `wallet`. By snapshots: f within [first − 24 h, last + 24 h] and
        (o = 0, or o > f and o ≥ first, or f ≥ first and o ≤ last, or the session's workflow is `workflow_by_uri`).
        """

    def owners_silent(self, source: str, after_ms: int, until_ms: int, ended: bool) -> Sequence[str]:
        """Owners of `open` sessions, stored as `ended` or not, whose last event lies in (after_ms, until_ms]."""

    def owners_by_gateway_name(self, source: str, name: str, unless: str) -> Sequence[str]:
        """Owners of sessions with that envelope name, no paid gateway, and another gateway than `unless`."""

    # Facts
    def replace(self, derivation: Derivation) -> None:
        """Replace everything of `owners`, and note (durably, before) which buckets of the rollups become stale."""

    def supply_hours(self, source: str) -> Sequence[SupplyHour]:
        """The hours for which there are supply facts, in any order."""

    def refresh(self) -> None:
        """Bring the rollups up to date for the stale buckets."""

    # The whole content, for copies and comparisons
    def page(self, shelf: Shelf, part: Part, after: Position | None, limit: int) -> Page:
        """The next up to `limit` items of a shelf that are of a part, and where to go on (None: nowhere).

        Which items are of a part `backends.contents.belongs` defines. They come in a total order that is the store's
        own and does not change: `after` is the position of the last item of the page before, and following it from
        None to None tells each item that is there throughout exactly once. Its values are text and whole numbers.
        Items come as they were written: what `append`, `state` and `replace` were given, None for unknown dimensions.
        """

    def size(self, shelf: Shelf, part: Part) -> int:
        """How many items of a shelf are of a part."""
