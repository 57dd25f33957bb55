"""What must be true of any answer about any feed: shares within their bounds, parts that add up to the whole."""

import asyncio
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any

import httpx
from hypothesis import given
from starlette.applications import Starlette

from backends.memory import MemoryStore
from gateway.timeline import entry
from graph.scalars import write_datetime
from graph.schema import build_schema
from metrics import catalogue
from metrics.columns import FACE_VALUE_WEI, FEES_WEI, INFERENCE_MS, SESSIONS, STREAMS, TICKETS, UNSERVED
from metrics.dimension import Dimension
from metrics.question import Question
from metrics.row import Sum
from metrics.window import MINUTE_MS, Grain, Window, to_ms
from resolvers.context import Context
from rest.events import Door
from rest.routes import routes
from tests.laws.compare import camel, loaded
from tests.laws.test_reference import SLOW
from tests.reference.strategies import DAY, NOW, T0, configs, feeds, windows
from tests.scoring.by_hand import SLA_SCORE

SCHEMA = build_schema()
SHARES = [camel(one.name) for one in catalogue.METRICS if one.unit == "%"]
OUTCOMES = " ".join(camel(name) for name in catalogue.OUTCOMES)
COUNTED = f"sessions streams outcomes {{ {OUTCOMES} }}"
METRICS = f"{COUNTED} {' '.join(f'{name} {{ value comparedTo }}' for name in SHARES)}"
DEMAND = "streams sessions unserved inferenceMinutes capacityRatePct feesWei feesEth faceValueWei tickets"
MEASURED = f"""
  metrics(window: $window, compareTo: PREVIOUS_WINDOW) {{ {METRICS} }}
  series(window: $window, interval: HOUR) {{ buckets {{ metrics {{ {METRICS} }} }} }}
  demand(window: $window) {{ {DEMAND} byGpuModel {{ inferenceMinutes capacityRatePct }} }}
  demandSeries(window: $window, interval: HOUR) {{ buckets {{ demand {{ {DEMAND} }} }} }}
  jobs(window: $window) {{ jobs succeeded failed successRatePct {{ value }} byKind {{ count }} }}"""
SCORED = f"slaScore(window: $window) {{ {SLA_SCORE} }}"
EVERYTHING = f"""query($window: WindowInput) {{
  network {{ {MEASURED} supply(window: $window) {{ capacityRatePct }} }}
  orchestrators {{ nodes {{ {MEASURED} {SCORED} ceiPct(window: $window) standing(window: $window) {{ percentile }} }} }}
  gpus {{ nodes {{ {MEASURED} {SCORED} ceiPct(window: $window) }} }}
  workflows {{ nodes {{ {MEASURED} {SCORED} }} }}
  gateways {{ nodes {{ {MEASURED} }} }}
  regions {{ id {MEASURED} }}
  leaderboard(window: $window) {{ score {{ {SLA_SCORE} }} }} }}"""
BY_REGION = """query($window: WindowInput) {
  network { demand(window: $window) { feesWei } }
  regions { id metrics(window: $window) { sessions } demand(window: $window) { feesWei } } }"""
GPU_ROWS, DEMAND_ROWS = "/v1/sla/gpu/metrics", "/v1/sla/network/demand"
ADDED = ("streams", "sessions", "unserved", "feesWei", "faceValueWei", "tickets")
IN_REST = {"total_streams": "streams", "total_sessions": "sessions", "unserved": "unserved", "fees_wei": "feesWei"}
# Neither has a place to run; a job or a lone sample has no outcome.
NOT_RUN = ("UNSERVED", "ABANDONED", "")
# Every event that a feed can hold and a clock of NOW can accept, in whole hours.
EVER = Window.of_ms(T0 - 60 * DAY, T0 + 60 * DAY)
SUMMED = {
    column.measures[0] for column in (SESSIONS, STREAMS, UNSERVED, INFERENCE_MS, FEES_WEI, FACE_VALUE_WEI, TICKETS)
}


def context(store: MemoryStore) -> Context:
    """A request."""
    return Context(store, NOW, entry, "test")


def asked(store: MemoryStore, window: tuple[datetime, datetime], query: str = EVERYTHING) -> Any:
    """What the graph answers about a window."""
    start, end = map(write_datetime, window)
    result: Any = asyncio.run(
        SCHEMA.execute(query, variable_values={"window": {"start": start, "end": end}}, context_value=context(store))
    )
    assert result.errors is None
    return result.data


def rest(store: MemoryStore, path: str, start: datetime, end: datetime, **more: str) -> list[dict[str, Any]]:
    """The items that REST answers about a window."""
    app = Starlette(routes=routes(lambda _: context(store), lambda _: None, Door(None, 1, 1)))  # type: ignore[arg-type, return-value]
    asking = {"time_range": f"{write_datetime(start)}/{write_datetime(end)}", "limit": "1000", **more}

    async def get() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
            return await client.get(path, params=asking)

    answer = asyncio.run(get())
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["data"]
    assert len(items) < 1000
    return items


def leaves(answer: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every plain value of an answer, with the names that lead to it."""
    if isinstance(answer, Mapping):
        for key, value in answer.items():
            yield from leaves(value, (*path, key))
    elif isinstance(answer, list):
        for one in answer:
            yield from leaves(one, path)
    else:
        yield path, answer


def most(path: tuple[str, ...]) -> int | None:
    """The most that a value may be: 100 for a share or a score, 1 for what a score is made of; None for the rest."""
    of, name = path[-2:] if len(path) > 1 else ("", path[-1])
    if name.endswith(("Pct", "_pct")) or of.endswith("Pct") or name in ("percentile", "raw"):
        return 100
    if name == "value" and of in ("score", "slaScore", "workflows"):
        return 100
    return 1 if (of, name) in (("subscores", "value"), ("inputs", "score"), ("coverage", "factor")) else None


def below(answer: Any, name: str) -> Iterator[Any]:
    """Every value of this name, at any depth."""
    if isinstance(answer, Mapping):
        yield from (value for key, value in answer.items() if key == name)
    for one in answer.values() if isinstance(answer, Mapping) else answer if isinstance(answer, list) else ():
        yield from below(one, name)


def entities(data: Any) -> Iterator[Any]:
    """Everything that was measured."""
    yield data["network"]
    yield from data["regions"]
    for kind in ("orchestrators", "gpus", "workflows", "gateways"):
        yield from data[kind]["nodes"]


def whole(demand: Mapping[str, Any]) -> dict[str, Fraction]:
    """What may be added up, exactly: minutes are whole milliseconds."""
    told = {name: Fraction(demand[name]) for name in ADDED}
    return told | {"inferenceMs": Fraction(round(demand["inferenceMinutes"] * MINUTE_MS))}


def amount(told: Sum) -> int:
    """A plain sum; nothing told is none of it."""
    assert told is None or isinstance(told, int)
    return told or 0


def total(parts: Iterable[Mapping[str, Fraction]]) -> dict[str, Fraction]:
    """The parts added up."""
    made = dict.fromkeys((*ADDED, "inferenceMs"), Fraction())
    for part in parts:
        made = {name: made[name] + part[name] for name in made}
    return made


@SLOW
@given(feed=feeds(), config=configs(), window=windows())
def test_every_share_and_every_score_lies_within_its_bounds(feed: Any, config: Any, window: Any) -> None:
    store = loaded(feed, NOW, config)
    answers = [asked(store, window), *(rest(store, path, *window) for path in (GPU_ROWS, DEMAND_ROWS))]

    for path, value in leaves(answers):
        bound = most(path)
        assert bound is None or value is None or 0 <= value <= bound, (path, value)


@SLOW
@given(feed=feeds(), config=configs(), window=windows())
def test_sessions_add_up_by_outcome_and_hour(feed: Any, config: Any, window: Any) -> None:
    data = asked(loaded(feed, NOW, config), window)

    for metrics in below(data, "metrics"):
        told = metrics["outcomes"]
        assert told["attempted"] == told["served"] + told["startupFailed"] + told["outputFailed"]
        assert told["requested"] == told["attempted"] + told["abandoned"] + told["unserved"] + told["open"]
        assert told["requested"] == metrics["sessions"]
        assert metrics["streams"] <= metrics["sessions"]
    for one in entities(data):
        hours = [bucket["metrics"] for bucket in one["series"]["buckets"]]
        for name in ("sessions", "streams"):
            assert sum(hour[name] for hour in hours) == one["metrics"][name]
        for name, count in one["metrics"]["outcomes"].items():
            assert sum(hour["outcomes"][name] for hour in hours) == count
        jobs = one["jobs"]
        assert jobs["jobs"] == sum(kind["count"] for kind in jobs["byKind"])
        assert jobs["succeeded"] + jobs["failed"] <= jobs["jobs"]


@SLOW
@given(feed=feeds(), config=configs(), window=windows())
def test_demand_adds_up_by_hour_by_gpu_model_and_by_row(feed: Any, config: Any, window: Any) -> None:
    store = loaded(feed, NOW, config)
    data = asked(store, window)

    for one in entities(data):
        demand = one["demand"]
        hours = [bucket["demand"] for bucket in one["demandSeries"]["buckets"]]
        assert total(map(whole, hours)) == whole(demand)
        models = sum(part["inferenceMinutes"] for part in demand["byGpuModel"])
        assert math.isclose(models, demand["inferenceMinutes"], abs_tol=1e-6)
        assert Fraction(demand["feesEth"]) * 10**18 == int(demand["feesWei"])
    rows = rest(store, DEMAND_ROWS, *window)
    regions = {one["id"]: one["demand"] for one in data["regions"]}
    assert regions.keys() >= {row["region"] for row in rows} - {None}
    for region, demand in [(None, data["network"]["demand"]), *regions.items()]:
        mine = [row for row in rows if region in (None, row["region"])]
        for theirs, ours in IN_REST.items():
            assert sum(int(row[theirs]) for row in mine) == int(demand[ours])
        minutes = sum(row["inference_minutes"] for row in mine)
        assert math.isclose(minutes, demand["inferenceMinutes"], abs_tol=1e-6)


@SLOW
@given(feed=feeds(), config=configs(), window=windows())
def test_groups_with_the_unknown_one_add_up_to_the_network(feed: Any, config: Any, window: Any) -> None:
    store = loaded(feed, NOW, config)
    start, end = map(to_ms, window)

    async def rows(*by: Dimension) -> dict[tuple[str | None, ...], Counter[str]]:
        found = await store.rows(Question.of(SUMMED, Window.of_ms(start, end), by=by))
        return {row.by: Counter({name: amount(value) for name, value in row.sums.items()}) for row in found}

    network = asyncio.run(rows()).get((), Counter())
    for dimension in Dimension:
        assert sum(asyncio.run(rows(dimension)).values(), Counter()) == +network
    told = asked(store, window, BY_REGION)
    assert int(told["network"]["demand"]["feesWei"]) == network[FEES_WEI.name]
    by_region = asyncio.run(rows(Dimension.REGION))
    for region in told["regions"]:
        mine = by_region.get((region["id"],), Counter())
        assert int(region["demand"]["feesWei"]) == mine[FEES_WEI.name]
        assert region["metrics"]["sessions"] == mine[SESSIONS.name]


@SLOW
@given(feed=feeds(), config=configs())
def test_minutes_of_all_hours_are_the_sessions_own(feed: Any, config: Any) -> None:
    store = loaded(feed, NOW, config)
    own = {
        owner: sum(fact.values.get(INFERENCE_MS.name, 0) for fact in store.facts.get(owner, ()))
        for owner in store.stored
    }

    hours = asyncio.run(store.rows(Question.of(SUMMED, EVER, Grain.HOUR)))

    assert sum(amount(row.sums.get(INFERENCE_MS.name)) for row in hours) == sum(own.values())
    for owner, record in ((owner, kept.record) for owner, kept in store.stored.items()):
        lasted_ms = 0 if record.outcome in NOT_RUN else record.last_ms - record.requested_ms
        # A silence of more than a day does not count, so that a broken clock makes no years of work.
        assert own[owner] == lasted_ms or own[owner] < lasted_ms > DAY
