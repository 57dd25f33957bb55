"""What new events touch, and which sessions that may change."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from backends.log import Claim, Explained, Log, Offer, Payment, Stake, Statements
from telemetry.joins import claim_of
from telemetry.names import KEY
from telemetry.reading import Reading, Snapshot, What
from telemetry.session import SILENCE_MS
from telemetry.who import gateway_named

# Claims further apart than this are looked at separately, so that a late one does not mark everything since.
APART_MS = 600_000
ALWAYS = 2**62
STATEMENTS = (What.PAYMENT, What.SNAPSHOT, What.STAKE)


@dataclass
class Touched:
    """What new events of one source touch."""

    source: str
    counting: dict[str, Reading] = field(default_factory=dict)  # by id: of two contents the later one counts
    stating: dict[str, Reading] = field(default_factory=dict)  # those of them that are payments, snapshots or stakes
    # Events that count no longer, as they were read while they did.
    withdrawn: list[Reading] = field(default_factory=list)
    # The same after a crash, when only their ids are known.
    lost: set[str] = field(default_factory=set)
    owners: set[str] = field(default_factory=set)
    conflicts: set[str] = field(default_factory=set)  # ids

    def add(self, reading: Reading) -> None:
        """An event that counts from now on."""
        self.counting[reading.id] = reading
        if reading.what in STATEMENTS:
            self.stating[reading.id] = reading
        else:
            self.stating.pop(reading.id, None)
        self.owners.update({reading.owner} - {""})

    def withdraw(self, reading: Reading) -> None:
        """An event that counts no longer."""
        self.withdrawn.append(reading)
        self.owners.update({reading.owner} - {""})

    def merge(self, later: "Touched") -> None:
        """What later events touch as well."""
        for event_id in later.counting.keys() & self.stating.keys():
            del self.stating[event_id]
        self.counting |= later.counting
        self.stating |= later.stating
        self.withdrawn += later.withdrawn
        self.lost |= later.lost
        self.owners |= later.owners
        self.conflicts |= later.conflicts

    def by_owner(self) -> dict[str, list[Reading]]:
        """What came, session by session."""
        found: dict[str, list[Reading]] = defaultdict(list)
        for reading in self.counting.values():
            if reading.owner:
                found[reading.owner].append(reading)
        return found

    @property
    def snapshots(self) -> list[tuple[Reading, Snapshot]]:
        """Snapshots that came."""
        return [(r, r.said) for r in self.stating.values() if isinstance(r.said, Snapshot)]

    @property
    def payments(self) -> list[Payment]:
        """Payments that came or went."""
        return [*self.new_payments, *(r.said for r in self.withdrawn if isinstance(r.said, Payment))]

    @property
    def new_payments(self) -> list[Payment]:
        """Payments that came."""
        return [r.said for r in self.stating.values() if isinstance(r.said, Payment)]

    @property
    def offers(self) -> list[Offer]:
        """What snapshots that came offer."""
        return [offer for _, snapshot in self.snapshots for offer in snapshot.offers]

    @property
    def withdrawn_offers(self) -> list[Offer]:
        """What snapshots that went offered."""
        return [offer for r in self.withdrawn if isinstance(r.said, Snapshot) for offer in r.said.offers]

    def statements(self) -> Statements:
        """What the events of no session say, and which of them say nothing any more."""
        snapshots = [snapshot for _, snapshot in self.snapshots]
        return Statements(
            claims=[claim for snapshot in snapshots for claim in snapshot.claims]
            + [claim for payment in self.new_payments for claim in claim_of(payment)],
            offers=self.offers,
            payments=self.new_payments,
            stakes=[r.said for r in self.stating.values() if isinstance(r.said, Stake)],
            withdrawn=[(self.source, event_id) for event_id in self.withdrawn_statements()],
        )

    def withdrawn_statements(self) -> list[str]:
        """The ids of payments, snapshots and stakes that count no longer."""
        read = {r.id for r in self.withdrawn if r.what in STATEMENTS}
        return sorted(read | self.lost)


def explained(touched: Touched, log: Log) -> set[str]:
    """Sessions that claims and snapshots, come or gone, may explain otherwise."""
    came, went = ([r.said for r in readings] for readings in (touched.stating.values(), touched.withdrawn))
    claims: dict[tuple[str, str], set[int]] = defaultdict(set)
    offers: dict[tuple[str, str], set[int]] = defaultdict(set)
    for claim in _claims(came):
        # A key that is claimed for the wallet that it is known by changes nothing.
        claims[claim.place, claim.wallet if claim.place.startswith(KEY) else ""].add(claim.at_ms)
    for claim in _claims(went):
        claims[claim.place, ""].add(claim.at_ms)
    for said in (*came, *went):
        for offer in said.offers if isinstance(said, Snapshot) else ():
            offers[offer.uri, ""].add(offer.at_ms)
    if not claims and not offers:
        return set()
    by_claims, by_offers = (
        [
            Explained(touched.source, place, *span, wallet)
            for (place, wallet), at in sorted(found.items())
            for span in _spans(sorted(at))
        ]
        for found in (claims, offers)
    )
    return set(log.owners_explained(by_claims, by_offers))


def _claims(statements: Iterable[object]) -> Iterator[Claim]:
    for said in statements:
        if isinstance(said, Snapshot):
            yield from said.claims
        elif isinstance(said, Payment):
            yield from claim_of(said)


def _spans(instants: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Runs of instants that lie close together."""
    start = last = instants[0]
    for at_ms in instants:
        if at_ms - last > APART_MS:
            yield start, last
            start = at_ms
        last = at_ms
    yield start, last


def renamed(touched: Touched, log: Log) -> set[str]:
    """Sessions whose envelope name now stands for another gateway."""
    names = sorted({payment.gateway_name for payment in touched.payments} - {""})
    senders = log.senders(touched.source, names) if names else {}
    return {
        owner
        for name in names
        for owner in log.owners_by_gateway_name(touched.source, name, gateway_named(name, senders.get(name, ())))
    }


def silenced(source: str, log: Log, before_ms: int | None, latest_ms: int) -> set[str]:
    """Sessions silent for long enough since the latest event time moved or, where it moved back, no longer so."""
    edge_ms = latest_ms - SILENCE_MS
    if before_ms is not None and before_ms > latest_ms:
        return set(log.owners_silent(source, edge_ms, before_ms - SILENCE_MS, ended=True))
    if before_ms is None:
        fell_silent = log.owners_silent(source, -ALWAYS, edge_ms, ended=False)
        return {*fell_silent, *log.owners_silent(source, edge_ms, ALWAYS, ended=True)}
    since_ms = before_ms - SILENCE_MS
    return set(log.owners_silent(source, since_ms, edge_ms, ended=False)) if since_ms < edge_ms else set()
