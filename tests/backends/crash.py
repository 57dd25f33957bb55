"""A small loader that is killed: `python -m tests.backends.crash URL NAME N` dies after the N-th statement of the name
("" for any name, 0 for never).

Whatever died before, it recovers, sends everything again, and compares every answer with one computed from scratch.
"""

import asyncio
import os
import random
import signal
import sys
from collections.abc import Sequence
from typing import Any

from backends.backend import SessionQuestion, SessionRecord
from backends.log import Batch, Derivation, Event, StoredSession
from gateway.store import Store, open_store
from metrics.columns import MEASURES
from metrics.dimension import DIMENSIONS
from metrics.fact import Fact
from metrics.fold import fold
from metrics.question import Question
from metrics.sighting import TRAITS, Sighting, SightingQuestion, Trait, seen
from metrics.window import HOUR_MS, Grain, Window

BASE_MS = 1_768_435_200_000
SPAN_MS = 30 * HOUR_MS
SOURCE = "default"


def made() -> list[Event]:
    """The events, always the same: some identities have a second content, with another session and time."""
    chance = random.Random(7)
    events = []
    for number in range(60):
        for _ in range(1 + (chance.random() < 0.3)):
            sha = bytes([chance.randrange(256)]) * 32
            at_ms, owner = BASE_MS + chance.randrange(SPAN_MS), f"session {chance.randrange(8)}"
            events.append(Event(SOURCE, f"id{number}", sha, at_ms, owner, "x", sha))
    chance.shuffle(events)
    return events


def derived(owner: str, events: Sequence[Any]) -> tuple[list[Fact], list[Sighting], list[StoredSession]]:
    """A session from its events: its group depends on how many they are, so that facts move."""
    if not events:
        return [], [], []
    who = tuple(f"{dimension.value} {len(events) % 3}" if n % 2 else None for n, dimension in enumerate(DIMENSIONS))
    first, last = min(e.at_ms for e in events), max(e.at_ms for e in events)
    facts = [Fact(owner, f"sample {e.id}", e.at_ms, who, {"samples": 1, "output_fps": e.body[0]}) for e in events]
    facts.append(Fact(owner, "session", first, who, {"sessions": 1, "fees_wei": 2**200 + len(events)}))
    traits = tuple(f"{trait.value} {len(events) % 3}" for trait in TRAITS)
    return facts, [Sighting(owner, "leg", first, last, traits)], [stored(owner, first, last, len(events))]


def stored(owner: str, first: int, last: int, count: int) -> StoredSession:
    texts: dict[str, Any] = dict.fromkeys(("orchestrator", "gpu", "gpu_model", "workflow", "gateway", "region"), "x")
    numbers = dict.fromkeys(("prompt_to_first_frame_us", "prompt_to_playable_us", "e2e_latency_us"))
    record = SessionRecord(
        owner=owner,
        source=SOURCE,
        stream_id=owner,
        request_id=owner,
        requested_ms=first,
        last_ms=last,
        ended=False,
        outcome="OPEN",
        gpu_attribution="EXACT",
        synthetic=False,
        swaps=count,
        errors=0,
        sums={},
        **texts,
        **numbers,
    )
    return StoredSession(record, first, True, "", "", "", False, (), (), (), (), b"")


def derive(store: Store, owners: set[str]) -> None:
    """What a loader does after an append, and after a crash."""
    by_owner: dict[str, list[Any]] = {owner: [] for owner in owners}
    for event in store.session_events(owners):
        by_owner[event.owner].append(event)
    parts = [derived(owner, events) for owner, events in by_owner.items()]
    facts, sightings, sessions = ([one for part in parts for one in part[index]] for index in range(3))
    gone = [owner for owner, events in by_owner.items() if not events]
    store.replace(Derivation(sorted(owners), facts, sightings, sessions, gone))
    store.refresh()
    store.mark_derived()


def load(store: Store, events: Sequence[Event]) -> None:
    """Append a batch as a loader does: the smaller content counts."""
    known = store.identities(SOURCE, [event.id for event in events])
    conflicts, superseded = [], []
    counting: dict[str, Event] = {}
    for event in events:
        present: Any = counting.get(event.id) or known.get(event.id)
        if present is None or present.sha == event.sha:
            counting.update({} if present else {event.id: event})
            continue
        loser = event
        if event.sha < present.sha:
            counting[event.id] = event
            loser = Event(SOURCE, event.id, present.sha, present.at_ms, present.owner, "x", b"")
            superseded += [] if isinstance(present, Event) else [loser]
        conflicts.append(loser)
    store.append(Batch(list(counting.values()), conflicts, superseded))
    derive(store, {event.owner for event in (*counting.values(), *superseded)})


def check(store: Store, events: Sequence[Event]) -> None:
    """Everything that can be asked, against a computation from scratch."""
    winners: dict[str, Event] = {}
    for event in events:
        if event.id not in winners or event.sha < winners[event.id].sha:
            winners[event.id] = event
    by_owner: dict[str, list[Event]] = {}
    for event in winners.values():
        by_owner.setdefault(event.owner, []).append(event)
    parts = [derived(owner, held) for owner, held in by_owner.items()]
    facts, sightings, sessions = ([one for part in parts for one in part[index]] for index in range(3))
    losers = {(event.id, event.sha) for event in events} - {(event.id, event.sha) for event in winners.values()}

    async def compare() -> None:
        window = Window.of_ms(BASE_MS - 1, BASE_MS + SPAN_MS + 1)
        for grain in (None, *Grain):
            question = Question.of(MEASURES, window, grain, DIMENSIONS[:2])
            assert await store.rows(question) == fold(facts, question), grain
        combinations = SightingQuestion.of([Trait.GPU])
        assert await store.seen(combinations) == seen(sightings, combinations)
        shown = await store.sessions(SessionQuestion())
        assert {one.owner: one for one in shown} == {one.record.owner: one.record for one in sessions}
        held = await store.holds()
        times = [event.at_ms for event in winners.values()]
        assert held.pending == 0
        assert dict(held.sources) == {SOURCE: (min(times), max(times))}

    asyncio.run(compare())
    kept = store.event_log(0, 2**62, 1000, None)
    assert sorted((e.id, e.body, e.owner, e.at_ms) for e in kept) == sorted(
        (e.id, e.body, e.owner, e.at_ms) for e in winners.values()
    )
    assert {event_id: known.sha for event_id, known in store.identities(SOURCE, list(winners)).items()} == {
        event_id: event.sha for event_id, event in winners.items()
    }
    found = store.conflict_counts([(SOURCE, event_id) for event_id in winners])
    assert {(event_id, sha) for _, event_id, sha, _ in found} == losers
    assert len(found) == len(losers)


def known(store: Store) -> None:
    """Whatever counts has its identity, also where its append was cut off."""
    kept = store.event_log(0, 2**62, 1000, None)
    found = store.identities(SOURCE, [event.id for event in kept])
    assert {event.id: (event.owner, event.at_ms) for event in kept} == {
        event_id: (one.owner, one.at_ms) for event_id, one in found.items()
    }


def main(url: str, dies_in: str, dies_after: int) -> None:
    count = 0

    def tick(name: str, seconds: float, rows: int) -> None:
        nonlocal count
        count += dies_in in (name, "")
        if count == dies_after:
            os.kill(os.getpid(), signal.SIGKILL)

    store = open_store(url, on_statement=tick)
    known(store)
    left = store.pending(1000)
    derive(store, {event.owner for event in left})
    events = made()
    for start in range(0, len(events), 10):
        load(store, events[start : start + 10])
    check(store, events)
    asyncio.run(store.close())
    sys.stdout.write("whole\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
