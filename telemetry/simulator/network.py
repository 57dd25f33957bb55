"""The simulation itself: goes through time in short slices and writes what happens in each."""

from collections.abc import Iterator
from datetime import UTC, datetime

from telemetry.simulator.demand import Demand
from telemetry.simulator.faults import Faults
from telemetry.simulator.jobs import Jobs
from telemetry.simulator.occupancy import Occupancy
from telemetry.simulator.options import Options
from telemetry.simulator.planner import Planner
from telemetry.simulator.report import group, groups
from telemetry.simulator.session import Session
from telemetry.simulator.settling import Settlement
from telemetry.simulator.snapshots import Snapshots
from telemetry.simulator.stakes import stake_lines, stake_rows
from telemetry.simulator.tickets import Accounts
from telemetry.simulator.world import SNAPSHOT_EVERY_MS, Gateway, build

SLICE_MS = 60_000
SILENCE_MS = 300_000


class Simulation:
    """A network that runs once: take its `events()`, then ask for the `truth()`."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._world = build(options)
        self._occupancy = Occupancy(self._world)
        self._planner = Planner(options.seed, self._occupancy, Accounts(options.seed))
        self._demand = Demand(options, self._world)
        self._snapshots = Snapshots(options.seed, self._world, self._occupancy)
        self._settlement = Settlement(self._world)
        self._jobs = Jobs(options, self._world, self._settlement)
        self._faults = Faults(options)
        self._active: list[Session] = []
        self._resting: list[Session] = []
        self._events = 0
        self._first_ms: int | None = None
        self._last_ms = 0
        self._state = "new"

    def events(self) -> Iterator[bytes]:
        """Every line of the feed, roughly in order of time. Can be taken once."""
        if self._state != "new":
            raise RuntimeError("a simulation runs once; make another Simulation for another run")
        self._state = "running"
        options = self._options
        for start_ms in range(options.start_ms, options.end_ms, SLICE_MS):
            until_ms = min(start_ms + SLICE_MS, options.end_ms)
            events = self._slice(start_ms, until_ms)
            if self._faults.active:
                yield from self._faults.apply(events, until_ms)
            else:
                yield from (line for _, line in events)
        yield from self._faults.flush()
        for session in [*self._resting, *self._active]:
            self._settle(session)
        self._state = "done"

    def stakes(self) -> Iterator[bytes]:
        """A file of stake, line by line, which belongs to the network and not to its feed."""
        return stake_lines(stake_rows(self._options, (place.key for place in self._world.places)))

    def truth(self) -> dict[str, object]:
        """What a perfect observer knows, once all events are out; `report` tells its layout."""
        if self._state != "done":
            raise RuntimeError("the truth is known only when all events have been taken")
        options, settlement = self._options, self._settlement
        return {
            "options": {
                "orchestrators": options.orchestrators,
                "hours": options.hours,
                "seed": options.seed,
                "end": _time(options.end_ms),
                "rate": options.rate,
                "faults": sorted(options.faults),
            },
            "window": {
                "start": _time(options.start_ms),
                "end": _time(options.end_ms),
                "firstEventAt": _time(self._first_ms) if self._first_ms is not None else None,
                "lastEventAt": _time(self._last_ms) if self._first_ms is not None else None,
            },
            "events": self._events,
            "faults": self._faults.done(),
            "orchestratorCount": len({place.key for place in self._world.places}),
            "gpuCount": self._snapshots.gpu_count(options.end_ms - 1),
            "regions": self._regions(),
            "network": {**group(settlement.network), "conflicts": self._faults.conflicts},
            "orchestrators": groups(settlement.orchestrators),
            "gpus": groups(settlement.gpus),
            "workflows": groups(settlement.workflows),
            "gateways": groups(settlement.gateways()),
        }

    def _slice(self, start_ms: int, until_ms: int) -> list[tuple[int, bytes]]:
        """All events of [start, until), in order of time."""
        out: list[tuple[int, bytes]] = []
        first = -(-(start_ms - self._world.start_ms) // SNAPSHOT_EVERY_MS) * SNAPSHOT_EVERY_MS + self._world.start_ms
        for order in self._demand.orders(start_ms, until_ms):
            plan = self._planner.plan(order)
            self._demand.learn(plan)
            legs = plan.legs(self._world.end_ms)
            reached = [self._occupancy.reached(visit.slot, order.at_ms) for visit in plan.visits]
            stay = self._occupancy.enter(legs)
            self._active.append(Session(self._options.seed, plan, self._world.end_ms, stay, reached))
        for at_ms in range(first, until_ms, SNAPSHOT_EVERY_MS):
            out.extend(self._snapshots.take(at_ms))
        self._active = [session for session in self._active if self._goes_on(session, until_ms, out)]
        out.extend(self._jobs.emit(start_ms, until_ms))
        out.sort(key=_by_time)
        if out:
            self._first_ms = out[0][0] if self._first_ms is None else self._first_ms
            self._last_ms = max(self._last_ms, out[-1][0])
            self._events += len(out)
        self._rest()
        return out

    def _goes_on(self, session: Session, until_ms: int, out: list[tuple[int, bytes]]) -> bool:
        if session.emit(until_ms, out):
            return True
        if session.stay is not None:
            session.stay.end_ms = session.last_ms
        self._resting.append(session)
        return False

    def _rest(self) -> None:
        """Settles what has ended for good: sessions that were closed, and those that are silent for long enough."""
        waiting = []
        for session in self._resting:
            if session.course.closed or session.last_ms + SILENCE_MS <= self._last_ms:
                self._settle(session)
            else:
                waiting.append(session)
        self._resting = waiting

    def _settle(self, session: Session) -> None:
        self._settlement.settle(session, session.last_ms + SILENCE_MS <= self._last_ms)

    def _regions(self) -> dict[str, dict[str, list[str]]]:
        """Who stands where, in the words of a file of regions: the wire does not tell."""
        regions: dict[str, dict[str, list[str]]] = {}
        for gateway in self._world.gateways:
            regions.setdefault(gateway.region, {"gateways": [], "uris": []})["gateways"].append(_gateway_id(gateway))
        for place in self._world.places:
            regions.setdefault(place.orchestrator.region, {"gateways": [], "uris": []})["uris"].append(place.uri)
        return dict(sorted(regions.items()))


def _gateway_id(gateway: Gateway) -> str:
    return gateway.wallet.lower() or gateway.name


def _by_time(event: tuple[int, bytes]) -> int:
    return event[0]


def _time(at_ms: int) -> str:
    text = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
