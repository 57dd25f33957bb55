"""Capability snapshots: what every service URI offers, every few minutes."""

from collections.abc import Iterator
from random import Random

from telemetry.simulator import wire
from telemetry.simulator.catalogue import MIB
from telemetry.simulator.chance import chance, uuid_of
from telemetry.simulator.occupancy import Occupancy
from telemetry.simulator.world import Place, Slot, World

# Snapshots are cut into events of this many URIs, well below the megabyte that a line may have.
URIS_PER_EVENT = 400
CAPACITIES: dict[str, int] = {str(number): 1 for number in (*range(13), 14, 26)}
LIVE_VIDEO = 35
BITS = sum(1 << number for number in (*map(int, CAPACITIES), LIVE_VIDEO))


class Snapshots:
    """Writes snapshots; the text of a URI is kept until something about it changes."""

    def __init__(self, seed: int, world: World, occupancy: Occupancy) -> None:
        self._rng = chance(seed, "snapshots")
        self._world = world
        self._occupancy = occupancy
        self._texts: dict[tuple[Place, int, int], str] = {}

    def take(self, at_ms: int) -> Iterator[tuple[int, bytes]]:
        """The events of one snapshot of the whole network."""
        gateways = self._world.gateways
        for start in range(0, len(self._world.places), URIS_PER_EVENT):
            rows = ",".join(self._row(place, at_ms) for place in self._world.places[start : start + URIS_PER_EVENT])
            name = gateways[self._rng.randrange(len(gateways))].name
            event_id = uuid_of(self._rng.getrandbits(128))
            yield at_ms, wire.envelope(f"[{rows}]", event_id, "network_capabilities", name, at_ms)

    def gpu_count(self, at_ms: int) -> int:
        """How many card ids the snapshot in force at a moment shows."""
        slots = [slot for slots in self._world.slots.values() for slot in slots]
        return len({gpu for slot in slots for gpu in self._world.gpu_ids(slot, at_ms)})

    def _row(self, place: Place, at_ms: int) -> str:
        key = (place, place.containers(at_ms), min(self._occupancy.busy(place, at_ms), place.card_count))
        text = self._texts.get(key)
        if text is None:
            # Only the newest container is ever asked for again.
            self._texts = {k: v for k, v in self._texts.items() if k[0] is not place or k[1] == key[1]}
            text = self._texts[key] = wire.quoted(_row(place, key[1], key[2], self._rng))
        return text


def _row(place: Place, containers: int, busy: int, rng: Random) -> dict[str, object]:
    """One service URI as the gateway lists it."""
    models = {
        slot.workflow.name: {"warm": True, "runnerVersion": place.runner_version, "capacityInUse": min(busy, 1)}
        for slot in place.slots
    }
    return {
        "address": place.orchestrator.wallet,
        "capabilities": {
            "bitstring": [BITS],
            "capacities": CAPACITIES | {str(LIVE_VIDEO): place.card_count},
            "version": place.node_version,
            "constraints": {"PerCapability": {str(LIVE_VIDEO): {"models": models}}},
        },
        "local_address": place.node_key,
        "orch_uri": place.uri,
        "capabilities_prices": [
            {
                "capability": LIVE_VIDEO,
                "pixelsPerUnit": 1,
                "constraint": slot.workflow.name,
                "pricePerUnit": slot.workflow.price_wei,
            }
            for slot in place.slots
        ],
        "hardware": _hardware(place, containers, busy, rng),
    }


def _hardware(place: Place, containers: int, busy: int, rng: Random) -> list[dict[str, object]] | None:
    """The cards per workflow, as far as the orchestrator shows them; null where it shows none."""
    if not any(slot.shown for slot in place.slots):
        return None
    return [
        {
            "pipeline": "live-video-to-video",
            "gpu_info": _cards(slot, containers, busy, rng) if slot.shown else None,
            "model_id": slot.workflow.name,
        }
        for slot in place.slots
    ]


def _cards(slot: Slot, containers: int, busy: int, rng: Random) -> dict[str, dict[str, object]]:
    """The cards of a slot by their position in its container."""
    place, model, cards = slot.place, slot.place.model, {}
    for position, card in enumerate(slot.cards):
        used_mib = (9_000 if busy > position else 600) + rng.randint(0, 400)
        cards[str(position)] = {
            "memory_free": (model.memory_mib - used_mib) * MIB,
            "major": model.major,
            # As in go-livepeer's JSON, a zero is left out.
            **({"minor": model.minor} if model.minor else {}),
            "name": model.name,
            "id": place.card_id(card, containers),
            "memory_total": model.memory_mib * MIB,
        }
    return cards
