"""Every metric, declared once: GraphQL fields, REST keys, columns read, cost and `docs/metrics.md` derive from here."""

from metrics import columns as c
from metrics.efficiency import EFFICIENCY
from metrics.formula import AtLeast, Root
from metrics.measure import Aggregate, Column, Measure
from metrics.metric import Direction, Metric, Target, count, distribution, share_pct
from metrics.supply import BUSY_MS, GPU_MS

LOWER, HIGHER = Direction.LOWER, Direction.HIGHER


OUTCOME_EVENTS = "stream_trace, ai_stream_status, ai_stream_events; v1 gateway.*: outcomes of sessions"
IDENTITY = "network_capabilities, create_new_payment, and the events of sessions"


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
    "ai_stream_status.inference_status.fps; v1 runner.metrics.sample: fps",
    HIGHER,
    Target(of_workflow="output_fps"),
    caveats="A mean over status samples, not over time: a runner that reports more often weighs more. What the user "
    "sent is inputFps: a slow user makes it low too.",
)
INPUT_FPS = distribution(
    "input_fps",
    c.INPUT_FPS,
    "fps",
    "Frames per second that went in, as the user sent them, over the samples of outputFps.",
    "ai_stream_status.input_status.fps",
    caveats="Says how fast the user sent, nothing of the orchestrator. Samples that do not state it are left out.",
)
JITTER = Metric(
    "jitter_coefficient",
    AtLeast(_FPS_N, 2, Root(_FPS_N * _FPS_SQ - _FPS_SUM * _FPS_SUM) / _FPS_SUM),
    _FPS_N,
    "ratio",
    "Population standard deviation of outputFps over its mean: 0 is perfectly even. Null below 2 samples or where the "
    "mean is 0.",
    "ai_stream_status.inference_status.fps; v1 runner.metrics.sample: fps",
    LOWER,
    Target(fixed=0.1),
    caveats="Over several GPUs, workflows or sessions it also holds how much these differ from each other, not only "
    "how uneven each is.",
)
PROMPT_TO_FIRST_FRAME = distribution(
    "prompt_to_first_frame_ms",
    c.PROMPT_TO_FIRST_FRAME,
    "ms",
    "From the stream request at the gateway to the first processed segment there. Counts in the request's bucket; "
    "after a swap for no orchestrator.",
    "stream_trace: gateway_receive_first_processed_segment − gateway_receive_stream_request; v1 gateway.request.start, "
    "gateway.request.first_frame",
    LOWER,
    Target(of_workflow="prompt_to_first_frame_ms"),
    caveats="Sessions that never got a segment have none, so a failing orchestrator can look fast: read it beside "
    "failureRatePct. Needs the request event itself.",
)
PROMPT_TO_PLAYABLE = distribution(
    "prompt_to_playable_ms",
    c.PROMPT_TO_PLAYABLE,
    "ms",
    "From the stream request at the gateway until enough processed segments came to play.",
    "stream_trace: gateway_receive_few_processed_segments − gateway_receive_stream_request",
    LOWER,
    caveats="As promptToFirstFrameMs: only sessions that got so far have one, and a swap before it takes it from the "
    "orchestrator.",
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
    caveats="Compares the clocks of two machines: a skew smaller than the latency is not noticed and is in the number. "
    "Of the first segment only, not of a running stream.",
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
    caveats="Cold is judged by what the log shows: a place that served a gateway which does not report counts as cold.",
)
FAILURE_RATE = Metric(
    "failure_rate_pct",
    share_pct(_sum(c.STARTUP_FAILED) + _sum(c.OUTPUT_FAILED), ATTEMPTED),
    ATTEMPTED,
    "%",
    "Attempted sessions that never produced output. Refused and abandoned sessions are not attempts.",
    OUTCOME_EVENTS,
    LOWER,
    Target(fixed=1, strict=True),
    caveats="Counts for the last orchestrator of a session, in the bucket of its request. Sessions still open are in "
    "neither number. Few attempts make it jump: look at samples.",
)
UNSERVED_RATE = Metric(
    "unserved_rate_pct",
    share_pct(_sum(c.UNSERVED), _sum(c.SESSIONS)),
    _sum(c.SESSIONS),
    "%",
    "Requested sessions for which no orchestrator was available.",
    OUTCOME_EVENTS,
    LOWER,
    caveats="Of no orchestrator or GPU, since none was named: it says what the network lacked. A user who tries again "
    "counts each time.",
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
    caveats="Counts whom a stream left, whatever the reason: swapReasons tells timeouts from a gateway's own resets.",
)
DEGRADED = Metric(
    "degraded_pct",
    share_pct(_sum(c.DEGRADED), _sum(c.SAMPLES)),
    _sum(c.SAMPLES),
    "%",
    "Status samples in any DEGRADED state, warm-up included.",
    "ai_stream_status.state",
    LOWER,
    caveats="A share of samples, not of time, in the runner's own judgement; degradedInputPct is what the user caused.",
)
DEGRADED_INPUT = Metric(
    "degraded_input_pct",
    share_pct(_sum(c.DEGRADED_INPUT), _sum(c.SAMPLES)),
    _sum(c.SAMPLES),
    "%",
    "Status samples in DEGRADED_INPUT: the user's part of degradedPct.",
    "ai_stream_status.state",
    LOWER,
    caveats="Says nothing of the orchestrator: the user's connection or camera was slow.",
)
INGEST = distribution(
    "ingest_mbps",
    c.INGEST_MBPS,
    "Mbps",
    "What the gateway got from the user.",
    "stream_ingest_metrics: BytesReceived",
    caveats="Between consecutive reports of a session; a counter that falls (a new connection) gives none.",
)
EGRESS = distribution(
    "egress_mbps",
    c.EGRESS_MBPS,
    "Mbps",
    "What the gateway sent to the user.",
    "stream_ingest_metrics: BytesSent",
    caveats="As ingestMbps. What goes back on the ingest connection only: viewers elsewhere are not in it.",
)
PACKET_LOSS = Metric(
    "packet_loss_pct",
    share_pct(_sum(c.PACKETS_LOST), _sum(c.PACKETS_LOST) + _sum(c.PACKETS_RECEIVED)),
    _sum(c.PACKET_SAMPLES),
    "%",
    "Packets that the user's connection lost, over all tracks. A sample is the step of one track from event to event.",
    "stream_ingest_metrics: track_stats",
    LOWER,
    caveats="Between the user and the gateway, so no orchestrator's doing. Weighted by packets, not by time.",
)
BANDWIDTH_UP = distribution(
    "bandwidth_up_mbps",
    c.BANDWIDTH_UP_MBPS,
    "Mbps",
    "What the runner sent.",
    "runner.metrics.sample: tx_bytes",
    caveats="The runner's own counters, between consecutive samples of one session and GPU; most runners send none.",
)
BANDWIDTH_DOWN = distribution(
    "bandwidth_down_mbps",
    c.BANDWIDTH_DOWN_MBPS,
    "Mbps",
    "What the runner received.",
    "runner.metrics.sample: rx_bytes",
    caveats="As bandwidthUpMbps.",
)
CUDA_UTILIZATION_EFFICIENCY = EFFICIENCY

COUNTS = (
    count("sessions", c.SESSIONS, "Sessions requested.", "stream_trace: gateway_receive_stream_request, else any event",
          caveats="Attempts, not users: one stream tried three times is three. Counts for the last orchestrator."),
    count("streams", c.STREAMS, "Streams requested, each counted once, with its first session.", "stream_trace",
          caveats="Counts where its first session does: a stream that moved on is not counted there again."),
    count("error_events", c.ERROR_EVENTS, "Error events, at their own time.", "ai_stream_events", LOWER,
          caveats="Events, not failures: a session may have many, also of the user's own connection, and be served."),
    count("restarts", c.RESTARTS, "Rises of the runner's restart counter.", "ai_stream_status.restart_count", LOWER,
          caveats="Seen within one leg of a session only: restarts while nothing ran are not."),
    count("clock_skew", c.CLOCK_SKEW, "Latencies that clocks out of step made unusable.", "stream_trace", LOWER,
          caveats="Also where a runner sent a frame before its first input. Those latencies are null, never 0."),
    count("conflicts", c.CONFLICTS, "Further contents under one event id; kept, not counted.", "any event", LOWER,
          caveats="Belongs to a feed, not to an orchestrator: it says how far the log can be trusted."),
    count("unresolved_sessions", c.UNRESOLVED_SESSIONS, "Sessions at a place of unknown wallet.", IDENTITY, LOWER,
          caveats="They count for the network, workflow and gateway, and for no orchestrator: no wallet is guessed."),
    count("ambiguous_gpu_sessions", c.AMBIGUOUS_GPU_SESSIONS, "Sessions that several GPUs may have run.", IDENTITY,
          caveats="They count for the orchestrator and for no GPU; where all that fit are of one model, for that."),
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
    count(
        "jobs",
        c.JOBS,
        "Jobs, one per request id, in the bucket of their first event.",
        "ai_batch_request, ai_llm_request, job_gateway: any event of the job",
        caveats="More than succeeded and failed together: jobs that run, or whose end says nothing, are in it.",
    ),
    count(
        "succeeded",
        c.JOBS_SUCCEEDED,
        "Jobs whose completion states success.",
        _COMPLETIONS,
        HIGHER,
        caveats="In the gateway's own words. For no orchestrator where its URI does not resolve.",
    ),
    count(
        "failed",
        c.JOBS_FAILED,
        "Jobs whose completion states failure.",
        _COMPLETIONS,
        LOWER,
        caveats="Also where the user's request was at fault: the completion does not tell.",
    ),
    Metric(
        "success_rate_pct",
        share_pct(_sum(c.JOBS_SUCCEEDED), _JOBS_ENDED),
        _JOBS_ENDED,
        "%",
        "Jobs that succeeded, of those whose completion states how it went. A job counts for the orchestrator of the "
        "attempt that succeeded, else of the last one.",
        _COMPLETIONS,
        HIGHER,
        caveats="Attempts that failed before another orchestrator succeeded are not in it: see tries.",
    ),
    distribution(
        "duration_ms",
        c.JOB_DURATION,
        "ms",
        "How long jobs took at the gateway, failed ones included.",
        f"{_COMPLETIONS}: duration_ms; else total_duration_ms of the language model",
        LOWER,
        caveats="All tries of a job together, and it grows with the size of what was asked: compare like with like.",
    ),
    distribution(
        "time_to_first_token_ms",
        c.TIME_TO_FIRST_TOKEN,
        "ms",
        "From the request to the first token of a language model that streams. 0 on the wire means that none came.",
        "llm_stream_completed: ttft_ms",
        LOWER,
        caveats="Of streamed answers only; a long prompt takes longer whoever reads it.",
    ),
    distribution(
        "tokens_per_second",
        c.TOKENS_PER_SECOND,
        "tokens/s",
        "Tokens that a language model wrote per second.",
        f"{_RECORDS}: tokens_per_second",
        HIGHER,
        caveats="A mean over jobs as each states its own rate, not all tokens over all time.",
    ),
    count(
        "tries",
        c.JOB_TRIES,
        "Attempts that completed jobs took, over all orchestrators.",
        _COMPLETIONS,
        LOWER,
        caveats="Counts for the orchestrator that the job counts for, also the tries of others before it.",
    ),
    count(
        "tokens",
        c.JOB_TOKENS,
        "Tokens of language models, read and written.",
        f"{_RECORDS}: total_tokens",
        is_large=True,
        caveats="As each model's own tokenizer counts them: not comparable between models.",
    ),
)

BY_NAME = {metric.name: metric for metric in (*METRICS, *JOB_METRICS)}

# Of `demand` and the heat map, beside their sums.
SUPPLY = {
    "capacity_rate_pct": Metric(
        "capacity_rate_pct",
        share_pct(BUSY_MS.measures[0], GPU_MS.measures[0]),
        GPU_MS.measures[0],
        "%",
        "Busy share of the advertised GPU time. At any instant a service URI's busy GPUs are its sessions, at most as "
        "many as the GPUs that it advertises; a GPU counts once per URI, and from its snapshot until the next one, 24 "
        "hours at most. By workflow, sessions and GPUs of that workflow alone.",
        "network_capabilities, and the events of sessions",
        caveats="Null by gateway and by synthetic: supply belongs to neither. Sessions of gateways that do not report "
        "are not seen: a busy GPU can look idle. The region is the one configured for the URI.",
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
