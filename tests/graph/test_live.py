"""What subscribers are told, and who may subscribe: over WebSockets, on a server of its own."""

import asyncio
import gc
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from auth.caller import Caller
from graph.live import Bounds
from metrics.errors import StoreUnavailable
from metrics.window import Grain
from resolvers.live import MISSED, WATCHED
from tests.graph.live import (
    INCIDENTS,
    SESSIONS,
    Running,
    closed,
    heard,
    nothing_heard,
    say,
    served,
    sessions,
    subscribe,
    until,
)
from tests.graph.owners import ALICE, AT, BOB, ROLES, without
from tests.graph.world import fact

MINUTE = Grain.MINUTE.value


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with served(Running()) as found:
        yield found


def starts(message: object) -> list[str]:
    """When the buckets of an update start, without the day."""
    return [one["start"][11:16] for one in message["payload"]["data"]["metricsUpdated"]["buckets"]]  # type: ignore[index]


def cursor(message: object, root: str = "metricsUpdated") -> str:
    return str(message["payload"]["data"][root]["cursor"])  # type: ignore[index]


async def test_the_first_update_tells_what_there_is_and_others_what_changed(running: Running) -> None:
    async with running.connected() as connection:
        await subscribe(connection, SESSIONS)
        first = await heard(connection)
        assert (starts(first), sessions(first)) == (["13:10"], [2])

        running.happened(AT + MINUTE)
        second = await heard(connection)
        assert (starts(second), sessions(second)) == (["13:11"], [1])

        running.happened(AT)
        assert sessions(await heard(connection)) == [3]


async def test_what_changes_nothing_that_is_asked_is_not_told(running: Running) -> None:
    async with running.connected() as connection:
        await subscribe(connection, SESSIONS, workflow="another")
        assert sessions(await heard(connection)) == []

        running.happened(AT)  # of the workflow sdxl
        running.store.version += 1
        await nothing_heard(connection)


async def test_a_bucket_is_told_again_when_its_data_are_complete(running: Running) -> None:
    query = "subscription { metricsUpdated { buckets { start partial } } }"
    running.store.raw = {key: one for key, one in running.store.raw.items() if one.at_ms < AT + MINUTE - 1}
    later = next(iter(running.store.raw.values()))
    async with running.connected() as connection:
        await subscribe(connection, query)
        told = (await heard(connection))["payload"]["data"]["metricsUpdated"]["buckets"]
        assert [one["partial"] for one in told] == [True]

        running.store.raw["default", "later"] = later._replace(at_ms=AT + MINUTE, id="later")
        running.store.version += 1
        told = (await heard(connection))["payload"]["data"]["metricsUpdated"]["buckets"]
        assert [one["partial"] for one in told] == [False]


async def test_a_bucket_whose_evidence_is_withdrawn_is_told_as_empty(running: Running) -> None:
    async with running.connected() as connection:
        await subscribe(connection, SESSIONS)
        assert sessions(await heard(connection)) == [2]

        running.store.facts.clear()
        running.store.version += 1
        assert sessions(await heard(connection)) == [0]


async def test_whoever_comes_back_is_told_what_was_missed_and_no_more(running: Running) -> None:
    async with running.connected() as connection:
        await subscribe(connection, SESSIONS)
        left_at = cursor(await heard(connection))
    running.happened(AT + MINUTE)
    running.now += timedelta(minutes=2 * WATCHED)
    running.happened(AT + 10 * MINUTE)

    async with running.connected() as connection:
        await subscribe(connection, SESSIONS, after=left_at)
        missed = await heard(connection)

    # In the last one somebody was paid.
    assert (starts(missed), sessions(missed)) == (["13:11", "13:20", "13:59"], [1, 1, 0])


@pytest.mark.parametrize(
    ("query", "after"),
    [
        (SESSIONS, "nonsense"),
        (SESSIONS, ""),
        ("subscription($after: String) { metricsUpdated(after: $after, interval: HOUR) { cursor } }", None),
        ('subscription($after: String) { metricsUpdated(after: $after, workflow: "x") { cursor } }', None),
    ],
)
async def test_a_cursor_of_something_else_is_refused(running: Running, query: str, after: str | None) -> None:
    async with running.connected() as connection:
        await subscribe(connection, SESSIONS)
        given = cursor(await heard(connection))
        given = given if after is None else after
        await subscribe(connection, query, id="2", after=given)
        answer = await heard(connection)

    assert answer["type"] == "error"
    assert answer["payload"][0]["extensions"] == {"code": "BAD_REQUEST", "argument": "after"}


async def test_a_cursor_that_lies_too_far_back_says_what_to_read_instead(running: Running) -> None:
    async with running.connected() as connection:
        await subscribe(connection, SESSIONS)
        left_at = cursor(await heard(connection))
        running.now += timedelta(minutes=MISSED + 1)
        await connection.close()
    async with running.connected() as connection:
        await subscribe(connection, SESSIONS, after=left_at)
        (error,) = (await heard(connection))["payload"]

    assert "Read `series` since 2026-01-09T12:46:00Z" in error["message"]


async def test_however_many_subscribe_a_change_is_read_once(running: Running) -> None:
    many = 20
    async with running.connected() as one, running.connected() as other:
        for n in range(many // 2):
            for connection in (one, other):
                await subscribe(connection, SESSIONS, id=str(n))
                await heard(connection)
        before, made = running.store.calls["rows"], running.made

        running.happened()
        for _ in range(many // 2):
            assert sessions(await heard(one)) == sessions(await heard(other)) == [1]

        assert (running.store.calls["rows"] - before, running.made - made) == (1, 1)


async def test_different_orchestrators_are_read_together(running: Running) -> None:
    query = 'subscription { metricsUpdated(orchestrator: "%s") { buckets { metrics { sessions } } } }'
    async with running.connected() as connection:
        for wallet in (ALICE, BOB):
            await subscribe(connection, query % wallet, id=wallet)
            await heard(connection)
        before = running.store.calls["rows"]

        running.happened(orchestrator=ALICE)
        assert (await heard(connection))["id"] == ALICE

        assert running.store.calls["rows"] - before == 1


async def test_updates_leave_nothing_behind(running: Running) -> None:
    subscribers, updates = 10, 30
    async with running.connected() as connection:
        for n in range(subscribers):
            await subscribe(connection, SESSIONS, id=str(n))
            await heard(connection)

        async def ours_after_updates() -> int:
            for n in range(updates):
                running.store.facts["one"] = [fact("one", AT + MINUTE, {"sessions": 1 + n % 2}, workflow="sdxl")]
                running.store.version += 1
                for _ in range(subscribers):
                    await heard(connection)
            gc.collect()
            kinds = (str(type(one).__module__).partition(".")[0] for one in gc.get_objects())
            return sum(kind in ("auth", "backends", "graph", "metrics", "resolvers") for kind in kinds)

        before = await ours_after_updates()

        assert await ours_after_updates() - before < updates


async def test_nobody_subscribes_and_nothing_is_read(running: Running) -> None:
    async with running.connected() as connection:
        await subscribe(connection, SESSIONS)
        await heard(connection)
        await say(connection, type="complete", id="1")
        await until(lambda: not running.live.subscriptions._all)
        before = running.store.calls.total()
        running.happened()
        await nothing_heard(connection)

    assert running.store.calls.total() == before


async def test_a_store_that_was_away_is_asked_again(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> None:
        raise StoreUnavailable("the store is away.")

    async with running.connected() as connection:
        await subscribe(connection, SESSIONS)
        await heard(connection)
        with monkeypatch.context() as patch:
            patch.setattr(running.store, "rows", away)
            running.happened()
            await nothing_heard(connection)
            await subscribe(connection, SESSIONS, id="2")
            assert (await heard(connection))["payload"][0]["extensions"]["code"] == "STORE_UNAVAILABLE"
        assert sessions(await heard(connection)) == [1]


# Who may


def told(message: object) -> list[dict[str, str]]:
    return message["payload"]["data"]["incidents"]["incidents"]  # type: ignore[index,no-any-return]


async def test_incidents_are_told_to_their_owner_once(running: Running) -> None:
    async with running.connected(payload={"Authorization": "Bearer alice"}) as connection:
        await subscribe(connection, INCIDENTS, wallet=ALICE)
        first = await heard(connection)
        assert [one["kind"] for one in told(first)] == ["RESTART", "ERROR"]

        later = fact("later", AT + 2 * MINUTE, {"error_events": 1}, orchestrator=ALICE)
        running.store.facts["later"] = [later]
        running.store.version += 1
        second = await heard(connection)
        assert [one["at"] for one in told(second)] == ["2026-01-09T13:12:00Z"]

    async with running.connected(payload={"Authorization": "Bearer alice"}) as connection:
        await subscribe(connection, INCIDENTS, wallet=ALICE, after=cursor(first, "incidents"))
        assert told(await heard(connection)) == told(second)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("has_scope", [True, False])
async def test_incidents_are_private(running: Running, role: str, has_scope: bool) -> None:
    caller = ROLES[role] if has_scope else without(ROLES[role])
    running.callers["Bearer me"] = caller
    async with running.connected(payload={"authorization": "Bearer me"}) as connection:
        await subscribe(connection, INCIDENTS, wallet=ALICE)
        answer = await heard(connection)

    if has_scope and (caller.operator or ALICE in caller.orchestrators):
        assert len(told(answer)) == 2
    else:
        code = "UNAUTHENTICATED" if caller.subject is None else "FORBIDDEN"
        assert (answer["type"], answer["payload"][0]["extensions"]["code"]) == ("error", code)


async def test_one_caller_is_never_told_anothers_answer(running: Running) -> None:
    """Shared answers are shared among those who may the same."""
    alice, bob = ({"Authorization": f"Bearer {name}"} for name in ("alice", "bob"))
    async with running.connected(payload=alice) as one, running.connected(payload=bob) as other:
        await asyncio.gather(*(subscribe(each, INCIDENTS, wallet=ALICE) for each in (one, other)))
        assert len(told(await heard(one))) == 2
        assert (await heard(other))["type"] == "error"


async def test_rights_that_are_taken_away_end_what_they_allowed(running: Running) -> None:
    async with running.connected(payload={"Authorization": "Bearer alice"}) as connection:
        await subscribe(connection, INCIDENTS, wallet=ALICE)
        await heard(connection)
        running.callers["Bearer alice"] = without(ROLES["alice"])
        running.store.version += 1

        assert (await heard(connection))["payload"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_a_token_that_ends_ends_the_connection(running: Running) -> None:
    until = running.now + timedelta(seconds=0.3)
    running.callers["Bearer alice"] = replace(ROLES["alice"], expires_at=until)
    async with running.connected(payload={"Authorization": "Bearer alice"}) as connection:
        await subscribe(connection, SESSIONS)
        await heard(connection)

        assert await closed(connection) == (
            4403, "Forbidden: the token has expired. Subscribe again with a new one."
        )  # fmt: skip


async def test_a_token_that_is_revoked_is_no_longer_served(running: Running) -> None:
    async with running.connected(payload={"Authorization": "Bearer alice"}) as connection:
        await subscribe(connection, SESSIONS)
        await heard(connection)
        del running.callers["Bearer alice"]
        running.happened()

        assert (await closed(connection))[0] == 4403


async def test_a_bad_token_gets_no_connection(running: Running) -> None:
    async with running.connected(begun=False) as connection:
        await say(connection, type="connection_init", payload={"Authorization": "Bearer nobody"})

        assert await closed(connection) == (4403, "Forbidden: the token is not good.")


# How many


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        (Bounds(per_connection=2), "a connection carries at most 2"),
        (Bounds(per_caller=2), "you have 2 subscriptions already"),
        (Bounds(subscriptions=2), "all 2 subscriptions are taken"),
    ],
)
async def test_subscriptions_are_bounded_and_free_again(bounds: Bounds, message: str) -> None:
    async with served(Running(bounds=bounds)) as running, running.connected() as connection:
        for id in ("1", "2"):
            await subscribe(connection, SESSIONS, id=id)
            await heard(connection)
        await subscribe(connection, SESSIONS, id="3")
        refused = await heard(connection)
        assert (refused["type"], refused["payload"][0]["extensions"]["code"]) == ("error", "RATE_LIMITED")
        assert message in refused["payload"][0]["message"]

        await say(connection, type="complete", id="1")
        await until(lambda: running.live.subscriptions._all < 2)
        await subscribe(connection, SESSIONS, id="3")
        assert (await heard(connection))["type"] == "next"


async def test_connections_are_bounded() -> None:
    async with (
        served(Running(bounds=Bounds(per_caller=1))) as running,
        running.connected(),
        running.connected(begun=False) as connection,
    ):
        code, reason = await closed(connection)

    assert (code, str(reason)[:29]) == (1013, "you have 1 connections alread")


async def test_a_seat_is_free_again_when_its_connection_is_gone(running: Running) -> None:
    async with running.connected() as connection:
        await subscribe(connection, SESSIONS)
        await heard(connection)
    await until(lambda: not running.live.connections._all and not running.live.subscriptions._all)


async def test_a_caller_is_the_same_one_from_everywhere() -> None:
    """A login counts as itself, not as the address that it comes from."""
    running = Running(bounds=Bounds(per_caller=1), callers={"Bearer a": Caller("a"), "Bearer b": Caller("b")})
    running.live.connections.most_each = 9
    async with (
        served(running),
        running.connected(payload={"Authorization": "Bearer a"}) as one,
        running.connected(payload={"Authorization": "Bearer b"}) as other,
        running.connected(payload={"Authorization": "Bearer a"}) as again,
    ):
        types = []
        for connection in (one, other, again):
            await subscribe(connection, SESSIONS)
            types.append((await heard(connection))["type"])

    assert types == ["next", "next", "error"]


async def test_whoever_reads_nothing_is_dropped_and_others_are_not(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client whose buffers are full: uvicorn then does not take what is sent to it."""
    from starlette.websockets import WebSocket

    running.live.bounds = replace(running.live.bounds, stalled_after_s=0.2)
    send, stuck = WebSocket.send_text, asyncio.Event()

    async def sending(socket: WebSocket, text: str) -> None:
        if json.loads(text).get("id") == "slow" and stuck.is_set():
            await asyncio.sleep(60)
        await send(socket, text)

    monkeypatch.setattr(WebSocket, "send_text", sending)
    async with running.connected() as slow, running.connected() as quick:
        for connection, id in ((slow, "slow"), (quick, "quick")):
            await subscribe(connection, SESSIONS, id=id)
            await heard(connection)
        stuck.set()
        running.happened()

        assert sessions(await heard(quick)) == [1]
        assert await closed(slow) == (1013, "Too slow: nothing was read for 0.2 s. Subscribe again, with `after`")
        await until(lambda: running.live.connections._all == 1)


async def test_at_the_end_subscribers_are_told_to_come_back(running: Running) -> None:
    async with running.connected() as connection:
        await subscribe(connection, SESSIONS)
        await heard(connection)
        running.pulse.close()

        assert await closed(connection) == (1012, "The gateway restarts: subscribe again, with `after`")
