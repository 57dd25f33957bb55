"""`GET /v1/sla/network/capabilities`: what each service URI's last snapshot offers."""

import pytest

from backends.log import Derivation
from metrics.sighting import TRAITS, Sighting
from metrics.window import to_ms
from tests.rest.conftest import NOW, Surface

A, B = "0x" + "aa" * 20, "0x" + "bb" * 20
PATH = "/v1/sla/network/capabilities"
NOW_MS = to_ms(NOW)
HOUR_MS = 3_600_000


def sighting(key: str, hours_ago: float, **traits: str | None) -> Sighting:
    at = NOW_MS - int(hours_ago * HOUR_MS)
    held = {"source": "s", **traits}
    return Sighting("o", key, at, at, tuple(held.get(trait.value) for trait in TRAITS))


@pytest.fixture
def filled(surface: Surface) -> Surface:
    at_a = {"orchestrator": A, "service_uri": "https://a:1", "node_version": "0.8.8-3a5678ec"}
    sdxl = {"workflow": "sdxl", "pipeline": "live", "runner_version": "1.2", "price_wei_per_pixel": "0.5", **at_a}
    rtx = {"gpu_model": "RTX 4090", "vram_bytes": "25769803776", "cuda_capability": "8.9"}
    at_b = {"orchestrator": B, "service_uri": "https://b:1", "node_version": "0.9.0"}
    seen = [
        sighting("1", 3, **sdxl, **rtx, gpu="GPU-old"),
        sighting("2", 3, workflow="dropped", gpu="GPU-old", **at_a),
        sighting("3", 1, **sdxl, **rtx, gpu="GPU-2"),
        sighting("4", 1, **sdxl, **rtx, gpu="GPU-1"),
        sighting("5", 1, workflow="flux", **at_a),
        sighting("6", 0.5, orchestrator=A, service_uri="https://a:1", workflow="sdxl", gpu="GPU-9", region="fra"),
        sighting("7", 40, orchestrator=A, service_uri="https://a:1", region="old"),
        sighting("8", 2, **at_b),
        sighting("9", 30, **{**at_b, "service_uri": "https://b:2"}, workflow="long-ago"),
    ]
    surface.store.replace(Derivation(["o"], [], seen))
    # So the data reach to now.
    surface.loader.load("s", [b'{"type": "x", "timestamp": "%d"}' % (NOW_MS - 1)])
    return surface


async def test_one_row_per_wallet_uri_and_workflow_of_the_last_snapshot(filled: Surface) -> None:
    async with filled.client() as client:
        data = (await client.get(PATH)).json()["data"]

    keys = [(row["o_wallet"], row["service_uri"], row["workflow"]) for row in data]
    assert keys == [(A, "https://a:1", "flux"), (A, "https://a:1", "sdxl"), (B, "https://b:1", None)]


async def test_a_row_tells_what_a_program_that_chooses_wants_to_know(filled: Surface) -> None:
    async with filled.client() as client:
        row = (await client.get(PATH, params={"workflow": "sdxl"})).json()["data"][0]

    card = {"model": "RTX 4090", "vram_bytes": 25769803776, "cuda_capability": "8.9"}
    assert row == {
        "o_wallet": A,
        "service_uri": "https://a:1",
        "workflow": "sdxl",
        "pipeline": "live",
        "region": "fra",
        "price_wei_per_pixel": "0.5",
        "orchestrator_agent_version": "0.8.8",
        "runner_version": "1.2",
        "gpus": [{"gpu_id": "GPU-1", **card}, {"gpu_id": "GPU-2", **card}],
        "last_seen_at": "2026-01-09T13:00:00Z",
    }


@pytest.mark.parametrize(
    ("params", "rows"),
    [({"workflow": "dropped"}, 0), ({"region": "fra"}, 2), ({"region": "old"}, 0), ({"workflow": "flux"}, 1)],
)
async def test_filters_keep_what_they_name(filled: Surface, params: dict[str, str], rows: int) -> None:
    async with filled.client() as client:
        assert len((await client.get(PATH, params=params)).json()["data"]) == rows


async def test_it_is_about_the_24_hours_before_the_latest_event(filled: Surface) -> None:
    async with filled.client() as client:
        meta = (await client.get(PATH)).json()["meta"]

    assert meta["time_window"] == "2026-01-08T14:00:00Z/2026-01-09T14:00:00Z"
    assert meta["last_event_at"] == "2026-01-09T13:59:59.999Z"


async def test_pages_follow_one_another(filled: Surface) -> None:
    async with filled.client() as client:
        whole = (await client.get(PATH)).json()["data"]
        first = (await client.get(PATH, params={"limit": "2"})).json()
        params = {"limit": "2", "cursor": first["pagination"]["next_cursor"]}
        second = (await client.get(PATH, params=params)).json()

    assert first["data"] + second["data"] == whole
    assert second["pagination"]["next_cursor"] is None


async def test_feeds_that_show_one_uri_are_put_together(surface: Surface) -> None:
    both = {"orchestrator": A, "service_uri": "https://a:1", "workflow": "sdxl"}
    seen = [
        sighting("1", 2, **both, source="one", gpu="GPU-1", runner_version="1", price_wei_per_pixel="7"),
        sighting("2", 1, **both, source="two", gpu="GPU-2", runner_version="2"),
    ]
    surface.store.replace(Derivation(["o"], [], seen))
    async with surface.client() as client:
        (row,) = (await client.get(PATH)).json()["data"]

    assert [gpu["gpu_id"] for gpu in row["gpus"]] == ["GPU-1", "GPU-2"]
    assert (row["runner_version"], row["price_wei_per_pixel"]) == ("2", "7")


async def test_an_empty_store_offers_nothing(surface: Surface) -> None:
    async with surface.client() as client:
        answer = (await client.get(PATH)).json()

    assert (answer["data"], answer["meta"]["last_event_at"]) == ([], None)
