"""graphql-transport-ws to the letter, and what else may come through a WebSocket."""

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
import pytest_asyncio
import websockets

from graph.live import Bounds
from tests.graph.live import SESSIONS, Running, closed, heard, say, served, subscribe

ERRORS = [
    ("{", "BAD_REQUEST"),
    ("subscription { nothing }", "BAD_REQUEST"),
    ("subscription { metricsUpdated { cursor } again: metricsUpdated { cursor } }", "BAD_REQUEST"),
    ('subscription { metricsUpdated(orchestrator: "0x12") { cursor } }', "BAD_REQUEST"),
    ("query { network { lastEventAt } }", "BAD_REQUEST"),
    ("mutation { logout }", "BAD_REQUEST"),
    ("", "BAD_REQUEST"),
    ("subscription { metricsUpdated { " + "buckets { metrics { freshness { asOf } } } " * 60 + "} }", "TOO_COMPLEX"),
    ("subscription { metricsUpdated { cursor " + "cursor " * 5_000 + "} }", "BAD_REQUEST"),
]


HURRIED = Bounds(begin_within_s=0.5)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[Running]:
    async with served(Running(origins=frozenset({"https://ours.example"}))) as found:
        yield found


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("protocol", ["graphql-ws", "something-else"])
async def test_another_protocol_is_refused_with_its_code(running: Running, protocol: str) -> None:
    async with running.connected(protocol, begun=False) as connection:
        assert await closed(connection) == (4406, "Subprotocol not acceptable: use graphql-transport-ws")


async def test_no_protocol_is_refused_alike(running: Running) -> None:
    async with websockets.connect(running.url.replace("http", "ws")) as connection:
        assert (await closed(connection))[0] == 4406


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:1", "https://ours.example.evil", "http://["]
)
async def test_pages_of_others_may_not_connect(running: Running, origin: str) -> None:
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with running.connected(origin=origin):
            pass

    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("origin", ["https://ours.example", "HTTPS://OURS.EXAMPLE", None, "own"])
async def test_pages_of_ours_may(running: Running, origin: str | None) -> None:
    own = running.url.removesuffix("/graphql")
    async with running.connected(origin=own if origin == "own" else origin):
        pass


async def test_whoever_does_not_begin_in_time_is_cut_off() -> None:
    async with (
        served(Running(bounds=Bounds(begin_within_s=0.5))) as running,
        running.connected(begun=False) as connection,
    ):
        assert await closed(connection) == (4408, "Connection initialisation timeout")


@pytest.mark.parametrize("message", [{"type": "pong"}, {"type": "ping"}, {"type": "complete", "id": "x"}])
async def test_a_flood_of_messages_ends_its_connection(message: dict[str, str]) -> None:
    async with served(Running()) as running, running.connected() as connection:
        with suppress(websockets.ConnectionClosed):
            for _ in range(300):
                await say(connection, **message)
        with suppress(websockets.ConnectionClosed):
            while True:
                await connection.recv()
        assert connection.close_code == 4429


async def test_pings_keep_nobody_from_beginning() -> None:
    async with served(Running(bounds=HURRIED)) as running, running.connected(begun=False) as connection:
        await say(connection, type="ping", payload={"a": 1})
        assert await heard(connection) == {"type": "pong"}
        assert (await closed(connection))[0] == 4408


@pytest.mark.parametrize(
    ("begun", "text", "code"),
    [
        (False, '{"type": "subscribe", "id": "1", "payload": {"query": "{ a }"}}', 4401),
        (False, '{"type": "complete", "id": "1"}', 4400),
        (False, '{"type": "connection_init", "payload": 1}', 4400),
        (False, '{"type": "connection_init", "payload": {"Authorization": 1}}', 4400),
        (True, '{"type": "connection_init"}', 4429),
        (True, "{", 4400),
        (True, "1", 4400),
        (True, "[]", 4400),
        (True, "{}", 4400),
        (True, '{"type": 1}', 4400),
        (True, '{"type": "start", "id": "1", "payload": {}}', 4400),
        (True, '{"type": "subscribe", "payload": {"query": "{ a }"}}', 4400),
        (True, '{"type": "subscribe", "id": 1, "payload": {"query": "{ a }"}}', 4400),
        (True, '{"type": "subscribe", "id": [], "payload": {"query": "{ a }"}}', 4400),
        (True, '{"type": "subscribe", "id": "", "payload": {"query": "{ a }"}}', 4400),
        (True, '{"type": "subscribe", "id": "%s", "payload": {"query": "{ a }"}}' % ("x" * 129), 4400),
        (True, '{"type": "complete", "id": {}}', 4400),
        (True, "[" * 100_000, 4400),
        (True, b"{}", 4400),
        (True, "x" * 300_000, 1009),
    ],
)
async def test_a_message_out_of_place_ends_the_connection(running: Running, begun: bool, text: Any, code: int) -> None:
    async with running.connected(begun=begun) as connection:
        await connection.send(text)

        assert (await closed(connection))[0] == code


async def test_an_id_in_use_is_not_used_twice(running: Running) -> None:
    async with running.connected() as connection:
        await subscribe(connection, SESSIONS, id="é" * 100)
        await heard(connection)
        await subscribe(connection, SESSIONS, id="é" * 100)

        code, reason = await closed(connection)
        assert (code, str(reason)[:15]) == (4409, "Subscriber for ")


@pytest.mark.parametrize(("query", "error"), ERRORS)
async def test_what_cannot_be_served_ends_as_an_error_and_frees_its_id(
    running: Running, query: str, error: str
) -> None:
    async with running.connected() as connection:
        for _ in range(2):
            await subscribe(connection, query)
            answer = await heard(connection)
            assert (answer["id"], answer["type"]) == ("1", "error")
            assert {one["extensions"]["code"] for one in answer["payload"]} == {error}
        await subscribe(connection, SESSIONS)
        assert (await heard(connection))["type"] == "next"


@pytest.mark.parametrize("payload", [None, 1, [], {}, {"query": 1}, {"query": "{ a }", "variables": []}])
async def test_a_payload_that_is_no_operation_is_an_error_too(running: Running, payload: object) -> None:
    async with running.connected() as connection:
        await say(connection, type="subscribe", id="1", payload=payload)

        assert (await heard(connection))["payload"][0]["extensions"]["code"] == "BAD_REQUEST"


async def test_what_goes_wrong_inside_is_masked(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("graph.live.Turn", broken)
    async with running.connected() as connection:
        await subscribe(connection, SESSIONS)
        answer = await heard(connection)

    assert answer["payload"][0]["message"] == "internal error"
    assert "secret" not in str(answer)
