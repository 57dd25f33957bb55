"""Which places are busy, and which have run a workflow lately."""

from random import Random

from telemetry.simulator.plan import Plan, Visit
from telemetry.simulator.world import Place, Slot, World

WARM_MS = 15 * 60_000
# A place rests a little between streams, so that payments of one can never be taken for another's.
PAUSE_MS = 15_000
TRIES = 6
MODEL_EVICTED = 0.15


class Stay:
    """A leg at a slot as others see it: when it begins, and when it ends, once that is known."""

    __slots__ = ("end_ms", "start_ms")

    def __init__(self, start_ms: int, end_ms: int | None) -> None:
        self.start_ms = start_ms
        self.end_ms = end_ms

    def over_before(self, at_ms: int) -> bool:
        """Whether it surely ended before a moment."""
        return self.end_ms is not None and self.end_ms < at_ms


class Occupancy:
    """The bookings of every place and the recent stays at every slot."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._bookings: dict[Place, list[tuple[int, int, Slot]]] = {}
        self._stays: dict[Slot, list[Stay]] = {}
        self._last_use: dict[Slot, int] = {}
        self._weights = {
            name: [slot.place.orchestrator.weight for slot in slots] for name, slots in world.slots.items()
        }

    def pick(self, workflow: str, at_ms: int, until_ms: int, met: set[str], rng: Random) -> Slot | None:
        """A slot for this workflow that is free all the time, the popular ones first; None where there is none."""
        slots = self._world.slots[workflow]
        if not slots:
            return None
        liked = rng.choices(slots, self._weights[workflow], k=TRIES)
        for slot in [*liked, *slots]:
            if slot.place.key not in met and self._free(slot, at_ms, until_ms):
                return slot
        return None

    def book(self, plan: Plan) -> None:
        """Keeps the places of a plan busy for as long as it needs them."""
        for visit in plan.visits:
            place, end_ms = visit.slot.place, visit.stop_ms + PAUSE_MS
            kept = [booking for booking in self._bookings.get(place, []) if booking[1] > plan.order.at_ms]
            self._bookings[place] = [*kept, (visit.asked_ms - 1_000, end_ms, visit.slot)]
            self._last_use[visit.slot] = end_ms

    def busy(self, place: Place, at_ms: int) -> int:
        """How many streams a place serves at a moment."""
        return sum(1 for start, end, _ in self._bookings.get(place, []) if start <= at_ms < end)

    def is_cold(self, slot: Slot, at_ms: int, roll: float) -> bool:
        """Whether the runner must load its model: it has just restarted or, at times, it has long been idle."""
        idle = at_ms - self._last_use.get(slot, -WARM_MS) >= WARM_MS
        return slot.place.quiet_since(at_ms) < WARM_MS or (idle and roll < MODEL_EVICTED)

    def reached(self, slot: Slot, request_ms: int) -> bool:
        """Whether a leg of an earlier session at this slot reaches into the quarter of an hour before a request."""
        since = request_ms - WARM_MS
        kept = [stay for stay in self._stays.get(slot, []) if not stay.over_before(since)]
        self._stays[slot] = kept
        return any(stay.start_ms < request_ms for stay in kept)

    def enter(self, legs: list[Visit]) -> Stay | None:
        """Records the legs of a session; gives the last one, whose end is still open."""
        last = None
        for index, leg in enumerate(legs, 1):
            last = Stay(leg.start_ms, legs[index].start_ms if index < len(legs) else None)
            self._stays.setdefault(leg.slot, []).append(last)
        return last

    def _free(self, slot: Slot, at_ms: int, until_ms: int) -> bool:
        busy = [b for b in self._bookings.get(slot.place, []) if b[0] < until_ms + PAUSE_MS and b[1] > at_ms]
        return len(busy) < slot.place.card_count and sum(1 for b in busy if b[2] is slot) < len(slot.cards)
