"""Who is in the simulated network: orchestrators, their service URIs and GPUs, and gateways."""

from dataclasses import dataclass, field
from random import Random

from telemetry.simulator.catalogue import GPU_MODELS, WORDS, WORKFLOWS, GpuModel, Workflow
from telemetry.simulator.chance import address, chance, digest, uuid_of
from telemetry.simulator.options import Options

SNAPSHOT_EVERY_MS = 300_000
RESTART_EVERY_MS = 4 * 3_600_000
HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Restart:
    """A moment at which a runner began again. A new container also gives its cards new ids."""

    at_ms: int
    container: bool


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """A workflow offered at a service URI, with the cards that it may run on, by their position there."""

    place: "Place"
    workflow: Workflow
    cards: tuple[int, ...]
    shown: bool


@dataclass(frozen=True, slots=True)
class Orchestrator:
    """An on-chain wallet, the region that it stands in, and how often it is chosen."""

    wallet: str
    region: str
    weight: float
    flaky: float


@dataclass(slots=True, eq=False)
class Place:
    """A service URI: whose it is, what it runs, when it restarts, and how far its clock is off."""

    seed: int
    uri: str
    node_key: str
    orchestrator: Orchestrator
    model: GpuModel
    card_count: int
    runner_version: str
    node_version: str
    restarts: tuple[Restart, ...]
    clock_offset_ms: int
    face_value: str
    slots: list[Slot] = field(default_factory=list)

    @property
    def key(self) -> str:
        """The wallet in lower case: the orchestrator's identity."""
        return self.orchestrator.wallet.lower()

    def containers(self, at_ms: int) -> int:
        """How many new containers there have been up to a moment."""
        return sum(1 for restart in self.restarts if restart.container and restart.at_ms <= at_ms)

    def card_id(self, card: int, containers: int) -> str:
        """The id of a card under the so-manieth container."""
        return "GPU-" + uuid_of(int.from_bytes(digest(self.seed, "card", self.uri, card, containers)[:16], "big"))

    def restart_state(self, at_ms: int) -> tuple[int, int | None]:
        """What the runner says of itself at a moment: restarts since its container began, and the last one's time."""
        count, last = 0, None
        for restart in self.restarts:
            if restart.at_ms > at_ms:
                break
            count, last = (0, None) if restart.container else (count + 1, restart.at_ms)
        return count, last

    def quiet_since(self, at_ms: int) -> int:
        """Milliseconds since the last restart of any kind; very many where there was none."""
        past = [restart.at_ms for restart in self.restarts if restart.at_ms <= at_ms]
        return at_ms - past[-1] if past else 1 << 40


@dataclass(frozen=True, slots=True)
class Gateway:
    """A sender of streams: its wallet (blank: it does not pay), the name in its envelopes, where it stands."""

    name: str
    wallet: str
    region: str
    utc_offset: int
    weight: float
    tester: bool = False


@dataclass(frozen=True, slots=True)
class World:
    """Everything that stands still while the simulation runs."""

    start_ms: int
    end_ms: int
    places: tuple[Place, ...]
    gateways: tuple[Gateway, ...]
    slots: dict[str, list[Slot]]

    def snapshot_ms(self, at_ms: int) -> int:
        """When the latest capability snapshot at or before a moment was taken."""
        return self.start_ms + (at_ms - self.start_ms) // SNAPSHOT_EVERY_MS * SNAPSHOT_EVERY_MS

    def gpu_ids(self, slot: Slot, at_ms: int) -> tuple[str, ...]:
        """The ids of the cards that the snapshot in force shows for a workflow at a service URI."""
        if not slot.shown:
            return ()
        containers = slot.place.containers(self.snapshot_ms(at_ms))
        return tuple(slot.place.card_id(card, containers) for card in slot.cards)


REGIONS = (("us-east", -5), ("us-west", -8), ("eu-central", 1), ("ap-southeast", 8))


def build(options: Options) -> World:
    """The network that these options describe."""
    places = [
        place
        for number in range(options.orchestrators)
        for place in _orchestrator(options, number, chance(options.seed, "orchestrator", number))
    ]
    slots: dict[str, list[Slot]] = {workflow.name: [] for workflow in WORKFLOWS}
    for place in places:
        for slot in place.slots:
            slots[slot.workflow.name].append(slot)
    return World(options.start_ms, options.end_ms, tuple(places), _gateways(options.seed), slots)


def _gateways(seed: int) -> tuple[Gateway, ...]:
    """Two that name themselves, two that share one name, one that is silent as in the real feed, and a tester."""

    def wallet(name: str) -> str:
        return address(seed, "gateway", name)

    return (
        Gateway("", wallet("quiet"), "us-east", -5, 0.34),
        Gateway("gw-fra-1.streams.example", wallet("fra"), "eu-central", 1, 0.24),
        Gateway("gw-sea-1.streams.example", wallet("sea"), "us-west", -8, 0.18),
        Gateway("gw-pool.streams.example", wallet("pool-a"), "ap-southeast", 8, 0.12),
        Gateway("gw-pool.streams.example", wallet("pool-b"), "eu-central", 1, 0.09),
        Gateway("gw-probe.streams.example", "", "us-east", -5, 0.03, tester=True),
    )


def _orchestrator(options: Options, number: int, rng: Random) -> list[Place]:
    """The service URIs of one orchestrator."""
    orchestrator = Orchestrator(
        wallet=address(options.seed, "wallet", number),
        region=rng.choice(REGIONS)[0],
        weight=(1 + number % 17) ** -0.5,
        flaky=rng.choice((0.4, 0.7, 1.0, 1.0, 1.6, 3.0)),
    )
    name = f"{rng.choice(WORDS)}-{rng.choice(WORDS)}{number}"
    count = rng.choices((1, 2, 3, 4), (30, 40, 20, 10))[0]
    return [_place(options, number, index, f"https://{name}", orchestrator, rng) for index in range(count)]


def _place(options: Options, number: int, index: int, host: str, orchestrator: Orchestrator, rng: Random) -> Place:
    """One service URI with its cards and workflows."""
    # Every sixth orchestrator signs one URI with its neighbour's node key; some use one key for all their URIs.
    owner = number - 1 if number % 6 == 5 and index == 0 else number
    key = address(options.seed, "node", owner, 0 if number % 4 == 0 or owner != number else index)
    uri = f"{host}.example:{8935 + index}"
    sources = chance(options.seed, "place", uri)
    place = Place(
        seed=options.seed,
        uri=uri,
        node_key=key,
        orchestrator=orchestrator,
        model=rng.choices(GPU_MODELS, [model.weight for model in GPU_MODELS])[0],
        card_count=rng.choices((1, 2), (85, 15))[0],
        runner_version=rng.choice(("0.13.4", "0.14.0", "0.14.1")),
        node_version=rng.choice(("0.8.7", "0.8.8-5c1e02ab", "0.8.9")),
        restarts=_restarts(options, orchestrator, sources),
        clock_offset_ms=_offset(options, sources),
        face_value=sources.choice(("plain", "plain", "varied", "eth")),
    )
    place.slots.extend(_slots(place, rng))
    return place


def _slots(place: Place, rng: Random) -> list[Slot]:
    """Which workflows a service URI offers on which of its cards, and whether its snapshots show them."""
    fits = [workflow for workflow in WORKFLOWS if workflow.min_memory_mib <= place.model.memory_mib]
    first = rng.choices(fits, [workflow.weight for workflow in fits])[0]
    every = tuple(range(place.card_count))
    others = [workflow for workflow in fits if workflow is not first]
    roll = rng.random()
    if roll < 0.05:
        return [Slot(place, first, every, shown=False)]
    if roll < 0.75 or not others:
        return [Slot(place, first, every, shown=True)]
    second = rng.choice(others)
    if place.card_count == 2:
        return [Slot(place, first, (0,), shown=True), Slot(place, second, (1,), shown=True)]
    return [Slot(place, first, every, shown=True), Slot(place, second, every, shown=roll < 0.93)]


def _restarts(options: Options, orchestrator: Orchestrator, rng: Random) -> tuple[Restart, ...]:
    restarts: list[Restart] = []
    at_ms = float(options.start_ms)
    while True:
        at_ms += rng.expovariate(orchestrator.flaky / RESTART_EVERY_MS)
        if at_ms >= options.end_ms:
            return tuple(restarts)
        restarts.append(Restart(int(at_ms), container=rng.random() < 0.2))


def _offset(options: Options, rng: Random) -> int:
    """How far the runner's clock is ahead of the gateway's: nothing, unless clocks are to be skewed."""
    share, size, ahead = rng.random(), rng.randint(300, 8_000), rng.random() < 0.5
    if "skew" not in options.faults or share > 0.5:
        return 0
    return size if ahead else -size
