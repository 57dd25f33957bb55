"""Feeds about supply: few URIs whose GPUs come and go, with sessions that overlap there for minutes and hours."""

from collections.abc import Callable
from random import Random
from typing import Any

from hypothesis import strategies as st

from tests.reference import lives
from tests.reference.lives import FIRST, NOBODY, REQUEST, T0, WORKFLOWS, Draft, Life
from tests.reference.strategies import DAY, HOUR, MINUTE, dumped

instants = st.builds(
    lambda hour, minute, ms: T0 + hour * HOUR + minute * MINUTE + ms,
    st.integers(-1, 3),
    st.sampled_from((0, 0, 1, 20, 30, 59)),
    st.sampled_from((0, 0, 1, 59_999)),
)


@st.composite
def busy_feeds(draw: Callable[..., Any]) -> list[tuple[str, bytes]]:
    """A feed of one source, in any order."""
    drafts: list[Draft] = []
    for at, rows in draw(st.lists(snapshots(), max_size=8)):
        drafts.append(lives.snapshot("a", at, rows))
    for number, plan in enumerate(draw(st.lists(stays(), max_size=7))):
        drafts += events_of(number, *plan)
    for number, draft in enumerate(drafts):
        draft.event["id"] = f"e{number:03}"
    order = draw(st.permutations(range(len(drafts))))
    return [(drafts[index].source, dumped(drafts[index].event)) for index in order]


def snapshots() -> st.SearchStrategy[tuple[int, Any]]:
    """(at, rows): now and then a day early, with 0 to 4 GPUs for one, several or no named workflows."""
    gpus = st.sampled_from(([0], [0], [2], [3], [0, 1], [0, 1, 2, 3], [])).map(list)
    offered = st.lists(st.tuples(st.sampled_from((*WORKFLOWS, "")), gpus), max_size=3)
    row = st.tuples(st.sampled_from((0, 0, 1)), st.sampled_from((0, 0, 0, 1)), offered, st.just("list"))
    early = st.sampled_from((0, 0, 0, -DAY, -DAY + 1, -DAY - 1, -23 * HOUR))
    return st.tuples(st.builds(int.__add__, instants, early), st.lists(row, min_size=1, max_size=2))


def stays() -> st.SearchStrategy[tuple[int, str, list[int], list[Any], int, str]]:
    """(start, workflow, the URIs it is at, frame rates, gap, gateway) of a session."""
    return st.tuples(
        instants,
        st.sampled_from((*WORKFLOWS, WORKFLOWS[0])),
        st.lists(st.sampled_from((0, 0, 0, 1)), min_size=1, max_size=2),
        st.lists(st.sampled_from((0, 12, 20.5, "")), min_size=1, max_size=5),
        st.sampled_from((1_000, 10_000, 10_001, MINUTE, 20 * MINUTE, HOUR)),
        st.sampled_from(("gw-1", "gw-2")),
    )


def events_of(number: int, start: int, workflow: str, uris: list[int], fps: list[Any], gap: int, gateway: str) -> Any:
    """A request, a first segment now and then, and status samples at one URI after the other."""
    told = {"stream": f"s{number}", "request": f"r{number}", "start": start, "workflow": workflow, "gateway": gateway}
    life, rng, at = Life(**{**vars(NOBODY), **told}), Random(number), start
    yield lives.trace(life, start, REQUEST)
    for uri in uris:
        yield lives.trace(life, at + 1, FIRST, uri)
        for one in fps:
            at += gap
            yield lives.status(life, at, uri, one, rng)
