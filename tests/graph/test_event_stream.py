"""Server-sent events: who gets them, how they are written, and how they end."""

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from graph.live import Bounds
from tests.graph.events import EVENTS, Events, client, subscribed
from tests.graph.live import INCIDENTS, SESSIONS, Running, served, until
from tests.graph.owners import ALICE, AT, ROLES

QUERY = {"query": "{ network { lastEventAt } }"}


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with served(Running()) as found:
        yield found


async def test_updates_come_as_events(running: Running) -> None:
    async with subscribed(running) as events:
        assert await events.counts() == [2]
        running.happened()
        assert await events.counts() == [1]


async def test_whoever_comes_back_says_where_it_was(running: Running) -> None:
    async with subscribed(running) as events:
        _, body, id = await events.next()
        assert id == body["data"]["metricsUpdated"]["cursor"]
    running.happened()

    # The header goes before the argument: an EventSource sends its first URL again.
    async with subscribed(running, headers={"Last-Event-ID": id}, variables={"after": "old"}) as events:
        assert await events.counts() == [1]


async def test_a_browsers_own_event_source_may_subscribe_by_get(running: Running) -> None:
    async with (
        client(running) as asking,
        asking.stream("GET", "/graphql", params={"query": SESSIONS}, headers=EVENTS) as answer,
    ):
        assert await Events(answer).counts() == [2]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_query_is_a_stream_of_one_answer_that_nobody_keeps(running: Running, method: str) -> None:
    more: dict[str, Any] = {"params": {"query": "{ __typename }"}}
    if method == "POST":
        more = {"json": {"query": "{ __typename }"}}
    async with client(running) as asking:
        answer = await asking.request(method, "/graphql", headers=EVENTS, **more)

    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert '"__typename":"Query"' in answer.text


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_pages_of_others_may_not(running: Running, method: str) -> None:
    more: dict[str, Any] = {"params": {"query": SESSIONS}} if method == "GET" else {"json": {"query": SESSIONS}}
    async with client(running) as asking:
        headers = EVENTS | {"Origin": "https://evil.example"}
        answer = await asking.request(method, "/graphql", headers=headers, **more)

    assert answer.status_code == 403


@pytest.mark.parametrize(
    "accept",
    [
        "application/graphql-response+json, application/json, text/event-stream, multipart/mixed",
        "text/event-stream, application/json",
        "text/event-stream, */*;q=0.1",
        "text/event-stream;q=0, */*",
        "*/*",
    ],
)
async def test_a_query_is_answered_as_json_to_whoever_takes_it(running: Running, accept: str) -> None:
    async with client(running) as asking:
        answer = await asking.post("/graphql", json=QUERY, headers={"Accept": accept})

    assert "json" in answer.headers["content-type"]
    assert answer.json()["data"]["network"]


async def test_a_query_is_an_event_to_whoever_takes_nothing_else(running: Running) -> None:
    async with subscribed(running, **QUERY) as events:
        assert (await events.next())[1]["data"]["network"]
        assert await events.next() == ("complete", None, None)


async def test_a_subscription_needs_somebody_who_takes_events(running: Running) -> None:
    async with client(running) as asking:
        posted = await asking.post("/graphql", json={"query": SESSIONS})
        got = await asking.get("/graphql", params={"query": SESSIONS})

    for answer in (posted, got):
        assert answer.status_code == 200
        assert "accept text/event-stream, or use a WebSocket" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("subscription { nothing }", "BAD_REQUEST"),
        ("subscription {", "BAD_REQUEST"),
        (f'subscription {{ incidents(orchestrator: "{ALICE}") {{ cursor }} }}', "UNAUTHENTICATED"),
        ('subscription { metricsUpdated(after: "x") { cursor } }', "BAD_REQUEST"),
    ],
)
async def test_what_cannot_be_served_is_told_in_the_stream(running: Running, query: str, code: str) -> None:
    async with subscribed(running, query) as events:
        event, body, _ = await events.next()
        assert (event, body["errors"][0]["extensions"]["code"]) == ("next", code)
        assert (await events.next())[0] == "complete"


async def test_the_owner_is_told(running: Running) -> None:
    headers = {"Authorization": "Bearer alice"}
    async with subscribed(running, INCIDENTS, variables={"wallet": ALICE}, headers=headers) as events:
        assert len((await events.next())[1]["data"]["incidents"]["incidents"]) == 2


async def test_a_token_that_ends_ends_the_stream_with_its_reason(running: Running) -> None:
    running.callers["Bearer alice"] = replace(ROLES["alice"], expires_at=running.now + timedelta(seconds=0.2))
    async with subscribed(running, headers={"Authorization": "Bearer alice"}) as events:
        await events.next()
        assert (await events.next())[1]["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        assert (await events.next())[0] == "complete"


async def test_too_many_have_a_status_and_a_seat_is_free_again() -> None:
    async with served(Running(bounds=Bounds(per_caller=1))) as running:
        async with subscribed(running) as events:
            await events.next()
            async with client(running) as asking:
                refused = await asking.post("/graphql", json={"query": SESSIONS}, headers=EVENTS)
            assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (429, "RATE_LIMITED")
        await until(lambda: not running.live.subscriptions._all)
        assert not running.pulse._watching


async def test_a_quiet_stream_is_kept_alive() -> None:
    async with (
        served(Running(bounds=Bounds(keep_alive_s=0.05))) as running,
        client(running) as asking,
        asking.stream("POST", "/graphql", json={"query": SESSIONS}, headers=EVENTS) as answer,
    ):
        async for line in answer.aiter_lines():
            if line == ":":
                break


async def test_at_the_end_the_stream_ends_so_that_clients_come_back(running: Running) -> None:
    async with subscribed(running) as events:
        await events.next()
        running.pulse.close()

        with pytest.raises(EOFError):
            await events.next()


async def test_an_update_does_not_wait_for_a_late_one(running: Running) -> None:
    """Two streams of different questions: each has its own changes."""
    async with subscribed(running, variables={"workflow": "another"}) as other, subscribed(running) as events:
        assert await other.counts() == []
        assert await events.counts() == [2]
        running.happened(AT)
        assert await events.counts() == [3]


# An update of 40 KB.
ALIASES = " ".join(f"{'x' * 4_000}{n}: start" for n in range(10))
LARGE = f"subscription {{ metricsUpdated {{ buckets {{ start metrics {{ sessions }} {ALIASES} }} }} }}"
EVENT = re.compile(rb"id: (\S+)\nevent: next\ndata: (.*)\n\n")


def told(body: Any) -> dict[str, int]:
    """The sessions of each bucket of an update."""
    return {one["start"]: one["metrics"]["sessions"] for one in body["data"]["metricsUpdated"]["buckets"]}


async def test_whoever_reads_nothing_is_dropped_and_misses_nothing_by_coming_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "naap.live")
    loop, body = asyncio.get_running_loop(), json.dumps({"query": LARGE}).encode()
    head = f"POST /graphql HTTP/1.1\r\nHost: a\r\nAccept: {EVENTS['Accept']}\r\nContent-Type: application/json\r\n"
    async with served(Running(bounds=Bounds(stalled_after_s=0.3)), buffer_bytes=4096) as running:
        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.setblocking(False)
            await loop.sock_connect(slow, ("127.0.0.1", running.port))
            await loop.sock_sendall(slow, head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            async with asyncio.timeout(20):
                while not running.live.counts.dropped["slow"]:
                    running.happened()
                    await asyncio.sleep(0.03)
            await until(lambda: not running.live.subscriptions.count)
            # What was on its way still comes.
            heard = b""
            async with asyncio.timeout(10):
                while more := await loop.sock_recv(slow, 65_536):
                    heard += more

    assert "an event stream was dropped: its client read nothing for 0.3 s" in caplog.messages
    assert not heard.endswith(b"0\r\n\r\n"), "an end in good order would keep the client from coming back"
    came, seen = EVENT.findall(heard), dict[str, int]()
    for _, data in came:
        seen |= told(json.loads(data))
    again = Running(store=running.store, now=running.now)
    async with served(again), subscribed(again, LARGE, headers={"Last-Event-ID": came[-1][0].decode()}) as events:
        missed = told((await events.next())[1])
        async with subscribed(again, LARGE) as others:
            everything = told((await others.next())[1])
    assert missed
    assert seen != everything == seen | missed
