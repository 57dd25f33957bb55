"""What many ask for at the same time is done once, by the first of them."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Flights(Generic[K, V]):
    """Things that are being done, by their keys.

    Whoever asks first does it, in its own task and time; whoever comes meanwhile gets what that gave, an error as well.
    Where the first one is cancelled (its client went, its time is over) the next one does it.
    """

    def __init__(self) -> None:
        self._flying: dict[K, asyncio.Future[tuple[V | None, Exception | None] | None]] = {}

    async def do(self, key: K, make: Callable[[], Awaitable[V]]) -> tuple[V, bool]:
        """What `make` gives, and whether it was made for somebody else."""
        while (flight := self._flying.get(key)) is not None:
            # A waiter that is cancelled leaves the others waiting.
            landed = await asyncio.shield(flight)
            if landed is not None:
                value, error = landed
                if error is not None:
                    # Without it, the traceback would grow with everyone who raises the error.
                    raise error.with_traceback(None)
                return value, True  # type: ignore[return-value]  # V may be optional itself
        flight = self._flying[key] = asyncio.get_running_loop().create_future()
        landing: tuple[V | None, Exception | None] | None = None
        try:
            value = await make()
            landing = value, None
        except Exception as error:
            landing = None, error
            raise
        finally:
            del self._flying[key]
            if not flight.cancelled():
                flight.set_result(landing)
        return value, False
