"""`quality-benchmark-1`: the formula that the network's analytics uses today."""

from dataclasses import replace

from metrics import catalogue
from metrics import columns as c
from metrics.formula import Formula, mean
from metrics.measure import Aggregate, Column
from metrics.metric import Direction, Metric, share_pct
from metrics.scoring.judge import judged
from metrics.scoring.score import Coverage, Criterion, Evidence, Input, Rule, Subscore, Version, but, measured

MIN_ROWS = 48
HALF = 0.5
ENOUGH_LATENCIES, ENOUGH_SAMPLES = 10, 30


def _sum(column: Column) -> Formula:
    return column.measure(Aggregate.SUM)


_REQUESTED = _sum(c.SESSIONS)
_ANY_N = c.OUTPUT_FPS.measure(Aggregate.COUNT) + _sum(c.WARM_UP)
_SIGNALS = _sum(c.STATUS_SESSIONS) + _sum(c.FIRST_SEGMENT_SESSIONS) + _sum(c.FEW_SEGMENTS_SESSIONS)


def _share(name: str, part: Formula, doc: str, direction: Direction) -> Metric:
    return Metric(name, share_pct(part, _REQUESTED), _REQUESTED, "%", doc, "stream_trace, ai_stream_status", direction)


STARTUP_SUCCESS = _share(
    "startup_success_pct",
    _sum(c.FEW_SEGMENTS_SESSIONS),
    "Sessions of which enough processed segments came to play, of all that were requested.",
    Direction.HIGHER,
)
SWAPPED = _share(
    "swapped_pct", _sum(c.SWAPPED_SESSIONS), "Sessions that were swapped, of all requested.", Direction.LOWER
)
VIABILITY = _share(
    "output_viability_pct",
    _REQUESTED - _sum(c.UNVIABLE_SESSIONS),
    "Sessions requested, without those whose samples are all LOADING or all without frames.",
    Direction.HIGHER,
)
START_TO_PLAYABLE = Metric(
    "start_to_playable_ms",
    mean(
        c.START_TO_PLAYABLE.measure(Aggregate.SUM), c.START_TO_PLAYABLE.measure(Aggregate.COUNT), c.MICROSECONDS_PER_MS
    ),
    c.START_TO_PLAYABLE.measure(Aggregate.COUNT),
    "ms",
    "From the start that the session's first status states until enough processed segments came to play.",
    "stream_trace: gateway_receive_few_processed_segments − ai_stream_status.start_time",
    Direction.LOWER,
)
# Warm-up and DEGRADED_INPUT count: all samples. Those of warm-up are zeros, so the sum is the same.
OUTPUT_FPS = replace(
    catalogue.OUTPUT_FPS,
    formula=c.OUTPUT_FPS.measure(Aggregate.SUM) / (_ANY_N * c.BILLIONTHS),
    evidence=_ANY_N,
    column=None,
)
_HELD = "good: the network's p50; bad: its p{}. Less than 48 benchmark rows, or no value: a half"
LATENCIES = (START_TO_PLAYABLE, catalogue.E2E_LATENCY)
COMPARED = (*LATENCIES, OUTPUT_FPS)
CRITERIA = (
    Criterion(
        "reliability",
        0.7,
        (Rule(STARTUP_SUCCESS, 0.4, 100, 0), Rule(SWAPPED, 0.2, 0, 100), Rule(VIABILITY, 0.4, 100, 0)),
    ),
    Criterion(
        "quality",
        0.3,
        (
            Rule(START_TO_PLAYABLE, 0.36, thresholds=_HELD.format(90), enough=ENOUGH_LATENCIES),
            Rule(catalogue.E2E_LATENCY, 0.24, thresholds=_HELD.format(90), enough=ENOUGH_LATENCIES),
            Rule(OUTPUT_FPS, 0.4, thresholds=_HELD.format(10), enough=ENOUGH_SAMPLES),
        ),
    ),
)


def judge(evidence: Evidence) -> tuple[Subscore, ...]:
    """The subscores that the evidence makes."""
    reliability, quality = CRITERIA
    return (
        Subscore.of(reliability, (_share_of(rule, evidence) for rule in reliability.rules)),
        Subscore.of(quality, (_compared(rule, evidence) for rule in quality.rules)),
    )


def _share_of(rule: Rule, evidence: Evidence) -> Input:
    one = measured(rule, evidence.told(rule.metric))
    return but(one, score=judged(one.value, one.good, one.bad, one.direction))


def _compared(rule: Rule, evidence: Evidence) -> Input:
    """An input against the network: a half where it cannot be compared, and the nearer to it the less evidence."""
    one, benchmark = measured(rule, evidence.told(rule.metric)), evidence.benchmark
    rows = benchmark.rows(rule.metric)
    good = bad = None
    if rows >= MIN_ROWS:
        good = benchmark.percentile(rule.metric, 50)
        bad = benchmark.percentile(rule.metric, 90 if rule.metric in LATENCIES else 10)
    part = judged(one.value, good, bad, one.direction)
    certainty = min(one.samples / (rule.enough or 1), 1)
    score = HALF if part is None else HALF + certainty * (part - HALF)
    return but(one, good=good, bad=bad, score=score, benchmark_rows=rows)


def cover(evidence: Evidence) -> Coverage:
    """How many of the three signals of each requested session came."""
    signals, requested = (int(formula.value(evidence.sums) or 0) for formula in (_SIGNALS, _REQUESTED))
    return Coverage(signals, 3 * requested)


QUALITY_BENCHMARK_1 = Version(
    "quality-benchmark-1",
    "Startup, swaps and output of all requested sessions, and latencies and frame rate against the network's own of "
    "the 7 full UTC days before: a part is then 0.5 + min(n / N, 1) × (part − 0.5), with N = "
    f"{ENOUGH_LATENCIES} latencies or {ENOUGH_SAMPLES} samples. Times coverage: sessions with a status, with a first "
    "and with a few segments, over 3 × requested, 1 at most. Not drawn to a starting score.",
    CRITERIA,
    judge,
    also_reads=_SIGNALS.reads(),
    cover=cover,
    is_benchmarked=True,
)
