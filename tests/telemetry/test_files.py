"""Files of events, in every form that they come in."""

import gzip
import io
import json
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from metrics.errors import BadRequest
from telemetry.files import MAX_LINE, PIECE, lines, split

EVENTS = [{"id": str(n), "text": 'a "quoted" {bracket} ü \\ ' + "x" * (n % 7)} for n in range(40)]
AS_LINES = b"".join(json.dumps(event).encode() + b"\n" for event in EVENTS)


def told(data: bytes) -> list[object]:
    """The events that a file holds."""
    found: list[object] = []
    for line in split(io.BytesIO(data)):
        value = json.loads(line)
        found.extend(value if isinstance(value, list) else [value])
    return found


@pytest.mark.parametrize("indent", [None, 0, 2])
def test_an_array_gives_its_elements_however_it_is_laid_out(indent: int | None) -> None:
    assert told(json.dumps(EVENTS, indent=indent, ensure_ascii=False).encode()) == EVENTS


def test_lines_may_be_blank_or_one_element_arrays() -> None:
    assert told(b"\n\n" + AS_LINES + b"\n" + json.dumps([EVENTS[0]]).encode()) == [*EVENTS, EVENTS[0]]


@given(
    st.lists(st.dictionaries(st.text(max_size=3), st.text(max_size=9), max_size=2), min_size=1, max_size=30),
    st.sampled_from((None, 1)),
)
def test_any_array_is_read_whole(values: list[dict[str, str]], indent: int | None) -> None:
    assert told(json.dumps(values, indent=indent, ensure_ascii=False).encode()) == values


def test_an_array_longer_than_a_piece_is_cut_nowhere() -> None:
    many = [{"id": n, "text": "ü" * 50} for n in range(PIECE // 40)]

    assert told(json.dumps(many, ensure_ascii=False).encode()) == many


def test_one_broken_element_does_not_stop_an_array() -> None:
    found = list(split(io.BytesIO(b'[\n{"a": 1},\n{"b": oops, "c": "}"},\n{"d": 4}\n]')))

    assert found == [b'{"a": 1}', b'{"b": oops, "c": "}"}', b'{"d": 4}']


def test_an_array_that_breaks_off_still_gives_what_it_held() -> None:
    assert list(split(io.BytesIO(b'[\n{"a": 1},\n{"b": 2'))) == [b'{"a": 1}', b'{"b": 2']


def test_a_line_too_long_is_cut_and_the_next_one_is_whole() -> None:
    first, second = split(io.BytesIO(b"x" * (3 * MAX_LINE) + b"\n" + b"{}\n"))

    assert (len(first), second) == (MAX_LINE + 1, b"{}\n")


def test_packed_files_are_unpacked_by_what_they_hold(tmp_path: Path) -> None:
    for name, data in (("a", AS_LINES), ("b", gzip.compress(AS_LINES)), ("c", zstandard.compress(AS_LINES))):
        path = tmp_path / name
        path.write_bytes(data)

        assert [json.loads(line) for line in lines(str(path))] == EVENTS


def test_what_is_no_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="is a directory"):
        list(lines(str(tmp_path)))
    with pytest.raises(BadRequest, match="does not exist"):
        list(lines(str(tmp_path / "none")))


def test_a_packed_file_that_breaks_off_keeps_what_came_before(tmp_path: Path) -> None:
    path = tmp_path / "cut.gz"
    path.write_bytes(gzip.compress(AS_LINES * 2000)[:-400])
    found = []

    with pytest.raises(BadRequest, match="to its end"):
        found.extend(lines(str(path)))
