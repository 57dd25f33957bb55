"""What makes a set wrong, and that it is said with the file and the field."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptsets.dataset import DatasetType, Prompt, normal
from promptsets.reading import FIELDS, MAX_CHARACTERS, MAX_PROBLEMS, READERS, sets_in
from tests.promptsets.made import lines, made


def problems(files: dict[str, bytes]) -> list[str]:
    found = sets_in(files)
    assert found.sets == []
    return [str(one) for one in found.problems]


def test_a_set_is_read_as_it_is_written() -> None:
    content = b'{"prompt": "a red fox", "case": "short"}\n{"prompt": "  two\\nlines "}\n'
    url = "https://example.org/sets"
    found = sets_in(made(content=content, url=url))

    assert found.problems == []
    (one,) = found.sets
    assert one.prompts == (Prompt("a red fox", "short"), Prompt("  two\nlines ", None))
    assert (one.dataset.name, one.dataset.type, one.dataset.prompt_count) == ("small", DatasetType.RANDOM, 2)
    assert (one.dataset.updated_at, one.dataset.url) == (datetime(2026, 1, 9, 13, tzinfo=UTC), url)


def test_metadata_is_told_as_it_is_written() -> None:
    files = made()
    (one,) = sets_in(files).sets

    assert one.dataset.told() == {**json.loads(files["small.json"]), "url": None}


def test_every_field_is_read() -> None:
    assert set(READERS) == set(FIELDS)


@pytest.mark.parametrize("field", [name for name in FIELDS if name != "url"])
def test_a_missing_field_is_named(field: str) -> None:
    assert f"small.json: {field} is missing." in problems(made(**{field: None}))


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "other", "is 'other', but the file's is 'small'"),
        ("name", "../small", "must be lower-case letters"),
        ("name", 3, "must be lower-case letters"),
        ("version", "one two", "must be a version like 1.0.0"),
        ("workflow", "", "must be a line"),
        ("workflow", "two\nlines", "must be a line"),
        ("type", "GOOD", 'must be one of good, random, bad, not "GOOD"'),
        ("type", ["good"], "must be one of good, random, bad"),
        ("description", "x" * 2000, "must be a line of at most 1,000"),
        ("license", "<b>", "must be an SPDX"),
        ("prompt_count", 3, "is 3, but small.ndjson has 2 usable"),
        ("prompt_count", True, "must be a whole number"),
        ("prompt_count", 2.0, "must be a whole number"),
        ("prompt_count", 10**30, "must be a whole number"),
        ("sha256", "0" * 64, "but small.ndjson has"),
        ("sha256", "0" * 63, "must be 64"),
        ("updated_at", "2026-01-09", "must be a time like"),
        ("updated_at", "2026-13-09T00:00:00Z", "must be a time like"),
        ("updated_at", "0001-01-01T00:00:00+01:00", "must be a time like"),
        ("url", "http://example.org/", "must be an address that begins with https://"),
        ("url", "https://me:secret@example.org/", "must be an address"),
        ("url", "javascript:alert(1)", "must be an address"),
        ("url", "https://[", "must be an address"),
        ("licence", "CC0-1.0", "is no field; did you mean license?"),
    ],
)
def test_a_wrong_field_is_named(field: str, value: Any, said: str) -> None:
    (told,) = problems(made(**{field: value}))

    assert told.startswith(f"small.json: {field if field in FIELDS else repr(field)} ")
    assert said in told


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        (b"", "is not JSON"),
        (b"[]", "is not a JSON object"),
        (b"{}{}", "is not JSON"),
        (b'{"name": "a", "name": "b"}', "given twice"),
        (b"\xff", "is not UTF-8 (byte 1)"),
        (b"[" * 60_000, "nested too deeply"),
        (b" " * 70_000, "is larger than 64 KiB"),
        (b'{"prompt_count": ' + b"9" * 5000 + b"}", "Exceeds the limit"),
    ],
)
def test_metadata_that_is_none_is_said(metadata: bytes, said: str) -> None:
    told = problems(made() | {"small.json": metadata})

    assert told[0].startswith("small.json: file ")
    assert said in told[0]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"a red fox", "line 2: is not JSON"),
        (b'"a red fox"', "line 2: is not a JSON object"),
        (b"", "line 2: is not JSON"),
        (b'{"prompt": "caf\xe9"}', "line 2: is not UTF-8"),
        (b'{"prompt": "\\ud800"}', "line 2: prompt has half a character"),
        (b'{"prompt": null}', "line 2: prompt must be a text, not null"),
        (b'{"text": "x"}', "line 2: 'text' is no field"),
        (b'{"prompt": "x", "case": "A B"}', "line 2: case must be"),
        (b'{"prompt": " \\n "}', "line 2: prompt is blank"),
        (lines("x" * 2001)[:-1], "line 2: prompt has 2,001 characters; at most 2,000 in a set of type random"),
        (b'{"prompt": " A  Red\\u00a0FOX\\n"}', "line 2: prompt is the same as in line 1"),
        ('{"prompt": "ａ red fox"}'.encode(), "line 2: prompt is the same as in line 1"),
    ],
)  # fmt: skip
def test_a_wrong_prompt_is_named_by_its_line(line: bytes, said: str) -> None:
    first, *others = problems(made(content=lines("a red fox") + line + b"\n"))

    assert first.startswith(f"small.ndjson: {said}")
    assert [one for one in others if "prompt_count" not in one] == []


@pytest.mark.parametrize("kind", list(DatasetType))
def test_length_is_bounded_by_type(kind: DatasetType) -> None:
    most = MAX_CHARACTERS[kind]

    assert len(sets_in(made(content=lines("x" * most), type=kind.value)).sets) == 1
    assert "characters; at most" in problems(made(content=lines("x" * (most + 1)), type=kind.value))[0]


def test_only_a_bad_set_holds_what_is_bad() -> None:
    odd = lines("", "\x00 fox", "\x1b[2J")

    assert len(sets_in(made(content=odd, type="bad")).sets) == 1
    assert "line 1: prompt is blank" in problems(made(content=odd, type="random"))[0]
    assert "control character (U+0000)" in problems(made(content=lines("\x00 fox"), type="good"))[0]


def test_metadata_and_prompts_come_together() -> None:
    assert problems({"a.json": made("a")["a.json"]}) == ["a.json: file has no prompts beside it: a.ndjson."]
    assert problems({"a.ndjson": b""}) == ["a.ndjson: file has no metadata beside it: a.json."]
    assert "a.ndjson: file holds no prompt." in problems(made("a", content=b""))


def test_a_wrong_set_does_not_hide_the_others_and_says_only_so_much() -> None:
    found = sets_in(made("good-one") | made("broken", content=b"?\n" * 500))

    assert [one.dataset.name for one in found.sets] == ["good-one"]
    assert len(found.problems) == MAX_PROBLEMS
    assert {one.file for one in found.problems} == {"broken.ndjson"}


def test_a_file_cannot_steer_the_terminal_that_shows_its_name() -> None:
    (told,) = problems({"\x1b[2J\udc80.json": b"{}"})

    assert told.startswith(r"'\x1b[2J\udc80.json': file has no prompts")


def test_other_files_are_let_be() -> None:
    assert len(sets_in(made() | {"README.md": b"\xff", "LICENSE": b""}).sets) == 1


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_no_content_is_too_strange(metadata: bytes, prompts: bytes) -> None:
    found = sets_in({"a.json": metadata, "a.ndjson": prompts})

    assert found.sets == []
    assert found.problems


@given(st.dictionaries(st.sampled_from((*FIELDS, "x")), st.none() | st.text() | st.integers() | st.lists(st.text())))
def test_no_metadata_is_too_strange(metadata: dict[str, Any]) -> None:
    found = sets_in(made() | {"small.json": json.dumps(metadata).encode()})

    assert all(str(one).isprintable() for one in found.problems)


@given(st.text())
def test_normal_forms_are_normal(text: str) -> None:
    assert normal(normal(text)) == normal(text)
    assert normal(f" {text}\t") == normal(text)
