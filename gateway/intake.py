"""Where `POST /v1/events` leads: to the writer, if there is one."""

import io
from collections.abc import Iterator

from gateway.writer import Writer
from metrics.errors import Forbidden
from rest.events import Taken
from telemetry.files import MAX_LINE, split


class WriterIntake:
    """Hands a body to the writer's thread, which also cuts it into lines."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def take(self, source: str, content: bytes, one_per_line: bool) -> Taken:
        """Keep the events of a body; returns when they are durable."""
        cut = _each_line if one_per_line else split
        return await self._writer.load(source, lambda: cut(io.BytesIO(content)))


class NoIntake:
    """Refuses: this gateway reads several stores and writes to none of them."""

    async def take(self, source: str, content: bytes, one_per_line: bool) -> Taken:
        """Raise Forbidden."""
        raise Forbidden(
            "this gateway puts several stores together and writes to none of them. Send the events to the gateway of "
            "the store that should have them, or mark that store with writes=true in NAAP_BACKEND."
        )


def _each_line(file: io.BytesIO) -> Iterator[bytes]:
    """The lines that are not blank; one that is too long comes cut, as from a file."""
    return (line[: MAX_LINE + 1] for line in file if line.strip())
