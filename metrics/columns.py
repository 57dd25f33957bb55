"""The value columns of facts. A fact says a few of them and leaves the others null.

Fixed point: rates and frames per second in billionths, times in thousandths of a millisecond, money in wei.
"""

from enum import StrEnum

from metrics.measure import Aggregate, Column, Width, averaged, counter, observed

BILLIONTHS = 1_000_000_000
MICROSECONDS_PER_MS = 1_000
MICROSECONDS_PER_S = 1_000_000


class SwapReason(StrEnum):
    """Why a stream left an orchestrator."""

    TIMEOUT = "timeout"
    MODEL_ERROR = "model_error"
    RUNNER_DISCONNECT = "runner_disconnect"
    CAPACITY = "capacity"
    GATEWAY_RESET = "gateway_reset"
    ORCHESTRATOR_RESET = "orchestrator_reset"
    UNKNOWN = "unknown"


class JobKind(StrEnum):
    """What runs a job: a fixed pipeline, a language model, or the user's own container."""

    BATCH = "batch"
    LLM = "llm"
    BYOC = "byoc"


# Status samples.
SAMPLES = counter("samples")
DEGRADED = counter("degraded")
DEGRADED_INPUT = counter("degraded_input")
OUTPUT_FPS = observed("output_fps", BILLIONTHS)
INPUT_FPS = observed("input_fps", BILLIONTHS)
# What scores count otherwise. Said of few samples: whatever a score does count is output_fps less or more of these.
WARM_UP = counter("warm_up")  # zeros that output_fps leaves out
UNSCORED_OUTPUT_FPS = averaged("unscored_output_fps", BILLIONTHS, deviation=True)  # output_fps in DEGRADED_INPUT
UNSCORED_INPUT_FPS = averaged("unscored_input_fps", BILLIONTHS)  # input_fps in DEGRADED_INPUT
ACHIEVED_FLOPS = counter("achieved_flops", Width.INT256)
PEAK_FLOPS = counter("peak_flops", Width.INT256)
STATED_SAMPLES = counter("stated_samples")  # samples that state both
# Frames since the session's last sample × FLOPs per frame, where both figures are published: in 10⁻¹² FLOP.
SHOWN_FLOPS = counter("shown_flops", Width.INT256)
SHOWN_SAMPLES = counter("shown_samples")

# Sessions, in the bucket of their request.
SESSIONS = counter("sessions")
STREAMS = counter("streams")
SERVED = counter("served")
UNSERVED = counter("unserved")
STARTUP_FAILED = counter("startup_failed")
OUTPUT_FAILED = counter("output_failed")
ABANDONED = counter("abandoned")
OPEN = counter("open")
UNRESOLVED_SESSIONS = counter("unresolved_sessions")
AMBIGUOUS_GPU_SESSIONS = counter("ambiguous_gpu_sessions")
STATUS_SESSIONS = counter("status_sessions")
FIRST_SEGMENT_SESSIONS = counter("first_segment_sessions")
FEW_SEGMENTS_SESSIONS = counter("few_segments_sessions")
SWAPPED_SESSIONS = counter("swapped_sessions")
UNVIABLE_SESSIONS = counter("unviable_sessions")
STAYS = counter("stays")
SWAPS = counter("swaps")
SWAPS_BY_REASON = {reason: counter(f"swaps_{reason.value}") for reason in SwapReason}

# Latencies, in the bucket of the request.
PROMPT_TO_FIRST_FRAME = observed("prompt_to_first_frame", MICROSECONDS_PER_MS)
PROMPT_TO_PLAYABLE = observed("prompt_to_playable", MICROSECONDS_PER_MS)
START_TO_PLAYABLE = averaged("start_to_playable", MICROSECONDS_PER_MS)
E2E_LATENCY = observed("e2e_latency", MICROSECONDS_PER_MS)
STARTUP_TIME = observed("startup_time", MICROSECONDS_PER_S)
CLOCK_SKEW = counter("clock_skew")

# What happened along the way, each at its own time.
ERROR_EVENTS = counter("error_events")
RESTARTS = counter("restarts")
CONFLICTS = counter("conflicts")
INGEST_MBPS = observed("ingest_mbps", BILLIONTHS)
EGRESS_MBPS = observed("egress_mbps", BILLIONTHS)
PACKETS_LOST = counter("packets_lost")
PACKETS_RECEIVED = counter("packets_received")
PACKET_SAMPLES = counter("packet_samples")
BANDWIDTH_UP_MBPS = observed("bandwidth_up_mbps", BILLIONTHS)
BANDWIDTH_DOWN_MBPS = observed("bandwidth_down_mbps", BILLIONTHS)

# Demand.
INFERENCE_MS = Column("inference_ms", (Aggregate.SPAN,))
PAYMENTS = counter("payments")
TICKETS = counter("tickets")
FACE_VALUE_WEI = counter("face_value_wei", Width.INT256)
FEES_WEI = counter("fees_wei", Width.INT256)

# Jobs, in the bucket of their first event.
JOBS = counter("jobs")
JOBS_SUCCEEDED = counter("jobs_succeeded")
JOBS_FAILED = counter("jobs_failed")
JOBS_BY_KIND = {kind: counter(f"jobs_{kind.value}") for kind in JobKind}
JOB_TRIES = counter("job_tries")
JOB_TOKENS = counter("job_tokens")
JOB_DURATION = observed("job_duration", MICROSECONDS_PER_MS)
TIME_TO_FIRST_TOKEN = observed("time_to_first_token", MICROSECONDS_PER_MS)
TOKENS_PER_SECOND = observed("tokens_per_second", BILLIONTHS)

COLUMNS: tuple[Column, ...] = tuple(
    column
    for value in list(vars().values())
    for column in (value.values() if isinstance(value, dict) else (value,))
    if isinstance(column, Column)
)
BY_NAME = {column.name: column for column in COLUMNS}
MEASURES = tuple(measure for column in COLUMNS for measure in column.measures)
