"""Whatever was counted, a score lies in 0 to 100, follows from its answer, and is null without attempted sessions."""

from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.scores import shown
from metrics import columns as c
from metrics.scoring.benchmark import Benchmark
from metrics.scoring.quality_benchmark_1 import COMPARED
from metrics.scoring.score import Evidence, Score, part_of
from metrics.scoring.versions import VERSIONS
from metrics.targets import WorkflowTargets
from metrics.window import Window
from tests.scoring.by_hand import check

WINDOW = Window.of_ms(0, 1)
BASE = {measure.name: 0 for measure in c.MEASURES}
counts = st.one_of(st.integers(0, 6), st.integers(0, 10**6))
# fps in billionths and latencies in thousandths of a millisecond, as large as any that is read.
rates = st.lists(st.one_of(st.integers(0, 100), st.integers(0, 10**13)), max_size=4)
latencies = st.lists(st.one_of(st.integers(1, 10**7), st.integers(1, 2**63 - 1)), max_size=12)
targets = st.builds(WorkflowTargets, output_fps=st.floats(1e-9, 1e9), prompt_to_first_frame_ms=st.floats(1e-9, 1e9))
means = st.lists(st.floats(0, 1e12), min_size=40, max_size=60)


@st.composite
def sums(draw: st.DrawFn) -> dict[str, Any]:
    """What one GPU may have: parts are never more than their whole."""
    found: dict[str, Any] = dict(BASE)
    for name in ("served", "startup_failed", "output_failed", "abandoned"):
        found[name] = draw(counts)
    found["sessions"] = sum(found[name] for name in ("served", "startup_failed", "output_failed", "abandoned"))
    for column in (c.STATUS_SESSIONS, c.FIRST_SEGMENT_SESSIONS, c.FEW_SEGMENTS_SESSIONS, c.SWAPPED_SESSIONS):
        found[column.name] = draw(st.integers(0, found["sessions"]))
    found[c.UNVIABLE_SESSIONS.name] = draw(st.integers(0, found[c.STATUS_SESSIONS.name]))
    found["stays"] = draw(counts)
    found["swaps"] = draw(st.integers(0, found["stays"]))
    for column in ("prompt_to_first_frame", "e2e_latency", "start_to_playable"):
        add(found, column, draw(latencies))
    for column in ("output_fps", "input_fps"):
        slow = draw(rates)
        add(found, column, slow + draw(rates))
        add(found, f"unscored_{column}", slow)
    found["warm_up"] = draw(counts)
    found["peak_flops"], found["achieved_flops"] = draw(counts), draw(st.integers(0, 2**200))
    return found


def add(found: dict[str, Any], column: str, values: list[int]) -> None:
    """The sums of these values."""
    found[f"{column}_n"], found[f"{column}_sum"] = len(values), sum(values)
    if f"{column}_sumsq" in found:
        found[f"{column}_sumsq"] = sum(value * value for value in values)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(workflows=st.lists(st.tuples(st.lists(sums(), min_size=1, max_size=3), targets), max_size=3), held=means)
def test_every_score_lies_within_0_and_100_and_follows_from_its_answer(workflows: Any, held: list[float]) -> None:
    benchmark = Benchmark({metric.name: sorted(held) for metric in COMPARED})
    for version in VERSIONS:
        parts = (
            part_of(version, str(number), Evidence(by_gpu, row, benchmark))
            for number, (by_gpu, row) in enumerate(workflows)
        )

        check(answered(Score(version, WINDOW, tuple(parts))))


def answered(score: Score) -> Any:
    """The score as GraphQL would answer it."""
    return plain(shown(score))


def plain(value: Any) -> Any:
    """An answered type as JSON spells it."""
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if is_dataclass(value):
        return {camel(one.name): plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Enum):
        return value.value
    return value


def camel(name: str) -> str:
    """A name as GraphQL spells it."""
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)
