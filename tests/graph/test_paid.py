"""What subscriptions pay: for their beginning before anything is read, and for each update when it is sent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from auth.account import READ
from auth.budget import Budget, Spent
from tests.graph.events import EVENTS, client, subscribed
from tests.graph.live import SESSIONS, Running, closed, heard, nothing_heard, served, sessions, subscribe, until
from tests.graph.owners import AT
from tests.graph.world import fact

MINUTE = 60_000
REQUEST, UPDATE, BUCKET = 1, 1, 1 + 1 + 1  # a bucket, its metrics, one of them
PRICE = READ + UPDATE + 30 * BUCKET
ME = "127.0.0.1"


class OverWebSocket:
    """One subscription over a WebSocket."""

    def __init__(self, running: Running, token: str | None) -> None:
        self._payload = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._running = running

    @asynccontextmanager
    async def begun(self) -> AsyncIterator[Any]:
        """What gives the counts of sessions of each update."""
        async with self._running.connected(payload=self._payload) as connection:
            await subscribe(connection, SESSIONS)

            async def counts() -> list[int]:
                return sessions(await heard(connection))

            yield counts

    async def refused(self) -> str:
        """Why it is refused."""
        async with self._running.connected(payload=self._payload) as connection:
            await subscribe(connection, SESSIONS)
            answer = await heard(connection)
        assert (answer["type"], answer["id"]) == ("error", "1")
        return str(answer["payload"][0]["extensions"]["code"])


class OverEvents:
    """One subscription over server-sent events."""

    def __init__(self, running: Running, token: str | None) -> None:
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._running = running

    @asynccontextmanager
    async def begun(self) -> AsyncIterator[Any]:
        """What gives the counts of sessions of each update."""
        async with subscribed(self._running, headers=self._headers) as events:
            yield events.counts

    async def refused(self) -> str:
        """Why it is refused."""
        async with client(self._running) as asking:
            answer = await asking.post("/graphql", json={"query": SESSIONS}, headers=EVENTS | self._headers)
        error = answer.json()["errors"][0]["extensions"]
        assert answer.status_code == {"TOO_COMPLEX": 400, "RATE_LIMITED": 429}[error["code"]]
        assert answer.headers.get("retry-after") == (
            str(error["retryAfterSeconds"]) if error["code"] == "RATE_LIMITED" else None
        )
        return str(error["code"])


TRANSPORTS = pytest.mark.parametrize("over", [OverWebSocket, OverEvents])


def rows_read(running: Running) -> int:
    """How often rows were read."""
    return running.store.calls["rows"]


@TRANSPORTS
async def test_each_update_costs_what_it_is_worth(over: Any) -> None:
    async with served(Running()) as running, over(running, None).begun() as counts:
        assert await counts() == [2]
        first = REQUEST + READ + UPDATE + BUCKET
        assert await running.spent(ME) == first
        for n in (1, 2):
            running.happened()
            assert await counts() == [n]
            assert await running.spent(ME) == first + n * (UPDATE + BUCKET)

        running.store.version += 1  # nothing that anybody is told
        await asyncio.sleep(0.2)
        assert await running.spent(ME) == first + 2 * (UPDATE + BUCKET)


@TRANSPORTS
async def test_one_that_is_too_dear_is_refused_before_anything_is_read(over: Any) -> None:
    async with served(Running(most=REQUEST + PRICE - 1)) as running:
        assert await over(running, None).refused() == "TOO_COMPLEX"
        assert (rows_read(running), await running.spent(ME)) == (0, REQUEST)
        running.most += 1
        async with over(running, None).begun() as counts:
            assert await counts() == [2]


@TRANSPORTS
async def test_an_empty_budget_refuses_its_caller_and_nobody_else(over: Any) -> None:
    async with served(Running(budget=Budget("cost", REQUEST + PRICE, 60))) as running:
        assert await running.meter.spend(ME, running.budget, 1)
        assert await over(running, None).refused() == "RATE_LIMITED"
        assert rows_read(running) == 0
        async with over(running, "alice").begun() as counts:
            assert await counts() == [2]


@TRANSPORTS
async def test_while_a_budget_is_spent_nothing_is_told_and_afterwards_everything(
    over: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused: list[int] = []

    def soon(_: Spent, __: Budget, cost: int) -> float:
        refused.append(cost)
        return 0.2

    monkeypatch.setattr(Spent, "wait_s", soon)
    budget = Budget("cost", READ + 100, 60)
    async with served(Running(budget=budget)) as running, over(running, None).begun() as counts:
        assert await counts() == [2]
        left = budget.amount - await running.spent(ME)
        assert await running.meter.spend(ME, budget, left)
        running.happened(AT + MINUTE)
        await until(lambda: bool(refused))
        running.happened(AT + 2 * MINUTE)
        await until(lambda: UPDATE + 2 * BUCKET in refused)
        assert await running.meter.spend(ME, budget, -left)

        # Together, and without another change.
        assert await counts() == [1, 1]


async def test_whoever_waits_for_a_budget_hears_of_the_end() -> None:
    budget = Budget("cost", READ + 100, 60)
    async with served(Running(budget=budget)) as running, running.connected() as connection:
        await subscribe(connection, SESSIONS)
        await heard(connection)
        assert await running.meter.spend(ME, budget, budget.amount - await running.spent(ME))
        running.happened()
        await nothing_heard(connection)
        running.pulse.close()
        assert (await closed(connection))[0] == 1012


async def test_whoever_comes_back_from_far_pays_for_all_that_was_missed() -> None:
    missed = 40
    async with served(Running()) as running, running.connected() as connection:
        await subscribe(connection, SESSIONS)
        left_at = (await heard(connection))["payload"]["data"]["metricsUpdated"]["cursor"]
        for n in range(1, missed + 1):
            owner = f"missed/{n}"
            running.store.facts[owner] = [fact(owner, AT + n * MINUTE, {"sessions": 1}, workflow="sdxl")]
        running.now += timedelta(minutes=missed)
        running.store.version += 1
        await heard(connection)
        before = await running.spent(ME)

        await subscribe(connection, SESSIONS, id="2", after=left_at)
        told = await heard(connection)

        assert len(sessions(told)) >= missed
        paid = await running.spent(ME) - before
        assert paid == REQUEST + READ + UPDATE + BUCKET * len(sessions(told)) > PRICE


async def test_those_who_share_an_answer_pay_each() -> None:
    async with served(Running()) as running:
        payloads = [{"Authorization": f"Bearer {name}"} for name in ("alice", "bob")]
        async with running.connected(payload=payloads[0]) as one, running.connected(payload=payloads[1]) as other:
            for connection in (one, other):
                await subscribe(connection, SESSIONS)
                await heard(connection)
        who = [running.callers[one["Authorization"]].subject for one in payloads]
        assert [await running.spent(str(one)) for one in who] == [REQUEST + READ + UPDATE + BUCKET] * 2
