"""Capability snapshots: which wallet a URI belongs to, which GPUs it offers for which workflow."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from backends.log import Claim, Offer
from metrics.sighting import Trait
from telemetry.names import KEY, uri, wallet
from telemetry.reading import Snapshot, Stamp, Traits
from telemetry.values import Unreadable, decimal, listing, mapping, text

MAX_EXPONENT = 30
LIVE_VIDEO = "35"  # the number of the capability live-video-to-video


class Gpu(NamedTuple):
    """One GPU of a snapshot row."""

    id: str
    traits: Traits


def read_snapshot(data: Any, stamp: Stamp) -> Snapshot:
    """The claims, offers and traits of a `network_capabilities` event. Raises Unreadable."""
    claims: list[Claim] = []
    offers: list[Offer] = []
    traits: list[Traits] = []
    rows = data if isinstance(data, list) else [data] if mapping(data).get("orch_uri") else listing(data)
    for row in map(mapping, rows):
        where, owner, node_key = (
            uri(text(row.get("orch_uri"))),
            wallet(row.get("address")),
            text(row.get("local_address")).lower(),
        )
        places = [place for place in (where, KEY + node_key if node_key else "") if place and owner]
        claims.extend(Claim(stamp.source, place, stamp.at_ms, owner, stamp.id) for place in places)
        shared = {
            Trait.ORCHESTRATOR: owner,
            Trait.SERVICE_URI: where,
            Trait.NODE_VERSION: text(mapping(row.get("capabilities")).get("version")),
        }
        for model, offered, gpus in _offered(row):
            common = shared | offered
            for gpu in gpus or [Gpu("", {})]:
                traits.append({trait: value for trait, value in (common | gpu.traits).items() if value})
                if where:
                    offers.append(
                        Offer(
                            stamp.source,
                            where,
                            stamp.at_ms,
                            stamp.id,
                            len(offers),
                            gpu.id,
                            gpu.traits.get(Trait.GPU_MODEL, ""),
                            model,
                            owner,
                        )
                    )
    return Snapshot(tuple(claims), tuple(offers), tuple(traits))


def _offered(row: dict[str, Any]) -> Iterator[tuple[str, Traits, list[Gpu]]]:
    """(model, what is said of it, its GPUs) for each hardware row, then for models without one; at least one entry."""
    runners, prices, found = _runners(row), _prices(row), set()
    for hardware in map(mapping, listing(row.get("hardware"))):
        model = text(hardware.get("model_id"))
        found.add(model)
        said = {
            Trait.WORKFLOW: model,
            Trait.PIPELINE: text(hardware.get("pipeline")),
            Trait.RUNNER_VERSION: runners.get(model, ""),
            Trait.PRICE_WEI_PER_PIXEL: prices.get(model, ""),
        }
        yield model, said, [gpu for gpu in map(_gpu, listing(hardware.get("gpu_info"))) if gpu.id]
    for model in sorted(runners.keys() - found) or ([] if found else [""]):
        said = {
            Trait.WORKFLOW: model,
            Trait.RUNNER_VERSION: runners.get(model, ""),
            Trait.PRICE_WEI_PER_PIXEL: prices.get(model, ""),
        }
        yield model, said, []


def _gpu(value: Any) -> Gpu:
    info = mapping(value)
    gpu, memory = text(info.get("id")), text(info.get("memory_total"))
    major, minor = text(info.get("major")), text(info.get("minor"))
    return Gpu(
        gpu,
        {
            Trait.GPU: gpu,
            Trait.GPU_MODEL: text(info.get("name")),
            Trait.VRAM_BYTES: memory if memory.isdecimal() and len(memory) < 16 else "",
            Trait.CUDA_CAPABILITY: f"{major}.{minor or 0}" if major else "",
        },
    )


def _runners(row: dict[str, Any]) -> dict[str, str]:
    """Model → runner version, as the live-video capability's constraints name them."""
    capabilities = mapping(row.get("capabilities"))
    constraints = mapping(capabilities.get("constraints"))
    per_capability = mapping(constraints.get("PerCapability") or constraints.get("perCapability"))
    models = mapping(mapping(per_capability.get(LIVE_VIDEO)).get("models"))
    return {text(model): text(mapping(said).get("runnerVersion")) for model, said in models.items() if text(model)}


def _prices(row: dict[str, Any]) -> dict[str, str]:
    """Model → price in wei per pixel, as exact decimal text."""
    found: dict[str, str] = {}
    for price in map(mapping, listing(row.get("capabilities_prices"))):
        try:
            per_unit, pixels = (decimal(price.get(name), name) for name in ("pricePerUnit", "pixelsPerUnit"))
        except Unreadable:
            continue  # a price is shown, never counted
        if per_unit is None or not pixels or text(price.get("capability")) != LIVE_VIDEO:
            continue
        if all(abs(number.adjusted()) < MAX_EXPONENT for number in (per_unit, pixels)):
            found[text(price.get("constraint"))] = f"{(per_unit / pixels).normalize():f}"
    return found
