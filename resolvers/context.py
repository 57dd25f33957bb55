"""The context of one request: who answers, when it is, how much may be asked, and what was already read."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar, cast
from zlib import crc32

from auth.access import Access
from auth.account import Account
from auth.caller import ANONYMOUS, Caller
from backends.backend import (
    Backend,
    Holdings,
    IncidentRecord,
    LoggedEvent,
    PageQuestion,
    PaymentEvent,
    PaymentRecord,
    SessionRecord,
    Staked,
    StakeQuestion,
    StreamQuestion,
    StreamRecord,
)
from backends.federated import Federated
from metrics.errors import TooComplex, Unauthenticated
from metrics.evidence import EvidenceQuestion
from metrics.fact import Fact
from metrics.question import Question
from metrics.row import Row
from metrics.sighting import Seen, SightingQuestion
from metrics.targets import Targets, packaged
from promptsets.dataset import Catalogue
from resolvers.journal import Journal
from resolvers.loader import Loader
from resolvers.made_of import MadeOf, watched
from resolvers.ranking import Rankings
from resolvers.supplied import asks_supply, supplied
from resolvers.timed import Timed


class Entry(Protocol):
    """The public part of an event, as a session's timeline shows it."""

    @property
    def type(self) -> str: ...
    @property
    def subtype(self) -> str | None: ...
    @property
    def place(self) -> str: ...
    @property
    def state(self) -> str | None: ...
    @property
    def output_fps(self) -> float | None: ...


class Inside(Protocol):
    """The private part of an event: for its owner's eyes."""

    @property
    def stream_id(self) -> str: ...
    @property
    def request_id(self) -> str: ...
    @property
    def error(self) -> str | None: ...
    @property
    def logs(self) -> Sequence[str]: ...
    @property
    def prompt(self) -> str | None: ...
    @property
    def parameters(self) -> str | None: ...
    @property
    def client_address(self) -> str | None: ...


def _unread(body: bytes) -> Inside:
    raise NotImplementedError("nobody reads the private parts of events here")


def _uncounted(_: str) -> None:
    """Nobody counts here."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one request may ask."""

    page: int = 50
    max_page: int = 500
    # What a router joins in one go.
    max_representations: int = 1_000
    max_points: int = 20_000
    # Pages of streams cannot be read together, so a request may ask for a few.
    max_stream_pages: int = 20
    # Over all series of a request; a column of values is a tenth of the work of buckets.
    max_request_points: int = 50_000
    max_timelines: int = 1_000
    max_depth: int = 16
    max_aliases: int = 200
    max_directives: int = 100
    max_fields: int = 5_000
    max_tokens: int = 5_000
    max_root_fields: int = 50
    max_fragments: int = 50
    # How often one field may be written at one place: whether they agree is checked pair by pair.
    max_repeats: int = 50


LIMITS = Limits()
T = TypeVar("T")
COLUMNS_PER_BUCKETS = 10


@dataclass(slots=True)
class Context:
    """One request. Reads go through here, so that they are gathered and none is made twice."""

    backend: Backend
    now: datetime
    entries: Callable[[bytes], Entry]
    request_id: str
    # Configured regions: id → name.
    regions: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = LIMITS
    # What workflows should reach.
    targets: Targets = field(default_factory=packaged)
    datasets: Catalogue = field(default_factory=Catalogue)
    # The process's own: orders that somebody reads page by page.
    rankings: Rankings = field(default_factory=Rankings)
    caller: Caller = ANONYMOUS
    # Where several stores answer: the same as `backend`, which knows who contributed and what is missing.
    several: Federated | None = None
    # What the request is paid from; None where nobody counts.
    account: Account | None = None
    # Where one signs in, and the address that asks: for what is done there.
    access: Access | None = None
    client: str | None = None
    # Called with its name before something is tried there. Raises RateLimited where an address tries too often.
    attempt: Callable[[str], None] = _uncounted
    insides: Callable[[bytes], Inside] = _unread
    # What the request does, for whoever watches.
    journal: Journal = field(default_factory=Journal)
    loader: Loader = field(init=False)
    # What was looked at to answer, and when the request came: for what says just that, and does not look at the clock.
    made_of: MadeOf = field(default_factory=MadeOf, init=False)
    began: datetime = field(init=False)
    # What the surface wants to remember during the request, such as what a selection asks for.
    notes: dict[object, object] = field(default_factory=dict)
    _made: dict[Hashable, asyncio.Task[Any]] = field(default_factory=dict, init=False)
    # What was spent, points in tenths.
    _tenths: int = field(default=0, init=False)
    _timelines: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.began = self.now = self.now.astimezone(UTC)
        self.made_of = MadeOf()
        self.backend = Timed(self.backend, self.journal)
        self.loader = Loader(watched(self.backend, self.made_of), self.limits.max_stream_pages, self.journal)

    def clock(self) -> datetime:
        """Now, to be asked by what depends on it only."""
        return self.now

    @property
    def missing_mark(self) -> int:
        """A number that tells apart what was read without some stores; 0 where none is missing."""
        told = () if self.several is None else self.several.contributions
        names = [one.name for one in told if one.is_missing]
        return crc32(repr(names).encode()) if names else 0

    @property
    def door(self) -> Access:
        """Where one signs in. Raises Unauthenticated where there is no such place."""
        if self.access is None:
            raise Unauthenticated("nobody can sign in here.")
        return self.access

    def spend_points(self, points: int, as_column: bool = False) -> None:
        """Take the points of a series from what the request may ask. Raises TooComplex where too few are left."""
        tenths = points if as_column else points * COLUMNS_PER_BUCKETS
        most = self.limits.max_request_points
        if self._tenths + tenths > most * COLUMNS_PER_BUCKETS:
            raise TooComplex(
                f"all series of the request together have more than {most:,} buckets. Use a wider interval, a shorter "
                "window or fewer series at a time.",
                "interval",
            )
        self._tenths += tenths

    def spend_timeline(self) -> None:
        """Take one session's timeline from what the request may ask. Raises TooComplex where none is left."""
        self._timelines += 1
        if self._timelines > self.limits.max_timelines:
            raise TooComplex(
                f"the request reads the timelines of more than {self.limits.max_timelines:,} sessions. Give a smaller "
                "first, or ask for the timelines of fewer streams at a time.",
                "first",
            )

    def cancel(self) -> None:
        """Stop whatever is still being read or worked out: the request has ended."""
        for task in self._made.values():
            task.cancel()
        self.loader.cancel()

    def once(self, key: Hashable, make: Callable[[], Coroutine[Any, Any, T]]) -> Awaitable[T]:
        """What `make` gives, made once in a request however many ask for it."""
        if key not in self._made:
            self._made[key] = asyncio.ensure_future(make())
        # An asker that is cancelled beside a sibling's error takes the answer from nobody else.
        return cast(Awaitable[T], asyncio.shield(self._made[key]))

    def load(self, question: Question) -> Awaitable[list[Row]]:
        """The rows that answer a question; questions of one moment are read together."""
        if asks_supply(question):
            return supplied(self.loader.rows.load, question)
        return self.loader.rows.load(question)

    async def rows(self, question: Question) -> Sequence[Row]:
        """The same, as a coroutine."""
        return await self.load(question)

    async def seen(self, question: SightingQuestion) -> Sequence[Seen]:
        """Which combinations of traits were seen."""
        return await self.loader.seen.load(question)

    async def stakes(self, question: StakeQuestion) -> Sequence[Staked]:
        """What orchestrators had staked, in order of time for each; possibly more than was asked, before `first_ms`."""
        return await self.loader.stakes.load(question)

    async def holds(self) -> Holdings:
        """What the store holds and how far it reaches; asked once in a request."""
        self.made_of.present = True
        return await self.held()

    async def held(self) -> Holdings:
        """The same, for what stays as it is once the data have gone past the windows that are read."""
        return await self.loader.holdings.load(None)

    async def sessions(self, stream_id: str) -> Sequence[SessionRecord]:
        """The sessions of a stream, first one first."""
        return await self.loader.sessions.load(stream_id)

    async def evidence(self, question: EvidenceQuestion) -> Sequence[Fact]:
        """Single facts, in order of time."""
        return await self.loader.evidence.load(question)

    async def events(self, owner: str) -> Sequence[LoggedEvent]:
        """The events of a session in order of time."""
        return await self.loader.events.load(owner)

    async def payments(self, question: PageQuestion) -> Sequence[PaymentRecord]:
        """A page of payments of one wallet."""
        return await self.loader.payments.load(question)

    async def incidents(self, question: PageQuestion) -> Sequence[IncidentRecord]:
        """A page of incidents of one wallet."""
        return await self.loader.incidents.load(question)

    async def incident_count(self, question: PageQuestion) -> int:
        """How many incidents one wallet has in the window."""
        return await self.loader.incident_counts.load(question)

    async def payment_events(self, request_id: str) -> Sequence[PaymentEvent]:
        """The events of the payments that carry a request's id."""
        return await self.loader.payment_events.load(request_id)

    async def streams(self, question: StreamQuestion) -> Sequence[StreamRecord]:
        """A page of streams."""
        return await self.loader.streams.load(question)


def _noting(name: str, what: str) -> None:
    """Let `made_of` know when this field of a context is looked at."""
    slot = vars(Context)[name]

    def look(context: Context) -> Any:
        setattr(context.made_of, what, True)
        return slot.__get__(context)

    setattr(Context, name, property(look, slot.__set__))


# Here, and not where each is used: what an answer depends on must not depend on anybody's remembering to say it.
for _name, _what in (("now", "clock"), ("caller", "caller"), ("access", "caller"), ("client", "caller")):
    _noting(_name, _what)
