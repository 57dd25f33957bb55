"""What depends on several sessions: payments, streams, cold starts. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable, Iterator
from functools import cached_property
from heapq import heappop, heappush
from operator import itemgetter
from typing import Generic, TypeVar

from backends.backend import PAYMENT_OWNER
from backends.log import Claim, Payment
from metrics import columns as c
from metrics.dimension import synthetic
from metrics.fact import Dims, Fact
from metrics.sighting import TRAITS, Sighting, Trait
from telemetry.brief import Brief, FirstFrame
from telemetry.regions import Regions
from telemetry.who import Paid

COLD_MS = 900_000
Group = tuple[str, str]  # (recipient, session id)
K = TypeVar("K", bound=Hashable)
NOBODY = -(2**63), ""


def group_of(payment: Payment) -> Group | None:
    """What a payment shares with others, or None."""
    return (payment.recipient, payment.session_id) if payment.recipient and payment.session_id else None


def claim_of(payment: Payment) -> list[Claim]:
    """What a payment claims: that its URI belongs to its recipient."""
    if not (payment.uri and payment.recipient):
        return []
    return [Claim(payment.source, payment.uri, payment.at_ms, payment.recipient, payment.id)]


def in_order(payments: Iterable[Payment]) -> list[Payment]:
    """Payments in the order of their events."""
    return sorted(payments, key=lambda payment: (payment.at_ms, payment.id))


class Joined:
    """Payments of one source joined to its sessions."""

    def __init__(self, payments: Iterable[Payment], briefs: Iterable[Brief]) -> None:
        self.payments = in_order(payments)
        self.briefs = tuple(briefs)
        self._by_request: dict[str, list[Brief]] = {}
        for brief in self.briefs:
            if brief.request_id:
                self._by_request.setdefault(brief.request_id, []).append(brief)
        self._requests: dict[Group, set[str]] = {}
        self._groups: dict[str, set[Group]] = {}
        self._model: dict[Group, Payment] = {}  # the earliest with a manifest
        for payment in self.payments:
            group = group_of(payment)
            if group is None:
                continue
            if payment.request_id:
                self._requests.setdefault(group, set()).add(payment.request_id)
                self._groups.setdefault(payment.request_id, set()).add(group)
            if payment.model:
                self._model.setdefault(group, payment)

    def session(self, payment: Payment) -> Brief | None:
        """The session that a payment joins: the one with its request id, else the nearest that its group names."""
        return self._sessions.get(payment.id)

    @cached_property
    def _sessions(self) -> dict[str, Brief]:
        """Payment → its session. Payments that look among the same sessions are taken together, in order of time."""
        alike: dict[str | Group, list[Payment]] = {}
        for payment in self.payments:
            group = group_of(payment)
            if payment.request_id in self._by_request:
                alike.setdefault(payment.request_id, []).append(payment)
            elif group in self._requests:
                alike.setdefault(group, []).append(payment)
        found: dict[str, Brief] = {}
        for shared, payments in alike.items():
            requests = (shared,) if isinstance(shared, str) else self._requests[shared]
            briefs = [brief for request in requests for brief in self._by_request.get(request, ())]
            if briefs:
                ids = (payment.id for payment in payments)
                found |= zip(ids, nearest([payment.at_ms for payment in payments], briefs), strict=True)
        return found

    def model(self, payment: Payment, session: Brief | None) -> str | None:
        """The workflow of a payment: its own manifest, else its session's, else its group's earliest manifest."""
        group = group_of(payment)
        shared = self._model.get(group) if group else None
        return payment.model or (session.workflow if session else None) or (shared.model if shared else None)

    def paid(self) -> dict[str, Paid]:
        """Owner → what the joined payments say of the session."""
        gateways: dict[str, str] = {}
        models: dict[str, str] = {}
        for payment in self.payments:
            session = self.session(payment)
            if session is not None and payment.sender:
                gateways.setdefault(session.owner, payment.sender)
            if payment.model and payment.request_id:
                models.setdefault(payment.request_id, payment.model)
        return {
            brief.owner: Paid(gateways.get(brief.owner, ""), models.get(request) or self._shared_model(request))
            for request, briefs in self._by_request.items()
            for brief in briefs
        }

    def _shared_model(self, request: str) -> str:
        shared = in_order(self._model[group] for group in self._groups.get(request, ()) if group in self._model)
        return shared[0].model if shared else ""


def nearest(instants: Iterable[int], briefs: Iterable[Brief]) -> Iterator[Brief]:
    """For each instant, in ascending order, the brief nearest in time (0 within it); of several the later request.

    There is at least one brief. Takes the time of sorting, however many instants and briefs there are.
    """
    order = sorted(briefs, key=lambda brief: (brief.requested_ms, brief.request_id, brief.stream_id))
    requests = [brief.requested_ms for brief in order]
    begun, running = 0, list[int]()  # a heap, the latest requested first
    ended_last = -1  # of those begun, the one that ends last
    for at_ms in instants:
        while begun < len(order) and requests[begun] <= at_ms:
            heappush(running, -begun)
            if ended_last < 0 or order[begun].last_ms >= order[ended_last].last_ms:
                ended_last = begun
            begun += 1
        while running and order[-running[0]].last_ms < at_ms:
            heappop(running)
        if running:
            yield order[-running[0]]
            continue
        coming = bisect_right(requests, requests[begun]) - 1 if begun < len(order) else -1
        is_nearer = coming >= 0 and (ended_last < 0 or requests[coming] - at_ms <= at_ms - order[ended_last].last_ms)
        yield order[coming if is_nearer else ended_last]


def payment_fact(payment: Payment, joined: Joined, regions: Regions) -> tuple[Fact, Sighting]:
    """What a payment counts for, and whom it shows."""
    session = joined.session(payment)
    ran_there = session is not None and any(leg.place == payment.uri for leg in session.legs if leg.place)
    there: Dims | None = session.dims[payment.uri] if session is not None and ran_there else None
    gateway = payment.sender or (session.dims[""][5] if session else None) or payment.gateway_name or None
    region = there[6] if there else None
    dims: Dims = (
        payment.source,
        payment.recipient or None,
        there[2] if there else None,
        there[3] if there else None,
        joined.model(payment, session),
        gateway,
        region or regions.of("", gateway, payment.uri),
        synthetic(session.synthetic if session else gateway in regions.testers),
    )
    values = {c.PAYMENTS.name: 1, c.TICKETS.name: payment.tickets}
    if payment.face_value_wei is not None:
        values[c.FACE_VALUE_WEI.name] = payment.face_value_wei
    if payment.fees_wei is not None:
        values[c.FEES_WEI.name] = payment.fees_wei
    owner = payment_owner(payment.source, payment.id)
    said = {
        Trait.SOURCE: payment.source,
        Trait.ORCHESTRATOR: payment.recipient,
        Trait.SERVICE_URI: payment.uri,
        Trait.WORKFLOW: dims[4],
        Trait.GATEWAY: gateway,
        Trait.GATEWAY_NAME: payment.gateway_name,
        Trait.REGION: dims[6],
    }
    traits = tuple(said.get(trait) or None for trait in TRAITS)
    return (
        Fact(owner, "payment", payment.at_ms, dims, values),
        Sighting(owner, "payment", payment.at_ms, payment.at_ms, traits),
    )


def payment_owner(source: str, event_id: str) -> str:
    """The owner of a payment's fact."""
    return f"{PAYMENT_OWNER}{source}/{event_id}"


def stream_owner(source: str, stream_id: str) -> str:
    """The owner of a stream's fact."""
    return f"stream/{source}/{stream_id}"


def stream_fact(sessions: Iterable[Brief]) -> Fact:
    """A stream counts once, with its first session. There is at least one."""
    first = min(sessions, key=lambda brief: (brief.requested_ms, brief.request_id))
    owner = stream_owner(first.source, first.stream_id)
    return Fact(owner, "stream", first.requested_ms, first.dims[""], {c.STREAMS.name: 1})


def startup_owner(owner: str) -> str:
    """The owner of a session's startup fact."""
    return f"startup/{owner}"


class Reaches(Generic[K]):
    """Stretches of time under keys, for asking who reaches from before an instant up to another."""

    def __init__(self, stretches: Iterable[tuple[K, int, int, str]]) -> None:
        """Of (key, start, end, owner)."""
        self._starts: dict[K, list[int]] = {}
        # Beside each start: the latest end so far with its owner, and the latest of any other owner.
        self._ends: dict[K, list[tuple[tuple[int, str], tuple[int, str]]]] = {}
        for key, start, end, owner in sorted(stretches, key=itemgetter(1)):
            first, second = self._ends.get(key, [(NOBODY, NOBODY)])[-1]
            if owner == first[1]:
                first = max(first, (end, owner))
            elif end > first[0]:
                first, second = (end, owner), first
            else:
                second = max(second, (end, owner))
            self._starts.setdefault(key, []).append(start)
            self._ends.setdefault(key, []).append((first, second))

    def reach(self, key: K, before_ms: int, until_ms: int, other_than: str = "") -> bool:
        """Does a stretch of another owner start before the one instant and last to the other or beyond?"""
        index = bisect_left(self._starts.get(key, ()), before_ms) - 1
        if index < 0:
            return False
        first, second = self._ends[key][index]
        return (second if first[1] == other_than else first)[0] >= until_ms


def may_warm(changed: Iterable[Brief], around: Iterable[Brief]) -> list[Brief]:
    """Those whose startup the changed sessions may decide: requested during a leg of theirs or 15 minutes after."""
    reaches = Reaches((leg.place, leg.start_ms, leg.end_ms + COLD_MS, "-") for brief in changed for leg in brief.legs)
    return [
        brief
        for brief in around
        if brief.first_frame is not None
        and reaches.reach(brief.first_frame.place, brief.requested_ms, brief.requested_ms)
    ]


def startups(wanted: Iterable[Brief], around: Iterable[Brief]) -> Iterator[Fact]:
    """The startup time of each wanted session that was cold; `around` holds all that may have kept one warm."""
    warm = Reaches(
        ((leg.place, brief.workflow), leg.start_ms, leg.end_ms, brief.owner)
        for brief in around
        for leg in brief.legs
        if leg.place
    )
    for brief in wanted:
        if brief.first_frame is not None and _cold(brief, brief.first_frame, warm):
            frame = brief.first_frame
            values = {c.STARTUP_TIME.name: frame.latency_us}
            yield Fact(startup_owner(brief.owner), "startup", brief.requested_ms, frame.dims, values)


def _cold(brief: Brief, frame: FirstFrame, warm: Reaches[tuple[str, str | None]]) -> bool:
    """Nobody else reached into the 15 minutes before the request, or the runner restarted since then."""
    since_ms = brief.requested_ms - COLD_MS
    if any(place == frame.place and since_ms <= at_ms <= frame.at_ms for place, at_ms in brief.restarts):
        return True
    return not warm.reach((frame.place, brief.workflow), brief.requested_ms, since_ms, brief.owner)


def conflict_owner(source: str, event_id: str) -> str:
    """The owner of an identity's conflicts."""
    return f"conflict/{source}/{event_id}"


def conflict_fact(source: str, event_id: str, sha: bytes, at_ms: int) -> Fact:
    """One further content under an identity, at the time that it states, for nobody."""
    dims: Dims = (source, None, None, None, None, None, None, None)
    return Fact(conflict_owner(source, event_id), sha.hex(), at_ms, dims, {c.CONFLICTS.name: 1})
