"""Every metric, declared once: GraphQL fields, REST keys, columns read, cost and `docs/metrics.md` derive from here."""

from metrics import columns as c
from metrics.efficiency import EFFICIENCY
from metrics.formula import AtLeast, Root
from metrics.measure import Aggregate, Column, Measure
from metrics.metric import Direction, Metric, Target, count, distribution, share_pct
from metrics.supply import BUSY_MS, GPU_MS

LOWER, HIGHER = Direction.LOWER, Direction.HIGHER


def _sum(column: Column) -> Measure:
    return column.measure(Aggregate.SUM)


ATTEMPTED = _sum(c.SERVED) + _sum(c.STARTUP_FAILED) + _sum(c.OUTPUT_FAILED)
_FPS_N, _FPS_SUM, _FPS_SQ = (
    c.OUTPUT_FPS.measure(a) for a in (Aggregate.COUNT, Aggregate.SUM, Aggregate.SUMSQ)
)  # fmt: skip

OUTPUT_FPS = distribution(
    "output_fps",
    c.OUTPUT_FPS,
    "fps",
    "Frames per second that came out. Zeros before the first frame of a session with an orchestrator are warm-up and "
    "left out; zeros after it are stalls and count.",
    "ai_stream_status.inference_status.fps",
    HIGHER,
    Target(of_workflow="output_fps"),
)
INPUT_FPS = distribution(
    "input_fps",
    c.INPUT_FPS,
    "fps",
    "Frames per second that went in, as the user sent them, over the samples of outputFps.",
    "ai_stream_status.input_status.fps",
)
JITTER = Metric(
    "jitter_coefficient",
    AtLeast(_FPS_N, 2, Root(_FPS_N * _FPS_SQ - _FPS_SUM * _FPS_SUM) / _FPS_SUM),
    _FPS_N,
    "ratio",
    "Population standard deviation of outputFps over its mean: 0 is perfectly even. Null below 2 samples or where the "
    "mean is 0.",
    "ai_stream_status.inference_status.fps",
    LOWER,
    Target(fixed=0.1),
)
PROMPT_TO_FIRST_FRAME = distribution(
    "prompt_to_first_frame_ms",
    c.PROMPT_TO_FIRST_FRAME,
    "ms",
    "From the stream request at the gateway to the first processed segment there. Counts in the request's bucket; "
    "after a swap for no orchestrator.",
    "stream_trace: gateway_receive_first_processed_segment − gateway_receive_stream_request",
    LOWER,
    Target(of_workflow="prompt_to_first_frame_ms"),
)
PROMPT_TO_PLAYABLE = distribution(
    "prompt_to_playable_ms",
    c.PROMPT_TO_PLAYABLE,
    "ms",
    "From the stream request at the gateway until enough processed segments came to play.",
    "stream_trace: gateway_receive_few_processed_segments − gateway_receive_stream_request",
    LOWER,
)
E2E_LATENCY = distribution(
    "e2e_latency_ms",
    c.E2E_LATENCY,
    "ms",
    "From the first input segment that the gateway sent to the first processed one that the runner of the same URI "
    "sent. Where their clocks disagree it is null and counts as clockSkew.",
    "stream_trace: runner_send_first_processed_segment − gateway_send_first_ingest_segment; v1 e2e_latency_ms",
    LOWER,
    Target(fixed=3000),
)
STARTUP_TIME = distribution(
    "startup_time_s",
    c.STARTUP_TIME,
    "s",
    "Prompt to first frame of cold sessions: nothing ran on that URI and workflow in the 15 minutes before, or the "
    "runner restarted.",
    "stream_trace, ai_stream_status.last_restart_time",
    LOWER,
    Target(of_workflow="startup_time_s"),
)
FAILURE_RATE = Metric(
    "failure_rate_pct",
    share_pct(_sum(c.STARTUP_FAILED) + _sum(c.OUTPUT_FAILED), ATTEMPTED),
    ATTEMPTED,
    "%",
    "Attempted sessions that never produced output. Refused and abandoned sessions are not attempts.",
    "session outcomes",
    LOWER,
    Target(fixed=1, strict=True),
)
UNSERVED_RATE = Metric(
    "unserved_rate_pct",
    share_pct(_sum(c.UNSERVED), _sum(c.SESSIONS)),
    _sum(c.SESSIONS),
    "%",
    "Requested sessions for which no orchestrator was available.",
    "session outcomes",
    LOWER,
)
SWAP_RATE = Metric(
    "swap_rate_pct",
    share_pct(_sum(c.SWAPS), _sum(c.STAYS)),
    _sum(c.STAYS),
    "%",
    "Stays that ended because the stream was moved away; a stay is one attempted session with one orchestrator.",
    "stream_trace: orchestrator_swap",
    LOWER,
    Target(fixed=5, strict=True),
)
DEGRADED = Metric(
    "degraded_pct",
    share_pct(_sum(c.DEGRADED), _sum(c.SAMPLES)),
    _sum(c.SAMPLES),
    "%",
    "Status samples in any DEGRADED state, warm-up included.",
    "ai_stream_status.state",
    LOWER,
)
DEGRADED_INPUT = Metric(
    "degraded_input_pct",
    share_pct(_sum(c.DEGRADED_INPUT), _sum(c.SAMPLES)),
    _sum(c.SAMPLES),
    "%",
    "Status samples in DEGRADED_INPUT: the user's part of degradedPct.",
    "ai_stream_status.state",
    LOWER,
)
INGEST = distribution(
    "ingest_mbps", c.INGEST_MBPS, "Mbps", "What the gateway got from the user.", "stream_ingest_metrics: BytesReceived"
)  # fmt: skip
EGRESS = distribution(
    "egress_mbps", c.EGRESS_MBPS, "Mbps", "What the gateway sent to the user.", "stream_ingest_metrics: BytesSent"
)  # fmt: skip
PACKET_LOSS = Metric(
    "packet_loss_pct",
    share_pct(_sum(c.PACKETS_LOST), _sum(c.PACKETS_LOST) + _sum(c.PACKETS_RECEIVED)),
    _sum(c.PACKET_SAMPLES),
    "%",
    "Packets that the user's connection lost, over all tracks. A sample is the step of one track from event to event.",
    "stream_ingest_metrics: track_stats",
    LOWER,
)
BANDWIDTH_UP = distribution(
    "bandwidth_up_mbps", c.BANDWIDTH_UP_MBPS, "Mbps", "What the runner sent.", "runner.metrics.sample: tx_bytes"
)  # fmt: skip
BANDWIDTH_DOWN = distribution(
    "bandwidth_down_mbps", c.BANDWIDTH_DOWN_MBPS, "Mbps", "What the runner received.", "runner.metrics.sample: rx_bytes"
)  # fmt: skip
CUDA_UTILIZATION_EFFICIENCY = EFFICIENCY

COUNTS = (
    count("sessions", c.SESSIONS, "Sessions requested.", "stream_trace"),
    count("streams", c.STREAMS, "Streams requested, each counted once, with its first session.", "stream_trace"),
    count("error_events", c.ERROR_EVENTS, "Error events, at their own time.", "ai_stream_events", LOWER),
    count("restarts", c.RESTARTS, "Rises of the runner's restart counter.", "ai_stream_status.restart_count", LOWER),
    count("clock_skew", c.CLOCK_SKEW, "Latencies that clocks out of step made unusable.", "stream_trace", LOWER),
    count("conflicts", c.CONFLICTS, "Further contents under one event id; kept, not counted.", "any event", LOWER),
    count("unresolved_sessions", c.UNRESOLVED_SESSIONS, "Sessions at a place of unknown wallet.", "identity", LOWER),
    count("ambiguous_gpu_sessions", c.AMBIGUOUS_GPU_SESSIONS, "Sessions that several GPUs may have run.", "identity"),
)  # fmt: skip

METRICS: tuple[Metric, ...] = (
    *dict.fromkeys(value for value in list(vars().values()) if isinstance(value, Metric)),
    *COUNTS,
)

_JOBS_ENDED = _sum(c.JOBS_SUCCEEDED) + _sum(c.JOBS_FAILED)
_COMPLETIONS = "ai_batch_request_completed, job_gateway_completed"
_RECORDS = "llm_request_completed, llm_stream_completed"

# What JobMetrics tells: batch requests, language models and bring-your-own-container. Sessions are none of them.
JOB_METRICS: tuple[Metric, ...] = (
    count("jobs", c.JOBS, "Jobs, one per request id, in the bucket of their first event.", "ai_batch_request, …"),
    count("succeeded", c.JOBS_SUCCEEDED, "Jobs whose completion states success.", _COMPLETIONS, HIGHER),
    count("failed", c.JOBS_FAILED, "Jobs whose completion states failure.", _COMPLETIONS, LOWER),
    Metric(
        "success_rate_pct",
        share_pct(_sum(c.JOBS_SUCCEEDED), _JOBS_ENDED),
        _JOBS_ENDED,
        "%",
        "Jobs that succeeded, of those whose completion states how it went. A job counts for the orchestrator of the "
        "attempt that succeeded, else of the last one.",
        _COMPLETIONS,
        HIGHER,
    ),
    distribution(
        "duration_ms",
        c.JOB_DURATION,
        "ms",
        "How long jobs took at the gateway, failed ones included.",
        f"{_COMPLETIONS}: duration_ms; else total_duration_ms of the language model",
        LOWER,
    ),
    distribution(
        "time_to_first_token_ms",
        c.TIME_TO_FIRST_TOKEN,
        "ms",
        "From the request to the first token of a language model that streams. 0 on the wire means that none came.",
        "llm_stream_completed: ttft_ms",
        LOWER,
    ),
    distribution(
        "tokens_per_second",
        c.TOKENS_PER_SECOND,
        "tokens/s",
        "Tokens that a language model wrote per second.",
        f"{_RECORDS}: tokens_per_second",
        HIGHER,
    ),
    count("tries", c.JOB_TRIES, "Attempts that completed jobs took, over all orchestrators.", _COMPLETIONS, LOWER),
    count(
        "tokens",
        c.JOB_TOKENS,
        "Tokens of language models, read and written.",
        f"{_RECORDS}: total_tokens",
        is_large=True,
    ),
)

BY_NAME = {metric.name: metric for metric in (*METRICS, *JOB_METRICS)}

# Of `demand`, beside its sums.
DEMAND = {
    "capacity_rate_pct": Metric(
        "capacity_rate_pct",
        share_pct(BUSY_MS.measures[0], GPU_MS.measures[0]),
        GPU_MS.measures[0],
        "%",
        "Busy share of the advertised GPU time. At any instant a service URI's busy GPUs are its sessions, at most as "
        "many as the GPUs that it advertises; a GPU counts once per URI, and from its snapshot until the next one, 24 "
        "hours at most. By workflow, sessions and GPUs of that workflow alone. Null by gateway and by synthetic: "
        "supply belongs to neither.",
        "network_capabilities, and the sessions' minutes",
    )
}

OUTCOMES = {
    "requested": _sum(c.SESSIONS),
    "attempted": ATTEMPTED,
    "served": _sum(c.SERVED),
    "startup_failed": _sum(c.STARTUP_FAILED),
    "output_failed": _sum(c.OUTPUT_FAILED),
    "abandoned": _sum(c.ABANDONED),
    "unserved": _sum(c.UNSERVED),
    "open": _sum(c.OPEN),
}
