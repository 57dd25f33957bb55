"""What an answer was made of, as far as that decides how long it may be told again, and to whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from backends.backend import Backend, Staked, StakeQuestion
from metrics.question import Question
from metrics.row import Row


@dataclass(slots=True)
class MadeOf:
    """Fills while a request is answered, by whatever its context is asked for."""

    # Did the answer look at the clock? Then it is another one a moment later.
    clock: bool = False
    # Did it look at who asks? Then it is nobody else's.
    caller: bool = False
    # Where the latest of the windows ends that it tells something of (Unix ms); None where there are none.
    until_ms: int | None = None
    # Was anything read that goes on until now: what was seen, sessions, streams, events?
    present: bool = False

    def reaches(self, end_ms: int) -> None:
        """Something is told of what was before this instant."""
        self.until_ms = max(self.until_ms or 0, end_ms)


class _Watched:
    """A store that notes what is read of it. How far it reaches is noted by `Context.holds`."""

    def __init__(self, backend: Backend, made_of: MadeOf) -> None:
        self._backend, self._made_of = backend, made_of
        self.holds = backend.holds

    async def rows(self, question: Question) -> Sequence[Row]:
        self._made_of.reaches(question.window.end_ms)
        return await self._backend.rows(question)

    async def stakes(self, question: StakeQuestion) -> Sequence[Staked]:
        self._made_of.reaches(question.last_ms + 1)
        return await self._backend.stakes(question)

    def __getattr__(self, name: str) -> Any:
        self._made_of.present = True
        return getattr(self._backend, name)


def watched(backend: Backend, made_of: MadeOf) -> Backend:
    """The same store, which notes in `made_of` what is read of it."""
    return cast(Backend, _Watched(backend, made_of))
