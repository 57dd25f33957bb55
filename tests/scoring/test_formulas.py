"""The formulas, worked out by hand."""

import math

import pytest

from metrics import columns as c
from metrics.metric import Direction
from metrics.scoring.benchmark import Benchmark, window_before
from metrics.scoring.judge import down, judged, up, weighted
from metrics.scoring.naap_1 import NAAP_1
from metrics.scoring.quality_benchmark_1 import QUALITY_BENCHMARK_1
from metrics.scoring.score import Evidence, Part, Score, part_of
from metrics.scoring.versions import VERSIONS
from metrics.targets import WorkflowTargets
from metrics.window import Window

BASE = dict.fromkeys((measure.name for measure in c.MEASURES), 0)
TARGETS = WorkflowTargets(output_fps=20, prompt_to_first_frame_ms=2000)
WINDOW = Window.of_ms(10 * 86_400_000 + 5, 11 * 86_400_000)
FPS = c.BILLIONTHS


def sums(**said: int) -> dict[str, int]:
    """Sums of which these are not zero."""
    assert said.keys() <= BASE.keys(), said.keys() - BASE.keys()
    return {**BASE, **said}


def values(part: Part) -> dict[str, float | None]:
    """The subscores by name."""
    return {one.name: one.value for one in part.subscores}


@pytest.mark.parametrize(
    ("x", "share"), [(0, 1), (10, 1), (10.5, 0.95), (15, 0.5), (20, 0), (21, 0), (math.inf, 0), (-math.inf, 1)]
)
def test_down_is_1_up_to_good_and_0_from_bad_on(x: float, share: float) -> None:
    assert down(x, 10, 20) == share
    assert up(-x, -20, -10) == share


def test_where_bad_does_not_lie_beyond_good_there_is_a_step_at_good() -> None:
    assert [down(x, 10, 10) for x in (9.9, 10, 10.1)] == [1, 1, 0]
    assert [down(x, 10, 5) for x in (7, 10, 11)] == [1, 1, 0]
    assert [up(x, 10, 10) for x in (9.9, 10, 10.1)] == [0, 1, 1]


def test_without_a_value_or_thresholds_nothing_is_judged() -> None:
    assert judged(None, 1, 2, Direction.LOWER) is None
    assert judged(1, None, 2, Direction.LOWER) is None
    assert weighted([(1, None), (0, 5)]) is None
    assert weighted([(1, None), (2, 0.0), (2, 1.0)]) == 0.5


@pytest.mark.parametrize("version", VERSIONS, ids=lambda one: one.name)
def test_the_weights_of_a_version_add_up_to_1(version) -> None:
    assert math.isclose(math.fsum(one.weight for one in version.criteria), 1)
    for one in version.criteria:
        assert math.isclose(math.fsum(rule.weight or 0 for rule in one.rules), 1)


def test_naap_1_by_hand() -> None:
    one = sums(
        served=9, startup_failed=1, stays=11, swaps=2, prompt_to_first_frame_n=4, prompt_to_first_frame_sum=12_000_000,
        e2e_latency_n=1, e2e_latency_sum=6_000_000, output_fps_n=4, output_fps_sum=58 * FPS,
        output_fps_sumsq=1150 * FPS**2, unscored_output_fps_n=1, unscored_output_fps_sum=4 * FPS,
        unscored_output_fps_sumsq=16 * FPS**2, input_fps_n=2, input_fps_sum=60 * FPS, achieved_flops=40,
        peak_flops=100, stated_samples=3,
    )  # fmt: skip

    part = part_of(NAAP_1, "w", Evidence([one], TARGETS))

    # 3000 ms of 2000…6000 is 0.75; 6000 ms of 3000…9000 is 0.5. 10 % failed: 10/19; 18.18 % left: 0.70707.
    jitter = math.sqrt(3 * 1134 - 54**2) / 54
    assert values(part) == {
        "latency": 0.625,
        "reliability": pytest.approx(0.7 * 10 / 19 + 0.3 * (50 - 200 / 11) / 45),
        "consistency": pytest.approx(down(jitter, 0.1, 0.5)),
        "throughput": 0.9,
        "efficiency": 0.5,
    }
    raw = 100 * sum(one.weight * (one.value or 0) for one in part.subscores)
    assert part.raw == pytest.approx(raw)
    assert part.value == pytest.approx((10 * raw + 5 * 50) / 15)


def test_a_subscore_without_evidence_is_named_and_left_out() -> None:
    part = part_of(NAAP_1, None, Evidence([sums(served=5, stays=5)], TARGETS))

    assert part.missing == ["latency", "consistency", "throughput", "efficiency"]
    assert (part.raw, part.value) == (100, 75)


def test_of_two_inputs_the_one_with_evidence_is_the_subscore() -> None:
    one = sums(served=1, e2e_latency_n=1, e2e_latency_sum=6_000_000)

    assert values(part_of(NAAP_1, None, Evidence([one], TARGETS)))["latency"] == 0.5


def test_without_an_attempted_session_there_is_no_score() -> None:
    one = sums(sessions=3, abandoned=3, output_fps_n=1, output_fps_sum=FPS, status_sessions=3)

    for version in VERSIONS:
        part = part_of(version, None, Evidence([one], TARGETS))
        assert (part.value, part.raw, part.evidence) == (None, None, 0)


def test_jitter_is_the_mean_over_gpus_by_samples_and_not_that_of_all_samples() -> None:
    even = sums(served=1, output_fps_n=3, output_fps_sum=30 * FPS, output_fps_sumsq=300 * FPS**2)
    slow = sums(output_fps_n=1, output_fps_sum=5 * FPS, output_fps_sumsq=25 * FPS**2)
    rough = sums(output_fps_n=2, output_fps_sum=20 * FPS, output_fps_sumsq=(36 + 196) * FPS**2)

    part = part_of(NAAP_1, None, Evidence([even, slow, rough], TARGETS))

    (jitter,) = part.subscores[2].inputs
    assert (jitter.value, jitter.samples) == (pytest.approx(2 * 0.4 / 5), 5)


def test_efficiency_above_100_is_100() -> None:
    part = part_of(NAAP_1, None, Evidence([sums(served=1, achieved_flops=500, peak_flops=100)], TARGETS))

    assert part.subscores[4].inputs[0].value == 100


def test_who_sends_no_frames_gets_none_and_that_is_as_good_as_can_be() -> None:
    one = sums(served=1, output_fps_n=1, input_fps_n=1)

    assert values(part_of(NAAP_1, None, Evidence([one], TARGETS)))["throughput"] == 1


def benchmark(rows: int) -> Benchmark:
    """Means 1, 2, … of each metric."""
    means = [*range(1, rows + 1)]
    return Benchmark({"start_to_playable_ms": means, "e2e_latency_ms": means, "output_fps": means})


QUALITY = sums(
    sessions=10, served=6, startup_failed=2, status_sessions=9, first_segment_sessions=8, few_segments_sessions=7,
    swapped_sessions=2, unviable_sessions=1, start_to_playable_n=5, start_to_playable_sum=5 * 70_000,
    e2e_latency_n=20, e2e_latency_sum=20 * 95_000, output_fps_n=20, output_fps_sum=24 * 30 * FPS, warm_up=4,
)  # fmt: skip


def test_quality_benchmark_1_by_hand() -> None:
    part = part_of(QUALITY_BENCHMARK_1, "w", Evidence([QUALITY], TARGETS, benchmark(100)))

    # 70 of p50 = 50 … p90 = 90 is 0.5; 95 is 0; 30 fps of p10 = 10 … p50 = 50 is 0.5, all samples counted.
    quality = 0.6 * (0.6 * 0.5 + 0.4 * 0) + 0.4 * (0.5 + 24 / 30 * 0)
    reliability = 0.4 * 0.7 + 0.2 * 0.8 + 0.4 * 0.9
    assert part.coverage is not None
    assert part.coverage.factor == 24 / 30
    assert part.value == part.raw == pytest.approx(100 * 24 / 30 * (0.7 * reliability + 0.3 * quality))


def test_too_few_rows_or_no_value_is_a_half() -> None:
    for evidence in (
        Evidence([QUALITY], TARGETS, benchmark(47)),
        Evidence([sums(sessions=1, served=1)], TARGETS, benchmark(48)),
        Evidence([QUALITY], TARGETS),
    ):
        part = part_of(QUALITY_BENCHMARK_1, "w", evidence)
        assert values(part)["quality"] == 0.5
        assert all(one.score == 0.5 for one in part.subscores[1].inputs)


def test_little_evidence_lies_near_a_half() -> None:
    one = {**QUALITY, "start_to_playable_n": 1, "start_to_playable_sum": 1_000}

    inputs = part_of(QUALITY_BENCHMARK_1, "w", Evidence([one], TARGETS, benchmark(100))).subscores[1].inputs

    assert inputs[0].score == pytest.approx(0.5 + 0.1 * 0.5)


def test_a_network_that_is_all_alike_is_a_step() -> None:
    alike = Benchmark({name: [30] * 60 for name in ("start_to_playable_ms", "e2e_latency_ms", "output_fps")})
    one = {**QUALITY, "output_fps_sum": 24 * 30 * FPS, "output_fps_n": 26}

    scores = [i.score for i in part_of(QUALITY_BENCHMARK_1, "w", Evidence([one], TARGETS, alike)).subscores[1].inputs]

    # Slower than all; slower than all; 24 × 30 fps over 30 samples is 24.
    assert scores == [0.25, 0, 0]


def test_a_percentile_is_the_nearest_rank() -> None:
    from metrics.scoring.quality_benchmark_1 import START_TO_PLAYABLE

    held = Benchmark({START_TO_PLAYABLE.name: [10, 20, 30, 40]})

    assert [held.percentile(START_TO_PLAYABLE, p) for p in (10, 25, 26, 50, 90)] == [10, 10, 20, 20, 40]
    assert Benchmark().percentile(START_TO_PLAYABLE, 50) is None


def test_the_benchmark_is_of_the_7_full_days_before_the_one_in_which_the_window_starts() -> None:
    before = window_before(WINDOW)

    assert before == Window.of_ms(3 * 86_400_000, 10 * 86_400_000)
    assert window_before(Window.of_ms(6 * 86_400_000, 8 * 86_400_000)) is None


def test_several_workflows_are_weighted_by_attempted_sessions() -> None:
    parts = tuple(
        part_of(NAAP_1, name, Evidence([one], TARGETS))
        for name, one in (
            ("a", sums(served=15, stays=1)),
            ("b", sums(startup_failed=5, stays=1)),
            ("c", sums(unserved=9)),
        )
    )

    score = Score(NAAP_1, WINDOW, parts)

    assert [part.value for part in parts] == [87.5, pytest.approx(40), None]
    assert (score.value, score.evidence) == (pytest.approx((15 * 87.5 + 5 * 40) / 20), 20)
    reliability = next(one for one in score.subscores if one.name == "reliability")
    assert (reliability.value, reliability.inputs) == (pytest.approx((15 * 1 + 5 * 0.3) / 20), ())
    assert score.missing == ["latency", "consistency", "throughput", "efficiency"]


def test_of_nothing_there_is_no_score_and_everything_is_missing() -> None:
    for version in VERSIONS:
        score = Score(version, WINDOW, ())
        assert (score.value, score.evidence) == (None, 0)
        assert score.missing == [one.name for one in version.criteria]
