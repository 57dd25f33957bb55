"""Batches: whatever is asked in one moment is answered together, and nothing is asked twice in a request."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

# Loop turns without a new question before the waiting ones are answered: siblings begin a turn or two apart.
PATIENCE = 3


class Batch(Generic[K, V]):
    """Remembers the answer to each key, and gathers the keys of a moment for `answer`, which gives each its own."""

    def __init__(self, answer: Callable[[Sequence[K]], Awaitable[Mapping[K, V | Exception]]]) -> None:
        self._answer = answer
        self._known: dict[K, asyncio.Future[V]] = {}
        self._waiting: list[K] = []
        self._quiet = 0
        self._running: set[asyncio.Task[None]] = set()

    def load(self, key: K) -> "asyncio.Future[V]":
        """The answer to `key`, to be awaited."""
        found = self._known.get(key)
        if found is None:
            loop = asyncio.get_running_loop()
            found = self._known[key] = loop.create_future()
            if not self._waiting:
                loop.call_soon(self._tick)
            self._waiting.append(key)
            self._quiet = 0
        # An asker that is cancelled beside a sibling's error takes the answer from nobody else.
        return asyncio.shield(found)

    def cancel(self) -> None:
        """Stop what is still being answered, for nobody waits for it any more."""
        for task in self._running:
            task.cancel()

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        self._quiet += 1
        if self._quiet <= PATIENCE:
            loop.call_soon(self._tick)
            return
        keys, self._waiting = self._waiting, []
        task = loop.create_task(self._settle(keys))
        # The loop keeps only weak references to tasks.
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _settle(self, keys: Sequence[K]) -> None:
        answers: Mapping[K, V | Exception]
        try:
            answers = await self._answer(keys)
        except Exception as error:
            answers = dict.fromkeys(keys, error)
        for key in keys:
            future, answer = self._known[key], answers[key]
            if future.done():  # the loop is being closed
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)

    @property
    def busy(self) -> bool:
        """Is something waiting to be answered, or being answered?"""
        return bool(self._waiting or self._running)
