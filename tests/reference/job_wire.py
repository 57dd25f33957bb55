"""What the events of jobs say, field by field. (0030)"""

from fractions import Fraction
from typing import Any

from tests.reference.values import fixed, mapped, number, service_uri, text

DAY = 24 * 3600 * 1000
MOST_MS, MOST_RATE, MOST_COUNT = 31 * DAY, 10**6, 2**53
BEGUN = {"ai_batch_request_received", "llm_request_started", "job_gateway_submitted"}
COMPLETED = {"ai_batch_request_completed", "job_gateway_completed"}
RECORDS = {"llm_request_completed", "llm_stream_completed"}
SUBTYPES = {
    "ai_batch_request": {"ai_batch_request_received", "ai_batch_request_completed"},
    "ai_llm_request": {"llm_request_started", "llm_request_completed", "llm_stream_completed"},
    "job_gateway": {"job_gateway_submitted", "job_gateway_completed"},
}


def is_of_job(kind: str, body: dict[str, Any]) -> bool:
    """A known subtype with a request id, or a completion. (0030 §1, §2)"""
    subtype = text(body.get("type"))
    if subtype not in SUBTYPES.get(kind, ()):
        return False
    return text(body.get("request_id")) is not None or subtype in COMPLETED


def numbers(kind: str, body: dict[str, Any]) -> dict[str, Fraction | None]:
    """The numbers that we would use of this event; raises BadNumber. (0030 §11)"""
    subtype = text(body.get("type"))
    found: dict[str, Fraction | None] = {}
    if not is_of_job(kind, body):
        return found
    if kind == "job_gateway":
        found["attempt"] = whole(body.get("attempt_index"))
    if subtype in COMPLETED:
        found["duration"] = milliseconds(body.get("duration_ms"))
    if subtype == "ai_batch_request_completed":
        found["tries"] = whole(body.get("tries"))
    if subtype in RECORDS:
        found["duration"] = milliseconds(body.get("total_duration_ms"))
        found["ttft"] = milliseconds(body.get("ttft_ms"))
        rate = number(body.get("tokens_per_second"), MOST_RATE)
        found["rate"] = None if rate is None else fixed(rate, 9)
        total, *parts = (whole(body.get(name)) for name in ("total_tokens", "prompt_tokens", "completion_tokens"))
        stated = [part for part in parts if part is not None]
        found["tokens"] = total if total is not None else sum(stated, Fraction(0)) if stated else None
    return found


def whole(value: Any) -> Fraction | None:
    """A count; fractions are cut off."""
    found = number(value, MOST_COUNT)
    return None if found is None else Fraction(int(found))


def milliseconds(value: Any) -> Fraction | None:
    """A duration, to the thousandth of a millisecond."""
    found = number(value, MOST_MS)
    return None if found is None else fixed(found, 3)


def place(body: dict[str, Any]) -> tuple[str, str] | None:
    """`orch_url`, or `orchestrator_info` as in a session's event."""
    info = mapped(body.get("orchestrator_info"))
    uri, key = service_uri(body.get("orch_url")) or service_uri(info.get("url")), text(info.get("address"))
    return ("uri", uri) if uri else ("key", key.lower()) if key else None


def success(body: dict[str, Any]) -> bool | None:
    """`success`, true or false; anything else is not stated."""
    said = body.get("success")
    word = str(said).strip().lower() if isinstance(said, bool | str) else ""
    return True if word == "true" else False if word == "false" else None
