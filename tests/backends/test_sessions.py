"""Sessions and streams are found as the in-memory store finds them, by every way there is."""

from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backends.backend import SessionQuestion, StreamQuestion
from backends.log import Derivation, Explained, StoredSession
from backends.memory import MemoryStore
from tests.backends.made import (
    OWNERS,
    PLACES,
    REQUESTS,
    STREAMS,
    near,
    news,
    session_lists,
    session_questions,
    stored_sessions,
    stream_questions,
)
from tests.backends.stores import wait

calm = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def filled(store: Any, before: list[StoredSession], after: list[StoredSession]) -> MemoryStore:
    """The store and its twin in memory, with sessions that came, moved and went."""
    twin = MemoryStore()
    for one in (store, twin):
        one.replace(Derivation(OWNERS, gone=OWNERS))
        one.replace(Derivation((), sessions=before))
        gone = {stored.record.owner for stored in before[::2]} - {stored.record.owner for stored in after}
        one.replace(Derivation((), sessions=after, gone=sorted(gone)))
    return twin


def by_owner(found: Any) -> list[StoredSession]:
    return sorted(found, key=lambda stored: stored.record.owner)


@calm
@given(
    session_lists(),
    session_lists(),
    st.lists(session_questions, min_size=1, max_size=5),
    st.lists(stream_questions, max_size=5),
)
def test_sessions_and_streams_are_shown_alike(
    shared: Any,
    before: list[StoredSession],
    after: list[StoredSession],
    asked: list[SessionQuestion],
    pages: list[StreamQuestion],
) -> None:
    twin = filled(shared, before, after)

    async def compare() -> None:
        for question in asked:
            assert list(await shared.sessions(question)) == await twin.sessions(question)
            assert await shared.stream_count(question) == await twin.stream_count(question)
        for page in pages:
            assert list(await shared.streams(page)) == await twin.streams(page)

    wait(compare())


@calm
@given(session_lists(), session_lists(), st.lists(st.tuples(near, near), min_size=1, max_size=4))
def test_stored_sessions_are_found_alike(
    shared: Any, before: list[StoredSession], after: list[StoredSession], spans: list[tuple[int, int]]
) -> None:
    twin = filled(shared, before, after)

    def same(ask: Any) -> None:
        assert by_owner(ask(shared)) == by_owner(ask(twin))

    same(lambda store: store.sessions_of(OWNERS[:4]))
    same(lambda store: store.sessions_by_request("default", REQUESTS))
    same(lambda store: store.sessions_by_stream("default", STREAMS))
    for one, other in spans:
        low, high = min(one, other), max(one, other)
        same(lambda store, low=low, high=high: store.sessions_at("default", PLACES[:2], low, high))
        for ended in (True, False):
            found = shared.owners_silent("default", low, high, ended)
            assert sorted(found) == sorted(twin.owners_silent("default", low, high, ended))
    for unless in ("a", ""):
        found = shared.owners_by_gateway_name("default", "g'w", unless)
        assert sorted(found) == sorted(twin.owners_by_gateway_name("default", "g'w", unless))


@calm
@given(session_lists(), st.lists(news, max_size=3), st.lists(news, max_size=3))
def test_sessions_that_news_may_change_are_found_alike(
    shared: Any, sessions: list[StoredSession], claims: list[Explained], offers: list[Explained]
) -> None:
    twin = filled(shared, [], sessions)

    assert list(shared.owners_explained(claims, offers)) == list(twin.owners_explained(claims, offers))


@calm
@given(stored_sessions("owner a"), st.sampled_from(STREAMS), st.sampled_from(REQUESTS))
def test_a_session_filed_under_another_name_in_the_same_hour_is_found_by_it(
    shared: Any, session: StoredSession, stream_id: str, request_id: str
) -> None:
    renamed = replace(session, record=replace(session.record, stream_id=stream_id, request_id=request_id))
    twin = filled(shared, [session], [renamed])

    for store in (shared, twin):
        found = store.sessions_by_stream(session.record.source, [stream_id])
        assert [one.record.stream_id for one in found] == [stream_id] * bool(stream_id)
