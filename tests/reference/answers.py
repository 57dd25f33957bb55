"""From facts to numbers: sums, ratios, exact percentiles."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from tests.reference.facts import Fact
from tests.reference.sessions import ATTEMPTED

DISTRIBUTIONS = (
    "outputFps",
    "inputFps",
    "promptToFirstFrameMs",
    "promptToPlayableMs",
    "e2eLatencyMs",
    "startupTimeS",
    "ingestMbps",
    "egressMbps",
    "bandwidthUpMbps",
    "bandwidthDownMbps",
)
COUNTS = {
    "sessions": "session",
    "streams": "stream",
    "errorEvents": "error",
    "clockSkew": "clockSkew",
    "conflicts": "conflict",
    "unresolvedSessions": "unresolved",
    "ambiguousGpuSessions": "ambiguous",
}
OUTCOMES = {
    "served": "SERVED",
    "startupFailed": "STARTUP_FAILED",
    "outputFailed": "OUTPUT_FAILED",
    "abandoned": "ABANDONED",
    "unserved": "UNSERVED",
    "open": "OPEN",
}


def distribution(values: Sequence[Fraction]) -> dict[str, Any]:
    """`value` (mean), `p50`, `p95`, `p99`, `min`, `max`, `stddev` (population), `samples`."""
    n = len(values)
    if n == 0:
        return dict.fromkeys(("value", "p50", "p95", "p99", "min", "max", "stddev")) | {"samples": 0}
    ordered = sorted(values)
    mean = sum(values, Fraction(0)) / n
    # The nearest rank: the smallest whose cumulated count × 100 ≥ p × n.
    ranks = {f"p{p}": float(ordered[-(-p * n // 100) - 1]) for p in (50, 95, 99)}
    deviation = math.sqrt(variance(values, mean))
    edges = {"min": float(ordered[0]), "max": float(ordered[-1])}
    return {"value": float(mean), **ranks, **edges, "stddev": deviation, "samples": n}


def variance(values: Sequence[Fraction], mean: Fraction) -> Fraction:
    """Population variance, exactly: mean of the squares less the square of the mean."""
    return sum((v * v for v in values), Fraction(0)) / len(values) - mean * mean


def share(part: Any, whole: Any, samples: int | None = None) -> dict[str, Any]:
    """100 × part / whole; a rate over zero is null."""
    value = float(100 * Fraction(part) / Fraction(whole)) if whole else None
    return {"value": value, "samples": int(whole) if samples is None else samples}


def jitter(values: Sequence[Fraction]) -> dict[str, Any]:
    """Population σ / mean; fewer than 2 samples, or mean 0: null."""
    mean = sum(values, Fraction(0)) / len(values) if values else Fraction(0)
    known = len(values) >= 2 and mean > 0
    return {"value": math.sqrt(variance(values, mean) / mean**2) if known else None, "samples": len(values)}


def metrics(facts: Iterable[Fact]) -> dict[str, Any]:
    """The fields of `SlaMetrics` over the facts of one window and group."""
    by_kind: dict[str, list[Any]] = {}
    for fact in facts:
        by_kind.setdefault(fact.kind, []).append(fact.value)
    values = {name: by_kind.get(name, []) for name in DISTRIBUTIONS}
    return {
        **{name: distribution(values[name]) for name in DISTRIBUTIONS},
        **{name: len(by_kind.get(kind, [])) for name, kind in COUNTS.items()},
        "jitterCoefficient": jitter(values["outputFps"]),
        "restarts": int(sum(by_kind.get("restarts", []))),
        **rates(by_kind),
        "cudaUtilizationEfficiencyPct": efficiency(by_kind.get("flops", [])),
    }


def rates(by_kind: dict[str, list[Any]]) -> dict[str, Any]:
    """Shares with their denominators, outcomes and swap reasons."""
    sessions, states, stays = (by_kind.get(kind, []) for kind in ("session", "sample", "stay"))
    outcomes = Counter(sessions)
    attempted = sum(outcomes[name] for name in ATTEMPTED)
    degraded = sum(1 for state in states if state and state.startswith("DEGRADED_"))
    packets = by_kind.get("packets", [])
    lost, received = sum(p[0] for p in packets), sum(p[1] for p in packets)
    left = Counter(reason for reason in stays if reason)
    counts = {name: outcomes[outcome] for name, outcome in OUTCOMES.items()}
    return {
        "failureRatePct": share(outcomes["STARTUP_FAILED"] + outcomes["OUTPUT_FAILED"], attempted),
        "unservedRatePct": share(outcomes["UNSERVED"], len(sessions)),
        "swapRatePct": share(sum(left.values()), len(stays)),
        "degradedPct": share(degraded, len(states)),
        "degradedInputPct": share(states.count("DEGRADED_INPUT"), len(states)),
        "packetLossPct": share(lost, lost + received) | {"samples": len(packets)},
        "outcomes": {"requested": len(sessions), "attempted": attempted, **counts},
        "swapReasons": dict(sorted(left.items())),
    }


def jobs(facts: Iterable[Fact]) -> dict[str, Any]:
    """The fields of `JobMetrics` over the facts of one window and group."""
    by_kind: dict[str, list[Any]] = {}
    for fact in facts:
        by_kind.setdefault(fact.kind, []).append(fact.value)
    found = by_kind.get("job", [])
    succeeded, failed = (sum(1 for _, success in found if success is wanted) for wanted in (True, False))
    kinds = Counter(kind for kind, _ in found)
    return {
        "jobs": len(found),
        "succeeded": succeeded,
        "failed": failed,
        "successRatePct": share(succeeded, succeeded + failed),
        **{
            name: distribution(by_kind.get(name, []))
            for name in ("durationMs", "timeToFirstTokenMs", "tokensPerSecond")
        },
        "tries": int(sum(by_kind.get("jobTries", []))),
        "tokens": int(sum(by_kind.get("jobTokens", []))),
        "byKind": {kind: kinds[kind] for kind in ("BATCH", "LLM", "BYOC")},
    }


def efficiency(pairs: Sequence[tuple[Fraction, Fraction]]) -> dict[str, Any]:
    """Tier `MEASURED`: Σ achieved / Σ peak FLOPS of explicit samples, confidence `HIGH`; 100 at most."""
    achieved, peak = sum(p[0] for p in pairs), sum(p[1] for p in pairs)
    if not peak:
        return {"value": None, "samples": len(pairs), "tier": None, "confidence": None}
    value = float(min(Fraction(100), 100 * Fraction(achieved) / Fraction(peak)))
    return {"value": value, "samples": len(pairs), "tier": "MEASURED", "confidence": "HIGH"}


def demand(facts: Iterable[Fact], start: Fraction, end: Fraction) -> dict[str, Any]:
    """Streams, sessions, unserved, minutes clipped to the window, and exact money."""
    found = list(facts)
    outcomes = Counter(fact.value for fact in found if fact.kind == "session")
    payments = [fact.value for fact in found if fact.kind == "payment"]
    total, by_model = Fraction(0), Counter[str | None]()
    for fact in found:
        if fact.kind == "leg":
            minutes = max(Fraction(0), min(Fraction(fact.value), end) - max(Fraction(fact.at), start)) / 60_000
            total += minutes
            by_model[fact.dims["gpu_model"]] += minutes  # type: ignore[assignment]
    return {
        "streams": sum(1 for fact in found if fact.kind == "stream"),
        "sessions": sum(outcomes.values()),
        "unserved": outcomes["UNSERVED"],
        "inferenceMinutes": float(total),
        "inferenceMinutesByGpuModel": {model: float(minutes) for model, minutes in by_model.items() if minutes},
        "feesWei": sum(fee for fee, _, _ in payments),
        "faceValueWei": sum(face for _, face, _ in payments),
        "tickets": sum(tickets for _, _, tickets in payments),
        "payments": len(payments),
    }
