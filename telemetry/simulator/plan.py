"""What one session will do: the places that it visits and the steps that it takes, fixed when it is asked for."""

from dataclasses import dataclass, field

from telemetry.simulator.tickets import Account
from telemetry.simulator.world import Gateway, Slot

REQUEST = "gateway_receive_stream_request"
NO_ORCHESTRATORS = "gateway_no_orchestrators_available"
SENT = "gateway_send_first_ingest_segment"
RUNNER_GOT = "runner_receive_first_ingest_segment"
RUNNER_SENT = "runner_send_first_processed_segment"
FIRST = "gateway_receive_first_processed_segment"
FEW = "gateway_receive_few_processed_segments"
DATA = "gateway_receive_first_data_segment"
CLOSED = "gateway_ingest_stream_closed"
SWAP = "orchestrator_swap"

BLANK_SWAP = "blank swap"
DISCOVERY = "discovery"
ERROR = "error"
PARAMS = "params"

NAMING = frozenset({SENT, RUNNER_GOT, RUNNER_SENT, FIRST, FEW, DATA, SWAP, PARAMS})
LASTING = frozenset({NO_ORCHESTRATORS, SWAP, BLANK_SWAP, CLOSED, ERROR})
STATUS_EVERY_MS = 10_000
NEVER = 1 << 60


@dataclass(frozen=True, slots=True)
class Order:
    """A user's wish for a stream."""

    at_ms: int
    gateway: Gateway
    workflow: str
    stream_id: str
    request_id: str
    synthetic: str
    attempt: int


@dataclass(slots=True, eq=False)
class Visit:
    """The time that a session spends at a place, or tries to."""

    slot: Slot
    account: Account
    asked_ms: int
    runner_ms: int
    stop_ms: int = NEVER
    output_ms: int = NEVER
    start_ms: int = NEVER
    named_ms: int = NEVER
    cold: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens once. `visit` is the place that it concerns, below 0 for none."""

    at_ms: int
    kind: str
    visit: int = -1
    text: str = ""
    reason: str = ""


@dataclass(slots=True)
class Plan:
    """Everything about a session but its periodic events."""

    order: Order
    fate: str = ""
    steps: list[Step] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    end_ms: int = NEVER
    ingest_from_ms: int = NEVER

    def step(self, at_ms: int, kind: str, visit: int = -1, text: str = "", reason: str = "") -> None:
        """Adds a step; the order does not matter until `settle`."""
        self.steps.append(Step(at_ms, kind, visit, text, reason))

    def settle(self) -> None:
        """Drops what would happen after a visit or the session is over, orders the rest and dates the legs."""
        for visit in self.visits:
            visit.stop_ms = min(visit.stop_ms, self.end_ms)
        self.steps = sorted((step for step in self.steps if self._stays(step)), key=lambda step: step.at_ms)
        for index, visit in enumerate(self.visits):
            first_status = visit.runner_ms + STATUS_EVERY_MS
            named = [step.at_ms for step in self.steps if step.visit == index and step.kind in NAMING]
            named += [first_status] if first_status < visit.stop_ms else []
            visit.named_ms = min(named, default=NEVER)
        legs = self.legs(NEVER)
        for leg in legs:
            leg.start_ms = self.order.at_ms if leg is legs[0] else leg.named_ms

    def legs(self, before_ms: int) -> list[Visit]:
        """The visits that some event before a moment names, in the order of their naming."""
        return [visit for visit in self.visits if visit.named_ms < before_ms]

    def _stays(self, step: Step) -> bool:
        if step.kind in LASTING:
            return True
        return step.at_ms < (self.visits[step.visit].stop_ms if step.visit >= 0 else self.end_ms)
