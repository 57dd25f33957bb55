"""What is nearest and who reaches how far, against the obvious way to find it."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from telemetry.joins import Reaches, nearest

INSTANTS = st.integers(0, 12)


@dataclass(frozen=True)
class Span:
    """As much of a brief as looking for the nearest needs."""

    requested_ms: int
    last_ms: int
    request_id: str
    stream_id: str


SPANS = st.builds(
    lambda start, length, request, stream: Span(start, start + length, request, stream),
    *(INSTANTS, st.integers(0, 5), st.sampled_from("ab"), st.sampled_from("xyz")),
)


@given(st.lists(INSTANTS).map(sorted), st.lists(SPANS, min_size=1))
def test_the_nearest_is_the_one_that_every_comparison_finds(instants: list[int], spans: list[Span]) -> None:
    def better(span: Span, at_ms: int) -> tuple[int, int, str, str]:
        apart = max(span.requested_ms - at_ms, at_ms - span.last_ms, 0)
        return -apart, span.requested_ms, span.request_id, span.stream_id

    obvious = [max(better(span, at_ms) for span in spans) for at_ms in instants]

    found = list(nearest(instants, spans))  # type: ignore[arg-type]  # a Span has what is looked at

    assert [better(span, at_ms) for span, at_ms in zip(found, instants, strict=True)] == obvious


@given(
    st.lists(st.tuples(st.sampled_from("kl"), INSTANTS, INSTANTS, st.sampled_from("abc"))),
    *(st.sampled_from("kl"), INSTANTS, INSTANTS, st.sampled_from("abc")),
)
def test_reaching_is_what_every_stretch_says(
    stretches: list[tuple[str, int, int, str]], key: str, before: int, until: int, owner: str
) -> None:
    obvious = any(k == key and start < before and end >= until and o != owner for k, start, end, o in stretches)

    assert Reaches(stretches).reach(key, before, until, owner) is obvious
