"""What depends on several sessions: payments, streams, cold starts. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from backends.log import Claim, Payment
from metrics import columns as c
from metrics.dimension import synthetic
from metrics.fact import Dims, Fact
from metrics.sighting import TRAITS, Sighting, Trait
from telemetry.brief import Brief
from telemetry.regions import Regions
from telemetry.who import Paid

COLD_MS = 900_000
Group = tuple[str, str]  # (recipient, session id)


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
        own = self._by_request.get(payment.request_id, []) if payment.request_id else []
        group = group_of(payment)
        if own or group is None:
            return _nearest(payment.at_ms, own)
        named = self._requests.get(group, ())
        return _nearest(payment.at_ms, [brief for request in named for brief in self._by_request.get(request, ())])

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


def _nearest(at_ms: int, briefs: Sequence[Brief]) -> Brief | None:
    """The brief nearest in time (0 within it); of several the one requested later."""
    if not briefs:
        return None
    return max(
        briefs,
        key=lambda b: (-max(b.requested_ms - at_ms, at_ms - b.last_ms, 0), b.requested_ms, b.request_id, b.stream_id),
    )


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
    return f"payment/{source}/{event_id}"


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


def may_warm(changed: Iterable[Brief], around: Iterable[Brief]) -> list[Brief]:
    """Those whose startup the changed sessions may decide: requested during a leg of theirs or 15 minutes after."""
    reaches: dict[str, list[tuple[int, int]]] = {}
    for brief in changed:
        for leg in brief.legs:
            reaches.setdefault(leg.place, []).append((leg.start_ms, leg.end_ms + COLD_MS))
    return [
        brief
        for brief in around
        if brief.first_frame is not None
        and any(start < brief.requested_ms <= end for start, end in reaches.get(brief.first_frame.place, ()))
    ]


def startups(wanted: Iterable[Brief], around: Iterable[Brief]) -> Iterator[Fact]:
    """The startup time of each wanted session that was cold; `around` holds all that may have kept one warm."""
    warm: dict[tuple[str, str | None], list[tuple[int, int, str]]] = {}
    for brief in around:
        for leg in brief.legs:
            if leg.place:
                warm.setdefault((leg.place, brief.workflow), []).append((leg.start_ms, leg.end_ms, brief.owner))
    for brief in wanted:
        if brief.first_frame is not None and _cold(brief, warm):
            frame = brief.first_frame
            values = {c.STARTUP_TIME.name: frame.latency_us}
            yield Fact(startup_owner(brief.owner), "startup", brief.requested_ms, frame.dims, values)


def _cold(brief: Brief, warm: Mapping[tuple[str, str | None], Sequence[tuple[int, int, str]]]) -> bool:
    """Nobody else reached into the 15 minutes before the request, or the runner restarted since then."""
    frame = brief.first_frame
    assert frame is not None
    since_ms = brief.requested_ms - COLD_MS
    if any(place == frame.place and since_ms <= at_ms <= frame.at_ms for place, at_ms in brief.restarts):
        return True
    others = warm.get((frame.place, brief.workflow), ())
    return not any(
        start < brief.requested_ms and end >= since_ms for start, end, owner in others if owner != brief.owner
    )


def conflict_owner(source: str, event_id: str) -> str:
    """The owner of an identity's conflicts."""
    return f"conflict/{source}/{event_id}"


def conflict_fact(source: str, event_id: str, sha: bytes, at_ms: int) -> Fact:
    """One further content under an identity, at the time that it states, for nobody."""
    dims: Dims = (source, None, None, None, None, None, None, None)
    return Fact(conflict_owner(source, event_id), sha.hex(), at_ms, dims, {c.CONFLICTS.name: 1})
