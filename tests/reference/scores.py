"""The SLA score, worked out slowly from facts: "per orchestrator or GPU, workflow and window"."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from tests.reference import supply
from tests.reference.answers import jitter
from tests.reference.facts import Fact
from tests.reference.sessions import ATTEMPTED
from tests.reference.values import millis

HOUR, DAY = 3_600_000, 86_400_000
Targets = Mapping[str | None, Mapping[str, Any]]  # workflow → {"output_fps", "prompt_to_first_frame_ms"}
DEFAULT = {"output_fps": 15, "prompt_to_first_frame_ms": 3000}


def kinds(facts: Iterable[Fact]) -> dict[str, list[Any]]:
    """Values by kind of fact."""
    found: dict[str, list[Any]] = defaultdict(list)
    for fact in facts:
        found[fact.kind].append(fact.value)
    return found


def evidence(facts: Iterable[Fact]) -> dict[str, Any]:
    """The counts and means that the versions read."""
    values = kinds(facts)
    shown = [sign for signs in values["shown"] for sign in signs]
    means = ("scoredOutputFps", "scoredInputFps", "anyFps", "startToPlayableMs")
    return {
        **{name: mean(values[name]) for name in means},
        **{f"{name} samples": len(values[name]) for name in means},
        **{sign: shown.count(sign) for sign in ("status", "first_processed", "few_processed", "swapped", "unviable")},
        "jitter": jitter(values["scoredOutputFps"])["value"],
    }


def score(oracle: Any, version: str, start: Any, end: Any, targets: Targets, **where: Any) -> dict[str, Any]:
    """The published score: of each workflow, and their mean weighted by attempted sessions."""
    by_workflow: dict[str | None, list[Fact]] = defaultdict(list)
    for fact in oracle.chosen(start, end, where):
        by_workflow[fact.dims["workflow"]].append(fact)
    parts = {}
    for workflow, facts in by_workflow.items():
        n = sum(1 for outcome in kinds(facts)["session"] if outcome in ATTEMPTED)
        target = {**DEFAULT, **targets.get(workflow, {})}
        if n and version == "naap-1":
            # `published = (n·score + k·prior) / (n + k)`, prior = 50, k = 5.
            shown = shown_efficiency(oracle, start, end, workflow, where)
            parts[workflow] = (n, (n * naap_1(facts, target, shown) + 5 * 50) / (n + 5))
        elif n:
            parts[workflow] = (n, quality_benchmark_1(facts, history(oracle, start, workflow)))
    total = sum(n for n, _ in parts.values())
    value = sum(n * one for n, one in parts.values()) / total if total else None
    return {"value": value, "evidence": total, "parts": {workflow: one for workflow, (_, one) in parts.items()}}


def shown_efficiency(oracle: Any, start: Any, end: Any, workflow: str | None, where: dict[str, Any]) -> float | None:
    """Tier `PROXY`; a workflow that nobody knows has no published figure."""
    if workflow is None:
        return None
    scope = {**where, "workflow": workflow}
    told = supply.efficiency(oracle.neighbours, oracle.config, oracle.flops, millis(start), millis(end), scope)
    return told["value"]  # type: ignore[no-any-return]


def naap_1(facts: list[Fact], target: Mapping[str, Any], shown: float | None) -> float:
    """`100 × Σ wᵢ·sᵢ / Σ wᵢ` over the subscores that have evidence; `shown` where no sample states its FLOPS."""
    values = kinds(facts)
    ended = [outcome for outcome in values["session"] if outcome in ATTEMPTED]
    failed = [outcome for outcome in ended if outcome != "SERVED"]
    left = [stay for stay in values["stay"] if stay]
    fps, given = mean(values["scoredOutputFps"]), mean(values["scoredInputFps"])
    first_frame, sum_of = target["prompt_to_first_frame_ms"], weighted
    most = target["output_fps"] if given is None else min(target["output_fps"], given)
    subscores = [
        (
            0.30,
            sum_of(
                (0.5, down(mean(values["promptToFirstFrameMs"]), first_frame, 3 * first_frame)),
                (0.5, down(mean(values["e2eLatencyMs"]), 3000, 9000)),
            ),
        ),
        (
            0.40,
            sum_of(
                (0.7, down(share(len(failed), len(ended)), 1, 20)),
                (0.3, down(share(len(left), len(values["stay"])), 5, 50)),
            ),
        ),
        (0.15, down(jitter_over_gpus(facts), 0.1, 0.5)),
        (0.10, up(fps, 0, most)),
        (0.05, up(efficiency(values["flops"]) if values["flops"] else shown, 0, 80)),
    ]
    found = weighted(*subscores)
    assert found is not None
    return 100 * found


def jitter_over_gpus(facts: list[Fact]) -> float | None:
    """The samples-weighted mean over the GPUs (unknown GPU: one group)."""
    by_gpu: dict[Any, list[Fraction]] = defaultdict(list)
    for fact in facts:
        if fact.kind == "scoredOutputFps":
            by_gpu[fact.dims["gpu"]].append(fact.value)
    return weighted(*((len(values), jitter(values)["value"]) for values in by_gpu.values()))


def efficiency(pairs: list[tuple[Fraction, Fraction]]) -> float | None:
    """Σ achieved / Σ peak FLOPS of explicit samples."""
    peak = sum(pair[1] for pair in pairs)
    return float(min(Fraction(100), 100 * sum((p[0] for p in pairs), Fraction(0)) / peak)) if peak else None


def history(oracle: Any, start: Any, workflow: str | None) -> list[list[Fact]]:
    """The network's rows (orchestrator, GPU, hour) of a workflow over the 7 full UTC days before the one in which the
    window starts; rows of nobody known are none. (0020)"""
    midnight = int(millis(start)) // DAY * DAY
    rows: dict[Any, list[Fact]] = defaultdict(list)
    for fact in oracle.chosen(midnight - 7 * DAY, midnight, {}):
        if fact.dims["workflow"] == workflow and fact.dims["orchestrator"] is not None:
            rows[fact.dims["orchestrator"], fact.dims["gpu"], fact.at // HOUR].append(fact)
    return list(rows.values())


def quality_benchmark_1(facts: list[Fact], rows: list[list[Fact]]) -> float:
    """The formula that the network's analytics uses today."""
    values = kinds(facts)
    said = evidence(facts)
    requested = len(values["session"])
    startup = said["few_processed"] / requested
    swap = said["swapped"] / requested
    viability = 1 - said["unviable"] / requested
    coverage = min(1, (said["status"] + said["first_processed"] + said["few_processed"]) / (3 * requested))
    ptff, e2e = (quality(name, values, rows, 50, 90, 10) for name in ("startToPlayableMs", "e2eLatencyMs"))
    fps = quality("anyFps", values, rows, 50, 10, 30)
    parts = 0.7 * (0.4 * startup + 0.2 * (1 - swap) + 0.4 * viability)
    parts += 0.3 * (0.6 * (0.6 * ptff + 0.4 * e2e) + 0.4 * fps)
    return 100 * coverage * parts


def quality(kind: str, values: dict[str, list[Any]], rows: list[list[Fact]], good: int, bad: int, enough: int) -> float:
    """Latencies 1 at ≤ p50, 0 at ≥ p90; fps 1 at ≥ p50, 0 at ≤ p10; linear between (p90 ≤ p50: a step); 0.5 where the
    value is null or there are fewer than 48 rows; then 0.5 + min(n/N, 1)·(part − 0.5)."""
    means = sorted(found for row in rows if (found := mean(kinds(row)[kind])) is not None)
    value, part = mean(values[kind]), 0.5
    if value is not None and len(means) >= 48:
        edges = (rank(means, good), rank(means, bad))
        judged = (up(value, edges[1], edges[0]) if kind == "anyFps" else down(value, *edges)) or 0.0
        part = judged
    return 0.5 + min(len(values[kind]) / enough, 1) * (part - 0.5)


def rank(ordered: list[float], p: int) -> float:
    """The nearest rank: the smallest whose cumulated count × 100 ≥ p × n."""
    return next(one for number, one in enumerate(ordered, 1) if number * 100 >= p * len(ordered))


def down(x: float | None, good: float, bad: float) -> float | None:
    """1 up to good, 0 from bad on, linear between."""
    if x is None:
        return None
    return 1.0 if x <= good else 0.0 if x >= bad else (bad - x) / (bad - good)


def up(x: float | None, bad: float, good: float) -> float | None:
    """`up` mirrors it."""
    return None if x is None else down(-x, -good, -bad)


def mean(values: list[Any]) -> float | None:
    """Null without evidence."""
    return float(sum(values, Fraction(0)) / len(values)) if values else None


def share(part: int, whole: int) -> float | None:
    """In percent; a share of nothing is null."""
    return 100 * part / whole if whole else None


def weighted(*pairs: tuple[float, float | None]) -> float | None:
    """The weighted mean of what there is."""
    known = [(weight, value) for weight, value in pairs if value is not None]
    total = sum(weight for weight, _ in known)
    return sum(weight * value for weight, value in known) / total if total else None
