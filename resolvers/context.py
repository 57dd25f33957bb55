"""The context of one request: who answers, when it is, how much may be asked, and what was already read."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from backends.backend import Backend, Holdings, LoggedEvent, SessionRecord, StreamQuestion, StreamRecord
from metrics.question import Question
from metrics.row import Row
from metrics.sighting import Seen, SightingQuestion
from resolvers.loader import Loader


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


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one request may ask."""

    page: int = 50
    max_page: int = 500
    max_points: int = 20_000
    # Pages of streams cannot be read together, so a request may ask for a few.
    max_stream_pages: int = 20
    max_depth: int = 16
    max_aliases: int = 200
    max_fields: int = 5_000
    max_tokens: int = 20_000


LIMITS = Limits()


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
    loader: Loader = field(init=False)
    # What the surface wants to remember during the request, such as what a selection asks for.
    notes: dict[object, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.now = self.now.astimezone(UTC)
        self.loader = Loader(self.backend, self.limits.max_stream_pages)

    def load(self, question: Question) -> Awaitable[list[Row]]:
        """The rows that answer a question; questions of one moment are read together."""
        return self.loader.rows.load(question)

    async def rows(self, question: Question) -> Sequence[Row]:
        """The same, as a coroutine."""
        return await self.loader.rows.load(question)

    async def seen(self, question: SightingQuestion) -> Sequence[Seen]:
        """Which combinations of traits were seen."""
        return await self.loader.seen.load(question)

    async def holds(self) -> Holdings:
        """What the store holds and how far it reaches; asked once in a request."""
        return await self.loader.holdings.load(None)

    async def sessions(self, stream_id: str) -> Sequence[SessionRecord]:
        """The sessions of a stream, first one first."""
        return await self.loader.sessions.load(stream_id)

    async def events(self, owner: str) -> Sequence[LoggedEvent]:
        """The events of a session in order of time."""
        return await self.loader.events.load(owner)

    async def streams(self, question: StreamQuestion) -> Sequence[StreamRecord]:
        """A page of streams."""
        return await self.loader.streams.load(question)
