"""An SLA score worked out again from the JSON of its answer, and from nothing else, as a reader would by hand."""

import math
from typing import Any

INPUTS = "metric value samples good bad direction weight score enough benchmarkRows"
SUBSCORES = f"subscores {{ name value weight inputs {{ {INPUTS} }} }} missing"
SLA_SCORE = (
    f"value version evidence prior k window {{ start end }} {SUBSCORES} workflows {{ workflow value raw evidence "
    f"{SUBSCORES} coverage {{ factor signals expected }} "
    "targets { version isDefault outputFps promptToFirstFrameMs startupTimeS } }"
)


def check(answer: dict[str, Any]) -> None:
    """Everything in the answer follows from what stands beside it, and lies where it may."""
    parts = answer["workflows"]
    for part in parts:
        check_part(part, answer)
    total = sum(part["evidence"] for part in parts)
    assert answer["evidence"] == total
    if total == 0:
        assert answer["value"] is None
    else:
        near(answer["value"], sum(p["evidence"] * p["value"] for p in parts if p["evidence"]) / total)
        assert 0 <= answer["value"] <= 100
    assert answer["missing"] == [one["name"] for one in answer["subscores"] if one["value"] is None]
    for one in answer["subscores"]:
        same = [(p["evidence"], s["value"]) for p in parts for s in p["subscores"] if s["name"] == one["name"]]
        if total:
            near(one["value"], mean(same))


def check_part(part: dict[str, Any], answer: dict[str, Any]) -> None:
    """One workflow."""
    for subscore in part["subscores"]:
        judged = [(one["weight"], score(one, subscore, part["targets"])) for one in subscore["inputs"]]
        near(subscore["value"], mean([(weight, value) for weight, value in judged if weight is not None]))
    assert part["missing"] == [one["name"] for one in part["subscores"] if one["value"] is None]
    if part["evidence"] == 0:
        assert (part["value"], part["raw"]) == (None, None)
        return
    raw = 100 * mean([(one["weight"], one["value"]) for one in part["subscores"]])
    if part["coverage"]:
        raw *= min(1, part["coverage"]["signals"] / part["coverage"]["expected"])
        assert part["coverage"]["factor"] <= 1
    near(part["raw"], raw)
    n, k = part["evidence"], answer["k"]
    near(part["value"], raw if k is None else (n * raw + k * answer["prior"]) / (n + k))
    assert 0 <= part["value"] <= 100


def score(one: dict[str, Any], subscore: dict[str, Any], targets: dict[str, Any]) -> float | None:
    """What an input is worth."""
    known = {other["metric"]: other["value"] for other in subscore["inputs"]}
    if one["metric"] == "promptToFirstFrameMs":
        assert (one["good"], one["bad"]) == (targets["promptToFirstFrameMs"], 3 * targets["promptToFirstFrameMs"])
    if one["metric"] == "outputFps" and "inputFps" in known:
        given = math.inf if known["inputFps"] is None else known["inputFps"]
        assert (one["good"], one["bad"]) == (min(given, targets["outputFps"]), 0)
    if one["weight"] is None:
        assert one["score"] is None
        return None
    worth = judged(one["value"], one["good"], one["bad"], one["direction"])
    if one["enough"] is not None:
        assert (one["good"] is None) == (one["benchmarkRows"] < 48)
        worth = 0.5 if worth is None else 0.5 + min(one["samples"] / one["enough"], 1) * (worth - 0.5)
    near(one["score"], worth)
    return worth


def judged(value: float | None, good: float | None, bad: float | None, direction: str) -> float | None:
    """1 from good on, 0 from bad on, linear between."""
    if value is None or good is None or bad is None:
        return None
    if direction == "HIGHER":
        value, good, bad = -value, -good, -bad
    return 1 if value <= good else 0 if value >= bad else (bad - value) / (bad - good)


def mean(pairs: list[tuple[float, float | None]]) -> Any:
    """The weighted mean of what there is."""
    known = [(weight, value) for weight, value in pairs if value is not None]
    total = sum(weight for weight, _ in known)
    return sum(weight * value for weight, value in known) / total if total else None


def near(one: float | None, other: float | None) -> None:
    """Both null, or the same number."""
    assert (one is None) == (other is None), (one, other)
    assert one is None or other is None or math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9), (one, other)
