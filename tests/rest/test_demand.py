"""`GET /v1/sla/network/demand`: hand-computed answers over a small store, in the contract's shape."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from backends.log import Derivation, Stake, SupplyHour
from metrics.fact import Fact
from metrics.sighting import TRAITS, Sighting
from metrics.window import MINUTE_MS, Window, to_ms
from resolvers.context import Context
from resolvers.demand import demand, demand_asked
from resolvers.scope import EVERYWHERE
from rest.cursor import Cursor, decode, encode
from rest.page import interval as page_interval
from telemetry.loader import Loader
from telemetry.regions import Regions
from tests.rest.conftest import NOW, Surface
from tests.rest.test_gpu_metrics import fact
from tests.simulator.runs import run

PATH = "/v1/sla/network/demand"
WALLET = "0x" + "cc" * 20
RANGE = {"time_range": "2026-01-09T12:00:00Z/2026-01-09T14:00:00Z"}


def asked(key: str, minutes_ago: int, **dims: str | None) -> Fact:
    return fact(key, minutes_ago, {"sessions": 1, "streams": 1, "served": 1}, **dims)


def minutes(key: str, minutes_ago: int, count: int, **dims: str | None) -> list[Fact]:
    spent = {"inference_ms": MINUTE_MS}
    return [fact(f"{key}/{n}", minutes_ago - n, spent, **dims) for n in range(count)]


@pytest.fixture
def filled(surface: Surface) -> Surface:
    here = {"gateway": WALLET, "workflow": "w", "region": "fra"}
    rtx, a100 = {"gpu_model": "RTX 4090", **here}, {"gpu_model": "A100", **here}
    facts = [
        asked("1", 90, **rtx),  # 12:30
        asked("2", 30, **a100),
        fact("3", 31, {"sessions": 1, "unserved": 1}, **here),
        *minutes("4", 62, 5, **rtx),  # 12:58 to 13:03
        *minutes("5", 30, 3, **a100),
        *minutes("6", 20, 1, **here),
        fact("7", 20, {"payments": 1, "tickets": 2, "fees_wei": 10**19 + 1}, **here),
        fact("8", 10, {"payments": 1, "tickets": 1, "fees_wei": 5}, workflow="w"),
        fact("9", 10, {"samples": 1, "output_fps": 5}, workflow="only-samples"),
        asked("10", 10, gateway="gw", workflow="v"),
    ]
    surface.store.replace(Derivation(["o"], facts, []))
    return surface


async def test_one_row_per_interval_gateway_region_and_workflow_nulls_last(filled: Surface) -> None:
    async with filled.client() as client:
        data = (await client.get(PATH, params=RANGE)).json()["data"]

    twelve, one = "2026-01-09T12:00:00Z/2026-01-09T13:00:00Z", "2026-01-09T13:00:00Z/2026-01-09T14:00:00Z"
    keys = [(row["time_window"], row["gateway"], row["region"], row["workflow"]) for row in data]
    assert keys == [
        (twelve, WALLET, "fra", "w"),
        (one, WALLET, "fra", "w"),
        (one, "gw", None, "v"),
        (one, None, None, "w"),
    ]


async def test_a_row_has_the_shape_and_the_numbers_of_the_contract(filled: Surface) -> None:
    async with filled.client() as client:
        answer = (await client.get(PATH, params={**RANGE, "gateway": WALLET.upper().replace("X", "x")})).json()

    assert answer["data"][1] == {
        "time_window": "2026-01-09T13:00:00Z/2026-01-09T14:00:00Z",
        "gateway": WALLET,
        "region": "fra",
        "workflow": "w",
        "total_streams": 1,
        "total_sessions": 2,
        "unserved": 1,
        "inference_minutes": 7.0,
        "inference_minutes_by_gpu_type": {"A100": 3.0, "RTX 4090": 3.0, "unknown": 1.0},
        "capacity_rate_pct": None,
        "fees_wei": "10000000000000000001",
        "fees_eth": "10.000000000000000001",
        "stake_lpt": None,
    }
    assert answer["data"][0]["inference_minutes_by_gpu_type"] == {"RTX 4090": 2.0}


async def test_capacity_is_that_of_the_workflow_in_the_region(filled: Surface) -> None:
    hour_ms = to_ms(NOW) - 60 * MINUTE_MS
    there = ("default", None, "GPU-1", "L4", "w", None, "fra", None)
    spans = {"workflow_gpu_ms": 60 * MINUTE_MS, "gpu_ms": 60 * MINUTE_MS}
    facts = [Fact("u", "1", hour_ms, there, spans), Fact("u", "2", hour_ms, there, {"workflow_busy_gpu_ms": MINUTE_MS})]
    filled.store.replace(Derivation([], hours=[SupplyHour("default", "u", hour_ms)], supply=facts))
    async with filled.client() as client:
        data = (await client.get(PATH, params={**RANGE, "gateway": WALLET})).json()["data"]

    assert [row["capacity_rate_pct"] for row in data] == [None, 100 / 60]
    assert set(data[1]["inference_minutes_by_gpu_type"]) == {"A100", "RTX 4090", "unknown"}


async def test_stake_is_the_networks_at_the_end_of_each_interval(filled: Surface) -> None:
    at = to_ms(NOW)
    traits = {"source": "s", "orchestrator": WALLET}
    seen = Sighting("o2", "k", at, at, tuple(traits.get(trait.value) for trait in TRAITS))
    filled.store.replace(Derivation(["o2"], [], [seen]))
    for minutes_ago, lptu in ((90, 10**18), (70, 25 * 10**17), (30, 3 * 10**18 + 1), (0, 10**20)):
        stake = Stake("s", WALLET, at - minutes_ago * MINUTE_MS + (minutes_ago == 0), str(minutes_ago), lptu)
        filled.store.stakings["s", stake.id] = stake
    async with filled.client() as client:
        data = (await client.get(PATH, params=RANGE)).json()["data"]

    assert [row["stake_lpt"] for row in data] == ["2.5", *["3.000000000000000001"] * 3]


@pytest.mark.parametrize(("interval", "windows"), [("1h", 2), ("1d", 1), ("1w", 1)])
async def test_intervals_that_the_range_cuts_say_so_and_add_up(filled: Surface, interval: str, windows: int) -> None:
    async with filled.client() as client:
        data = (await client.get(PATH, params={**RANGE, "interval": interval, "gateway": WALLET})).json()["data"]

    assert len(data) == windows
    assert data[0]["time_window"].startswith("2026-01-09T12:00:00Z/")
    assert data[-1]["time_window"].endswith("/2026-01-09T14:00:00Z")
    assert sum(row["inference_minutes"] for row in data) == 9
    assert sum(int(row["fees_wei"]) for row in data) == 10**19 + 1


async def test_without_a_range_it_is_the_last_24_hours(filled: Surface) -> None:
    async with filled.client() as client:
        meta = (await client.get(PATH)).json()["meta"]

    assert meta["time_window"] == "2026-01-08T14:00:00Z/2026-01-09T14:00:00Z"


@pytest.mark.parametrize(
    ("parameter", "value", "rows"),
    [("region", "fra", 2), ("workflow", "v", 1), ("gateway", "gw", 1), ("gateway", "GW", 0), ("workflow", "x", 0)],
)
async def test_filters_keep_what_they_name(filled: Surface, parameter: str, value: str, rows: int) -> None:
    async with filled.client() as client:
        answer = await client.get(PATH, params={**RANGE, parameter: value})

    assert (answer.status_code, len(answer.json()["data"])) == (200, rows)


async def test_pages_follow_one_another_over_a_window_that_stays(filled: Surface) -> None:
    async with filled.client() as client:
        whole = (await client.get(PATH, params={"time_range": "2h"})).json()["data"]
        rows, cursor = [], None
        for _ in range(4):
            params = {"time_range": "2h", "limit": "1"} | ({"cursor": cursor} if cursor else {})
            answer = (await client.get(PATH, params=params)).json()
            rows += answer["data"]
            cursor = answer["pagination"]["next_cursor"]
            filled.now += timedelta(hours=1)

    assert (rows, cursor, len(whole)) == (whole, None, 4)


async def test_a_later_page_reads_only_what_is_left_of_the_window(filled: Surface) -> None:
    asked_for = []
    async with filled.client() as client:
        first = (await client.get(PATH, params={**RANGE, "limit": "2"})).json()
        rows, filled.store.rows = filled.store.rows, lambda question: asked_for.append(question) or rows(question)  # type: ignore[method-assign,func-returns-value]
        await client.get(PATH, params={**RANGE, "limit": "2", "cursor": first["pagination"]["next_cursor"]})

    assert {question.window.length for question in asked_for} == {timedelta(hours=1)}


@pytest.mark.parametrize("interval", ["1h", "1d", "1w"])
async def test_rows_add_up_to_the_networks_demand(surface: Surface, interval: str) -> None:
    surface.loader = Loader(surface.store, lambda: datetime(2100, 1, 1, tzinfo=UTC), Regions())
    surface.loader.load("default", run(2, 3, 5)[0])
    surface.loader.derive()
    first_ms, last_ms = (await surface.store.holds()).sources["default"]
    window = Window.of_ms(first_ms + 1_000_000, last_ms - 1_000_000)
    context = Context(surface.store, surface.now, lambda body: pytest.fail("no timeline here"), "a-request")
    whole = await demand(context, EVERYWHERE, window, demand_asked(("streams", "sessions", "unserved", "fees_wei")))
    spent = await demand(context, EVERYWHERE, window, demand_asked(("inference_minutes",)))
    async with surface.client() as client:
        rows = (await client.get(PATH, params={"time_range": page_interval(window), "interval": interval})).json()[
            "data"
        ]

    assert sum(row["total_streams"] for row in rows) == whole.streams > 0
    assert sum(row["total_sessions"] for row in rows) == whole.sessions
    assert sum(row["unserved"] for row in rows) == whole.unserved
    assert sum(int(row["fees_wei"]) for row in rows) == whole.fees_wei > 0
    assert sum(Decimal(row["fees_eth"]) for row in rows) * 10**18 == whole.fees_wei
    assert sum(row["inference_minutes"] for row in rows) == pytest.approx(spent.inference_minutes)
    for row in rows:
        assert sum(row["inference_minutes_by_gpu_type"].values()) == pytest.approx(row["inference_minutes"])


@pytest.mark.parametrize(
    ("params", "argument"),
    [
        ({"interval": "5m"}, "interval"),
        ({"time_range": "99w"}, "interval"),
        ({"gateway": " "}, "gateway"),
        ({"o_wallet": WALLET}, "o_wallet"),
    ],
)
async def test_a_bad_parameter_is_a_problem_that_names_it(
    filled: Surface, params: dict[str, str], argument: str
) -> None:
    async with filled.client() as client:
        answer = await client.get(PATH, params=params)

    assert (answer.status_code, answer.json()["argument"]) == (400, argument)


@pytest.mark.parametrize(
    "start", [None, "", "x", "2026-01-09T12:30:00Z", "2026-01-09T14:00:00Z", "2026-01-09T11:00:00Z"]
)
async def test_a_cursor_with_another_first_part_is_none(filled: Surface, start: str | None) -> None:
    async with filled.client() as client:
        cursor = (await client.get(PATH, params={**RANGE, "limit": "1"})).json()["pagination"]["next_cursor"]
        made: Cursor = decode(cursor, 4)._replace(key=(start, None, None, None))
        answer = await client.get(PATH, params={**RANGE, "cursor": encode(made)})

    assert (answer.status_code, answer.json()["argument"]) == (400, "cursor")


async def test_an_interval_that_is_written_out_is_the_default_one(filled: Surface) -> None:
    async with filled.client() as client:
        cursor = (await client.get(PATH, params={**RANGE, "limit": "1"})).json()["pagination"]["next_cursor"]
        answer = await client.get(PATH, params={**RANGE, "interval": "1h", "cursor": cursor})

    assert len(answer.json()["data"]) == 3


async def test_a_cursor_belongs_to_its_interval_and_its_list(filled: Surface) -> None:
    async with filled.client() as client:
        cursor = (await client.get(PATH, params={**RANGE, "limit": "1"})).json()["pagination"]["next_cursor"]
        other = await client.get(PATH, params={**RANGE, "interval": "1d", "cursor": cursor})
        elsewhere = await client.get("/v1/sla/gpu/metrics", params={**RANGE, "cursor": cursor})

    assert [answer.json().get("argument") for answer in (other, elsewhere)] == ["cursor", "cursor"]
