"""Deriving: whatever new events touch is computed again from the log and replaced whole.

A session's facts depend on its own events, and on claims, snapshots, payments, its neighbours at a place and the latest
event time of its source. `Deriver.derive` finds every session that any of these may have changed, and derives it again.
To mark too many costs time; to mark too few would be wrong, and the laws' tests would show it.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field

from backends.log import Derivation, Log, Payment, Spot, StoredSession, SupplyHour
from metrics.fact import Fact
from metrics.sighting import TRAITS, Sighting, Trait
from metrics.window import DAY_MS, HOUR_MS
from telemetry import joins
from telemetry.brief import Brief
from telemetry.facts import facts_of, sightings_of
from telemetry.flops import Flops
from telemetry.jobs import job_facts, job_sighting
from telemetry.joins import Joined
from telemetry.names import KEY, WALLET
from telemetry.reading import Reading, Snapshot
from telemetry.readings import Readings
from telemetry.record import alone_facts, stored_of
from telemetry.regions import Regions
from telemetry.session import Session
from telemetry.showings import Showings
from telemetry.slots import Run, Site, hours_of, supply_facts
from telemetry.touched import Touched, explained, renamed, silenced
from telemetry.who import Identified, Paid, World, identified

CHUNK = 500  # sessions derived together


@dataclass
class Derived:
    """What one step will replace."""

    owners: set[str] = field(default_factory=set)
    facts: list[Fact] = field(default_factory=list)
    sightings: list[Sighting] = field(default_factory=list)
    sessions: list[StoredSession] = field(default_factory=list)
    hours: list[SupplyHour] = field(default_factory=list)
    supply: list[Fact] = field(default_factory=list)

    def add(self, owners: Sequence[str], facts: Sequence[Fact] = (), sightings: Sequence[Sighting] = ()) -> None:
        """Everything that these owners have from now on."""
        self.owners.update(owners)
        self.facts += facts
        self.sightings += sightings


class Deriver:
    """Derives what is touched, one source at a time."""

    def __init__(self, log: Log, regions: Regions, flops: Flops) -> None:
        self.log = log
        self.regions = regions
        self.flops = flops
        self.readings = Readings(log)
        self.showings = Showings(log)
        self._latest: dict[str, int] = {}

    def derive(self, touched: Touched) -> None:
        """Bring every fact that `touched` may change up to date; rollups are left stale."""
        source = touched.source
        self.log.state(touched.statements())
        self.readings.update(touched)
        latest_ms = self.log.latest().get(source, 0)
        arrived = touched.by_owner()
        # Sessions of one time together: what they share with their neighbours is read once.
        owners = sorted(touched.owners, key=lambda owner: (arrived[owner][0].at_ms if owner in arrived else 0, owner))
        self._step(touched, owners[:CHUNK], latest_ms, arrived, self._supply_hours(touched))
        for start in range(CHUNK, len(owners), CHUNK):
            self._step(Touched(source), owners[start : start + CHUNK], latest_ms, arrived)
        marked = explained(touched, self.log) | self._repaid(touched) | renamed(touched, self.log)
        marked |= silenced(source, self.log, self._latest.get(source), latest_ms)
        rest = sorted(marked - touched.owners)
        for start in range(0, len(rest), CHUNK):
            self._step(Touched(source), rest[start : start + CHUNK], latest_ms, {})
        self._latest[source] = latest_ms

    def forget(self) -> None:
        """Start from the log alone, as after opening."""
        self.readings = Readings(self.log)
        self.showings = Showings(self.log)
        self._latest.clear()

    def _repaid(self, touched: Touched) -> set[str]:
        """Sessions of which payments now say something else than what is stored."""
        stored_requests = (one.record.request_id for one in self.log.sessions_of(touched.owners))
        requests = {*stored_requests, *(p.request_id for p in touched.payments)}
        requests |= {p.request_id for p in self._payments_of(touched, requests)}
        joined, stored = self._joined(touched, requests, {})
        said = {one.record.owner: Paid(one.paid_gateway, one.paid_workflow) for one in stored}
        return {owner for owner, now in joined.paid().items() if said.get(owner, now) != now}

    def _step(
        self,
        touched: Touched,
        owners: Sequence[str],
        latest_ms: int,
        arrived: Mapping[str, Sequence[Reading]],
        hours: Set[SupplyHour] = frozenset(),
    ) -> None:
        """Derive these sessions, what neighbours, streams and payments owe to them and to the touched events, and the
        supply of `hours` and of those that the sessions ran in.
        """
        before = {one.record.owner: Brief.unpack(one) for one in self.log.sessions_of(owners)}
        # A session that was never derived has no event but those that have just arrived.
        new = {owner: arrived[owner] for owner in owners if owner in arrived and owner not in before}
        sessions = self.readings.sessions(owners, new)
        requests = {session.request_id for session in sessions.values()} | {p.request_id for p in touched.payments}
        requests |= {brief.request_id for brief in before.values()}
        joined, _ = self._joined(touched, requests, sessions, before.keys() - sessions.keys())
        world = self._world(touched.source, list(sessions.values()), joined.paid())
        derived = Derived()
        briefs = {
            owner: self._one(identified(session, world), latest_ms, derived) for owner, session in sessions.items()
        }
        derived.add(list(owners))
        self._streams(touched.source, before, briefs, derived)
        self._startups(touched.source, before, briefs, derived)
        self._payments(touched, joined, briefs, derived)
        self._supply(touched.source, hours, before, briefs, derived)
        self._conflicts(touched, derived)
        derived.add([snapshot_owner(touched.source, event_id) for event_id in touched.withdrawn_statements()])
        for reading, snapshot in touched.snapshots:
            derived.add([snapshot_owner(reading.source, reading.id)], [], snapshot_sightings(reading, snapshot))
        self.log.replace(
            Derivation(
                sorted(derived.owners),
                derived.facts,
                derived.sightings,
                derived.sessions,
                gone=sorted(before.keys() - sessions.keys()),
                hours=derived.hours,
                supply=derived.supply,
            )
        )

    def _one(self, known: Identified, latest_ms: int, derived: Derived) -> Brief:
        """Derive one session, job, or sample that stands alone."""
        outcome = known.session.outcome(latest_ms)
        brief = Brief.of(known, outcome)
        if known.session.is_job:
            facts, sightings = list(job_facts(known)), [job_sighting(known)]
        else:
            facts = list(facts_of(known, outcome) if brief.legs else alone_facts(known))
            sightings = list(sightings_of(known))
        derived.sessions.append(stored_of(known, brief, outcome, latest_ms, facts))
        derived.add([], facts, sightings)
        return brief

    def _joined(
        self, touched: Touched, requests: set[str], fresh: Mapping[str, Session], gone: Set[str] = frozenset()
    ) -> tuple[Joined, Sequence[StoredSession]]:
        """The payments of these requests and their groups, joined to the sessions they name, fresh ones among them."""
        source = touched.source
        payments = self._payments_of(touched, requests)
        named = ({p.request_id for p in payments} | requests) - {""}
        stored = self.log.sessions_by_request(source, named) if named else ()
        briefs = [Brief.unpack(one) for one in stored if one.record.owner not in fresh.keys() | gone]
        spans = [Brief.span(session) for session in fresh.values() if session.request_id in named]
        return Joined(payments, (*briefs, *spans)), stored

    def _payments_of(self, touched: Touched, requests: Set[str]) -> Collection[Payment]:
        """The payments of these requests and of their groups."""
        source, named = touched.source, requests - {""}
        by_request = self.log.payments_by_request(source, named) if named else ()
        groups = {group for p in (*touched.payments, *by_request) if (group := joins.group_of(p))}
        by_group = self.log.payments_by_session(source, groups) if groups else ()
        return {p.id: p for p in (*by_request, *by_group)}.values()

    def _world(self, source: str, sessions: Sequence[Session], paid: Mapping[str, Paid]) -> World:
        """What may explain these sessions."""
        spots: list[Spot] = [(source, place, at) for s in sessions for place, at in s.named_ms.items()]
        uris = sorted({spot for spot in spots if not spot[1].startswith((KEY, WALLET))})
        names = sorted({r.gateway for s in sessions for r in s.readings if r.gateway})
        senders = self.log.senders(source, names) if names else {}
        return World(
            claims=self.log.claims_around(uris) if uris else {},
            key_wallets={
                spot: self.log.claims_between(source, spot[1], spot[2] - DAY_MS, spot[2] + DAY_MS)
                for spot in spots
                if spot[1].startswith(KEY)
            },
            gpu_offers=self.log.offers_around(uris, "gpu") if uris else {},
            workflow_offers=self.log.offers_around(uris, "workflow") if uris else {},
            paid=paid,
            senders={(source, name): found for name, found in senders.items()},
            regions=self.regions,
            flops=self.flops,
        )

    def _streams(self, source: str, before: Mapping[str, Brief], briefs: Mapping[str, Brief], derived: Derived) -> None:
        """Each stream counts with its first session."""
        streams = sorted({brief.stream_id for brief in (*before.values(), *briefs.values())} - {""})
        members: dict[str, list[Brief]] = defaultdict(list)
        for stored in self.log.sessions_by_stream(source, streams) if streams else ():
            if stored.record.owner not in before and stored.record.owner not in briefs:
                members[stored.record.stream_id].append(Brief.unpack(stored))
        for brief in briefs.values():
            members[brief.stream_id].append(brief)
        facts = [joins.stream_fact(members[stream]) for stream in streams if members[stream]]
        derived.add([joins.stream_owner(source, stream) for stream in streams], facts)

    def _startups(
        self, source: str, before: Mapping[str, Brief], briefs: Mapping[str, Brief], derived: Derived
    ) -> None:
        """The startups of these sessions and of those that they may keep, or may have kept, warm."""
        derived.add([joins.startup_owner(owner) for owner in (*before, *briefs)])
        changed = [*before.values(), *briefs.values()]
        legs = [leg for brief in changed for leg in brief.legs if leg.place]
        if not legs:
            derived.add([], list(joins.startups(briefs.values(), briefs.values())))
            return
        start_ms = min(leg.start_ms for leg in legs) - joins.COLD_MS
        end_ms = max(leg.end_ms for leg in legs) + joins.COLD_MS
        stored = self.log.sessions_at(source, sorted({leg.place for leg in legs}), start_ms, end_ms)
        others = [
            Brief.unpack(one) for one in stored if one.record.owner not in before and one.record.owner not in briefs
        ]
        wanted = [*briefs.values(), *joins.may_warm(changed, others)]
        facts = list(joins.startups(wanted, [*others, *briefs.values()]))
        derived.add([joins.startup_owner(brief.owner) for brief in wanted], facts)

    def _supply_hours(self, touched: Touched) -> set[SupplyHour]:
        """The hours of which touched snapshots may change the supply."""
        hours = self.showings.update(touched)
        # What a lost snapshot said is not at hand: any hour may have been its.
        return hours | set(self.log.supply_hours(touched.source)) if touched.lost else hours

    def _supply(
        self,
        source: str,
        hours: Set[SupplyHour],
        before: Mapping[str, Brief],
        briefs: Mapping[str, Brief],
        derived: Derived,
    ) -> None:
        """What was advertised and busy in these hours, and in every one in which these sessions run or ran."""
        by_uri: dict[str, set[int]] = defaultdict(set)
        for _, uri, hour_ms in hours:
            by_uri[uri].add(hour_ms)
        for brief in (*before.values(), *briefs.values()):
            for uri, run in brief.runs:
                by_uri[uri].update(hour.hour_ms for hour in hours_of(source, uri, run.start_ms, run.end_ms))
        if not by_uri:
            return
        start_ms, end_ms = min(map(min, by_uri.values())), max(map(max, by_uri.values())) + HOUR_MS
        shown = self.showings.shown(source, by_uri, start_ms - DAY_MS)
        stored = self.log.sessions_at(source, sorted(by_uri), start_ms, end_ms)
        others = [Brief.unpack(one) for one in stored if one.record.owner not in before.keys() | briefs.keys()]
        runs: dict[str, list[Run]] = defaultdict(list)
        for brief in (*others, *briefs.values()):
            for uri, run in brief.runs:
                runs[uri].append(run)
        for uri, starts in sorted(by_uri.items()):
            site = Site(source, uri, self.regions.of("", None, uri))
            derived.supply += supply_facts(site, shown[uri], runs[uri], starts, self.flops)
            derived.hours += [SupplyHour(source, uri, hour_ms) for hour_ms in sorted(starts)]

    def _payments(self, touched: Touched, joined: Joined, briefs: Mapping[str, Brief], derived: Derived) -> None:
        """The payments of all groups concerned, as they stand beside the derived sessions."""
        known = {p.id for p in joined.payments}
        loose = [p for p in touched.new_payments if p.id not in known]  # that share nothing with anybody
        whole = Joined((*joined.payments, *loose), (briefs.get(brief.owner, brief) for brief in joined.briefs))
        gone = touched.withdrawn_statements()
        derived.add([joins.payment_owner(touched.source, event_id) for event_id in gone])
        for payment in whole.payments:
            fact, sighting = joins.payment_fact(payment, whole, self.regions)
            derived.add([fact.owner], [fact], [sighting])

    def _conflicts(self, touched: Touched, derived: Derived) -> None:
        ids = sorted(touched.conflicts)
        losers = self.log.conflict_counts((touched.source, one) for one in ids) if ids else ()
        owners = [joins.conflict_owner(touched.source, one) for one in ids]
        derived.add(owners, [joins.conflict_fact(*loser) for loser in losers])


def snapshot_owner(source: str, event_id: str) -> str:
    """The owner of a snapshot's sightings."""
    return f"snapshot/{source}/{event_id}"


def snapshot_sightings(reading: Reading, snapshot: Snapshot) -> list[Sighting]:
    """What each row of a snapshot shows together."""
    rows = [
        tuple(reading.source if trait is Trait.SOURCE else said.get(trait) for trait in TRAITS)
        for said in snapshot.traits
    ]
    owner = snapshot_owner(reading.source, reading.id)
    return [Sighting(owner, str(n), reading.at_ms, reading.at_ms, traits) for n, traits in enumerate(rows)]
