"""What the Livepeer Explorer calls success, round trip and score: the catalogue's sums, of streams and jobs together.

The score is that of its leaderboard for AI work: 0.65 × success rate + 0.35 × round trip score.
"""

import math

from metrics.catalogue import BY_NAME, OUTCOMES, PROMPT_TO_FIRST_FRAME
from metrics.columns import MICROSECONDS_PER_S
from metrics.formula import Formula
from metrics.measure import Aggregate, Measure
from metrics.metric import Metric

WEIGHT_OF_SUCCESS, WEIGHT_OF_ROUND_TRIP = 0.65, 0.35
# What a round trip as long as the median is worth.
AT_MEDIAN = 0.8


def _of(metric: Metric, aggregate: Aggregate) -> Measure:
    assert metric.column is not None, metric.name
    return metric.column.measure(aggregate)


_JOBS, _DURATION = BY_NAME["success_rate_pct"], BY_NAME["duration_ms"]
# Sessions that were attempted and jobs that ended: what was tried at all.
TRIED: Formula = OUTCOMES["attempted"] + _JOBS.evidence
SUCCESS: Formula = (OUTCOMES["served"] + BY_NAME["succeeded"].formula) / TRIED
# In seconds: a stream's prompt to first frame, a job's duration. Both are kept in thousandths of a millisecond.
ROUND_TRIP_S: Formula = (_of(PROMPT_TO_FIRST_FRAME, Aggregate.SUM) + _of(_DURATION, Aggregate.SUM)) / (
    (_of(PROMPT_TO_FIRST_FRAME, Aggregate.COUNT) + _of(_DURATION, Aggregate.COUNT)) * MICROSECONDS_PER_S
)
MEASURES = SUCCESS.reads() | ROUND_TRIP_S.reads()
# What the facts behind these sums state.
COLUMNS = tuple(sorted({measure.column for measure in MEASURES}, key=lambda column: column.name))


def round_trip_score(round_trip_s: float | None, median_s: float | None) -> float:
    """0 to 1: 1 for no time at all, 0.8 at the median. 0 where no round trip is known."""
    if round_trip_s is None or median_s is None:
        return 0.0
    # All of them at once: nobody is slower than the median.
    return math.exp(math.log(AT_MEDIAN) / median_s * round_trip_s) if median_s else 1.0


def total_score(success: float, round_trip: float) -> float:
    """0 to 1, of a success rate and a round trip score; 0 without any success."""
    return WEIGHT_OF_SUCCESS * success + WEIGHT_OF_ROUND_TRIP * round_trip if success else 0.0
