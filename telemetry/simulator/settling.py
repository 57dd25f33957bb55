"""Turns finished sessions into sums: for the network, and for everything that a session belongs to."""

from collections.abc import Iterable

from telemetry.simulator.outcome import outcome
from telemetry.simulator.plan import FEW, FIRST, REQUEST, RUNNER_SENT, SENT, Visit
from telemetry.simulator.session import Session
from telemetry.simulator.tally import Tally
from telemetry.simulator.world import World

WARM_MS = 15 * 60_000
ATTEMPTED = frozenset({"served", "startupFailed", "outputFailed"})
UNBUSY = frozenset({"unserved", "abandoned"})


class Settlement:
    """The sums of everything that has been settled."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.network = Tally()
        self.orchestrators: dict[str, Tally] = {}
        self.gpus: dict[str, Tally] = {}
        self.workflows: dict[str, Tally] = {}
        self._wallets: dict[str, Tally] = {}
        self._names: dict[str, Tally] = {}
        self._senders: dict[str, set[str]] = {}

    def settle(self, session: Session, silent: bool) -> None:
        """Adds a session that has ended, or that the end of the log has cut off."""
        legs, plan = session.legs, session.plan
        known = self._known_workflow(session)
        gpus = {id(leg): self._world.gpu_ids(leg.slot, leg.named_ms) for leg in legs}
        ending = outcome(session.course, silent)
        self._settle_runners(session)
        self._settle_latencies(session)
        self._settle_minutes(session, ending)
        self._settle_stays(session, ending)
        self._settle_outcome(session, ending, gpus)
        for leg in legs:
            self._spread(session, known, session.tallies[id(leg)], leg, gpus[id(leg)])
        self._spread(session, known, session.nobody, None, ())
        for visit, paid in zip(plan.visits, session.paid, strict=True):
            if paid.counts:
                self._senders.setdefault(plan.order.gateway.name, set()).add(plan.order.gateway.wallet.lower())
                self._spread(session, known, paid, visit, gpus.get(id(visit), ()))

    def gateways(self) -> dict[str, Tally]:
        """Sums per gateway. A name stands for the one wallet that paid under it; where there were several or none,
        for itself; a gateway without name that never paid is nobody."""
        found = {wallet: _copy(tally) for wallet, tally in self._wallets.items()}
        for name, tally in self._names.items():
            senders = self._senders.get(name, set())
            key = next(iter(senders)) if len(senders) == 1 else name
            found.setdefault(key, Tally()).merge(tally)
        return found

    def _known_workflow(self, session: Session) -> str | None:
        """The workflow, where the log shows it: by an event, by a payment, or because the place offers no other."""
        only = bool(session.legs) and len(session.legs[-1].slot.place.slots) == 1
        return session.plan.order.workflow if session.says_model or session.has_paid or only else None

    def _settle_runners(self, session: Session) -> None:
        for visit, runner in zip(session.plan.visits, session.runners, strict=True):
            if id(visit) in session.tallies:
                runner.finish(session.tallies[id(visit)])

    def _settle_latencies(self, session: Session) -> None:
        request_ms = session.edges.get((REQUEST, -1))
        if request_ms is None:
            return
        first, few = _earliest(session, FIRST), _earliest(session, FEW)
        if first is not None:
            target = self._unswapped(session, *first)
            target.measure("promptToFirstFrameMs", (first[0] - request_ms) * 1_000)
            if _cold(session, *first):
                target.measure("startupTimeS", (first[0] - request_ms) * 1_000)
        if few is not None:
            self._unswapped(session, *few).measure("promptToPlayableMs", (few[0] - request_ms) * 1_000)
        both = [
            (at, v) for (kind, v), at in session.edges.items() if kind == RUNNER_SENT and (SENT, v) in session.edges
        ]
        if both:
            made_ms, visit = min(both)
            taken_ms = made_ms - session.edges[SENT, visit]
            target = self._unswapped(session, made_ms, visit)
            if taken_ms > 0:
                target.measure("e2eLatencyMs", taken_ms * 1_000)
            else:
                target.add("clockSkew")

    def _unswapped(self, session: Session, at_ms: int, visit: int) -> Tally:
        """Where a latency counts: at the place of its end edge, or at nobody's after a swap."""
        if any(swap.at_ms < at_ms for swap in session.swaps):
            return session.nobody
        return session.tallies[id(session.plan.visits[visit])]

    def _settle_minutes(self, session: Session, ending: str) -> None:
        if ending in UNBUSY:
            return
        bounds = [leg.start_ms for leg in session.legs[1:]]
        starts = [session.plan.order.at_ms, *bounds]
        ends = [*bounds, session.last_ms]
        tallies = [session.tallies[id(leg)] for leg in session.legs] or [session.nobody]
        for tally, start_ms, end_ms in zip(tallies, starts, ends, strict=True):
            tally.add("inferenceMs", end_ms - start_ms)

    def _settle_stays(self, session: Session, ending: str) -> None:
        if ending not in ATTEMPTED:
            return
        for leg in session.legs:
            session.tallies[id(leg)].add("stays")
        for swap in session.swaps:
            if swap.visit >= 0:
                tally = session.tallies[id(session.plan.visits[swap.visit])]
                tally.add("swaps")
                tally.add(f"swapReason:{swap.reason}")

    def _settle_outcome(self, session: Session, ending: str, gpus: dict[int, tuple[str, ...]]) -> None:
        last = session.legs[-1] if session.legs else None
        tally = session.tallies[id(last)] if last else session.nobody
        tally.add("requested")
        tally.add(ending)
        if session.plan.order.attempt == 0:
            tally.add("streams")
        if session.synthetic:
            tally.add("syntheticSessions")
        if last and len(gpus[id(last)]) > 1:
            tally.add("ambiguousGpuSessions")

    def _spread(
        self, session: Session, workflow: str | None, tally: Tally, visit: Visit | None, gpus: tuple[str, ...]
    ) -> None:
        """Adds a leg's sums wherever they belong."""
        if not tally.counts and not tally.spreads:
            return
        gateway = session.plan.order.gateway
        targets = [self.network]
        if workflow is not None:
            targets.append(self.workflows.setdefault(workflow, Tally()))
        if session.has_paid:
            targets.append(self._wallets.setdefault(gateway.wallet.lower(), Tally()))
        elif gateway.name:
            targets.append(self._names.setdefault(gateway.name, Tally()))
        if visit is not None:
            targets.append(self.orchestrators.setdefault(visit.slot.place.key, Tally()))
        if len(gpus) == 1:
            targets.append(self.gpus.setdefault(gpus[0], Tally()))
        for target in targets:
            target.merge(tally)


def _earliest(session: Session, kind: str) -> tuple[int, int] | None:
    """The earliest edge of a kind and the visit that it names."""
    found: Iterable[tuple[int, int]] = ((at, visit) for (k, visit), at in session.edges.items() if k == kind)
    return min(found, default=None)


def _cold(session: Session, first_ms: int, visit: int) -> bool:
    """Whether the start was cold: nobody else was there in the quarter of an hour before, or the runner restarted."""
    since = session.plan.order.at_ms - WARM_MS
    restarted = any(since <= restart_ms <= first_ms for restart_ms in session.runners[visit].stated)
    return restarted or not session.reached[visit]


def _copy(tally: Tally) -> Tally:
    copy = Tally()
    copy.merge(tally)
    return copy
