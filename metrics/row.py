"""What a store answers with: sums."""

from collections.abc import Mapping
from typing import NamedTuple

from metrics.histogram import Histogram

Sum = int | Histogram | None


class Row(NamedTuple):
    """The sums of one bucket and group."""

    start_ms: int | None  # None where the question has no grain
    by: tuple[str | None, ...]  # in the order of the question's `by`
    sums: Mapping[str, Sum]  # measure name → sum; extremes are None without evidence
