"""Who is who within one source: claims, snapshots and payments. "Everything is derived within one source." (0001
§1)"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from tests.reference.event import Event, Place
from tests.reference.values import address, gateway_name, listed, mapped, only, service_uri, text

DAY = 24 * 3600 * 1000


@dataclass(frozen=True)
class Payment:
    """One `create_new_payment`."""

    at: int
    id: str
    uri: str | None
    recipient: str | None
    sender: str | None
    request: str | None
    session_id: str | None
    model: str | None  # of a `35_<model>` manifest
    gateway: str | None  # the envelope's name
    face: Fraction | None
    probability: Fraction | None
    tickets: Fraction | None

    @property
    def key(self) -> tuple[int, str]:
        """Order of events is (time, id)."""
        return self.at, self.id

    @property
    def shared(self) -> tuple[str, str] | None:
        """(recipient, sessionID), where both are there."""
        return (self.recipient, self.session_id) if self.recipient and self.session_id else None


@dataclass(frozen=True)
class Row:
    """One line of a snapshot's `hardware`: a model, a GPU, or both."""

    workflow: str | None
    gpu: str | None
    gpu_model: str | None


@dataclass(frozen=True)
class Card:
    """The GPU that something counts for."""

    gpu: str | None = None
    gpu_model: str | None = None
    attribution: str = "UNKNOWN"


class Book:
    """What one source claims about URIs, node keys and gateways."""

    def __init__(self, events: Iterable[Event]) -> None:
        self.by_uri: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self.by_node_key: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self.snapshots: dict[str, dict[int, list[Row]]] = defaultdict(lambda: defaultdict(list))
        self.advertisers: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        self.payments: list[Payment] = []
        for event in sorted(events, key=lambda e: e.key):
            if event.kind == "network_capabilities":
                self.read_snapshot(event)
            elif event.kind == "create_new_payment":
                self.read_payment(event)

    def read_snapshot(self, event: Event) -> None:
        """`network_capabilities {orch_uri → address}` are claims; `local_address` is a node key; "snapshots of one URI
        at one instant are united" (0001 §19)."""
        for row in map(mapped, listed(event.data)):
            uri, wallet, node_key = (
                service_uri(row.get("orch_uri")),
                address(row.get("address")),
                address(row.get("local_address")),
            )
            if uri and wallet:
                self.by_uri[uri].append((event.at, wallet))
            if node_key and wallet:
                self.by_node_key[node_key].append((event.at, wallet))
            if uri:
                self.snapshots[uri][event.at].extend(hardware(row.get("hardware")))
                self.advertisers[uri][event.at] |= {wallet} - {None}

    def read_payment(self, event: Event) -> None:
        """`create_new_payment {orchestrator → recipient}`: "a payment's own URI and recipient are a claim" (0001
        §30)."""
        said = mapped(event.data)
        uri, recipient = service_uri(said.get("orchestrator")), address(said.get("recipient"))
        if uri and recipient:
            self.by_uri[uri].append((event.at, recipient))
        manifest = text(said.get("manifestID")) or ""
        self.payments.append(
            Payment(
                event.at,
                event.id,
                uri,
                recipient,
                address(said.get("sender")),
                text(said.get("requestID")),
                text(said.get("sessionID")),
                text(manifest[3:]) if manifest.startswith("35_") else None,
                event.gateway,
                **{name: event.numbers[name] for name in ("face", "probability", "tickets")},
            )
        )

    def wallet(self, place: Place | None, at: int) -> str | None:
        """The wallet of a place, resolved at the instant of the first event that names it."""
        if place is None:
            return None
        what, said = place
        if what == "wallet":
            return said
        return self.wallet_of_uri(said, at) if what == "uri" else self.wallet_of_node_key(said, at)

    def wallet_of_uri(self, uri: str, at: int) -> str | None:
        """The latest claim at or before it, else the earliest after; two wallets claimed in one instant:
        unresolved."""
        claims = self.by_uri.get(uri, [])
        instant = latest_or_next([t for t, _ in claims], at)
        return only(wallet for t, wallet in claims if t == instant)

    def wallet_of_node_key(self, node_key: str, at: int) -> str | None:
        """A node key alone counts where all claims within 24 h of that event give one wallet."""
        return only(wallet for t, wallet in self.by_node_key.get(node_key, []) if abs(t - at) <= DAY)

    def rows_with(self, field: str, uri: str, at: int) -> list[Row]:
        """The snapshot is the latest at or before the first event that names the URI and within 24 h, else the
        earliest after it within 24 h; only snapshots that name a GPU (for workflows: a model) count."""
        told = {
            t: [row for row in rows if getattr(row, field)]
            for t, rows in self.snapshots.get(uri, {}).items()
            if abs(t - at) <= DAY and any(getattr(row, field) for row in rows)
        }
        instant = latest_or_next(told, at)
        return [] if instant is None else told[instant]

    def only_workflow(self, place: Place | None, at: int) -> str | None:
        """The only workflow that its URI offers."""
        if place is None or place[0] != "uri":
            return None
        return only(row.workflow for row in self.rows_with("workflow", place[1], at))

    def card(self, place: Place | None, at: int, workflow: str | None) -> Card:
        """A session has a GPU where its URI's snapshot offers exactly one GPU for its workflow (for any, where the
        workflow is unknown). "GPU rows count for the model they name; a row without a model for any." (0001 §19)"""
        if place is None or place[0] != "uri":
            return Card()
        rows = self.rows_with("gpu", place[1], at)
        fits = [row for row in rows if workflow is None or row.workflow in (None, workflow)]
        gpus, model = {row.gpu for row in fits}, only(row.gpu_model for row in fits)
        if not gpus:
            return Card()
        # AMBIGUOUS: no GPU; where all that fit are of one model, it still counts by GPU model.
        return Card(gpus.pop(), model, "EXACT") if len(gpus) == 1 else Card(None, model, "AMBIGUOUS")

    def sender_for(self, envelope_gateway: str | None) -> str | None:
        """The one sender that payments with the same envelope gateway show."""
        if envelope_gateway is None:
            return None
        return only(p.sender for p in self.payments if p.gateway == envelope_gateway and p.sender)

    def shared_model(self, payment: Payment) -> str | None:
        """The earliest manifest that shares (recipient, sessionID)."""
        return next((p.model for p in self.payments if p.model and p.shared and p.shared == payment.shared), None)


def hardware(rows: Any) -> list[Row]:
    """`hardware[].gpu_info[].id`; gpu_info is a map or a list."""
    found = []
    for row in map(mapped, listed(rows)):
        workflow = text(row.get("model_id"))
        found.append(Row(workflow, None, None))
        gpus = map(mapped, listed(row.get("gpu_info")))
        found += [Row(workflow, text(gpu.get("id")), text(gpu.get("name"))) for gpu in gpus]
    return found


def latest_or_next(instants: Iterable[int], at: int) -> int | None:
    """The latest at or before, else the earliest after."""
    known = list(instants)
    before = [t for t in known if t <= at]
    return max(before) if before else min(known, default=None)


class Places:
    """The configuration: regions with their gateways and URIs, and testers."""

    def __init__(self, config: dict[str, Any] | None) -> None:
        config = config or {}
        self.testers = {gateway_name(g) for g in config.get("testers") or []}
        self.regions: dict[str, tuple[set[str | None], set[str | None]]] = {
            region: (
                {gateway_name(g) for g in listed(said.get("gateways"))},
                {service_uri(u) for u in listed(said.get("uris"))},
            )
            for region, said in (config.get("regions") or {}).items()
        }

    def region(self, gateway: str | None, uri: str | None) -> str | None:
        """The region configured for the gateway, else for the URI. Of several: the first in the file."""
        by_gateway = [r for r, (gateways, _) in self.regions.items() if gateway and gateway in gateways]
        by_uri = [r for r, (_, uris) in self.regions.items() if uri and uri in uris]
        return next(iter(by_gateway + by_uri), None)
