"""Filters of streams, held against a plain reading of them."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from metrics.dimension import Dimension as D
from metrics.errors import TooComplex
from resolvers.stream_filter import Both, Either, Ended, Has, Not, Part, Started, StreamTest, parts_of

NAMES = ("a", "b", "c")
KNOWN = {D.WORKFLOW: NAMES, D.REGION: NAMES}
OUTCOMES = ("SERVED", "OPEN", "UNSERVED")


def any_of(values: frozenset[str]) -> Any:
    """A test that one of the values is there."""
    return lambda given_: any(value in values for value in given_)


sets = st.frozensets(st.sampled_from(NAMES), max_size=2)
leaves: st.SearchStrategy[StreamTest] = st.one_of(
    st.builds(lambda dimension, values: Has(dimension, any_of(values)), st.sampled_from(list(KNOWN)), sets),
    st.builds(lambda values: Ended(any_of(values)), st.frozensets(st.sampled_from(OUTCOMES))),
    st.builds(Started, st.none() | st.integers(0, 9), st.none() | st.integers(0, 9)),
)
tests = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda parts: Both(tuple(parts)), st.lists(inner, max_size=2)),
        st.builds(lambda parts: Either(tuple(parts)), st.lists(inner, max_size=2)),
        st.builds(Not, inner),
    ),
    max_leaves=5,
)
sessions = st.fixed_dictionaries(
    {
        D.WORKFLOW: st.sampled_from(NAMES),
        D.REGION: st.sampled_from(NAMES),
        "outcome": st.sampled_from(OUTCOMES),
        "at": st.integers(0, 9),
    }
)


def holds(test: StreamTest, one: dict[Any, Any]) -> bool:
    """What the test means."""
    match test:
        case Has(dimension, allowed):
            return allowed((one[dimension],))
        case Ended(allowed):
            return allowed((one["outcome"],))
        case Started(since, until):
            return (since is None or one["at"] >= since) and (until is None or one["at"] < until)
        case Both(parts):
            return all(holds(part, one) for part in parts)
        case Either(parts):
            return any(holds(part, one) for part in parts)
        case Not(part):
            return not holds(part, one)


def within(part: Part, one: dict[Any, Any]) -> bool:
    """Is the session one of the part's?"""
    return (
        all(one[dimension] in values for dimension, values in part.scope.items())
        and (part.outcomes is None or one["outcome"] in part.outcomes)
        and (part.since_ms is None or one["at"] >= part.since_ms)
        and (part.until_ms is None or one["at"] < part.until_ms)
    )


@given(tests, st.lists(sessions, min_size=1, max_size=8))
def test_the_parts_let_through_what_the_filter_does(test: StreamTest, told: list[dict[Any, Any]]) -> None:
    try:
        parts = parts_of(test, KNOWN, {})
    except TooComplex:
        return

    for one in told:
        assert any(within(part, one) for part in parts) is holds(test, one)
