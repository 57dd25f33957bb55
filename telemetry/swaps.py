"""Why a stream left an orchestrator: a versioned table of texts."""

from metrics.columns import SwapReason

VERSION = "1"
# The first row with a text that occurs decides; texts in lower case.
TABLE: tuple[tuple[SwapReason, tuple[str, ...]], ...] = (
    (SwapReason.GATEWAY_RESET, ("gateway_reset", "gateway reset", "gateway restart")),
    (SwapReason.ORCHESTRATOR_RESET, ("orchestrator_reset", "orchestrator reset", "orchestrator restart")),
    (SwapReason.RUNNER_DISCONNECT, ("disconnect", "connection reset", "connection refused", "eof", "broken pipe")),
    (SwapReason.TIMEOUT, ("timeout", "timed out", "deadline exceeded", "no response")),
    (SwapReason.CAPACITY, ("capacity", "insufficient", "overloaded", "busy", "no available")),
    (SwapReason.MODEL_ERROR, ("model_error", "model", "inference", "pipeline", "cuda", "out of memory")),
)  # fmt: skip


def swap_reason(text: str) -> SwapReason:
    """The reason that a text gives, without regard to case."""
    lower = text.lower()
    return next((reason for reason, phrases in TABLE if any(phrase in lower for phrase in phrases)), SwapReason.UNKNOWN)
