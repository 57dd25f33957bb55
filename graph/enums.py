"""Enums: those of the numbers under their public names, and those of the surface."""

from enum import Enum

import strawberry

from metrics.columns import JobKind, SwapReason
from metrics.efficiency import Confidence, Tier
from metrics.metric import Direction, Statistic
from metrics.window import Grain
from resolvers.measured import Comparison, Fill

# `strawberry.enum` marks the classes in place; annotations go on naming them as they are.
strawberry.enum(Grain, name="Interval", description="The width of a bucket. Weeks begin on Monday, all in UTC.")
strawberry.enum(
    Fill,
    description="Buckets without evidence: NONE leaves out those in which nothing happened at all; the others give "
    "every bucket of the window and put null, zero or the latest earlier value where there is no evidence.",
)
strawberry.enum(
    Comparison, description="What fills comparedTo: the window of the same length before, or the whole network."
)
strawberry.enum(Statistic, description="What can be told of a metric; VALUE is the mean of a distribution.")
strawberry.enum(Direction, description="Which way is better.")
strawberry.enum(
    Tier,
    name="EfficiencyTier",
    description="What an efficiency rests on. MEASURED: FLOPS that samples state. PROXY: frames shown, and published "
    "figures of the GPU model and the workflow.",
)
strawberry.enum(Confidence, description="How far a value can be trusted.")
strawberry.enum(SwapReason, description="Why a stream left an orchestrator.")
strawberry.enum(
    JobKind, description="What runs a job: a fixed pipeline, a language model, or the user's own container."
)


@strawberry.enum(description="Ascending or descending. Nulls come last either way; ties go by key, ascending.")
class OrderDirection(Enum):
    ASC = "ASC"
    DESC = "DESC"


@strawberry.enum(description="What orchestrators can be ordered by besides metrics.")
class OrchestratorOrderField(Enum):
    ADDRESS = "ADDRESS"
    STAKE_LPT = "STAKE_LPT"
    FIRST_SEEN_AT = "FIRST_SEEN_AT"
    LAST_SEEN_AT = "LAST_SEEN_AT"


@strawberry.enum(description="What GPUs can be ordered by besides metrics.")
class GpuOrderField(Enum):
    GPU_ID = "GPU_ID"
    MODEL = "MODEL"
    VRAM_BYTES = "VRAM_BYTES"
    FIRST_SEEN_AT = "FIRST_SEEN_AT"
    LAST_SEEN_AT = "LAST_SEEN_AT"


@strawberry.enum(description="What streams can be ordered by.")
class StreamOrderField(Enum):
    STARTED_AT = "STARTED_AT"


@strawberry.enum(
    description="How a session ended. SERVED: with output. UNSERVED: no orchestrator was available. STARTUP_FAILED: no "
    "processed segment came. OUTPUT_FAILED: segments came, output never did. ABANDONED: the user left. OPEN: not ended."
)
class SessionOutcome(Enum):
    SERVED = "SERVED"
    UNSERVED = "UNSERVED"
    STARTUP_FAILED = "STARTUP_FAILED"
    OUTPUT_FAILED = "OUTPUT_FAILED"
    ABANDONED = "ABANDONED"
    OPEN = "OPEN"


@strawberry.enum(
    description="How sure the GPU of a session is. EXACT: its URI offered one that fits. AMBIGUOUS: several fit. "
    "UNKNOWN: none does."
)
class GpuAttribution(Enum):
    EXACT = "EXACT"
    AMBIGUOUS = "AMBIGUOUS"
    UNKNOWN = "UNKNOWN"
