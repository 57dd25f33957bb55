"""Faults on the way from the network to the reader: what gets lost, repeated, delayed, contradicted or garbled.

All but `loss` (and `skew`, which is a matter of clocks) leave the truth as it is: a rival content always loses by
the rule of the smaller hash, a rewording means the same, and nonsense comes in addition.
"""

import heapq
from collections import Counter
from collections.abc import Iterator

from telemetry.simulator.chance import chance
from telemetry.simulator.disturbed import NONSENSE, nonsense, reworded, rival
from telemetry.simulator.options import Options

LOST = 0.014
REWORDED = 0.05
RIVALLED = 0.004
NONSENSICAL = 0.004
REPEATED = 0.02
DELAYED = 0.03
MINUTE_MS = 60_000
MOST_TOO_LARGE = 2


class Faults:
    """Passes the feed on slice by slice, with the faults that were asked for."""

    def __init__(self, options: Options) -> None:
        self._wanted = options.faults
        self._chances = {name: chance(options.seed, "fault", name) for name in sorted(options.faults)}
        self._later: list[tuple[int, int, bytes]] = []
        self._sequence = 0
        self._done: Counter[str] = Counter()
        self.active = bool(options.faults)

    @property
    def conflicts(self) -> int:
        """How many rival contents were sent."""
        return self._done["conflict"]

    def done(self) -> dict[str, int]:
        """How many of each fault there were, in the order of their names."""
        return dict(sorted(self._done.items()))

    def apply(self, events: list[tuple[int, bytes]], until_ms: int) -> Iterator[bytes]:
        """The lines that arrive before a moment: those of the slice, disturbed, and those that were held back."""
        for at_ms, line in events:
            if self._hits("loss", LOST):
                continue
            self._pass_on(at_ms, line)
        yield from self._arrived(until_ms)

    def flush(self) -> Iterator[bytes]:
        """Everything that is still held back when the simulation ends."""
        return self._arrived(1 << 62)

    def _hits(self, fault: str, share: float) -> bool:
        if fault not in self._wanted or self._chances[fault].random() >= share:
            return False
        if fault in ("loss", "duplicate", "late"):
            self._done[fault] += 1
        return True

    def _pass_on(self, at_ms: int, line: bytes) -> None:
        if self._hits("wander", REWORDED):
            line = self._reword(line)
        if self._hits("conflict", RIVALLED):
            self._contradict(at_ms, line)
        if self._hits("malformed", NONSENSICAL):
            self._babble(at_ms, line)
        if self._hits("duplicate", REPEATED):
            self._hold(at_ms + self._delay_ms("duplicate"), line)
        if self._hits("late", DELAYED):
            at_ms += self._delay_ms("late")
        self._hold(at_ms, line)

    def _reword(self, line: bytes) -> bytes:
        found = reworded(line, self._chances["wander"])
        if found is None:
            return line
        self._done[f"wander:{found[1]}"] += 1
        return found[0]

    def _contradict(self, at_ms: int, line: bytes) -> None:
        other = rival(line)
        if other is not None:
            self._done["conflict"] += 1
            rng = self._chances["conflict"]
            # Half of the rivals come first: which one counts must not depend on the order.
            self._hold(at_ms + (-1 if rng.random() < 0.5 else rng.randint(1, 30 * MINUTE_MS)), other)

    def _babble(self, at_ms: int, line: bytes) -> None:
        rng = self._chances["malformed"]
        reason = rng.choice(tuple(NONSENSE))
        if reason == "too_large" and self._done["malformed:too_large"] >= MOST_TOO_LARGE:
            reason = "not_json"
        text = nonsense(line, reason, rng)
        if text is not None:
            self._done[f"malformed:{reason}"] += 1
            self._hold(at_ms, text)

    def _delay_ms(self, fault: str) -> int:
        """At times a moment, mostly minutes, at times hours."""
        rng = self._chances[fault]
        return rng.randint(1, rng.choice((1, 20, 60, 360)) * MINUTE_MS)

    def _hold(self, at_ms: int, line: bytes) -> None:
        self._sequence += 1
        heapq.heappush(self._later, (at_ms, self._sequence, line))

    def _arrived(self, until_ms: int) -> Iterator[bytes]:
        while self._later and self._later[0][0] < until_ms:
            yield heapq.heappop(self._later)[2]
