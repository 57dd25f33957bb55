"""CUDA utilization efficiency: from samples that state their FLOPS, else from the frames that came out.

MEASURED: what samples say was achieved, over what they say is the peak. PROXY: frames × FLOPs per frame, over the peak
of the GPU for as long as a session ran there; both figures come of a versioned table (docs/decisions/0051).
"""

from collections.abc import Mapping
from enum import StrEnum

from metrics import columns as c
from metrics import supply
from metrics.formula import AtLeast, AtMost, FirstOf
from metrics.metric import Direction, Metric, Target, share_pct
from metrics.row import Sum

_STATED, _SHOWN = c.STATED_SAMPLES.measures[0], c.SHOWN_SAMPLES.measures[0]
_RUNNING = supply.PEAK.measures[0]
# Frames are kept in 10⁻¹² (billionths of a frame per second × ms), the time below the line in ms: 10⁹ is left.
SHOWN_SCALE = 10**9

EFFICIENCY = Metric(
    "cuda_utilization_efficiency_pct",
    FirstOf(
        AtMost(100, share_pct(c.ACHIEVED_FLOPS.measures[0], c.PEAK_FLOPS.measures[0])),
        AtLeast(_SHOWN, 1, AtMost(100, share_pct(c.SHOWN_FLOPS.measures[0], _RUNNING * SHOWN_SCALE))),
    ),
    FirstOf(AtLeast(_STATED, 1, _STATED), AtLeast(_RUNNING, 1, _SHOWN)),
    "%",
    "Share of the GPU's peak FLOPS that was put to use. Tier MEASURED where samples state it, with confidence HIGH; "
    "else PROXY, with LOW: what the frames shown took, over what the GPU can do in the time in which at least one "
    "session ran on it, both from a versioned table; what has no published figure takes no part.",
    "runner.metrics.sample: achieved_flops, peak_flops; ai_stream_status.inference_status.fps",
    Direction.HIGHER,
    Target(fixed=80),
    caveats="PROXY knows frames, not what else the GPU did, and is null by gateway, by synthetic and below an hour. "
    "One sample that states its FLOPS makes the whole answer MEASURED.",
)


class Tier(StrEnum):
    """What an efficiency rests on."""

    MEASURED = "MEASURED"
    PROXY = "PROXY"


class Confidence(StrEnum):
    """How far an efficiency can be trusted."""

    HIGH = "HIGH"
    LOW = "LOW"


CONFIDENCE = {Tier.MEASURED: Confidence.HIGH, Tier.PROXY: Confidence.LOW}


def tier_of(sums: Mapping[str, Sum]) -> Tier | None:
    """The tier that answers for these sums: the measured one wherever it has evidence."""
    if EFFICIENCY.value(sums) is None:
        return None
    return Tier.MEASURED if _STATED.value(sums) else Tier.PROXY
