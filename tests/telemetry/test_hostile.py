"""Events made to stop a loader, and broken ones that would: each costs itself and nothing else."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from backends.backend import LoggedEvent
from backends.memory import MemoryStore
from metrics.columns import INFERENCE_MS
from metrics.window import DAY_MS, to_ms
from telemetry.facts import LONGEST_MS
from telemetry.loader import Loader
from telemetry.reading import Snapshot
from telemetry.readings import reread
from telemetry.wire import MAX_DEPTH, read

NOW = datetime(2026, 1, 10, tzinfo=UTC)
NOW_MS = to_ms(NOW)


def trace(at_ms: int, kind: str = "gateway_receive_stream_request", **more: Any) -> bytes:
    """A trace of one session."""
    data = {"type": kind, "stream_id": "s", "request_id": "r", "timestamp": at_ms, **more}
    return json.dumps({"id": f"{kind}{at_ms}", "type": "stream_trace", "timestamp": at_ms, "data": data}).encode()


def loaded(*lines: bytes) -> tuple[MemoryStore, Any]:
    """A store with these lines, and what the loader says of them."""
    store = MemoryStore()
    loader = Loader(store, lambda: NOW)
    report = loader.load("default", lines)
    loader.derive()
    return store, report


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 500, 984, 1020, 100_000])
@pytest.mark.parametrize("extra", ["", ',"n":1111111111111111111111111'])
def test_nesting_is_bounded_by_a_number_and_not_by_the_stack(depth: int, extra: str) -> None:
    nested = "[" * depth + "]" * depth
    line = f'{{"id":"p","type":"stream_trace","timestamp":{NOW_MS},"x":{nested}{extra}}}'.encode()

    store, report = loaded(trace(NOW_MS), line, trace(NOW_MS + 1))

    assert report.accepted == 2
    assert sum(report.rejected_by_reason.values()) == 1
    assert len(store.stored) == 1


def test_arrays_in_arrays_are_refused_and_do_not_stop_the_rest() -> None:
    _, report = loaded(trace(NOW_MS), b"[" * 1020 + b"{}" + b"]" * 1020, trace(NOW_MS + 1))

    assert (report.accepted, dict(report.rejected_by_reason)) == (2, {"too_deep": 1})


def test_a_broken_clock_does_not_make_a_fact_for_every_minute_of_the_years_between() -> None:
    far = trace(NOW_MS - 9_000 * DAY_MS)
    daily = [
        trace(NOW_MS - 9_000 * DAY_MS + day * DAY_MS, "gateway_receive_first_processed_segment") for day in range(60)
    ]

    store, _ = loaded(far, *daily, trace(NOW_MS, "gateway_ingest_stream_closed"))
    counted = sum(f.values.get(INFERENCE_MS.name, 0) for facts in store.facts.values() for f in facts)

    assert counted == LONGEST_MS


@pytest.mark.parametrize("price", ["1e999990", "1e999999", "1e9999999999999", "NaN", "x", None, [1]])
def test_a_price_out_of_range_is_not_shown(price: Any) -> None:
    prices = [{"capability": 35, "constraint": "m", "pricePerUnit": price, "pixelsPerUnit": "1e-999999"}]
    row = {"orch_uri": "https://a", "hardware": [{"model_id": "m"}], "capabilities_prices": prices}
    event = {"type": "network_capabilities", "timestamp": NOW_MS, "data": [row]}

    told = read(event, "s", b"\0" * 32, NOW_MS)

    assert isinstance(told.said, Snapshot)
    assert all("price_wei_per_pixel" not in {trait.value for trait in traits} for traits in told.said.traits)


def test_what_an_earlier_version_accepted_and_this_one_cannot_read_says_nothing() -> None:
    told = reread(LoggedEvent("owner", "s", "e1", NOW_MS, b"{"))

    assert (told.id, told.owner, told.at_ms, told.said) == ("e1", "owner", NOW_MS, None)


def test_absurd_counters_overflow_nothing() -> None:
    stats = [{"peer_conn_stats": {"BytesReceived": n, "BytesSent": n}, "track_stats": []} for n in (0, 2**53)]
    events = [
        {
            "id": str(n),
            "type": "stream_ingest_metrics",
            "timestamp": NOW_MS,
            "data": {"request_id": "r", "stats": said, "timestamp": NOW_MS + n},
        }
        for n, said in enumerate(stats)
    ]

    store, report = loaded(*(json.dumps(event).encode() for event in events))

    assert report.accepted == 2
    assert all(value < 2**63 for facts in store.facts.values() for f in facts for value in f.values.values())
