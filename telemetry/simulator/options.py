"""What a simulation is asked for, and the faults that it can put into its feed."""

from dataclasses import dataclass
from datetime import UTC, datetime

DEFAULT_END = datetime(2026, 1, 10, tzinfo=UTC)
DEFAULT_RATE = 2.0

FAULTS: dict[str, str] = {
    "loss": "events are missing: about one in seventy never arrives",
    "duplicate": "events arrive again with the same bytes, at once or hours later",
    "conflict": "a second event carries the id of another and says something else; it loses by its hash",
    "late": "events arrive minutes to hours after they happened",
    "skew": "runner clocks run ahead or behind, so runner edges come out of order",
    "malformed": "extra lines that must be rejected: broken JSON, no type, bad times, bad numbers, too long",
    "wander": "the same facts in other words: numbers as strings, other timestamps, nulls, blanks, no envelope id",
}


@dataclass(frozen=True, slots=True)
class Options:
    """One simulation: how big, how long, until when, from which seed, and with which faults.

    `rate` is demand: the mean number of sessions asked for per orchestrator and hour, averaged over a day.
    A session makes about 110 events, so events ≈ 110 × orchestrators × hours × rate.
    """

    orchestrators: int
    hours: float
    seed: int
    end: datetime = DEFAULT_END
    rate: float = DEFAULT_RATE
    faults: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        _check("orchestrators", 1 <= self.orchestrators <= 10_000, f"from 1 to 10000, not {self.orchestrators}")
        _check("hours", 0 < self.hours <= 24 * 400, f"above 0 and at most 9600, not {self.hours}")
        _check("seed", self.seed >= 0, f"0 or more, not {self.seed}")
        _check("rate", 0 < self.rate <= 1000, f"above 0 and at most 1000, not {self.rate}")
        _check("end", self.end.tzinfo is not None, f"a time with a zone, such as 2026-01-10T00:00Z, not {self.end}")
        _check("end", 2001 <= self.end.year <= 2090, f"between the years 2001 and 2090, not {self.end.year}")
        unknown = sorted(self.faults - FAULTS.keys())
        _check("faults", not unknown, f"of {', '.join(FAULTS)}; unknown: {', '.join(unknown)}")

    @property
    def end_ms(self) -> int:
        """The first millisecond after the simulated window."""
        return round(self.end.timestamp() * 1000)

    @property
    def start_ms(self) -> int:
        """The first millisecond of the simulated window."""
        return self.end_ms - round(self.hours * 3_600_000)


def parse_faults(text: str) -> frozenset[str]:
    """The faults named by `none`, `all`, or a list such as `loss,late`."""
    words = [word.strip().lower() for word in text.split(",") if word.strip()]
    if words in ([], ["none"]):
        return frozenset()
    if words == ["all"]:
        return frozenset(FAULTS)
    unknown = [word for word in words if word not in FAULTS]
    _check("faults", not unknown, f"`none`, `all`, or a list of {', '.join(FAULTS)}; unknown: {', '.join(unknown)}")
    return frozenset(words)


def _check(option: str, good: bool, wanted: str) -> None:
    if not good:
        raise ValueError(f"{option} must be {wanted}")
