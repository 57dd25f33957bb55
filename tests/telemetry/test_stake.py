"""Rows of stake become events in one form, and what cannot be read is rejected with its reason."""

import asyncio
import json
from datetime import UTC, datetime

import pytest

from backends.backend import StakeQuestion
from backends.memory import MemoryStore
from metrics.errors import BadRequest
from metrics.exact import decimal_text
from metrics.window import to_ms
from telemetry.loader import Loader, Report
from telemetry.stake import lptu, stake_events
from telemetry.values import Unreadable

A, B = "0x" + "a" * 40, "0x" + "b" * 40
NOW = datetime(2026, 1, 10, tzinfo=UTC)
NOON = to_ms(datetime(2026, 1, 9, 12, tzinfo=UTC))


def load(store: MemoryStore, text: str, source: str = "default") -> Report:
    """Load the rows of a file."""
    loader = Loader(store, lambda: NOW)
    report = loader.load(source, [event for _, event in stake_events(text.encode().splitlines(), "file")])
    loader.derive()
    return report


def staked(store: MemoryStore, name: str = A) -> list[tuple[int, str]]:
    """Everything that is known of an orchestrator's stake."""
    found = asyncio.run(store.stakes(StakeQuestion((name,), 0, 2**60)))
    return [(one.at_ms, decimal_text(one.lptu)) for one in found]


@pytest.mark.parametrize(
    "text",
    [
        f"address,lpt,time\n{A},12.50,2026-01-09T12:00:00Z",
        f'\ufeffTIME, LPT ,Address,note\n{NOON},"12.5",{A.upper().replace("0X", "0x")},x',
        json.dumps({"address": A, "lpt": "12.5", "time": "2026-01-09T13:00:00+01:00"}),
        f'[{{"Address": "{A}", "LPT": 12.50, "time": {NOON // 1000}}}]',
    ],
)
def test_a_row_means_the_same_however_it_is_written(text: str) -> None:
    store = MemoryStore()
    load(store, f"address,lpt,time\n{A},12.5,{NOON}")

    report = load(store, text)

    assert (report.duplicate, report.accepted, report.conflicting) == (1, 0, 0)
    assert staked(store) == [(NOON, "12.5")]


def test_a_json_number_keeps_every_digit() -> None:
    store = MemoryStore()
    load(store, f'{{"address": "{A}", "lpt": 30000000.000000000000000001, "time": {NOON}}}')

    assert staked(store) == [(NOON, "30000000.000000000000000001")]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (f"{A},1.0000000000000000001,{NOON}", "bad_number"),
        (f"{A},1e3,{NOON}", "bad_number"),
        (f"{A},-1,{NOON}", "bad_number"),
        (f"{A},,{NOON}", "bad_number"),
        (f"{A},NaN,{NOON}", "bad_number"),
        (f"{A},1000000000001,{NOON}", "bad_number"),
        (f"0x12,1,{NOON}", "bad_address"),
        (f",1,{NOON}", "bad_address"),
        (f"{A},1,", "no_time"),
        (f"{A},1,yesterday", "bad_time"),
        (f"{A},1,1999-01-01", "bad_time"),
        (f"{A},1,2027-01-01", "future"),
        (f"{A},1,234.5,{NOON}", "bad_data"),
        (f"{A}", "bad_data"),
        (f'"{A},1,{NOON}', "bad_data"),
    ],
)
def test_a_bad_row_is_rejected_and_the_others_are_kept(row: str, reason: str) -> None:
    store = MemoryStore()

    report = load(store, f"address,lpt,time\n{B},1,{NOON}\n{row}\n{B},2,{NOON + 1}")

    assert (report.accepted, report.rejected) == (2, [(2, reason)])
    assert [amount for _, amount in staked(store, B)] == ["1", "2"]
    assert len(store.rejected) == 1


@pytest.mark.parametrize("line", ["5", '"text"', "null", '{"address": 1}', "{broken", "[[1]]"])
def test_json_that_is_no_row_is_rejected(line: str) -> None:
    store = MemoryStore()

    report = load(store, f'{{"address": "{A}", "lpt": "1", "time": {NOON}}}\n{line}')

    assert report.accepted == 1
    assert len(report.rejected) == 1


@pytest.mark.parametrize("text", ["", f"{A},1,{NOON}", "address,lpt\n", "address,lpt,time,lpt\n", "\x00\x01"])
def test_without_a_header_nothing_is_read(text: str) -> None:
    with pytest.raises(BadRequest, match=r"file does not begin with a header.*address, lpt, time") as caught:
        list(stake_events(text.encode().splitlines(), "file"))

    assert caught.value.argument == "--stake"


def test_of_two_values_for_one_instant_one_counts_in_either_order() -> None:
    rows = [f"address,lpt,time\n{A},{amount},{NOON}" for amount in (1, 2)]
    stores = []
    for order in (rows, rows[::-1]):
        stores.append(MemoryStore())
        reports = [load(stores[-1], row) for row in order]
        assert [report.conflicting for report in reports] == [0, 1]

    assert staked(stores[0]) == staked(stores[1])
    assert len(staked(stores[0])) == 1


def test_stake_moves_no_feed_and_ends_no_session() -> None:
    store = MemoryStore()
    loader = Loader(store, lambda: NOW)
    request = {"type": "gateway_receive_stream_request", "request_id": "r", "timestamp": NOON}
    loader.load("default", [json.dumps({"type": "stream_trace", "data": request}).encode()])
    load(store, f"address,lpt,time\n{A},1,{NOON + 3_600_000}")
    loader.derive()

    assert store.latest() == {"default": NOON}
    assert asyncio.run(store.holds()).sources == {"default": (NOON, NOON)}
    assert [stored.record.outcome for stored in store.stored.values()] == ["OPEN"]
    assert store.sightings[next(iter(store.stored))]
    assert not any(A in sighting.traits for found in store.sightings.values() for sighting in found)


def test_a_crash_before_deriving_loses_no_row_and_keeps_no_loser() -> None:
    whole, torn = MemoryStore(), MemoryStore()
    for amount in (1, 2, 3):
        text = f"address,lpt,time\n{A},{amount},{NOON}"
        load(whole, text)
        # A loader that dies before it derives, and the next one, which recovers.
        Loader(torn, lambda: NOW).load("default", [event for _, event in stake_events(text.encode().splitlines(), "")])
        Loader(torn, lambda: NOW).recover()

        assert staked(torn) == staked(whole)
        assert len(staked(torn)) == 1


def test_a_rebuild_changes_nothing() -> None:
    store = MemoryStore()
    load(store, f"address,lpt,time\n{A},1,{NOON}\n{A},0,{NOON + 5}")
    before = staked(store)

    Loader(store, lambda: NOW).rebuild()

    assert staked(store) == before == [(NOON, "1"), (NOON + 5, "0")]


@pytest.mark.parametrize("text", ["0", "0.000000000000000001", "1000000000000", "007.10"])
def test_lpt_are_exact(text: str) -> None:
    from decimal import Decimal

    assert Decimal(decimal_text(lptu(text))) == Decimal(text)


@pytest.mark.parametrize("text", [True, None, [], "1,5", "0x10", "+1", "1_000", ".5", "5.", "٣"])
def test_anything_else_is_no_number(text: object) -> None:
    with pytest.raises(Unreadable):
        lptu(text)
