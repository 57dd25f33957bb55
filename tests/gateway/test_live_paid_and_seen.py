"""Subscriptions at a whole gateway: they pay from the budget of requests, and are seen from outside."""

import json
import logging
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
import websockets
from websockets.asyncio.client import ClientConnection

from auth.account import READ
from auth.budget import Tiers
from backends.memory import MemoryStore
from gateway.settings import Settings
from tests.gateway.live import live
from tests.graph.live import PROTOCOL, SESSIONS, closed, heard, say, subscribe

EVENTS = {"Accept": "text/event-stream"}
# Nothing has happened: an update without buckets, and the request.
WORTH, PRICE = 2 + READ, 1 + READ + 1 + 30 * 3
FREE = Settings(rates=Tiers(0, 0, 0), budgets=Tiers(0, 0, 0))


@contextmanager
def gateway(settings: Settings) -> Iterator[tuple[int, MemoryStore]]:
    store = MemoryStore()
    with live(settings, store) as port:
        yield port, store


@asynccontextmanager
async def connected(port: int, **more: Any) -> AsyncIterator[ClientConnection]:
    url, protocols = f"ws://127.0.0.1:{port}/graphql", [websockets.Subprotocol(PROTOCOL)]
    async with websockets.connect(url, subprotocols=protocols, **more) as connection:
        await say(connection, type="connection_init")
        await heard(connection)
        yield connection


@asynccontextmanager
async def asking(port: int) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
        yield client


async def remaining(client: httpx.AsyncClient) -> int:
    """What is left, before this request paid its 1."""
    answer = await client.post("/graphql", json={"query": "{ __typename }"})
    return int(answer.json()["extensions"]["cost"]["remaining"]) + 1


async def numbers(client: httpx.AsyncClient) -> dict[str, float]:
    """What /metrics tells of live data and of requests to the graph."""
    found = re.findall(r"^(naap_\S+) (\S+)$", (await client.get("/metrics")).text, re.MULTILINE)
    return {name: float(value) for name, value in found}


async def test_subscriptions_and_requests_pay_from_one_budget() -> None:
    with gateway(Settings(budgets=Tiers(2_000, 10_000, 0))) as (port, _):
        async with asking(port) as client, connected(port) as connection:
            before = await remaining(client)
            await subscribe(connection, SESSIONS)
            await heard(connection)
            after = await remaining(client)
            assert before - after == WORTH + 1

            async with client.stream("POST", "/graphql", json={"query": SESSIONS}, headers=EVENTS) as stream:
                await anext(stream.aiter_lines())
                left = re.search(r'"cost";r=(\d+);', stream.headers["ratelimit"])
            assert left is not None
            assert after - int(left[1]) == WORTH + 1
            told = await numbers(client)
            # Two of subscriptions, and two of those that asked what is left.
            assert told['naap_cost_total{caller="anonymous"}'] == 2 * WORTH + 2


async def test_an_empty_budget_refuses_both_ways_and_is_counted() -> None:
    with gateway(Settings(budgets=Tiers(PRICE, 0, 0))) as (port, _):
        async with asking(port) as client, connected(port) as connection:
            assert await remaining(client) == PRICE
            await subscribe(connection, SESSIONS)
            told = await heard(connection)
            stream = await client.post("/graphql", json={"query": SESSIONS}, headers=EVENTS)

            assert (told["type"], told["payload"][0]["extensions"]["code"]) == ("error", "RATE_LIMITED")
            assert told["payload"][0]["extensions"]["retryAfterSeconds"] >= 1
            assert (stream.status_code, int(stream.headers["retry-after"]) >= 1) == (429, True)
            assert (await numbers(client))['naap_refused_total{budget="cost"}'] == 2


async def test_a_subscription_over_a_websocket_counts_as_a_request() -> None:
    with gateway(replace(FREE, rates=Tiers(3, 0, 0))) as (port, _):
        async with connected(port) as connection:
            for id in range(20):
                await subscribe(connection, SESSIONS, id=str(id))
            answers = [await heard(connection) for _ in range(20)]

    refused = [one["payload"][0] for one in answers if one["type"] == "error"]
    assert refused
    assert {one["extensions"]["code"] for one in refused} == {"RATE_LIMITED"}
    assert "more than 3 requests in a second" in refused[0]["message"]


async def test_without_limits_nothing_is_refused() -> None:
    with gateway(FREE) as (port, _):
        async with connected(port) as connection:
            for id in range(20):
                await subscribe(connection, SESSIONS, id=str(id))
            assert {(await heard(connection))["type"] for _ in range(20)} == {"next"}


async def test_an_estimate_of_a_subscription_subscribes_to_nothing() -> None:
    with gateway(Settings()) as (port, _):
        async with asking(port) as client:
            headers = {**EVENTS, "X-Naap-Estimate": "cost"}
            answer = await client.post("/graphql", json={"query": SESSIONS}, headers=headers)
            event = json.loads(answer.text.partition("data: ")[2].partition("\n")[0])

    cost = event["extensions"]["cost"]
    assert (event["data"], cost["requested"], cost["actual"]) == (None, PRICE, 1)


async def test_what_is_open_and_what_was_sent_is_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "naap.request")
    with gateway(Settings()) as (port, _):
        async with asking(port) as client:
            headers = {"X-Request-Id": "mine", "Cookie": "secret"}
            async with connected(port, additional_headers=headers) as connection:
                assert connection.response is not None
                assert connection.response.headers["X-Request-Id"] == "mine"
                await subscribe(connection, SESSIONS)
                await heard(connection)
                async with client.stream("POST", "/graphql", json={"query": SESSIONS}, headers=EVENTS) as stream:
                    events = stream.aiter_lines()
                    await anext(events)
                    await says(client, "naap_live_connections", 1)
                    for transport in ("websocket", "event_stream"):
                        await says(client, f'naap_live_subscriptions{{transport="{transport}"}}', 1)
                        await says(client, f'naap_live_updates_total{{transport="{transport}"}}', 1)
            await says(client, "naap_live_connections", 0)
            for transport in ("websocket", "event_stream"):
                await says(client, f'naap_live_subscriptions{{transport="{transport}"}}', 0)
            await says(client, 'naap_requests_total{method="GET",route="/graphql",status="101"}', 1)
            told = await numbers(client)

    assert told['naap_requests_total{method="POST",route="/graphql",status="200"}'] == 1
    assert 'naap_request_seconds_count{route="/graphql"}' not in told, "they wait for news"
    assert all(not value for name, value in told.items() if name.startswith("naap_live_dropped_total"))
    lines = [one.told for one in caplog.records if one.name == "naap.request" and one.told["route"] == "/graphql"]
    (socket,) = (one for one in lines if one["status"] == 101)
    assert (socket["request_id"], socket["code"], socket["updates"]) == ("mine", 1000, 1)
    assert socket["ms"] > 0
    assert [one["updates"] for one in lines if one["status"] == 200] == [1]
    assert "secret" not in str(lines)
    assert "127.0.0.1" not in str(lines)


async def says(client: httpx.AsyncClient, name: str, value: float) -> None:
    """Wait until a number of /metrics is this."""
    for _ in range(200):
        if (found := (await numbers(client)).get(name)) == value:
            return
    raise AssertionError(f"{name} is {found}, not {value}")


@pytest.mark.parametrize(
    ("reason", "messages", "code"),
    [
        ("protocol", ["{"], 4400),
        ("token", ['{"type": "connection_init", "payload": {"Authorization": "Bearer no"}}'], 4403),
        ("full", [], 1013),
    ],
)
async def test_whom_the_gateway_sends_away_is_counted_by_reason(reason: str, messages: list[str], code: int) -> None:
    settings = replace(Settings(), live_subscriptions=1) if reason == "full" else Settings()
    with gateway(settings) as (port, _):
        url, protocols = f"ws://127.0.0.1:{port}/graphql", [websockets.Subprotocol(PROTOCOL)]
        async with asking(port) as client, websockets.connect(url, subprotocols=protocols) as connection:
            if reason == "full":
                async with websockets.connect(url, subprotocols=protocols) as another:
                    assert (await closed(another))[0] == code
            else:
                await connection.send(messages[0])
                assert (await closed(connection))[0] == code
            await says(client, f'naap_live_dropped_total{{reason="{reason}"}}', 1)


async def test_a_websocket_that_is_refused_is_a_request_that_is() -> None:
    with gateway(Settings()) as (port, _):
        async with asking(port) as client:
            with pytest.raises(websockets.InvalidStatus):
                async with connected(port, origin=websockets.Origin("https://evil.example")):
                    pass
            await says(client, 'naap_requests_total{method="GET",route="/graphql",status="403"}', 1)
