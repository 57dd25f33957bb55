"""The laws of cutting a window."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from backends.pieces import MAX_GAPS, Behind, Level, Piece, gaps, pieces
from metrics.window import DAY_MS, HOUR_MS, MINUTE_MS, Grain, Window
from tests.backends.made import BASE_MS, windows

grains = st.sampled_from((None, *Grain))


def some(level: Level) -> st.SearchStrategy[frozenset[int]]:
    buckets = st.integers(-3 * DAY_MS, 3 * DAY_MS).map(lambda shift: (BASE_MS + shift) // level.value * level.value)
    return st.frozensets(buckets, max_size=12)


behinds = st.fixed_dictionaries({Level.HOUR: some(Level.HOUR), Level.DAY: some(Level.DAY)})


@given(windows(), grains, behinds)
def test_pieces_tile_the_window(window: Window, grain: Grain | None, behind: Behind) -> None:
    cut = pieces(window, grain, behind)

    assert cut[0].start_ms == window.start_ms
    assert cut[-1].end_ms == window.end_ms
    assert all(one.end_ms == other.start_ms for one, other in pairwise(cut))
    assert all(piece.start_ms < piece.end_ms for piece in cut)


@given(windows(), grains, behinds)
def test_a_piece_begins_and_ends_where_its_level_does(window: Window, grain: Grain | None, behind: Behind) -> None:
    for level, start_ms, end_ms in pieces(window, grain, behind):
        assert start_ms % level.value == 0
        assert end_ms % level.value == 0
        assert grain is None or grain.value % level.value == 0


@given(windows(), grains, behinds)
def test_no_piece_holds_a_bucket_that_is_behind(window: Window, grain: Grain | None, behind: Behind) -> None:
    for level, start_ms, end_ms in pieces(window, grain, behind):
        assert not any(start_ms <= bucket < end_ms for bucket in behind.get(level, ()))


@given(windows(), grains)
def test_what_a_coarser_level_could_answer_is_not_read_from_a_finer_one(window: Window, grain: Grain | None) -> None:
    for level, start_ms, end_ms in pieces(window, grain):
        for coarser in Level:
            if coarser.value > level.value and (grain is None or grain.value % coarser.value == 0):
                assert -(-start_ms // coarser.value) * coarser.value + coarser.value > end_ms


@given(windows(), grains)
def test_there_are_at_most_seven_pieces_where_nothing_is_behind(window: Window, grain: Grain | None) -> None:
    assert len(pieces(window, grain)) <= 7


@given(some(Level.HOUR))
def test_gaps_hold_every_bucket_and_are_few(buckets: frozenset[int]) -> None:
    first, last = BASE_MS - 4 * DAY_MS, BASE_MS + 4 * DAY_MS
    found = gaps(buckets, HOUR_MS, first, last)

    assert len(found) <= MAX_GAPS
    assert all(any(start <= bucket < end for start, end in found) for bucket in buckets)
    assert all(one[1] < other[0] for one, other in pairwise(found))


def test_a_window_by_hand() -> None:
    start, end = BASE_MS + 10 * HOUR_MS + 7 * MINUTE_MS + 30_000, BASE_MS + 2 * DAY_MS + 3 * HOUR_MS + 20 * MINUTE_MS

    assert pieces(Window.of_ms(start, end), None) == (
        Piece(Level.FACTS, start, start + 30_000),
        Piece(Level.MINUTE, start + 30_000, BASE_MS + 11 * HOUR_MS),
        Piece(Level.HOUR, BASE_MS + 11 * HOUR_MS, BASE_MS + DAY_MS),
        Piece(Level.DAY, BASE_MS + DAY_MS, BASE_MS + 2 * DAY_MS),
        Piece(Level.HOUR, BASE_MS + 2 * DAY_MS, BASE_MS + 2 * DAY_MS + 3 * HOUR_MS),
        Piece(Level.MINUTE, BASE_MS + 2 * DAY_MS + 3 * HOUR_MS, end),
    )
