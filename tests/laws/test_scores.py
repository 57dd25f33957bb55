"""What scores are made of, and the scores, against the independent reference."""

import asyncio
import json
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given

from backends.memory import MemoryStore
from graph.scalars import write_datetime
from graph.schema import build_schema
from metrics import columns as c
from metrics.columns import BILLIONTHS, MICROSECONDS_PER_MS
from metrics.dimension import Dimension, synthetic
from metrics.fold import fold
from metrics.measure import Aggregate, Column
from metrics.question import Question
from metrics.scoring.versions import VERSIONS
from metrics.targets import PACKAGED, Targets
from metrics.window import Window, from_ms, to_ms
from resolvers.context import Context
from telemetry.simulator.network import Simulation
from telemetry.simulator.options import Options, parse_faults
from telemetry.swaps import swap_reason
from tests.laws.compare import loaded
from tests.laws.test_reference import SLOW, agree, oracle_of
from tests.reference.oracle import Oracle
from tests.reference.strategies import NOW, configs, feeds, wheres, windows
from tests.scoring.by_hand import SLA_SCORE, check

SCHEMA = build_schema()
# The reference reads everything again for each.
GPUS_COMPARED = 2
SCORES = " ".join(
    f'v{n}: slaScore(window: $window, version: "{one.name}") {{ {SLA_SCORE} }}' for n, one in enumerate(VERSIONS)
)
EVERY_SCORE = f"""query($window: WindowInput) {{
  orchestrators(first: 500) {{ nodes {{ address {SCORES} gpus(first: 500) {{ nodes {{ gpuId {SCORES} }} }} }} }}
  gpus(first: 500) {{ nodes {{ gpuId {SCORES} }} }}
  workflows(first: 500) {{ nodes {{ name {SCORES} }} }}
  leaderboard(window: $window, first: 500) {{ rank orchestrator {{ address }} score {{ {SLA_SCORE} }} }} }}"""
OWN = {
    "version": "test",
    "workflows": {"model-x": {"output_fps": 22, "prompt_to_first_frame_ms": 1500}},
}
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


@SLOW
@given(feed=feeds(), config=configs(), window=windows())
def test_every_score_is_what_the_reference_says_and_follows_from_its_answer(
    feed: Any, config: Any, window: Any
) -> None:
    same_scores(loaded(feed, NOW, config), oracle_of(feed, config), *window, OWN)


def test_scores_of_a_simulated_network_are_compared_with_its_week_before() -> None:
    options = Options(orchestrators=4, hours=24 * 8, seed=3, rate=0.4, faults=parse_faults("duplicate,late,skew,loss"))
    feed = [("default", line) for line in Simulation(options).events()]
    now = options.end + timedelta(days=1)
    oracle = Oracle(feed, now=now, reason=lambda text: swap_reason(text or "").value)

    answers = same_scores(loaded(feed, now), oracle, options.end - timedelta(days=1), options.end, None)

    compared = [
        one
        for answer in answers
        for part in answer["workflows"]
        for subscore in part["subscores"]
        for one in subscore["inputs"]
        if (one["benchmarkRows"] or 0) >= 48 and one["samples"]
    ]
    assert len(compared) > 12
    assert {one["metric"] for one in compared} == {"startToPlayableMs", "e2eLatencyMs", "outputFps"}
    assert len({one["score"] for one in compared}) > 6


def same_scores(store: MemoryStore, oracle: Oracle, start: datetime, end: datetime, own: Any) -> list[dict[str, Any]]:
    """Every score that the graph answers is that of the reference, and can be worked out again from itself."""
    targets = Targets.of_config(own) if own else Targets.load(None)
    rows = (own or json.loads(PACKAGED.read_bytes()))["workflows"]
    found: list[dict[str, Any]] = []

    def compare(thing: Any, **where: Any) -> None:
        for n, version in enumerate(VERSIONS):
            answer = thing[f"v{n}"]
            check(answer)
            theirs = oracle.score(version.name, start, end, rows, **where)
            agree(answer, {name: theirs[name] for name in ("value", "evidence")}, f"{version.name} {where}")
            parts = {part["workflow"]: part["value"] for part in answer["workflows"] if part["evidence"]}
            assert parts.keys() == theirs["parts"].keys()
            agree(parts, theirs["parts"], f"{version.name} {where}")
            found.append(answer)

    data = asyncio.run(answered(store, start, end, targets))
    for one in data["orchestrators"]["nodes"]:
        compare(one, orchestrator=one["address"])
        for gpu in one["gpus"]["nodes"][:GPUS_COMPARED]:
            compare(gpu, orchestrator=one["address"], gpu=gpu["gpuId"])
    for one in data["gpus"]["nodes"][:GPUS_COMPARED]:
        compare(one, gpu=one["gpuId"])
    for one in data["workflows"]["nodes"]:
        compare(one, workflow=one["name"])
    own_scores = {one["address"]: one["v0"]["value"] for one in data["orchestrators"]["nodes"]}
    best = [(entry["orchestrator"]["address"], entry["score"]["value"]) for entry in data["leaderboard"]]
    assert dict(best) == {address: value for address, value in own_scores.items() if value is not None}
    assert [value for _, value in best] == sorted((value for _, value in best), reverse=True)
    return found


async def answered(store: MemoryStore, start: datetime, end: datetime, targets: Targets) -> Any:
    """What the graph answers."""
    context = Context(store, from_ms(to_ms(end)), lambda body: None, "test", targets=targets)  # type: ignore[arg-type, return-value]
    window = {"start": write_datetime(start), "end": write_datetime(end)}
    result = await SCHEMA.execute(EVERY_SCORE, variable_values={"window": window}, context_value=context)
    assert result.errors is None
    return result.data
