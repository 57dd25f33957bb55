"""Budgets that several gateways share in a Redis, and what happens when it is away."""

import asyncio
import logging
import signal
import sys
import time
from collections.abc import Iterator

import pytest
import redis.asyncio

from auth.account import Account, Price
from auth.budget import Budget
from auth.meter import PATIENCE_S, Shared, open_meter
from metrics.errors import BadRequest, RateLimited
from tests.auth.redis import free_port, redis_server

MINUTE = Budget("cost", 100, 60)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    port = free_port()
    with redis_server(port):
        yield f"redis://127.0.0.1:{port}/0"


async def test_two_gateways_spend_from_one_budget(url: str) -> None:
    one, other = Shared(url), Shared(url)

    assert await one.spend("k", MINUTE, 60)
    assert not await other.spend("k", MINUTE, 60)
    assert await one.spend("k", MINUTE, -50)
    assert await other.spend("k", MINUTE, 60)
    assert (await one.spent("k", MINUTE)).remaining(MINUTE) == 30
    assert (one.is_away, other.is_away) == (False, False)


async def test_an_account_is_told_what_is_left_and_when_it_is_whole(url: str) -> None:
    account = Account(Shared(url), "account", MINUTE)
    paid = Price(40)
    await account.open()
    await account.charge(paid)
    assert account.remaining == 59
    await account.settle(paid, 10)

    assert (account.requested, account.actual, account.remaining) == (41, 11, 89)
    assert 110 <= account.reset_s <= 120
    later = Account(Shared(url), "account", MINUTE)
    await later.open()
    with pytest.raises(RateLimited, match="costs 91 and 88 of 100 in 60 s are left") as refused:
        await later.charge(Price(90))
    assert 60 <= refused.value.retry_after_s <= 120


async def test_while_it_is_away_the_gateway_counts_alone_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    port, now = free_port(), [0.0]
    meter = Shared(f"redis://:hidden-password@127.0.0.1:{port}/0", lambda: now[0])

    began = time.monotonic()
    with caplog.at_level(logging.INFO):
        assert await meter.spend("k", MINUTE, 60)
        assert not await meter.spend("k", MINUTE, 60)
        assert (await meter.spent("k", MINUTE)).remaining(MINUTE) == 40

    assert time.monotonic() - began < 3 * PATIENCE_S
    assert meter.is_away
    assert [record.getMessage().partition(" (")[0] for record in caplog.records] == ["Redis is away"]
    assert "hidden-password" not in caplog.text


async def test_it_is_shared_again_once_it_is_back(caplog: pytest.LogCaptureFixture) -> None:
    port, now = free_port(), [0.0]
    meter = Shared(f"redis://127.0.0.1:{port}/0", lambda: now[0])
    assert await meter.spend("k", MINUTE, 60)
    assert meter.is_away
    with redis_server(port):
        await meter.spend("k", MINUTE, 1)
        assert meter.is_away  # not tried again yet
        now[0] += 6
        assert await meter.spend("k", MINUTE, 90)
        assert not meter.is_away
        assert not await Shared(f"redis://127.0.0.1:{port}/0").spend("k", MINUTE, 60)
    assert "back" in caplog.text


async def test_one_that_accepts_and_never_answers_holds_nobody_up() -> None:
    port = free_port()
    with redis_server(port) as process:
        meter = Shared(f"redis://127.0.0.1:{port}/0")
        assert await meter.spend("k", MINUTE, 1)
        process.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        for _ in range(20):
            await meter.spend("k", MINUTE, 1)

        assert time.monotonic() - began < 4 * PATIENCE_S
        assert meter.is_away


def test_without_the_library_or_with_a_wrong_url_the_start_is_stopped_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadRequest, match="NAAP_REDIS_URL is no URL") as wrong:
        open_meter("redis://:hidden@localhost:port/0")
    assert "hidden" not in str(wrong.value)
    monkeypatch.setitem(sys.modules, "redis.asyncio.retry", None)
    with pytest.raises(BadRequest, match=r"pip install 'naap-gateway\[redis\]'"):
        open_meter("redis://localhost:6379/0")


async def test_many_who_pay_at_once_open_few_connections(url: str) -> None:
    """A thousand subscribers are told in one moment."""
    meter, watching = Shared(url), redis.asyncio.from_url(url)
    before = (await watching.info("clients"))["connected_clients"]

    assert all(await asyncio.gather(*(meter.spend(f"many-{n}", MINUTE, 1) for n in range(300))))

    assert not meter.is_away
    assert (await watching.info("clients"))["connected_clients"] - before < 40
    await watching.aclose()
