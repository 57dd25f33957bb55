"""A store tells all that it was given, page by page, and takes it from another one."""

from collections import defaultdict
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backends.contents import WAYS, Shelf, Tally, belongs
from backends.copying import BEGINNING, Mark, copy, keep, tallied
from backends.log import Batch, Claim, Derivation, Event, Offer, Payment, Rejected, Stake, Statements, StoredSession
from backends.memory import MemoryStore
from backends.part import WHOLE, Part
from metrics.errors import BadRequest
from metrics.fact import Fact
from metrics.sighting import TRAITS, Sighting, Trait
from metrics.window import DAY_MS, HOUR_MS
from tests.backends.made import BASE_MS, HOSTILE, OWNERS, TEXTS, fact_lists, session_lists, sighting_lists
from tests.graph.world import session

calm = settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
WHO = ("a", None, "gpu", None, None, None)
# What the payment p1 counts for: its event lies beside it.
PAID = Fact(
    "payment/b/p1", "payment", BASE_MS + DAY_MS, ("b", "r", None, None, None, None, "a'b", "false"), {"tickets": 3}
)
REGIONS = ("north", "", "it's")


def event(n: int, owner: str, source: str = "a") -> Event:
    return Event(
        source,
        f"id {n} {HOSTILE[n % len(HOSTILE)]}",
        bytes([n + 16]) * 32,
        BASE_MS + n * HOUR_MS,
        owner,
        "t",
        b"\xff{}",
    )


def filled(store: Any, sessions: list[StoredSession], facts: list[Fact], sightings: list[Sighting]) -> Any:
    """A store with something on every shelf."""
    store.append(
        Batch(
            [event(n, OWNERS[n % 4] if n % 3 else "", "ab"[n % 2]) for n in range(12)],
            conflicts=[event(n, OWNERS[0])._replace(sha=b"\x99" * 32) for n in range(3)],
            rejected=[
                Rejected("a", bytes([n]) * 32, "not_json", text, text.encode()) for n, text in enumerate(HOSTILE)
            ],
        )
    )
    store.mark_derived()
    at = BASE_MS
    store.state(
        Statements(
            [Claim("a", f"https://{n}", at + n * HOUR_MS, "0xw", "e") for n in range(4)],
            [Offer("a", "https://o", at, "e", n, HOSTILE[n], "", "sdxl", "") for n in range(4)],
            [Payment("b", f"p{n}", at + n * DAY_MS, "", "r", "s", "m", "q", "", "", 3, 2**200, None) for n in range(3)],
            [Stake("a", "0xw", at + n, f"s{n}", 2**100 + n) for n in range(3)],
        )
    )
    supply = [
        Fact("https://o", f"{hour}/{n}", at + hour * HOUR_MS, (*WHO, REGIONS[n] or None, None), {"gpu_ms": 5})
        for hour in range(3)
        for n in range(3)
    ]
    store.replace(Derivation((*OWNERS, PAID.owner), [*facts, PAID], sightings, sessions, supply=supply))
    store.refresh()
    return store


def fixed() -> tuple[list[StoredSession], list[Fact], list[Sighting]]:
    """Sessions, facts and sightings with hostile text and large numbers, the same at any time."""
    sessions, facts, sightings = [], [], []
    for n, text in enumerate(TEXTS):
        at_ms, region = BASE_MS + (n - 4) * 7 * HOUR_MS, (None, "a", "a'b")[n % 3]
        record = replace(session(f"s {text}", f"r{n}", at_ms), owner=f"owner {text}", region=region, workflow=text)
        sessions.append(
            StoredSession(record, at_ms, n % 2 == 0, text, "", text, n % 3 == 0, (text,), (1,), (0,), (2,), b"\xff")
        )
        dims = ("default", text, None, "model", None, None, region, "false")
        values = {"samples": n + 100, "output_fps": 2**62, "fees_wei": 2**230 + n + 100}
        facts += [Fact(f"owner {text}", f"{k}", at_ms + k * 61_000, dims, values) for k in range(3)]
        traits = tuple(region if trait is Trait.REGION else text for trait in TRAITS)
        sightings.append(Sighting(f"owner {text}", "leg", at_ms, at_ms + DAY_MS, traits))
    return sessions, facts, sightings


made = st.tuples(session_lists(), fact_lists(), sighting_lists())
parts = st.builds(
    lambda sources, regions, first, hours: Part(sources, regions, first, None if hours is None else BASE_MS + hours),
    st.none() | st.frozensets(st.sampled_from(("a", "default", "it's\\one", "a'b")), min_size=1),
    st.none() | st.frozensets(st.sampled_from(("", "a", "b", "north", "a'b")), min_size=1),
    st.none() | st.sampled_from((BASE_MS - DAY_MS, BASE_MS, BASE_MS + HOUR_MS)),
    st.none() | st.sampled_from((2 * HOUR_MS, DAY_MS)),
)


def everything(store: Any, shelf: Shelf, part: Part, limit: int) -> list[Any]:
    """Every item of a shelf, in pages."""
    found, after = [], None
    while True:
        page = store.page(shelf, part, after, limit)
        assert len(page.items) <= limit
        found += page.items
        after = page.after
        if after is None:
            return found
        assert all(isinstance(value, str | int) for value in after)


def assert_tells_all(store: Any, made: tuple[Any, Any, Any], part: Part, limit: int) -> None:
    filled(store, *made)
    sessions, facts, _ = made
    regions: dict[str, set[str]] = defaultdict(set)
    for stored in sessions:
        regions[stored.record.owner].add(stored.record.region or "")
    for one in (*facts, PAID):
        regions[one.owner].add(one.dims[6] or "")

    def regions_of(owner: str) -> set[str]:
        return regions[owner]

    for shelf in Shelf:
        whole = everything(store, shelf, WHOLE, 1000)
        wanted = [one for one in whole if belongs(shelf, one, part, regions_of)]
        assert sorted(map(repr, everything(store, shelf, part, limit))) == sorted(map(repr, wanted))
        assert store.size(shelf, part) == len(wanted)


@calm
@given(made, parts, st.integers(1, 7))
def test_pages_tell_every_item_of_a_part_once(made: Any, part: Part, limit: int) -> None:
    assert_tells_all(MemoryStore(), made, part, limit)


def assert_copies(target: Any, made: tuple[Any, Any, Any]) -> None:
    origin, again = filled(MemoryStore(), *made), MemoryStore()
    for _ in range(2):
        copy(origin, target, WHOLE, BEGINNING, lambda *_: None)
        assert tallied(target, WHOLE) == tallied(origin, WHOLE)
    assert not target.pending(1)
    copy(target, again, WHOLE, BEGINNING, lambda *_: None)
    assert tallied(again, WHOLE) == tallied(origin, WHOLE)


@calm
@given(made)
def test_a_copy_holds_the_same_and_copying_again_changes_nothing(made: Any) -> None:
    assert_copies(MemoryStore(), made)


def test_each_store_pages_alike(store: Any) -> None:
    part = Part(frozenset(("a", "default")), frozenset(("", "a'b")), BASE_MS, BASE_MS + DAY_MS)
    assert_tells_all(store, fixed(), part, 4)


def test_each_store_copies_alike(store: Any) -> None:
    assert_copies(store, fixed())


@calm
@given(session_lists(), fact_lists(), sighting_lists(), st.integers(0, 60))
def test_a_copy_that_breaks_off_anywhere_goes_on_from_its_mark(
    sessions: Any, facts: Any, sightings: Any, steps: int
) -> None:
    origin, target = filled(MemoryStore(), sessions, facts, sightings), MemoryStore()
    marks: list[Mark | None] = [BEGINNING]

    def step(mark: Mark | None, _: int) -> None:
        if len(marks) > steps:
            raise KeyboardInterrupt
        marks.append(mark)

    try:
        copy(origin, target, WHOLE, BEGINNING, step)
    except KeyboardInterrupt:
        assert marks[-1] is not None
        copy(origin, target, WHOLE, marks[-1], lambda *_: None)
    assert tallied(target, WHOLE) == tallied(origin, WHOLE)


def test_what_is_put_beside_keeps_what_is_there(store: Any) -> None:
    dims = ("a", None, None, None, None, None, None, None)
    one, two = (Fact("owner", key, BASE_MS, dims, {"samples": 1}) for key in ("one", "two"))
    lit = [Fact("https://o", f"{n}", BASE_MS, dims, {"gpu_ms": 1}) for n in range(2)]
    for shelf, items in ((Shelf.FACTS, (one, two)), (Shelf.SUPPLY, lit)):
        for item in (*items, items[0]):
            keep(store, shelf, [item])
        assert sorted(everything(store, shelf, WHOLE, 1)) == sorted(items)


def test_what_an_event_states_in_pieces_is_all_kept(store: Any) -> None:
    claims = [Claim("a", f"https://{n}", BASE_MS, "0xw", "e") for n in range(3)]
    for claim in claims:
        keep(store, Shelf.CLAIMS, [claim])

    assert sorted(everything(store, Shelf.CLAIMS, WHOLE, 2)) == claims


def test_another_event_under_the_same_identity_is_refused(store: Any) -> None:
    store.append(Batch([event(1, "one")]))

    with pytest.raises(BadRequest, match="loaded apart"):
        keep(store, Shelf.EVENTS, [event(1, "one")._replace(sha=b"\0" * 32)])


def test_a_tally_tells_which_source_and_day_differ() -> None:
    ours, theirs = Tally({}), Tally({})
    ours.add(Shelf.EVENTS, [event(1, "one"), event(30, "one")])
    theirs.add(Shelf.EVENTS, [event(30, "one"), event(1, "one")._replace(body=b"other")])

    assert [(box.shelf, box.day_ms) for box in ours.differing(theirs)] == [(Shelf.EVENTS, BASE_MS)]
    assert set(WAYS) == set(Shelf)
