"""Series by the days of a time zone, and the columns of a demand series."""

from typing import Any

import pytest

from tests.graph.world import ALICE, BOB, NOW_MS, CountingStore, ask, fact

HOUR = 3_600_000
MARCH_29 = 1_774_742_400_000  # 2026-03-29T00:00:00Z: in Berlin 23 hours long
WINDOW = 'window: {start: "2026-03-27T23:00:00Z", end: "2026-03-30T22:00:00Z"}'  # three days of Berlin


@pytest.fixture
def store() -> CountingStore:
    """A session at every half hour from 27 to 30 March, a minute of inference and a ticket each."""
    store = CountingStore()
    store.latest_ms = MARCH_29 + 48 * HOUR
    for half in range(-48 * 2, 48 * 2):
        at, dims = MARCH_29 + half * HOUR // 2, {"orchestrator": ALICE if half % 3 else BOB, "gpu_model": "A100"}
        store.add(fact(f"s{half}", at, {"sessions": 1, "served": 1, "output_fps": (half + 100) * 10**9}, **dims))
        store.add(fact(f"m{half}", at, {"inference_ms": 60_000}, **dims))
        store.add(fact(f"p{half}", at, {"tickets": 1, "fees_wei": 10**18}, **dims))
    return store


async def series(store: CountingStore, zone: str, more: str = "", window: str = WINDOW) -> Any:
    query = f"""{{ network {{ series({window}, interval: DAY, timeZone: "{zone}" {more}) {{ interval timeZone starts
      values(metric: "outputFps") sessions: values(metric: "sessions")
      buckets {{ start end partial metrics {{ window {{ start end }} sessions outputFps {{ value p95 samples }} }} }} }}
      demandSeries({window}, interval: DAY, timeZone: "{zone}" {more}) {{ interval timeZone starts
      sessions: values(metric: "sessions") feesEth: values(metric: "feesEth")
      minutes: values(metric: "inferenceMinutes")
      buckets {{ start end demand {{ sessions feesWei inferenceMinutes }} }} }} }} }}"""
    answer = await ask(store, query)
    assert answer.errors == []
    return answer.data["network"]


async def test_the_day_on_which_clocks_change_has_fewer_hours(store: CountingStore) -> None:
    found = await series(store, "Europe/Berlin")

    for one in (found["series"], found["demandSeries"]):
        assert (one["interval"], one["timeZone"]) == ("DAY", "Europe/Berlin")
        assert one["starts"] == ["2026-03-27T23:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"]
        assert one["sessions"] == [48, 46, 48]
        assert [bucket["end"] for bucket in one["buckets"]] == [*one["starts"][1:], "2026-03-30T22:00:00Z"]
    assert not any(bucket["partial"] for bucket in found["series"]["buckets"])
    assert found["demandSeries"]["feesEth"] == found["demandSeries"]["minutes"] == [48, 46, 48]
    assert [bucket["demand"]["feesWei"] for bucket in found["demandSeries"]["buckets"]] == [
        "48000000000000000000", "46000000000000000000", "48000000000000000000",
    ]  # fmt: skip


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu", "America/New_York", "UTC"])
async def test_a_day_tells_what_its_own_window_does(store: CountingStore, zone: str) -> None:
    found = await series(store, zone, "fill: NULL")

    assert len(found["series"]["buckets"]) >= 3
    for bucket in found["series"]["buckets"]:
        span = bucket["metrics"]["window"]
        window = f'window: {{start: "{span["start"]}", end: "{span["end"]}"}}'
        own = await ask(
            store, f"{{ network {{ metrics({window}) {{ sessions outputFps {{ value p95 samples }} }} }} }}"
        )
        assert own.data["network"]["metrics"] == {key: bucket["metrics"][key] for key in ("sessions", "outputFps")}
    assert sum(found["series"]["sessions"]) == sum(found["demandSeries"]["sessions"]) == 142


async def test_however_many_ask_a_series_of_days_is_one_read(store: CountingStore) -> None:
    for zone in ("Europe/Berlin", "Asia/Kolkata"):
        store.calls.clear()
        query = f"""{{ orchestrators {{ nodes {{ series({WINDOW}, interval: DAY, timeZone: "{zone}") {{
          values(metric: "outputFps") starts }} }} }} }}"""
        store.add(*_seen())
        answer = await ask(store, query)

        assert len(answer.data["orchestrators"]["nodes"]) == 2
        assert (store.calls["rows"], store.calls["seen"]) == (1, 1)


def _seen() -> list[Any]:
    from tests.graph.world import sighting

    return [sighting(who, NOW_MS, NOW_MS, orchestrator=who) for who in (ALICE, BOB)]


async def test_the_gateway_picks_days_of_the_zone_and_says_so(store: CountingStore) -> None:
    answer = await ask(
        store, f'{{ network {{ series({WINDOW}, maxPoints: 3, timeZone: "Europe/Berlin") {{ interval starts }} }} }}'
    )
    more = await ask(store, f'{{ network {{ series({WINDOW}, maxPoints: 3, timeZone: "UTC") {{ interval }} }} }}')

    assert (answer.data["network"]["series"]["interval"], len(answer.data["network"]["series"]["starts"])) == ("DAY", 3)
    assert more.data["network"]["series"]["interval"] == "WEEK"  # the window touches four days of UTC


@pytest.mark.parametrize("field", ["series", "demandSeries"])
@pytest.mark.parametrize("zone", ["Berlin", "../../etc/passwd", ""])
async def test_a_zone_that_is_none_is_named(field: str, zone: str) -> None:
    answer = await ask(CountingStore(), f'{{ network {{ {field}(timeZone: "{zone}") {{ interval }} }} }}')

    assert answer.codes == ["BAD_REQUEST"]
    assert answer.errors[0]["extensions"]["argument"] == "timeZone"


async def test_supply_by_days_that_begin_within_an_hour_is_refused_and_not_null(store: CountingStore) -> None:
    query = (
        '{{ network {{ demandSeries({}, interval: DAY, timeZone: "{}") {{ values(metric: "capacityRatePct") }} }} }}'
    )

    refused = await ask(store, query.format(WINDOW, "Asia/Kolkata"))
    assert (refused.codes, refused.errors[0]["extensions"]["argument"]) == (["BAD_REQUEST"], "timeZone")
    assert (await ask(store, query.format(WINDOW, "Asia/Tokyo"))).errors == []


async def test_columns_of_demand_are_of_one_length_and_of_numbers_only(store: CountingStore) -> None:
    names = ("sessions", "unserved", "inferenceMinutes", "capacityRatePct", "feesWei", "feesWeiPerMinute", "stakeLpt")
    columns = " ".join(f'{name}: values(metric: "{name}")' for name in names)
    window = '{start: "2026-03-25T00:00:00Z", end: "2026-04-02T00:00:00Z"}'
    query = "{{ network {{ demandSeries(window: {}, interval: DAY{}) {{ {} starts }} }} }}"
    for fill, length in (("", 4), (", fill: NULL", 8)):
        found = (await ask(store, query.format(window, fill, columns))).data["network"]["demandSeries"]
        assert {len(found[name]) for name in (*names, "starts")} == {length}

    for name in ("byGpuModel", "window", "x"):
        wrong = await ask(store, f'{{ network {{ demandSeries {{ values(metric: "{name}") }} }} }}')
        assert (wrong.codes, wrong.errors[0]["extensions"]["argument"]) == (["BAD_REQUEST"], "metric")
        assert "feesEth" in wrong.errors[0]["message"]
