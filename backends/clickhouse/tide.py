"""What a writer knows without asking: versions, what is underived, which buckets are stale, how far sources reach."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace

from backends.backend import Holdings
from backends.pieces import Behind, Level
from backends.stale import Stale


class Tide:
    """The present of a store. Written by its one writer; any thread may read `holdings`, `behind` and `days_unseen`.

    What readers see is replaced whole and never changed, so that they see one state.
    """

    def __init__(self) -> None:
        self.ver = 0
        self.derived = 0
        self.stale: dict[Stale, set[int]] = {kind: set() for kind in Stale}
        self.holdings = Holdings({}, 0, 0)
        # Buckets of rollups that readers must make up from finer ones for now.
        self.behind: Behind = {}
        self.days_unseen: frozenset[int] = frozenset()

    def next(self) -> int:
        """A version higher than any before, also before a restart and a clock set back."""
        self.ver = max(self.ver + 1, time.time_ns())
        return self.ver

    def changed(self) -> None:
        """Answers may be others from now on."""
        self.holdings = replace(self.holdings, version=self.next())

    def appended(self, reach: Iterable[tuple[str, int]], count: int) -> None:
        """So many more events wait to be derived; (source, time) of each that counts."""
        sources = dict(self.holdings.sources)
        for source, at_ms in reach:
            first, last = sources.get(source, (at_ms, at_ms))
            sources[source] = (min(first, at_ms), max(last, at_ms))
        self.holdings = Holdings(sources, self.holdings.pending + count, self.next())

    def settled(self, ver: int) -> None:
        """Everything up to this version has been derived."""
        self.derived = ver
        self.holdings = replace(self.holdings, pending=0, version=self.next())

    def reaches(self, sources: Mapping[str, tuple[int, int]]) -> None:
        """How far each source reaches, known anew."""
        self.holdings = replace(self.holdings, sources=dict(sources), version=self.next())

    def show(self) -> None:
        """Let readers know which rollups are behind."""
        self.behind = {
            Level.HOUR: frozenset(self.stale[Stale.HOURS]),
            Level.DAY: frozenset(self.stale[Stale.DAYS]),
        }
        self.days_unseen = frozenset(self.stale[Stale.SEEN_DAYS])
