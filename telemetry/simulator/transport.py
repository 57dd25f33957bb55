"""The connection between a user and the gateway: counters that grow, packets that get lost."""

from random import Random

from telemetry.simulator import wire
from telemetry.simulator.tally import Tally

INGEST_EVERY_MS = 5_000
RESET_SHARE = 0.01


class Transport:
    """The counters of one session's WebRTC connection, and the deltas between two reports of them."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self.poor = rng.random() < 0.08
        self._audio = rng.random() < 0.93
        self._bytes_per_s = rng.uniform(120_000, 340_000) * (0.5 if self.poor else 1)
        self._resets_at = rng.randint(8, 60) if rng.random() < RESET_SHARE else 0
        self._reports = 0
        self._received = self._sent = 0
        self._video = self._video_lost = self._heard = self._heard_lost = 0

    def report(self, at_ms: int, ids: str, request: str, tally: Tally) -> str:
        """The data of the next `stream_ingest_metrics`; its deltas go to the leg that runs."""
        rng, self._reports = self._rng, self._reports + 1
        share = 0.05 + 0.4 * rng.random() if self._reports == 1 else 0.9 + 0.2 * rng.random()
        received, sent = int(self._bytes_per_s * 5 * share), 3_600 + int(500 * rng.random())
        video, heard = received // 1_160 + 1, 249 + int(3 * rng.random()) if self._audio else 0
        lost, unheard = self._losses(video)
        if self._reports == self._resets_at:
            # The connection is made anew: the counters begin at nothing, so there is no delta.
            self._received = self._sent = self._video = self._video_lost = self._heard = self._heard_lost = 0
        elif self._reports > 1:
            self._count(tally, received, sent, video + heard, lost + unheard)
        self._received += received
        self._sent += sent
        self._video += video
        self._video_lost += lost
        self._heard += heard
        self._heard_lost += unheard
        return self._text(at_ms, ids, request, round(100 * lost / (lost + video), 2), lost > video * 0.02)

    def _losses(self, video: int) -> tuple[int, int]:
        roll = self._rng.random()
        if self.poor:
            return int(video * 0.06 * roll), int(4 * roll) if self._audio else 0
        return (int(roll * 100), 0) if roll < 0.04 else (0, 0)

    def _count(self, tally: Tally, received: int, sent: int, packets: int, lost: int) -> None:
        # Bytes × 8 / seconds / 10⁶ in billionths; whole numbers, as the interval divides evenly.
        tally.measure("ingestMbps", received * 8_000_000 // INGEST_EVERY_MS)
        tally.measure("egressMbps", sent * 8_000_000 // INGEST_EVERY_MS)
        tally.add("packetsReceived", packets)
        tally.add("packetsLost", lost)

    def _text(self, at_ms: int, ids: str, request: str, loss_pct: float, poor: bool) -> str:
        clock_s = self._reports * 5
        jitter = (4 + 3 * self._rng.random()) * (4 if poor else 1)
        tracks = wire.track(
            "video", clock_s + 0.176 + self._reports % 9 / 1_000, jitter, self._video, self._video_lost, loss_pct
        )
        if self._audio:
            tracks += "," + wire.track("audio", clock_s + 0.1875, 19.5 + jitter / 10, self._heard, self._heard_lost, 0)
        quality = "bad" if poor else "good"
        return wire.ingest(tracks, self._received, self._sent, quality, ids, request, at_ms)
