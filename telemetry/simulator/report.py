"""The truth file: what a perfect observer knows of the whole simulated window, in the names of the public schema.

    {options, window: {start, end, firstEventAt, lastEventAt}, events, faults: {name: count},
     orchestratorCount, gpuCount, regions: {region: {gateways, uris}},
     network: GROUP + conflicts,
     orchestrators: {wallet in lower case: GROUP}, gpus: {GPU id: GROUP}, workflows: {name: GROUP},
     gateways: {sender in lower case, else name: GROUP}}

A GROUP holds `outcomes`; counts (`sessions`, `streams`, `stays`, `swaps` = stays left by a swap, `swapReasons`,
`errorEvents`, …); `inferenceMs` and `inferenceMinutes`; `feesWei` and `faceValueWei` as decimal strings; distributions
(`outputFps`, …) as {samples, value, min, max, stddev, sum, sumStored}, `sumStored` being the exact sum in stored units
(billionths, thousandths of a millisecond) as a decimal string; ratios (`failureRatePct`, …), null over nothing; `jobs`.

What cannot be placed (a refused session has no orchestrator, an ambiguous one no GPU) counts where it can be placed.
All of this describes the world, not the feed: `loss` and `skew` make a reader see something else, no other fault does.
"""

from collections.abc import Mapping

from telemetry.simulator.catalogue import SWAP_MESSAGES
from telemetry.simulator.tally import SCALES, Spread, Tally

OUTCOMES = ("served", "startupFailed", "outputFailed", "abandoned", "unserved", "open")
COUNTS = (
    "errorEvents",
    "restarts",
    "clockSkew",
    "ambiguousGpuSessions",
    "syntheticSessions",
    "statusSamples",
    "degradedSamples",
    "degradedInputSamples",
    "packetsLost",
    "packetsReceived",
    "payments",
    "tickets",
)
# Name in a tally → name under `jobs`.
JOB_SPREADS = {
    "jobDurationMs": "durationMs",
    "jobTimeToFirstTokenMs": "timeToFirstTokenMs",
    "jobTokensPerSecond": "tokensPerSecond",
}
JOB_KINDS = ("BATCH", "LLM", "BYOC")


def group(tally: Tally) -> dict[str, object]:
    """Everything about the network or one orchestrator, GPU, workflow or gateway."""
    counts = tally.counts
    outcomes = {name: counts.get(name, 0) for name in OUTCOMES}
    attempted = outcomes["served"] + outcomes["startupFailed"] + outcomes["outputFailed"]
    requested = counts.get("requested", 0)
    answer: dict[str, object] = {
        "outcomes": {"requested": requested, "attempted": attempted, **outcomes},
        "sessions": requested,
        "streams": counts.get("streams", 0),
        "stays": counts.get("stays", 0),
        "swaps": counts.get("swaps", 0),
        "swapReasons": {reason: counts.get(f"swapReason:{reason}", 0) for reason in SWAP_MESSAGES},
        "unresolvedSessions": 0,
    }
    answer |= {name: counts.get(name, 0) for name in COUNTS}
    answer |= {
        "inferenceMs": counts.get("inferenceMs", 0),
        "inferenceMinutes": counts.get("inferenceMs", 0) / 60_000,
        "feesWei": str(counts.get("feesWei", 0)),
        "faceValueWei": str(counts.get("faceValueWei", 0)),
    }
    for name, scale in SCALES.items():
        if name not in JOB_SPREADS:
            answer[name] = tally.spreads.get(name, Spread()).answer(scale)
    answer |= _ratios(tally, attempted, requested)
    answer["jobs"] = _jobs(tally)
    return answer


def groups(tallies: Mapping[str, Tally]) -> dict[str, object]:
    """Many groups by their key, in the order of the keys."""
    return {key: group(tallies[key]) for key in sorted(tallies)}


def _ratios(tally: Tally, attempted: int, requested: int) -> dict[str, object]:
    """Ratios of the sums above; null over nothing."""
    counts = tally.counts
    failed = counts.get("startupFailed", 0) + counts.get("outputFailed", 0)
    samples, lost = counts.get("statusSamples", 0), counts.get("packetsLost", 0)
    return {
        "jitterCoefficient": tally.spreads.get("outputFps", Spread()).variation(),
        "failureRatePct": _percent(failed, attempted),
        "unservedRatePct": _percent(counts.get("unserved", 0), requested),
        "swapRatePct": _percent(counts.get("swaps", 0), counts.get("stays", 0)),
        "degradedPct": _percent(counts.get("degradedSamples", 0), samples),
        "degradedInputPct": _percent(counts.get("degradedInputSamples", 0), samples),
        "packetLossPct": _percent(lost, lost + counts.get("packetsReceived", 0)),
    }


def _jobs(tally: Tally) -> dict[str, object]:
    counts = tally.counts
    return {
        "requested": counts.get("jobsRequested", 0),
        "completed": counts.get("jobsCompleted", 0),
        "succeeded": counts.get("jobsSucceeded", 0),
        "tries": counts.get("jobTries", 0),
        "tokens": counts.get("jobTokens", 0),
        "byKind": {kind: counts.get(f"jobKind:{kind}", 0) for kind in JOB_KINDS},
        **{shown: tally.spreads.get(name, Spread()).answer(SCALES[name]) for name, shown in JOB_SPREADS.items()},
    }


def _percent(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None
