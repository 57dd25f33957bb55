"""The public part of a logged event, for a session's timeline."""

from typing import NamedTuple

from metrics.columns import OUTPUT_FPS
from telemetry.reading import Status, Swap
from telemetry.values import Unreadable
from telemetry.wire import parse, read


class Entry(NamedTuple):
    """What may be shown of an event: never prompts, error texts or network addresses.

    `place` is for looking up the wallet in the session's own record, not to be shown.
    """

    type: str
    subtype: str | None
    place: str
    state: str | None
    output_fps: float | None


def entry(body: bytes) -> Entry:
    """The entry of an event of the raw log."""
    try:
        reading = read(parse(body), "", b"")
    except Unreadable:  # was accepted by an earlier version of the wire
        return Entry("unreadable", None, "", None, None)
    said = reading.said
    status = said if isinstance(said, Status) else None
    fps = None if status is None or status.output_fps is None else status.output_fps / OUTPUT_FPS.scale
    return Entry(
        type=reading.type,
        subtype=reading.subtype or None,
        place=said.left if isinstance(said, Swap) else reading.place,
        state=(status.state or None) if status else None,
        output_fps=fps,
    )
