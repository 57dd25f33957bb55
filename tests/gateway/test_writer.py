"""The writer: one thread owns the loader, bodies are acknowledged when durable, and derived soon after."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterable

import pytest

from gateway import writer as module
from gateway.writer import LARGE, Writer
from metrics.errors import BadRequest, RateLimited, StoreFull, StoreInUse, StoreUnavailable
from telemetry.loader import Report


class Slow:
    """A loader that notes what it is told, and can be held up."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.threads: set[str] = set()
        self.free = threading.Event()
        self.free.set()
        self.failures: list[Exception] = []

    def recover(self) -> int:
        self._note("recover")
        return 0

    def load(self, source: str, lines: Iterable[bytes]) -> Report:
        self.free.wait(5)
        taken = list(lines)
        self._note(f"load {source} {len(taken)}")
        if b"bad" in taken:
            raise BadRequest("bad")
        return Report(accepted=len(taken))

    def derive(self) -> None:
        self._note("derive")

    def _note(self, call: str) -> None:
        self.calls.append(call)
        self.threads.add(threading.current_thread().name)
        if call in ("derive", "recover") and self.failures:
            raise self.failures.pop(0)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    monkeypatch.setattr(module, "DERIVE_AFTER_S", 0.05)
    monkeypatch.setattr(module, "RETRY_DERIVE_S", 0.05)
    return Slow()


def started(slow: Slow, waiting: int = 4) -> Writer:
    writer = Writer(slow, waiting)  # type: ignore[arg-type]  # as much of a loader as it needs
    writer.start()
    return writer


async def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 3
    while not true():
        assert time.monotonic() < deadline, "never became true"
        await asyncio.sleep(0.005)


async def test_what_a_crash_left_is_derived_first_and_everything_in_one_thread(slow: Slow) -> None:
    writer = started(slow)
    await asyncio.gather(*(writer.load("a", lambda: [b"1"]) for _ in range(3)))
    await asyncio.to_thread(writer.stop)

    assert slow.calls[0] == "recover"
    assert slow.threads == {"naap-writer"}


async def test_bodies_that_come_together_are_derived_together_and_soon(slow: Slow) -> None:
    writer = started(slow)
    await asyncio.gather(*(writer.load("a", lambda: [b"1"]) for _ in range(4)))
    await until(lambda: "derive" in slow.calls)
    await asyncio.sleep(0.1)
    await asyncio.to_thread(writer.stop)

    assert slow.calls == ["recover", *["load a 1"] * 4, "derive"]


async def test_a_large_body_is_derived_before_it_is_acknowledged(slow: Slow) -> None:
    writer = started(slow)
    await writer.load("a", lambda: [b"1"] * (LARGE + 1))

    assert slow.calls[-1] == "derive"
    await asyncio.to_thread(writer.stop)


async def test_where_too_many_wait_the_next_is_told_to_come_again(slow: Slow) -> None:
    writer = started(slow, waiting=2)
    await until(lambda: writer.recovered.is_set())
    slow.free.clear()
    first = [asyncio.ensure_future(writer.load("a", lambda: [b"1"]))]
    await asyncio.sleep(0.05)  # the thread has taken it
    first += [asyncio.ensure_future(writer.load("a", lambda: [b"1"])) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(RateLimited):
        await writer.load("a", lambda: [b"1"])
    slow.free.set()

    assert [report.accepted for report in await asyncio.gather(*first)] == [1, 1, 1]
    await asyncio.to_thread(writer.stop)


async def test_a_body_that_fails_fails_alone(slow: Slow) -> None:
    writer = started(slow)
    with pytest.raises(BadRequest):
        await writer.load("a", lambda: [b"bad"])

    assert (await writer.load("a", lambda: [b"1"])).accepted == 1
    await asyncio.to_thread(writer.stop)


async def test_deriving_that_fails_is_said_and_tried_again(slow: Slow) -> None:
    writer = started(slow)
    await until(lambda: writer.recovered.is_set())
    slow.failures = [StoreFull("no space is left.")]
    await writer.load("a", lambda: [b"1"])
    await until(lambda: writer.state == "failing: no space is left.")
    await until(lambda: writer.state == "ready")

    assert slow.calls[-2:] == ["derive", "derive"]
    await asyncio.to_thread(writer.stop)


async def test_a_loader_that_is_stuck_is_behind(slow: Slow) -> None:
    now = 1000.0
    writer = Writer(slow, 4, clock=lambda: now)  # type: ignore[arg-type]  # as much of a loader as it needs
    waiting = [asyncio.ensure_future(writer.load("a", lambda: [b"1"] * (LARGE + 1)))]
    await asyncio.sleep(0)
    assert writer.pending_since == 1000
    slow.free.clear()
    writer.start()
    await until(lambda: writer.recovered.is_set() and writer._jobs.empty())
    now = 1030.0
    waiting.append(asyncio.ensure_future(writer.load("b", lambda: [b"1"] * (LARGE + 1))))
    await asyncio.sleep(0.02)
    assert (writer.state, writer.pending_since) == ("ready", 1000)
    now = 1030.5
    assert writer.state == "behind"
    slow.free.set()
    await asyncio.gather(*waiting)

    assert (writer.state, writer.pending_since) == ("ready", None)
    await asyncio.to_thread(writer.stop)


async def test_recovery_that_fails_is_tried_again(slow: Slow) -> None:
    slow.failures = [StoreUnavailable("gone.")]
    writer = started(slow)
    await until(lambda: writer.state == "ready")

    assert slow.calls == ["recover", "recover"]
    await asyncio.to_thread(writer.stop)


async def test_beside_one_that_writes_it_stands_by_and_begins_anew_when_it_may(slow: Slow) -> None:
    writer = started(slow)
    await until(lambda: writer.recovered.is_set())
    slow.failures = [StoreInUse("another writes.") for _ in range(3)]
    await writer.load("a", lambda: [b"1"])
    await until(lambda: writer.state == "standby")
    await until(lambda: writer.state == "ready")

    assert slow.calls[-4:] == ["derive", "recover", "recover", "recover"]
    await asyncio.to_thread(writer.stop)


async def test_stopping_finishes_what_is_in_hand_refuses_the_rest_and_derives(slow: Slow) -> None:
    writer = started(slow)
    await until(lambda: writer.recovered.is_set())
    slow.free.clear()
    first = asyncio.ensure_future(writer.load("a", lambda: [b"1"]))
    await asyncio.sleep(0.05)
    second = asyncio.ensure_future(writer.load("b", lambda: [b"2"]))
    await asyncio.sleep(0)
    stopping = asyncio.ensure_future(asyncio.to_thread(writer.stop))
    await asyncio.sleep(0.05)
    slow.free.set()
    await stopping

    assert (await first).accepted == 1
    with pytest.raises(StoreUnavailable, match="shutting down"):
        await second
    with pytest.raises(StoreUnavailable, match="shutting down"):
        await writer.load("c", lambda: [b"3"])
    assert slow.calls == ["recover", "load a 1", "derive"]


async def test_a_caller_who_goes_away_leaves_no_body_behind(slow: Slow) -> None:
    writer = started(slow)
    await until(lambda: writer.recovered.is_set())
    slow.free.clear()
    first = asyncio.ensure_future(writer.load("a", lambda: [b"1"]))
    await asyncio.sleep(0.05)
    second = asyncio.ensure_future(writer.load("b", lambda: [b"2"]))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.sleep(0.01)
    slow.free.set()
    await first
    await asyncio.to_thread(writer.stop)

    assert "load b 1" not in slow.calls
