"""What scores are made of, and the scores, against the independent reference."""

from typing import Any

from hypothesis import given

from metrics import columns as c
from metrics.columns import BILLIONTHS, MICROSECONDS_PER_MS
from metrics.dimension import Dimension, synthetic
from metrics.fold import fold
from metrics.measure import Aggregate, Column
from metrics.question import Question
from metrics.window import Window, to_ms
from tests.laws.compare import loaded
from tests.laws.test_reference import SLOW, agree, oracle_of
from tests.reference.strategies import NOW, configs, feeds, wheres, windows

SIGNS = {
    "status": c.STATUS_SESSIONS,
    "first_processed": c.FIRST_SEGMENT_SESSIONS,
    "few_processed": c.FEW_SEGMENTS_SESSIONS,
    "swapped": c.SWAPPED_SESSIONS,
    "unviable": c.UNVIABLE_SESSIONS,
}


@SLOW
@given(feed=feeds(), config=configs(), window=windows(), where=wheres())
def test_what_scores_read_is_what_the_reference_counts(feed: Any, config: Any, window: Any, where: Any) -> None:
    store, oracle = loaded(feed, NOW, config), oracle_of(feed, config)
    start, end = window
    facts = [fact for facts in store.facts.values() for fact in facts]
    held = {Dimension(k): [synthetic(v) if isinstance(v, bool) else v] for k, v in where.items()}

    rows = fold(facts, Question.of(READ, Window.of_ms(to_ms(start), to_ms(end)), where=held))

    agree(evidence(rows[0].sums if rows else {}), oracle.evidence(start, end, **where), "evidence")


def mean(sums: Any, whole: Column, less: Column | None, scale: int) -> tuple[float | None, int]:
    """A mean without what is left out, and of how many."""
    total, number = (
        sums.get(whole.measure(a).name, 0) - (sums.get(less.measure(a).name, 0) if less else 0)
        for a in (Aggregate.SUM, Aggregate.COUNT)
    )
    return (total / number / scale if number else None), number


def evidence(sums: Any) -> dict[str, Any]:
    """The sums as the reference spells them."""
    told: dict[str, Any] = {name: sums.get(column.name, 0) for name, column in SIGNS.items()}
    for name, whole, less, scale in (
        ("scoredOutputFps", c.OUTPUT_FPS, c.UNSCORED_OUTPUT_FPS, BILLIONTHS),
        ("scoredInputFps", c.INPUT_FPS, c.UNSCORED_INPUT_FPS, BILLIONTHS),
        ("startToPlayableMs", c.START_TO_PLAYABLE, None, MICROSECONDS_PER_MS),
    ):
        told[name], told[f"{name} samples"] = mean(sums, whole, less, scale)
    any_n = sums.get("output_fps_n", 0) + sums.get(c.WARM_UP.name, 0)
    told["anyFps samples"] = any_n
    told["anyFps"] = sums["output_fps_sum"] / any_n / BILLIONTHS if any_n else None
    n, total, squares = (
        sums.get(f"output_fps_{a}", 0) - sums.get(f"unscored_output_fps_{a}", 0) for a in ("n", "sum", "sumsq")
    )
    told["jitter"] = (n * squares - total * total) ** 0.5 / total if n >= 2 and total else None
    return told


READ = {
    measure
    for column in (*SIGNS.values(), c.OUTPUT_FPS, c.INPUT_FPS, c.UNSCORED_OUTPUT_FPS, c.UNSCORED_INPUT_FPS)
    for measure in column.measures
} | {measure for column in (c.WARM_UP, c.START_TO_PLAYABLE) for measure in column.measures}
