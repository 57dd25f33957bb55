"""The readings of sessions, from the log or kept from a moment ago."""

import logging
from collections import OrderedDict
from collections.abc import Mapping, Sequence

from backends.backend import LoggedEvent
from backends.log import Log
from telemetry.reading import Reading, Stamp, What, outside
from telemetry.session import Session, session_of
from telemetry.touched import Touched
from telemetry.values import Unreadable
from telemetry.wire import parse, read

log = logging.getLogger("naap.readings")

MOST = 50_000  # readings kept


class Readings:
    """Whole sessions; those that are still open are kept in memory, the most recently used ones first."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self._kept: OrderedDict[str, dict[str, Reading]] = OrderedDict()
        self._count = 0

    def update(self, touched: Touched) -> None:
        """New events join what is kept of their session; a session that lost one is read again."""
        for reading in touched.withdrawn:
            self._drop(reading.owner)
        for reading in touched.counting.values():
            if reading.owner in self._kept:
                self._keep(reading.owner, reading)

    def sessions(self, owners: Sequence[str], whole: Mapping[str, Sequence[Reading]]) -> dict[str, Session]:
        """The sessions of these owners from all of their events; an owner without any is left out.

        `whole` holds sessions that are new: all of their events are at hand, and need not be read again.
        """
        for owner in owners:
            for reading in whole.get(owner, ()):
                self._keep(owner, reading)
        missing = [owner for owner in owners if owner not in self._kept]
        for event in self.log.session_events(missing) if missing else ():
            self._keep(event.owner, reread(event))
        found = {owner: session_of(self._kept[owner].values()) for owner in owners if owner in self._kept}
        for owner, session in found.items():
            if session.open:
                self._kept.move_to_end(owner)
            else:
                self._drop(owner)  # little will come of it; what does come is read again from the log
        while self._count > MOST:
            self._drop(next(iter(self._kept)))
        return found

    def _keep(self, owner: str, reading: Reading) -> None:
        kept = self._kept.setdefault(owner, {})
        self._count += reading.id not in kept
        kept[reading.id] = reading

    def _drop(self, owner: str) -> None:
        self._count -= len(self._kept.pop(owner, ()))


def reread(event: LoggedEvent) -> Reading:
    """What a logged event says; nothing, where it was accepted by an earlier version and cannot be read any more."""
    try:
        return read(parse(event.body), event.source, b"", known_id=event.id)
    except Unreadable as error:
        log.warning("event %r of source %r is in the log and cannot be read: %s", event.id, event.source, error.reason)
        stamp = Stamp(event.source, event.id, b"", event.at_ms, "unreadable")
        return outside(stamp, What.OTHER, None)._replace(owner=event.owner)
