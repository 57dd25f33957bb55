"""What an event says, once the wire's many forms are understood."""

import hashlib
from enum import Enum, auto
from functools import lru_cache
from typing import Any, NamedTuple

from backends.log import Claim, Offer, Payment, Stake
from metrics.columns import JobKind
from metrics.sighting import Trait

Traits = dict[Trait, str]


class What(Enum):
    """The part an event plays in a session, or outside of one."""

    OTHER = auto()  # of a session, without a part of its own
    REQUEST = auto()
    INPUT_SENT = auto()  # gateway_send_first_ingest_segment
    OUTPUT_SENT = auto()  # runner_send_first_processed_segment
    FIRST_SEGMENT = auto()
    FEW_SEGMENTS = auto()
    REFUSED = auto()  # gateway_no_orchestrators_available
    SWAP = auto()
    CLOSED = auto()
    STATUS = auto()
    TRANSPORT = auto()
    PAYMENT = auto()
    SNAPSHOT = auto()
    STAKE = auto()
    JOB = auto()  # of a job, which is kept beside sessions and is none
    OUTSIDE = auto()  # of no session


class Status(NamedTuple):
    """A status sample. Rates in billionths, counters as they stand, times in Unix ms; None: not said."""

    output_fps: int | None
    input_fps: int | None
    state: str
    restart_count: int | None
    last_restart_ms: int | None
    gpu: str = ""
    sent_bytes: int | None = None
    received_bytes: int | None = None
    achieved_flops: int | None = None
    peak_flops: int | None = None
    start_ms: int | None = None


class Transport(NamedTuple):
    """Counters of the user's connection, as they stand; tracks are (type and position, lost, received)."""

    received_bytes: int | None
    sent_bytes: int | None
    tracks: tuple[tuple[str, int | None, int | None], ...]


class Swap(NamedTuple):
    """A stream leaves a place ("" where the event does not say which)."""

    left: str
    text: str


class Snapshot(NamedTuple):
    """A capability snapshot: its claims, its offers, and what each row shows together."""

    claims: tuple[Claim, ...]
    offers: tuple[Offer, ...]
    traits: tuple[Traits, ...]


class Step(Enum):
    """The part an event plays in a job."""

    BEGUN = auto()
    COMPLETED = auto()
    MEASURED = auto()  # a language model's record of what it wrote


class JobStep(NamedTuple):
    """What an event says of a job. Times in thousandths of a millisecond, rates in billionths; None: not said."""

    kind: JobKind
    step: Step
    pipeline: str = ""
    success: bool | None = None
    duration_us: int | None = None
    tries: int | None = None
    attempt: int | None = None
    tokens: int | None = None
    first_token_us: int | None = None
    tokens_per_second: int | None = None


Said = Status | Transport | Swap | Snapshot | Payment | Stake | JobStep | None


class Stamp(NamedTuple):
    """What every event has: its identity, the SHA-256 of its content, its time and its type."""

    source: str
    id: str
    sha: bytes
    at_ms: int
    type: str


class Reading(NamedTuple):
    """An event, read. Blank text: not said."""

    source: str  # a Stamp's five, then the rest
    id: str
    sha: bytes
    at_ms: int
    type: str
    subtype: str
    what: What
    stream_id: str
    request_id: str
    gateway: str
    region: str
    synthetic: bool
    place: str  # the orchestrator it names: a service URI, "wallet:0x…" or "key:…"
    model: str
    error: str | None  # the text of an error event
    segment: bool  # says that a processed segment reached the gateway
    e2e_us: int | None
    said: Said
    owner: str  # the session or job it belongs to, or ""


def owner_of(stamp: Stamp, what: What, stream_id: str, request_id: str) -> str:
    """The key of the session that an event belongs to, 32 hex digits; a status sample of no session stands alone."""
    alone = "" if stream_id or request_id else stamp.id
    if alone and what is not What.STATUS:
        return ""
    return _key(stamp.source, stream_id, request_id, alone)


def job_owner(stamp: Stamp, request_id: str, step: Step) -> str:
    """The key of the job that an event belongs to, 32 hex digits; without a request id only a completion is a job."""
    if not request_id and step is not Step.COMPLETED:
        return ""
    # A source has a name, so that no session's key begins like this.
    return _key("", "job", stamp.source, request_id, "" if request_id else stamp.id)


@lru_cache(maxsize=16_384)  # of a session's many events one key, made and kept once
def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def outside(stamp: Stamp, what: What, said: Said) -> Reading:
    """A reading of an event that belongs to no session."""
    return Reading(*stamp, "", what, "", "", "", "", False, "", "", None, False, None, said, "")


def synthetic(data: dict[str, Any]) -> bool:
    """Does the inner part of an event, or its params, carry `synthetic: true`?"""
    params = data.get("params")
    held = (data.get("synthetic"), params.get("synthetic") if isinstance(params, dict) else None)
    return any(flag is True or flag == "true" for flag in held)
