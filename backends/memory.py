"""The in-memory store: plain lists and `fold`. Slow, obvious, and what every other store is compared with."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, TypeVar

from backends.backend import (
    PAYMENT_OWNER,
    Holdings,
    IncidentRecord,
    LoggedEvent,
    PageQuestion,
    PaymentEvent,
    PaymentRecord,
    SessionQuestion,
    SessionRecord,
    Staked,
    StakeQuestion,
    StreamQuestion,
    StreamRecord,
)
from backends.contents import Page, Position, Shelf, belongs
from backends.log import (
    STAKE,
    Batch,
    Card,
    Claim,
    Derivation,
    Event,
    Explained,
    Identity,
    Offer,
    Payment,
    Rejected,
    Showing,
    Spot,
    Stake,
    Statements,
    StoredSession,
    SupplyHour,
)
from backends.part import Part
from metrics.columns import ERROR_EVENTS, RESTARTS
from metrics.dimension import INDEX, Dimension
from metrics.evidence import EvidenceQuestion, evidence
from metrics.fact import Fact
from metrics.fold import fold
from metrics.question import Question
from metrics.row import Row
from metrics.sighting import Seen, Sighting, SightingQuestion, seen
from metrics.window import DAY_MS, HOUR_MS

LIKE_DIMENSIONS = {
    Dimension.SOURCE: "source",
    Dimension.ORCHESTRATOR: "orchestrator",
    Dimension.GPU: "gpu",
    Dimension.GPU_MODEL: "gpu_model",
    Dimension.WORKFLOW: "workflow",
    Dimension.GATEWAY: "gateway",
    Dimension.REGION: "region",
}


T = TypeVar("T", Claim, Offer)
Listed = TypeVar("Listed", PaymentRecord, IncidentRecord)


class MemoryStore:
    """A `Backend` and a `Log` in dictionaries."""

    name = "memory"

    def __init__(self) -> None:
        self.raw: dict[tuple[str, str], Event] = {}
        self.conflicts: dict[tuple[str, str, bytes], Event] = {}
        self.rejected: dict[tuple[str, bytes], Rejected] = {}
        self.undone: list[LoggedEvent] = []
        self.claims: dict[tuple[str, str], list[Claim]] = {}
        self.offers: dict[tuple[str, str], list[Offer]] = {}
        self.payings: dict[tuple[str, str], Payment] = {}
        self.stakings: dict[tuple[str, str], Stake] = {}
        self.stored: dict[str, StoredSession] = {}
        self.facts: dict[str, list[Fact]] = {}
        self.supply: dict[SupplyHour, list[Fact]] = {}
        self.sightings: dict[str, list[Sighting]] = {}
        self.version = 0

    # Backend

    async def holds(self) -> Holdings:
        sources: dict[str, tuple[int, int]] = {}
        for event in self._of_feeds():
            first, last = sources.get(event.source, (event.at_ms, event.at_ms))
            sources[event.source] = (min(first, event.at_ms), max(last, event.at_ms))
        return Holdings(sources, len(self.undone), self.version)

    async def rows(self, question: Question) -> Sequence[Row]:
        held = self.supply if question.hourly else self.facts
        return fold(chain.from_iterable(held.values()), question)

    async def seen(self, question: SightingQuestion) -> Sequence[Seen]:
        return seen((one for sightings in self.sightings.values() for one in sightings), question)

    async def evidence(self, question: EvidenceQuestion) -> Sequence[Fact]:
        return evidence(chain.from_iterable(self.facts.values()), question)

    async def sessions(self, question: SessionQuestion) -> Sequence[SessionRecord]:
        passing = (stored.record for stored in self.stored.values() if passes(stored.record, question))
        return sorted(passing, key=lambda record: (record.requested_ms, record.owner))[: question.limit]

    async def streams(self, question: StreamQuestion) -> Sequence[StreamRecord]:
        found = self._streams(question.sessions)
        if question.after is not None:
            found = [one for one in found if beyond(one, question.after, question.descending)]
        if question.before is not None:
            found = [one for one in found if beyond(one, question.before, not question.descending)]
        found.sort(key=lambda one: (one.started_ms, one.stream_id), reverse=question.descending)
        return found[: question.limit]

    async def stream_count(self, question: SessionQuestion) -> int:
        return len(self._streams(question))

    async def events(self, owners: Iterable[str]) -> Sequence[LoggedEvent]:
        return self.session_events(owners)

    async def stakes(self, question: StakeQuestion) -> Sequence[Staked]:
        return staked(self.stakings.values(), question)

    async def payments(self, question: PageQuestion) -> Sequence[PaymentRecord]:
        return paged((self._paid(payment) for payment in self.payings.values()), question)

    async def incidents(self, question: PageQuestion) -> Sequence[IncidentRecord]:
        return paged(self._incidents(), question)

    async def incident_counts(self, question: PageQuestion) -> Mapping[str, int]:
        return Counter(one[0] for one in self._incidents() if within(one, question))

    async def payment_events(self, request_ids: Iterable[str]) -> Sequence[PaymentEvent]:
        wanted = frozenset(request_ids) - {""}
        carrying = (p for p in self.payings.values() if p.request_id in wanted)
        both = ((payment, self.raw.get((payment.source, payment.id))) for payment in carrying)
        return sorted(PaymentEvent(p.request_id, p.at_ms, p.source, p.id, e.body) for p, e in both if e is not None)

    async def ping(self) -> None:
        return None

    async def close(self) -> None:
        return None

    def _paid(self, payment: Payment) -> PaymentRecord:
        facts = self.facts.get(f"{PAYMENT_OWNER}{payment.source}/{payment.id}", ())
        dims = facts[0].dims if facts else (None,) * len(INDEX)
        return PaymentRecord(
            payment.recipient,
            payment.at_ms,
            payment.source,
            payment.id,
            payment.request_id,
            dims[INDEX[Dimension.GATEWAY]],
            dims[INDEX[Dimension.WORKFLOW]],
            payment.tickets,
            payment.face_value_wei,
            payment.fees_wei,
        )

    def _incidents(self) -> Iterator[IncidentRecord]:
        for fact in chain.from_iterable(self.facts.values()):
            if not fact.values.keys() & {ERROR_EVENTS.name, RESTARTS.name}:
                continue
            dims = dict(zip(INDEX, fact.dims, strict=True))
            source, orchestrator = dims[Dimension.SOURCE] or "", dims[Dimension.ORCHESTRATOR] or ""
            event = self.raw.get((source, fact.key.partition("/")[2]))
            yield IncidentRecord(
                orchestrator,
                fact.at_ms,
                source,
                fact.key,
                dims[Dimension.GPU],
                dims[Dimension.WORKFLOW],
                dims[Dimension.GATEWAY],
                fact.values.get(RESTARTS.name),
                event.body if event is not None and event.owner == fact.owner else b"",
            )

    def _of_feeds(self) -> Iterable[Event]:
        return (event for event in self.raw.values() if event.type != STAKE)

    def _streams(self, question: SessionQuestion) -> list[StreamRecord]:
        wanted = {s.record.stream_id for s in self.stored.values() if passes(s.record, question)} - {""}
        grouped: dict[str, list[SessionRecord]] = defaultdict(list)
        for stored in self.stored.values():
            if stored.record.stream_id in wanted:
                grouped[stored.record.stream_id].append(stored.record)
        return [stream_of(records) for records in grouped.values()]

    # Raw log

    def identities(self, source: str, ids: Sequence[str]) -> Mapping[str, Identity]:
        known = ((id, self.raw.get((source, id))) for id in ids)
        return {id: Identity(event.sha, event.at_ms, event.owner) for id, event in known if event is not None}

    def append(self, batch: Batch) -> None:
        for loser in batch.superseded:
            self.raw.pop((loser.source, loser.id), None)
            self.undone.append(LoggedEvent(loser.owner, loser.source, loser.id, loser.at_ms, b""))
        for event in batch.events:
            self.raw[event.source, event.id] = event
            self.undone.append(logged(event))
        self.conflicts.update({(event.source, event.id, event.sha): event for event in batch.conflicts})
        self.undone += [LoggedEvent(e.owner, e.source, e.id, e.at_ms, b"") for e in batch.conflicts]
        self.rejected.update({(line.source, line.sha): line for line in batch.rejected})
        self.version += 1

    def pending(self, limit: int) -> Sequence[LoggedEvent]:
        return self.undone[:limit]

    def mark_derived(self) -> None:
        self.undone.clear()
        self.version += 1

    def event_log(
        self, start_ms: int, end_ms: int, limit: int, after: tuple[str, int, str, str] | None
    ) -> Sequence[LoggedEvent]:
        keyed = sorted(
            ((e.owner, e.at_ms, e.source, e.id), e) for e in self.raw.values() if start_ms <= e.at_ms < end_ms
        )
        return [logged(event) for key, event in keyed if after is None or key > after][:limit]

    def session_events(self, owners: Iterable[str]) -> Sequence[LoggedEvent]:
        wanted = frozenset(owners) - {""}
        found = [logged(event) for event in self.raw.values() if event.owner in wanted]
        return sorted(found, key=lambda event: (event.owner, event.at_ms, event.id))

    def logged(self, keys: Sequence[tuple[str, int, str, str]]) -> Sequence[LoggedEvent]:
        found = (self.raw.get((source, known)) for _, _, source, known in keys)
        return [logged(event) for event in found if event is not None]

    def conflict_counts(self, keys: Iterable[tuple[str, str]]) -> Sequence[tuple[str, str, bytes, int]]:
        wanted = frozenset(keys)
        counting = {(*key, event.sha) for key, event in self.raw.items()}
        losers = ((key, event) for key, event in self.conflicts.items() if key[:2] in wanted)
        return [(*key, event.at_ms) for key, event in losers if key not in counting]

    def latest(self) -> Mapping[str, int]:
        last: dict[str, int] = {}
        for event in self._of_feeds():
            last[event.source] = max(event.at_ms, last.get(event.source, event.at_ms))
        return last

    # Statements

    def state(self, statements: Statements) -> None:
        for key in statements.withdrawn:
            self.claims.pop(key, None)
            self.offers.pop(key, None)
            self.payings.pop(key, None)
            self.stakings.pop(key, None)
        claims, offers = defaultdict(list), defaultdict(list)
        for claim in statements.claims:
            claims[claim.source, claim.id].append(claim)
        for offer in statements.offers:
            offers[offer.source, offer.id].append(offer)
        for key, stated in claims.items():
            self.claims[key] = [*dict.fromkeys([*self.claims.get(key, ()), *stated])]
        for key, told in offers.items():
            self.offers[key] = [*{offer.n: offer for offer in [*self.offers.get(key, ()), *told]}.values()]
        self.payings.update({(payment.source, payment.id): payment for payment in statements.payments})
        self.stakings.update({(stake.source, stake.id): stake for stake in statements.stakes})

    def claims_around(self, spots: Sequence[Spot]) -> Mapping[Spot, Sequence[Claim]]:
        return around([claim for claims in self.claims.values() for claim in claims], spots, "place")

    def claims_between(self, source: str, place: str, start_ms: int, end_ms: int) -> Sequence[str]:
        every = (claim for claims in self.claims.values() for claim in claims)
        wanted = (c for c in every if (c.source, c.place) == (source, place) and start_ms <= c.at_ms <= end_ms)
        return sorted({claim.wallet for claim in wanted})

    def offers_around(self, spots: Sequence[Spot], naming: str) -> Mapping[Spot, Sequence[Offer]]:
        every = [offer for offers in self.offers.values() for offer in offers]
        instants = {(o.source, o.uri, o.at_ms) for o in every if getattr(o, naming)}
        return around([o for o in every if (o.source, o.uri, o.at_ms) in instants], spots, "uri")

    def showings(self, source: str, uris: Iterable[str], start_ms: int, end_ms: int) -> Sequence[Showing]:
        wanted, found = frozenset(uris), list[Showing]()
        told: dict[tuple[str, int], set[Card]] = defaultdict(set)
        for offer in chain.from_iterable(self.offers.values()):
            if offer.source == source and offer.uri in wanted and start_ms <= offer.at_ms < end_ms:
                told[offer.uri, offer.at_ms].add(Card(offer.gpu, offer.gpu_model, offer.workflow, offer.wallet))
        for (uri, at_ms), cards in sorted(told.items()):
            last = found[-1] if found else None
            same = last is not None and (last.uri, last.cards) == (uri, tuple(sorted(cards)))
            if last is not None and same and at_ms - last.last_ms <= DAY_MS:
                found[-1] = last._replace(last_ms=at_ms)
            else:
                found.append(Showing(uri, at_ms, at_ms, tuple(sorted(cards))))
        return found

    def payments_by_request(self, source: str, request_ids: Iterable[str]) -> Sequence[Payment]:
        wanted = frozenset(request_ids) - {""}
        return [p for p in self.payings.values() if p.source == source and p.request_id in wanted]

    def payments_by_session(self, source: str, sessions: Iterable[tuple[str, str]]) -> Sequence[Payment]:
        wanted = frozenset(sessions)
        return [
            p
            for p in self.payings.values()
            if p.source == source and p.session_id and (p.recipient, p.session_id) in wanted
        ]

    def senders(self, source: str, gateway_names: Iterable[str]) -> Mapping[str, Sequence[str]]:
        found: dict[str, set[str]] = {name: set() for name in gateway_names}
        for payment in self.payings.values():
            if payment.source == source and payment.gateway_name in found and payment.sender:
                found[payment.gateway_name].add(payment.sender)
        return {name: sorted(senders)[:2] for name, senders in found.items()}

    # Derived sessions

    def sessions_of(self, owners: Iterable[str]) -> Sequence[StoredSession]:
        return [self.stored[owner] for owner in owners if owner in self.stored]

    def sessions_by_request(self, source: str, request_ids: Iterable[str]) -> Sequence[StoredSession]:
        wanted = frozenset(request_ids) - {""}
        return [s for s in self.stored.values() if s.record.source == source and s.record.request_id in wanted]

    def sessions_by_stream(self, source: str, stream_ids: Iterable[str]) -> Sequence[StoredSession]:
        wanted = frozenset(stream_ids) - {""}
        return [s for s in self.stored.values() if s.record.source == source and s.record.stream_id in wanted]

    def sessions_at(self, source: str, places: Iterable[str], start_ms: int, end_ms: int) -> Sequence[StoredSession]:
        wanted = frozenset(places)
        return [
            s
            for s in self.stored.values()
            if s.record.source == source
            and wanted.intersection(s.places)
            and s.first_ms <= end_ms
            and s.record.last_ms >= start_ms
        ]

    def owners_explained(self, by_claims: Sequence[Explained], by_offers: Sequence[Explained]) -> Sequence[str]:
        found = set()
        for stored in self.stored.values():
            for place, named, claim, offer in zip(
                stored.places, stored.named_ms, stored.claim_ms, stored.offer_ms, strict=True
            ):
                mine = (stored.record.source, place)
                if any(
                    mine == (e.source, e.place) and claims_change(e, named, claim, stored.record.wallets)
                    for e in by_claims
                ) or any(
                    mine == (e.source, e.place) and offers_change(e, named, offer, stored.workflow_by_uri)
                    for e in by_offers
                ):
                    found.add(stored.record.owner)
        return sorted(found)

    def owners_silent(self, source: str, after_ms: int, until_ms: int, ended: bool) -> Sequence[str]:
        return [
            owner
            for owner, s in self.stored.items()
            if s.open
            and (s.record.source, s.record.ended) == (source, ended)
            and after_ms < s.record.last_ms <= until_ms
        ]

    def owners_by_gateway_name(self, source: str, name: str, unless: str) -> Sequence[str]:
        return [
            owner
            for owner, s in self.stored.items()
            if (s.record.source, s.gateway_name, s.paid_gateway) == (source, name, "") and s.record.gateway != unless
        ]

    # Facts

    def replace(self, derivation: Derivation) -> None:
        for owner in derivation.owners:
            self.facts.pop(owner, None)
            self.sightings.pop(owner, None)
        for owner in derivation.gone:
            self.stored.pop(owner, None)
        replaced = frozenset(derivation.owners)
        _put(self.facts, derivation.facts, lambda fact: fact.owner, replaced)
        _put(self.sightings, derivation.sightings, lambda sighting: sighting.owner, replaced)
        self.stored.update({stored.record.owner: stored for stored in derivation.sessions})
        for hour in derivation.hours:
            self.supply.pop(hour, None)
        _put(self.supply, derivation.supply, _supply_hour, frozenset(derivation.hours))
        self.version += 1

    def supply_hours(self, source: str) -> Sequence[SupplyHour]:
        return [hour for hour in self.supply if hour.source == source]

    def refresh(self) -> None:
        self.version += 1

    # The whole content

    def page(self, shelf: Shelf, part: Part, after: Position | None, limit: int) -> Page:
        found = sorted((one for one in self._shelf(shelf) if after is None or one[0] > after), key=lambda one: one[0])
        kept = [one for one in found if belongs(shelf, one[1], part, self._regions_of)]
        last = kept[limit - 1][0] if len(kept) > limit else None
        return Page([item for _, item in kept[:limit]], last)

    def size(self, shelf: Shelf, part: Part) -> int:
        return sum(belongs(shelf, item, part, self._regions_of) for _, item in self._shelf(shelf))

    def _regions_of(self, owner: str) -> set[str]:
        told = {self.stored[owner].record.region or ""} if owner in self.stored else set[str]()
        return told | {fact.dims[INDEX[Dimension.REGION]] or "" for fact in self.facts.get(owner, ())}

    def _shelf(self, shelf: Shelf) -> Iterable[tuple[Position, Any]]:
        match shelf:
            case Shelf.EVENTS:
                return self.raw.items()
            case Shelf.CONFLICTS:
                return (((*key[:2], key[2].hex()), event) for key, event in self.conflicts.items())
            case Shelf.REJECTED:
                return (((source, sha.hex()), line) for (source, sha), line in self.rejected.items())
            case Shelf.CLAIMS:
                every = chain.from_iterable(self.claims.values())
                return (((one.source, one.id, one.place, one.at_ms, one.wallet), one) for one in every)
            case Shelf.OFFERS:
                return (((one.source, one.id, one.n), one) for one in chain.from_iterable(self.offers.values()))
            case Shelf.PAYMENTS:
                return self.payings.items()
            case Shelf.STAKES:
                return self.stakings.items()
            case Shelf.SESSIONS:
                return (((owner,), stored) for owner, stored in self.stored.items())
            case Shelf.SIGHTINGS:
                return (((one.owner, one.key), one) for one in chain.from_iterable(self.sightings.values()))
            case Shelf.FACTS:
                return (((one.owner, one.key), one) for one in chain.from_iterable(self.facts.values()))
            case Shelf.SUPPLY:
                supply = self.supply.items()
                return (
                    ((hour.source, hour.uri, hour.hour_ms, one.key), one) for hour, facts in supply for one in facts
                )


Place = TypeVar("Place")
Item = TypeVar("Item", Fact, Sighting)


def _put(held: dict[Place, list[Item]], new: Sequence[Item], place_of: Callable[[Item], Place], replaced: Any) -> None:
    """Keep items in their places; in those that are not replaced, an item takes the place of one with its key."""
    beside: dict[Place, list[Item]] = {}
    for item in new:
        place = place_of(item)
        (held if place in replaced else beside).setdefault(place, []).append(item)
    for place, items in beside.items():
        keys = {item.key for item in items}
        held[place] = [one for one in held.get(place, []) if one.key not in keys]
        held[place] += {item.key: item for item in items}.values()


def _supply_hour(fact: Fact) -> SupplyHour:
    assert fact.dims[0] is not None
    return SupplyHour(fact.dims[0], fact.owner, fact.at_ms // HOUR_MS * HOUR_MS)


def logged(event: Event) -> LoggedEvent:
    """An event as it is read back."""
    return LoggedEvent(event.owner, event.source, event.id, event.at_ms, event.body)


def passes(record: SessionRecord, question: SessionQuestion) -> bool:
    """Does the session pass the question's filter? A sample that stands alone (no outcome) is no session."""
    if not record.outcome:
        return False
    if question.start_ms is not None and record.requested_ms < question.start_ms:
        return False
    if question.end_ms is not None and record.requested_ms >= question.end_ms:
        return False
    if question.outcomes and record.outcome not in question.outcomes:
        return False
    if question.stream_ids is not None and record.stream_id not in question.stream_ids:
        return False
    return all(_dimension(record, dimension) in values for dimension, values in question.where)


def _dimension(record: SessionRecord, dimension: Dimension) -> str | None:
    if dimension is Dimension.SYNTHETIC:
        return "true" if record.synthetic else "false"
    value: str | None = getattr(record, LIKE_DIMENSIONS[dimension])
    return value


def stream_of(records: Sequence[SessionRecord]) -> StreamRecord:
    """The stream that these sessions make; the first one says where it belongs."""
    first = min(records, key=lambda record: (record.requested_ms, record.request_id, record.owner))
    last_ms = max(record.last_ms for record in records)
    return StreamRecord(first.stream_id, first.requested_ms, last_ms, first.workflow, first.gateway)


def beyond(stream: StreamRecord, position: tuple[int, str], descending: bool) -> bool:
    """Does the stream come strictly after the position, in this direction?"""
    here = (stream.started_ms, stream.stream_id)
    return here < position if descending else here > position


def staked(stakes: Iterable[Stake], question: StakeQuestion) -> list[Staked]:
    """What every store must answer about stake."""
    found: dict[str, dict[int, Stake]] = {name: {} for name in question.orchestrators}
    for stake in stakes:
        if stake.orchestrator in found and stake.at_ms <= question.last_ms:
            other = found[stake.orchestrator].setdefault(stake.at_ms, stake)
            found[stake.orchestrator][stake.at_ms] = min(stake, other, key=lambda one: (one.source, one.id))
    told: list[Staked] = []
    for name, by_time in sorted(found.items()):
        since_ms = max((at_ms for at_ms in by_time if at_ms <= question.first_ms), default=question.first_ms)
        told += [Staked(name, at_ms, by_time[at_ms].lptu) for at_ms in sorted(by_time) if at_ms >= since_ms]
    return told


def within(record: PaymentRecord | IncidentRecord, question: PageQuestion) -> bool:
    """Is the record one of these wallets' in the window?"""
    wallet, at_ms, *_ = record
    return bool(wallet) and wallet in question.wallets and question.start_ms <= at_ms < question.end_ms


def paged(records: Iterable[Listed], question: PageQuestion) -> list[Listed]:
    """What every store must answer to a question for a page of each wallet."""
    found: dict[str, list[Listed]] = defaultdict(list)
    for record in records:
        if within(record, question) and (question.after is None or record[1:4] < question.after):
            found[record[0]].append(record)
    return [
        record
        for _, own in sorted(found.items())
        for record in sorted(own, key=lambda one: one[1:4], reverse=True)[: question.limit]
    ]


def around(rows: Sequence[T], spots: Sequence[Spot], named: str) -> Mapping[Spot, Sequence[T]]:
    """For each spot the rows of the nearest instants on both sides of it."""
    placed: dict[tuple[str, str], list[T]] = defaultdict(list)
    for row in rows:
        placed[row.source, getattr(row, named)].append(row)
    found: dict[Spot, Sequence[T]] = {}
    for source, place, at_ms in spots:
        near = placed.get((source, place), [])
        instants: list[int] = sorted({row.at_ms for row in near})
        index: int = bisect_right(instants, at_ms)
        chosen = {*instants[max(0, index - 1) : index], *instants[index : index + 1]}
        found[source, place, at_ms] = sorted(row for row in near if row.at_ms in chosen)
    return found


def claims_change(new: Explained, named_ms: int, claim_ms: int, wallets: Mapping[str, str]) -> bool:
    """May new claims between first_ms and last_ms change what explains a place named at `named_ms`?"""
    if new.place.startswith("key:"):
        told = new.wallet and new.wallet == wallets.get(new.place)
        return not told and new.first_ms - DAY_MS <= named_ms <= new.last_ms + DAY_MS
    if claim_ms == 0 or (claim_ms > named_ms and claim_ms >= new.first_ms):
        return True
    return named_ms >= new.first_ms and claim_ms <= new.last_ms


def offers_change(new: Explained, named_ms: int, offer_ms: int, workflow_by_uri: bool) -> bool:
    """The same for snapshots."""
    if not new.first_ms - DAY_MS <= named_ms <= new.last_ms + DAY_MS:
        return False
    if workflow_by_uri or offer_ms == 0 or (offer_ms > named_ms and offer_ms >= new.first_ms):
        return True
    return named_ms >= new.first_ms and offer_ms <= new.last_ms
