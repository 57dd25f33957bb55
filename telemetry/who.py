"""Who is who: the wallet, GPU, workflow, gateway and region of a session, from what others say around it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from backends.log import Claim, Offer, Spot
from metrics.dimension import synthetic
from metrics.fact import Dims
from metrics.window import DAY_MS
from telemetry.flops import Flops
from telemetry.names import KEY, WALLET
from telemetry.regions import Regions
from telemetry.session import Session


class GpuAttribution(StrEnum):
    """How sure we are of a session's GPU."""

    EXACT = "EXACT"
    AMBIGUOUS = "AMBIGUOUS"
    UNKNOWN = "UNKNOWN"


class Host(NamedTuple):
    """What is known of a place, for one session: its wallet and GPU, and the instants that explain them (0: none)."""

    wallet: str | None
    gpu: str | None
    gpu_model: str | None
    attribution: GpuAttribution
    claim_ms: int
    offer_ms: int


NOBODY = Host(None, None, None, GpuAttribution.UNKNOWN, 0, 0)


class Paid(NamedTuple):
    """What the payments joined to a session say: the gateway's wallet and the workflow, "" where nothing."""

    gateway: str = ""
    workflow: str = ""


@dataclass(frozen=True, slots=True)
class World:
    """Everything outside a session that may explain it, looked up beforehand."""

    claims: Mapping[Spot, Sequence[Claim]] = field(default_factory=dict)
    key_wallets: Mapping[Spot, Sequence[str]] = field(default_factory=dict)
    gpu_offers: Mapping[Spot, Sequence[Offer]] = field(default_factory=dict)
    workflow_offers: Mapping[Spot, Sequence[Offer]] = field(default_factory=dict)
    paid: Mapping[str, Paid] = field(default_factory=dict)
    senders: Mapping[tuple[str, str], Sequence[str]] = field(default_factory=dict)
    regions: Regions = Regions()
    flops: Flops = Flops()


@dataclass(frozen=True)
class Identified:
    """A session with everybody it dealt with."""

    session: Session
    workflow: str | None
    workflow_by_uri: bool
    gateway: str | None
    gateway_name: str
    paid: Paid
    stated_region: str
    synthetic: bool
    hosts: Mapping[str, Host]  # by place
    regions: Regions
    flops: Flops

    def host(self, place: str) -> Host:
        """What is known of a place."""
        return self.hosts.get(place, NOBODY)

    def dims(self, place: str, *, blamed: bool = True, gpu: str = "") -> Dims:
        """The dimensions of something that happened at a place; not `blamed`: for no orchestrator and no GPU."""
        host = self.host(place) if blamed else NOBODY
        known = gpu in ("", host.gpu)
        return (
            self.session.source,
            host.wallet,
            host.gpu if known else gpu,
            host.gpu_model if known else None,
            self.workflow,
            self.gateway,
            self.regions.of(self.stated_region, self.gateway, place),
            synthetic(self.synthetic),
        )


def identified(session: Session, world: World) -> Identified:
    """Who the session dealt with."""
    paid = world.paid.get(session.owner, Paid())
    own_model = next((r.model for r in session.readings if r.model), "")
    workflow = own_model or paid.workflow
    # What a URI offers may be live video only.
    by_uri = not workflow and not session.is_job
    if by_uri:
        workflow = _only_workflow(session, world)
    name = next((r.gateway for r in session.readings if r.gateway), "")
    gateway = paid.gateway or gateway_named(name, world.senders.get((session.source, name), ()))
    explicit = _explicit_gpus(session)
    hosts = {
        place: host_of((session.source, place, named_ms), workflow, explicit.get(place, frozenset()), world)
        for place, named_ms in session.named_ms.items()
    }
    return Identified(
        session=session,
        workflow=workflow or None,
        workflow_by_uri=by_uri,
        gateway=gateway or None,
        gateway_name=name,
        paid=paid,
        stated_region=next((r.region for r in session.readings if r.region), ""),
        synthetic=any(r.synthetic for r in session.readings) or gateway in world.regions.testers,
        hosts=hosts,
        regions=world.regions,
        flops=world.flops,
    )


def gateway_named(name: str, senders: Sequence[str]) -> str:
    """The one sender that payments with this envelope name show, else the name."""
    return senders[0] if name and len(senders) == 1 else name


def host_of(spot: Spot, workflow: str, explicit: frozenset[str], world: World) -> Host:
    """What is known of a place first named at an instant."""
    wallet, claim_ms = wallet_at(spot, world)
    offers, offer_ms = nearest_offers(spot, world.gpu_offers)
    gpu, model, attribution = _fitting(offers, workflow)
    if explicit:
        kept = explicit == {gpu}
        exact = len(explicit) == 1
        gpu, model = (min(explicit) if exact else None), (model if kept else None)
        attribution = GpuAttribution.EXACT if exact else GpuAttribution.AMBIGUOUS
    return Host(wallet, gpu, model, attribution, claim_ms, offer_ms)


def wallet_at(spot: Spot, world: World) -> tuple[str | None, int]:
    """The wallet that a place belongs to when it is first named, and the instant of the claim that says so."""
    _, place, at_ms = spot
    if place.startswith(WALLET):
        return place.removeprefix(WALLET), 0
    if place.startswith(KEY):
        wallets = world.key_wallets.get(spot, ())
        return (wallets[0] if len(wallets) == 1 else None), 0
    claims = world.claims.get(spot, ())
    before = [claim for claim in claims if claim.at_ms <= at_ms]
    chosen = before or list(claims)
    claimed = {claim.wallet for claim in chosen}
    instant = chosen[0].at_ms if chosen else 0
    return (claimed.pop() if len(claimed) == 1 else None), instant


def nearest_offers(spot: Spot, around: Mapping[Spot, Sequence[Offer]]) -> tuple[list[Offer], int]:
    """The snapshot rows for a URI first named at an instant: the latest before within 24 h, else the earliest after."""
    at_ms, offers = spot[2], around.get(spot, ())
    before = [offer for offer in offers if at_ms - DAY_MS <= offer.at_ms <= at_ms]
    chosen = before or [offer for offer in offers if at_ms < offer.at_ms <= at_ms + DAY_MS]
    return chosen, chosen[0].at_ms if chosen else 0


def _fitting(offers: Sequence[Offer], workflow: str) -> tuple[str | None, str | None, GpuAttribution]:
    fitting = [o for o in offers if o.gpu and (not workflow or o.workflow in ("", workflow))]
    gpus, models = {o.gpu for o in fitting}, {o.gpu_model for o in fitting}
    if len(gpus) == 1:
        models.discard("")
    model = models.pop() or None if len(models) == 1 else None
    if not gpus:
        return None, None, GpuAttribution.UNKNOWN
    return (gpus.pop(), model, GpuAttribution.EXACT) if len(gpus) == 1 else (None, model, GpuAttribution.AMBIGUOUS)


def _only_workflow(session: Session, world: World) -> str:
    place = session.legs[-1].place
    if place not in session.named_ms:
        return ""
    offers, _ = nearest_offers((session.source, place, session.named_ms[place]), world.workflow_offers)
    workflows = {offer.workflow for offer in offers} - {""}
    return workflows.pop() if len(workflows) == 1 else ""


def _explicit_gpus(session: Session) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for leg, reading, status in session.statuses:
        if status.gpu:
            found.setdefault(reading.place or session.legs[leg].place, set()).add(status.gpu)
    return {place: frozenset(gpus) for place, gpus in found.items()}
