"""What is appended counts once, and what was said is found."""

from typing import Any

import pytest

from backends.backend import LoggedEvent
from backends.log import Batch, Claim, Event, Identity, Offer, Payment, Rejected, Statements
from tests.backends.made import HOSTILE
from tests.backends.stores import wait

AT = 1_768_435_200_000


def event(
    id: str, at_ms: int = AT, owner: str = "one", sha: int = 1, source: str = "default", body: bytes = b"{}"
) -> Event:
    return Event(source, id, bytes([sha]) * 32, at_ms, owner, "stream_trace", body)


def seen(store: Any, *owners: str) -> list[LoggedEvent]:
    return list(store.session_events(owners))


def test_an_identity_is_known_after_its_append(store: Any) -> None:
    store.append(Batch([event("a"), event("b", AT + 1, "two", 2)]))

    assert store.identities("default", ["a", "b", "c"]) == {
        "a": Identity(b"\1" * 32, AT, "one"),
        "b": Identity(b"\2" * 32, AT + 1, "two"),
    }
    assert store.identities("other", ["a"]) == {}


def test_events_come_in_order_with_their_bytes(store: Any) -> None:
    store.append(
        Batch([event("b", AT + 1), event("z", AT, body=b"\xff\x00'"), event("a", AT + 1), event("x", owner="")])
    )

    found = seen(store, "one", "nobody", "")
    assert [(one.id, one.body) for one in found] == [("z", b"\xff\x00'"), ("a", b"{}"), ("b", b"{}")]
    assert list(wait(store.events(["one"]))) == found


def test_the_same_event_again_is_one_event(store: Any) -> None:
    store.append(Batch([event("a")]))
    store.append(Batch([event("a")]))

    assert len(seen(store, "one")) == 1


@pytest.mark.parametrize("owner", ["one", "two"])
@pytest.mark.parametrize("at_ms", [AT, AT + 5])
def test_a_superseded_event_counts_no_more(store: Any, owner: str, at_ms: int) -> None:
    loser, winner = event("a", sha=9), event("a", at_ms, owner, 1)
    store.append(Batch([loser]))
    store.append(Batch([winner], conflicts=[loser], superseded=[loser._replace(body=b"")]))

    assert [(one.owner, one.at_ms) for one in seen(store, "one", "two")] == [(owner, at_ms)]
    assert store.identities("default", ["a"])["a"] == Identity(b"\1" * 32, at_ms, owner)
    assert list(store.conflict_counts([("default", "a"), ("default", "b")])) == [("default", "a", b"\x09" * 32, AT)]
    assert store.latest() == {"default": at_ms}


def test_how_far_a_source_reaches_follows_what_counts(store: Any) -> None:
    late = event("a", AT + 100, sha=9)
    store.append(Batch([event("x", AT + 50), late, event("y", AT + 7, source="other")]))
    store.append(Batch([event("a", AT)], conflicts=[late], superseded=[late]))

    assert store.latest() == {"default": AT + 50, "other": AT + 7}
    held = wait(store.holds())
    assert held.sources == {"default": (AT, AT + 50), "other": (AT + 7, AT + 7)}
    assert held.latest_ms == AT + 50


def test_what_is_not_derived_is_pending_with_what_was_withdrawn(store: Any) -> None:
    loser = event("a", sha=9)
    store.append(Batch([loser]))
    assert wait(store.holds()).pending == 1
    store.mark_derived()
    assert list(store.pending(10)) == []
    assert wait(store.holds()).pending == 0

    store.append(Batch([event("a", AT + 1, "two")], conflicts=[loser], superseded=[loser]))

    found = {(one.owner, one.id, one.at_ms, one.body) for one in store.pending(10)}
    assert found == {("two", "a", AT + 1, b"{}"), ("one", "a", AT, b"")}


def test_pending_comes_in_order_of_appending(store: Any) -> None:
    for number in range(4):
        store.append(Batch([event(f"id{number}", AT - number)]))

    assert [one.id for one in store.pending(3)] == ["id0", "id1", "id2"]


def test_the_version_changes_with_every_append(store: Any) -> None:
    before = wait(store.holds()).version
    store.append(Batch([event("a")]))

    assert wait(store.holds()).version != before


def test_the_event_log_is_read_in_pages(store: Any) -> None:
    events = [event(f"id{n}", AT + n % 3, f"owner{n % 2}" if n % 4 else "", source=f"s{n % 2}") for n in range(24)]
    store.append(Batch(events))
    pages, after = [], None
    while page := store.event_log(AT, AT + 2, 5, after):
        pages += page
        after = (page[-1].owner, page[-1].at_ms, page[-1].source, page[-1].id)

    wanted = sorted((e.owner, e.at_ms, e.source, e.id) for e in events if e.at_ms < AT + 2)
    assert [(one.owner, one.at_ms, one.source, one.id) for one in pages] == wanted


def test_events_are_found_by_where_they_are_kept(store: Any) -> None:
    store.append(Batch([event("a"), event("b", AT + 1), event("c", owner="two")]))

    assert [one.id for one in store.logged([("one", AT, "default", "a"), ("one", AT + 1, "default", "b")])] == [
        "a",
        "b",
    ]
    assert list(store.logged([])) == []


def test_hostile_text_is_kept_as_it_is(store: Any) -> None:
    store.append(Batch([event(text, owner=text, source=text) for text in HOSTILE]))

    assert {one.id for one in store.session_events(HOSTILE)} == set(HOSTILE)
    assert all(set(store.identities(text, HOSTILE)) == {text} for text in HOSTILE)


def test_rejected_lines_are_kept_once(store: Any) -> None:
    line = Rejected("default", b"\1" * 32, "not_json", "line 1", b"\xff{")
    store.append(Batch(rejected=[line]))
    store.append(Batch(rejected=[line]))


CLAIMS = [
    Claim("default", "https://one", AT, "0xa", "c1"),
    Claim("default", "https://one", AT, "0xb", "c2"),
    Claim("default", "https://one", AT + 10, "0xa", "c3"),
    Claim("default", "https://one", AT + 20, "0xc", "c4"),
    Claim("default", "key:0x1", AT, "0xd", "c4"),
    Claim("other", "https://one", AT + 11, "0xe", "c5"),
]


def test_claims_are_found_on_both_sides_of_an_instant(store: Any) -> None:
    store.state(Statements(claims=CLAIMS))
    spots = [("default", "https://one", AT + shift) for shift in (-1, 0, 5, 10, 20, 99)]
    found = store.claims_around([*spots, ("default", "nowhere", AT)])

    def ids(shift: int) -> list[str]:
        return [claim.id for claim in found["default", "https://one", AT + shift]]

    assert [ids(shift) for shift in (-1, 0, 5, 10, 20, 99)] == [
        ["c1", "c2"],
        ["c1", "c2", "c3"],
        ["c1", "c2", "c3"],
        ["c3", "c4"],
        ["c4"],
        ["c4"],
    ]
    assert list(found["default", "nowhere", AT]) == []
    assert list(store.claims_between("default", "https://one", AT, AT + 10)) == ["0xa", "0xb"]


def test_what_a_withdrawn_event_said_is_unsaid(store: Any) -> None:
    store.state(Statements(claims=CLAIMS, payments=[payment("p1", sender="0x1")]))
    assert store.senders("default", ["gw"]) == {"gw": ["0x1"]}
    store.state(
        Statements(
            claims=[CLAIMS[2]._replace(id="c1")], withdrawn=[("default", "c1"), ("default", "c4"), ("default", "p1")]
        )
    )

    found = store.claims_around([("default", "https://one", AT), ("default", "key:0x1", AT)])
    assert [claim.id for claim in found["default", "https://one", AT]] == ["c2", "c1", "c3"]
    assert list(found["default", "key:0x1", AT]) == []
    assert list(store.payments_by_request("default", ["r1"])) == []
    assert store.senders("default", ["gw"]) == {"gw": []}


def test_offers_are_found_at_instants_that_name_what_is_asked(store: Any) -> None:
    offers = [
        Offer("default", "u", AT, "o1", 0, "gpu1", "4090", ""),
        Offer("default", "u", AT, "o1", 1, "", "", "flux"),
        Offer("default", "u", AT + 5, "o2", 0, "", "", "flux"),
        Offer("default", "u", AT + 9, "o3", 0, "gpu2", "4090", "flux"),
    ]
    store.state(Statements(offers=offers))
    spot = ("default", "u", AT + 6)

    assert list(store.offers_around([spot], "gpu")[spot]) == [offers[0], offers[1], offers[3]]
    assert list(store.offers_around([spot], "workflow")[spot]) == [offers[2], offers[3]]


def payment(id: str, **changes: Any) -> Payment:
    plain = Payment("default", id, AT, "u", "0xr", "0xs", "s1", "r1", "flux", "gw", 3, 2**200, None)
    return plain._replace(**changes)


def test_payments_are_found_by_request_and_by_session(store: Any) -> None:
    payments = [
        payment("p1"),
        payment("p2", request_id="", at_ms=AT + 3_600_000),
        payment("p3", session_id="", request_id="r2", sender=""),
        payment("p4", source="other"),
    ]
    store.state(Statements(payments=payments))
    store.state(Statements(payments=payments[:1]))

    assert sorted(store.payments_by_request("default", ["r1", "r2", ""])) == [payments[0], payments[2]]
    assert sorted(store.payments_by_session("default", [("0xr", "s1"), ("0xr", "")])) == payments[:2]
    assert list(store.payments_by_session("default", [("0xother", "s1")])) == []


def test_at_most_two_senders_are_told(store: Any) -> None:
    store.state(Statements(payments=[payment(f"p{n}", sender=f"0x{n}") for n in range(3)]))
    store.state(Statements(payments=[payment("q", gateway_name="g2", sender="")]))

    assert store.senders("default", ["gw", "g2", "g3"]) == {"gw": ["0x0", "0x1"], "g2": [], "g3": []}
    store.state(Statements(payments=[payment("r", gateway_name="g3", sender="0x9")]))
    assert store.senders("default", ["g3"]) == {"g3": ["0x9"]}
