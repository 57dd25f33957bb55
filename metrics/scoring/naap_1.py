"""`naap-1`, the default. Samples in DEGRADED_INPUT are left out: a slow user is not the orchestrator's fault."""

from dataclasses import replace

from metrics import catalogue
from metrics import columns as c
from metrics.efficiency import EFFICIENCY
from metrics.formula import AtLeast, Formula, Number, Root
from metrics.measure import Aggregate, Column
from metrics.scoring.judge import judged
from metrics.scoring.score import Criterion, Evidence, Input, Rule, Subscore, Version, but, measured

PRIOR, K = 50, 5
LATENCY_LIMIT = 3  # × the target


def _scored(whole: Column, less: Column, aggregate: Aggregate) -> Formula:
    return whole.measure(aggregate) - less.measure(aggregate)


_N, _SUM, _SQ = (
    _scored(c.OUTPUT_FPS, c.UNSCORED_OUTPUT_FPS, a) for a in (Aggregate.COUNT, Aggregate.SUM, Aggregate.SUMSQ)
)
_INPUT_N, _INPUT_SUM = (_scored(c.INPUT_FPS, c.UNSCORED_INPUT_FPS, a) for a in (Aggregate.COUNT, Aggregate.SUM))
OUTPUT_FPS = replace(catalogue.OUTPUT_FPS, formula=_SUM / (_N * c.BILLIONTHS), evidence=_N, column=None)
INPUT_FPS = replace(catalogue.INPUT_FPS, formula=_INPUT_SUM / (_INPUT_N * c.BILLIONTHS), evidence=_INPUT_N, column=None)
JITTER = replace(catalogue.JITTER, formula=AtLeast(_N, 2, Root(_N * _SQ - _SUM * _SUM) / _SUM), evidence=_N)

CRITERIA = (
    Criterion(
        "latency",
        0.30,
        (
            Rule(
                catalogue.PROMPT_TO_FIRST_FRAME,
                0.5,
                thresholds=f"good: the workflow's target; bad: {LATENCY_LIMIT} × it",
            ),
            Rule(catalogue.E2E_LATENCY, 0.5, 3000, 9000),
        ),
    ),
    Criterion("reliability", 0.40, (Rule(catalogue.FAILURE_RATE, 0.7, 1, 20), Rule(catalogue.SWAP_RATE, 0.3, 5, 50))),
    Criterion("consistency", 0.15, (Rule(JITTER, 1, 0.1, 0.5),)),
    Criterion(
        "throughput",
        0.10,
        (
            Rule(OUTPUT_FPS, 1, thresholds="good: the workflow's target, or inputFps where that is less; bad: 0"),
            Rule(INPUT_FPS, None, thresholds="sets what is good for outputFps"),
        ),
    ),
    Criterion("efficiency", 0.05, (Rule(EFFICIENCY, 1, 80, 0),)),
)


def judge(evidence: Evidence) -> tuple[Subscore, ...]:
    """The subscores that the evidence makes."""
    told = {rule.metric.name: evidence.told(rule.metric) for one in CRITERIA for rule in one.rules}
    told[JITTER.name] = evidence.over_gpus(JITTER)
    first_frame_ms, fps = evidence.targets.prompt_to_first_frame_ms, evidence.targets.output_fps
    given = told[INPUT_FPS.name][0]
    thresholds = {
        catalogue.PROMPT_TO_FIRST_FRAME.name: (first_frame_ms, LATENCY_LIMIT * first_frame_ms),
        OUTPUT_FPS.name: (fps if given is None else min(fps, given), 0),
    }
    return tuple(
        Subscore.of(
            one,
            (
                _judged(
                    measured(rule, told[rule.metric.name]), *thresholds.get(rule.metric.name, (rule.good, rule.bad))
                )
                for rule in one.rules
            ),
        )
        for one in CRITERIA
    )


def _judged(one: Input, good: Number | None, bad: Number | None) -> Input:
    return but(one, good=good, bad=bad, score=judged(one.value, good, bad, one.direction))


NAAP_1 = Version(
    "naap-1",
    "Latency, reliability, consistency, throughput and efficiency against the workflow's targets, drawn towards "
    f"{PRIOR} by lack of evidence. Samples in DEGRADED_INPUT are left out.",
    CRITERIA,
    judge,
    PRIOR,
    K,
)
