"""What many ask for at the same time is done once, by the first of them."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeAlias, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
# What was made, or why it could not be; None where whoever made it was cancelled.
Landed: TypeAlias = tuple[V] | Exception | None


class Flights(Generic[K, V]):
    """Things that are being done, by their keys.

    Whoever asks first does it, in its own task and time; whoever comes meanwhile gets what that gave, an error as well.
    Where the first one is cancelled (its client went, its time is over) the next one does it.
    """

    def __init__(self) -> None:
        # Who waits for each.
        self._flying: dict[K, list[asyncio.Future[Landed[V]]]] = {}

    async def do(self, key: K, make: Callable[[], Awaitable[V]]) -> tuple[V, bool]:
        """What `make` gives, and whether it was made for somebody else."""
        while (waiting := self._flying.get(key)) is not None:
            waiter: asyncio.Future[Landed[V]] = asyncio.get_running_loop().create_future()
            waiting.append(waiter)
            landed = await waiter
            if isinstance(landed, Exception):
                # Without its traceback, which would grow with everyone who raises it.
                raise landed.with_traceback(None)
            if landed is not None:
                return landed[0], True
        waiting = self._flying[key] = []
        landing: Landed[V] = None
        try:
            value = await make()
            landing = (value,)
        except Exception as error:
            landing = error
            raise
        finally:
            del self._flying[key]
            for waiter in waiting:
                if not waiter.done():  # its own request was cancelled
                    waiter.set_result(landing)
        return value, False
