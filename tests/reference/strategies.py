"""Hypothesis strategies for small hostile feeds: `feeds()`, and `configs()`, `windows()`, `wheres()` beside them.

A few *lives* (whole sessions with payments and snapshots around them) are drawn from tiny pools, so that ids collide;
then a few *mutations* drop, copy, shift or break single events; then the lines are shuffled. What only varies the
form of a number or an envelope comes from one drawn seed (0: everything plain), which keeps a draw fast and lets it
shrink to readable events.

Left out on purpose, because the definitions do not say what they mean: v1 and go-livepeer events in one session, NaN
literals, blank lines, unreadable `last_restart_time`, units on numbers other than amounts, snapshots that name models
only outside `hardware`."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from hypothesis import strategies as st

from tests.reference import lives
from tests.reference.job_lives import KINDS as JOB_KINDS
from tests.reference.job_lives import Job, job_events
from tests.reference.lives import GPUS, NOW, T0, URIS, WALLETS, WORKFLOWS, Draft, Life

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
SHIFTS = (-2 * DAY, -DAY - 1, -20 * MINUTE, -6_000, -1, 1, 6_000, 20 * MINUTE, DAY + 1, 2 * DAY)
GARBAGE = (
    b"not json",
    b'{"type": ',
    b"[1]",
    b'"text"',
    b"{}",
    b'{"id": "x", "type": " ", "timestamp": 1}',
    b"\xff\xfe{}",
)
BREAKS: tuple[tuple[str, Any], ...] = (
    ("timestamp", ""),
    ("timestamp", "yesterday"),
    ("timestamp", 12),
    ("timestamp", str(T0 + 30 * DAY)),
    ("data", "text"),
    ("data", 5),
)
MUTATIONS = (
    "drop",
    "copy",
    "conflict",
    "shift",
    "shift",
    "unnamed",
    "anonymous",
    "source",
    "break",
    "bad number",
    "steal id",
)


@dataclass
class Feed:
    """Drafts on their way to lines."""

    rng: Random
    plain: bool
    drafts: list[Draft] = field(default_factory=list)


@st.composite
def feeds(draw: Callable[..., Any], most_lives: int = 9) -> list[tuple[str, bytes]]:
    """A feed: (source, line) pairs in any order."""
    seed = draw(st.integers(0, 2**16))
    feed = Feed(Random(seed), plain=seed == 0)
    for life in draw(st.lists(lived(), min_size=min(1, most_lives), max_size=most_lives)):
        feed.drafts += lives.events_of(life, Random(life.seed))
    for source, at, rows in draw(st.lists(snapshots(), max_size=5)):
        feed.drafts.append(lives.snapshot(source, at, rows))
    for job in draw(st.lists(jobs(), max_size=3)):
        feed.drafts += job_events(job)
    feed.drafts += draw(st.lists(stakes(), max_size=3))
    feed.drafts += draw(st.lists(oddities(), max_size=3))
    for number, draft in enumerate(feed.drafts):
        draft.event.setdefault("id", f"{feed.rng.getrandbits(16):04x}-{number}")
    for position, mutation, choice in draw(st.lists(mutations(), max_size=8)):
        if feed.drafts:
            mutate(feed, position % len(feed.drafts), mutation, choice)
    lines = written(feed)
    lines += [lines[again % len(lines)] for again in draw(st.lists(st.integers(0, 127), max_size=4)) if lines]
    lines += draw(st.lists(garbage(), max_size=2))
    feed.rng.shuffle(lines)
    return lines


def lived() -> st.SearchStrategy[Life]:
    """One session's plan."""
    return st.builds(
        Life,
        kind=st.sampled_from(sorted(lives.KINDS)),
        source=st.sampled_from(("a", "a", "b")),
        stream=st.sampled_from(("s1", "s2", "s3", "s1", "")),
        request=st.sampled_from(("r1", "r2", "r3", "r4", "r1", "")),
        start=st.builds(
            start_of, st.integers(0, 180), st.sampled_from((0, 0, 1, 999, 30_000, 59_999)), st.integers(0, 19)
        ),
        uris=st.lists(st.sampled_from((0, 0, 0, 1, 2)), min_size=3, max_size=3),
        workflow=st.sampled_from((*WORKFLOWS, WORKFLOWS[0], WORKFLOWS[0], "")),
        gateway=st.sampled_from(("", "gw-1", "gw-2", lives.SENDERS[0], lives.SENDERS[0].upper().replace("0X", "0x"))),
        fps=st.lists(st.sampled_from((0, 0, 0, 15, 20.5, 19.705501276, 30, "", "0", "24.25")), max_size=5),
        gap=st.sampled_from((1, 250, 1_000, 5_000, 10_000, 61_000, 299_999, 300_000)),
        error=st.sampled_from(lives.ERRORS),
        payments=st.integers(0, 3),
        session_id=st.sampled_from(("m1", "m2", "m3", "")),
        synthetic=st.sampled_from((False, False, False, True)),
        seed=st.integers(0, 255),
    )


def jobs() -> st.SearchStrategy[Job]:
    """One job's plan; its request id may be a session's."""
    three = {"min_size": 3, "max_size": 3}
    return st.builds(
        Job,
        kind=st.sampled_from(sorted(JOB_KINDS)),
        source=st.sampled_from(("a", "a", "b")),
        request=st.sampled_from(("j1", "j1", "j2", "r1", "")),
        start=starts(),
        uris=st.lists(st.sampled_from((0, 0, 1, 2)), **three),
        attempts=st.integers(0, 3),
        success=st.lists(st.sampled_from((True, True, False, "true", "False", None, 1)), **three),
        gateway=st.sampled_from(("", "gw-1", "gw-2", lives.SENDERS[0])),
        synthetic=st.sampled_from((False, False, False, True)),
        seed=st.integers(0, 2**16),
    )


def stakes() -> st.SearchStrategy[Draft]:
    """A statement of stake; two of one wallet and instant are one identity, or none where one of them is unnamed."""
    return st.builds(
        lives.stake,
        st.sampled_from(("a", "b")),
        starts() | st.just(T0),
        st.sampled_from((*WALLETS, WALLETS[0], WALLETS[0].upper().replace("0X", "0x"), "0x12", "")),
        st.sampled_from(("0", "12.5", "30000000.000000000000000001", 7, "1e3", "-1", "1.0000000000000000001", None)),
        st.booleans(),
    )


def starts() -> st.SearchStrategy[int]:
    """Instants that come near one another, and near the edges of hours and of 15 minutes."""
    minutes = st.sampled_from((0, 1, 2, 10, 14, 15, 16, 20, 59, 60, 61, 119, 179))
    return st.builds(start_of, minutes, st.sampled_from((0, 0, 1, 999, 30_000, 59_999)), st.integers(0, 19))


def start_of(minute: int, extra: int, chance: int) -> int:
    """An instant within three hours of T0, seldom two days off."""
    return T0 + minute * MINUTE + extra + {18: -2 * DAY, 19: 2 * DAY}.get(chance, 0)


def snapshots() -> st.SearchStrategy[tuple[str, int, Any]]:
    """(source, at, rows): early and late, each row with 0 to 3 GPUs."""
    gpu = st.integers(0, len(GPUS) - 1)
    row = st.tuples(
        st.sampled_from((0, 0, 1, 2)),
        st.sampled_from((0, 0, 1, 2)),
        st.lists(st.tuples(st.sampled_from((*WORKFLOWS, "")), st.lists(gpu, max_size=3)), max_size=4),
        st.sampled_from(("map", "list")),
    )
    hours = st.sampled_from((-47, -24, -23, -1, -1, -1, 0, 0, 0, 1, 3, 23, 26))
    at = st.builds(lambda h, m: T0 + h * HOUR + m * MINUTE, hours, st.sampled_from((0, 0, 1, 15, 59)))
    return st.tuples(st.sampled_from(("a", "a", "b")), at, st.lists(row, min_size=1, max_size=3))


def oddities() -> st.SearchStrategy[Draft]:
    """Events that belong to no session: lone samples, jobs, discovery, unknown types, and payments that nothing
    names."""
    return st.builds(
        lives.oddity,
        st.sampled_from(sorted(lives.ODDITIES)),
        st.sampled_from(("a", "b")),
        starts(),
        st.integers(0, len(URIS) - 1),
        st.integers(0, 255),
    )


def mutations() -> st.SearchStrategy[tuple[int, str, int]]:
    """(which event, what happens to it, how)."""
    return st.tuples(st.integers(0, 127), st.sampled_from(MUTATIONS), st.integers(0, 59))


def garbage() -> st.SearchStrategy[tuple[str, bytes]]:
    """Lines that are no events."""
    return st.tuples(st.sampled_from(("a", "b")), st.sampled_from(GARBAGE))


def mutate(feed: Feed, position: int, mutation: str, choice: int) -> None:
    """One thing goes wrong with one event."""
    draft, drafts = feed.drafts[position], feed.drafts
    if mutation == "drop":
        drafts.pop(position)
    elif mutation == "copy":
        drafts.append(draft.copy())
    elif mutation == "conflict":
        drafts.append(draft.copy())
        drafts[-1].shift(SHIFTS[choice % len(SHIFTS)])
    elif mutation == "shift":
        draft.shift(SHIFTS[choice % len(SHIFTS)])
    elif mutation == "unnamed":
        draft.forget_orchestrator()
    elif mutation == "anonymous":
        draft.event["id"] = ("", None, "  ")[choice % 3]
    elif mutation == "source":
        draft.source = "b" if draft.source == "a" else "a"
    elif mutation == "break":
        draft.change(*BREAKS[choice % len(BREAKS)])
    elif mutation == "bad number":
        draft.bad_number(("-1", -1, "many", 2**130, "1e40", "NaN")[choice % 6])
    elif mutation == "steal id":
        draft.event["id"] = drafts[choice % len(drafts)].event.get("id")


def written(feed: Feed) -> list[tuple[str, bytes]]:
    """The drafts as lines, in any of the envelopes."""
    lines, exports = [], {source: [] for source in ("a", "b")}  # type: ignore[var-annotated]
    for draft in feed.drafts:
        event, form = draft.event, "message" if feed.plain or draft.fixed_form else feed.rng.choice(FORMS)
        if not feed.plain and not draft.fixed_form:
            lives.wander(event, feed.rng)
        if form == "export":
            exports[draft.source].append({"partition": 0, "offset": len(lines), "value": event})
        elif form == "array" and "type" in event:
            lines.append((draft.source, dumped([as_array_form(event)])))
        else:
            lines.append((draft.source, dumped([event] if form == "list" else event)))
    return lines + [(source, dumped(rows)) for source, rows in exports.items() if rows]


FORMS = ("message", "message", "message", "export", "array", "list")


def as_array_form(event: dict[str, Any]) -> dict[str, Any]:
    """`{id, type, timestamp: RFC 3339, payload}`."""
    stamp = event.get("timestamp")
    is_time = isinstance(stamp, str) and stamp.isdigit()
    shown = lives.rfc3339(int(stamp)) if is_time else stamp  # type: ignore[arg-type]
    return {"id": event.get("id"), "type": event["type"], "timestamp": shown, "payload": event.get("data")}


def dumped(value: Any) -> bytes:
    """One line."""
    return json.dumps(value, ensure_ascii=False).encode()


def configs() -> st.SearchStrategy[dict[str, Any] | None]:
    """Regions and testers, or none; no gateway or URI is in two regions."""
    north = st.fixed_dictionaries(
        {
            "name": st.just("North"),
            "gateways": st.sampled_from(([], ["gw-1"], [lives.SENDERS[0]])),
            "uris": st.just([URIS[0]]),
        }
    )
    south = st.fixed_dictionaries(
        {
            "name": st.just("South"),
            "gateways": st.just([lives.SENDERS[1]]),
            "uris": st.sampled_from(([], [URIS[1] + "/"])),
        }
    )
    regions = st.fixed_dictionaries({"north": north, "south": south})
    testers = st.sampled_from(([], ["gw-2"], [lives.SENDERS[1]]))
    return st.none() | st.fixed_dictionaries({"regions": regions, "testers": testers})


def windows() -> st.SearchStrategy[tuple[datetime, datetime]]:
    """Half-open windows around T0, with hours, minutes and odd milliseconds as edges."""
    edge = st.sampled_from((HOUR, MINUTE, 1))
    span = st.sampled_from((1, MINUTE, 7 * MINUTE, HOUR, 3 * HOUR, DAY, 5 * DAY))
    return st.builds(window, st.sampled_from((-2 * DAY, -HOUR, 0, 0)), st.integers(0, 180), edge, span)


def window(base: int, minutes: int, edge: int, span: int) -> tuple[datetime, datetime]:
    """A window that starts on a multiple of `edge`."""
    start = (T0 + base + minutes * MINUTE + 1) // edge * edge
    return moment(start), moment(start + span)


def moment(at: int) -> datetime:
    """Milliseconds as a UTC datetime."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)


def wheres() -> st.SearchStrategy[dict[str, Any]]:
    """Filters: none, one or two dimensions."""
    values = {
        "source": ("a", "b"),
        "orchestrator": WALLETS,
        "gpu": tuple(gpu for gpu, _ in GPUS),
        "gpu_model": tuple(sorted({model for _, model in GPUS if model})),
        "workflow": (*WORKFLOWS, "sdxl", "llama"),
        "gateway": ("gw-1", "gw-2", *lives.SENDERS),
        "region": ("north", "south", "eu"),
        "synthetic": (True, False),
    }
    each = st.sampled_from([{name: value} for name, offered in values.items() for value in offered])
    return st.just({}) | each | st.builds(lambda a, b: a | b, each, each)


__all__ = ["NOW", "T0", "configs", "feeds", "wheres", "windows"]
