"""Who wants a stream when: day and night in every gateway's region, workflows by taste, users who come back."""

import heapq
import math
from collections.abc import Iterator

from telemetry.simulator.catalogue import WORKFLOWS
from telemetry.simulator.chance import Names, base36, chance, poisson
from telemetry.simulator.options import Options
from telemetry.simulator.plan import Order, Plan
from telemetry.simulator.world import HOUR_MS, Gateway, World

BUSIEST_HOUR = 20
SWING = 0.65
# First tries per session: the rest are users who come back with the same stream.
FIRST_TRIES = 0.9
COMES_BACK = {"served": 0.06, "output failed": 0.5, "startup failed": 0.45, "left early": 0.3, "refused": 0.25}
MOST_ATTEMPTS = 3


class Demand:
    """The orders of the whole network, window by window."""

    def __init__(self, options: Options, world: World) -> None:
        self._rng = chance(options.seed, "demand")
        self._world = world
        self._per_hour = options.orchestrators * options.rate * FIRST_TRIES
        self._requests = Names(options.seed, "request")
        self._streams = Names(options.seed, "stream")
        self._ahead: list[tuple[int, str, Order]] = []
        # Nearly everybody asks for what somebody offers.
        self._weights = [w.weight * (1 if world.slots[w.name] else 0.03) for w in WORKFLOWS]

    def orders(self, start_ms: int, until_ms: int) -> Iterator[Order]:
        """What is asked for in [start, until), in order of time, users included who come back within it."""
        for gateway in self._world.gateways:
            for _ in range(poisson(self._rng, self._expected(gateway, start_ms, until_ms))):
                self._expect(self._order(gateway, self._rng.randrange(start_ms, until_ms)))
        while self._ahead and self._ahead[0][0] < until_ms:
            yield heapq.heappop(self._ahead)[2]

    def learn(self, plan: Plan) -> None:
        """Some users try again with the same stream, mostly those whom it failed."""
        order = plan.order
        if order.attempt + 1 >= MOST_ATTEMPTS or self._rng.random() >= COMES_BACK.get(plan.fate, 0.0):
            return
        at_ms = plan.end_ms + self._rng.randint(2_000, 40_000)
        again = Order(
            at_ms,
            order.gateway,
            order.workflow,
            order.stream_id,
            self._requests.take(),
            order.synthetic,
            order.attempt + 1,
        )
        self._expect(again)

    def _expect(self, order: Order) -> None:
        heapq.heappush(self._ahead, (order.at_ms, order.request_id, order))

    def _expected(self, gateway: Gateway, start_ms: int, until_ms: int) -> float:
        local_hour = start_ms / HOUR_MS + gateway.utc_offset
        wave = 1 + SWING * math.cos((local_hour - BUSIEST_HOUR) * math.pi / 12)
        return self._per_hour * gateway.weight * wave * (until_ms - start_ms) / HOUR_MS

    def _order(self, gateway: Gateway, at_ms: int) -> Order:
        rng = self._rng
        workflow = rng.choices(WORKFLOWS, self._weights)[0].name
        synthetic = rng.choice(("data", "params")) if rng.random() < (0.8 if gateway.tester else 0.03) else ""
        stream_id = f"stream-{self._streams.take()[2:]}-{base36(at_ms)}"
        return Order(at_ms, gateway, workflow, stream_id, self._requests.take(), synthetic, 0)
