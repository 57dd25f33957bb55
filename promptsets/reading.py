"""Reading sets from the content of files, and everything that can be wrong with one.

A set is two files: NAME.json, its metadata, and NAME.ndjson, its prompts, one JSON object to a line:
{"prompt": "a lighthouse in a storm", "case": "short"} — `case` may be left out.
"""

import difflib
import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from promptsets.dataset import FIELDS, Dataset, DatasetType, Prompt, PromptSet, normal

METADATA, PROMPTS = ".json", ".ndjson"
KIB, MIB = 1024, 1024 * 1024
MAX_METADATA_BYTES = 64 * KIB
MAX_PROMPTS_BYTES = 16 * MIB
MAX_PROMPTS = 100_000
MAX_TEXT = 1_000
# A good prompt is one that a model can read; a bad one may be too long for it on purpose.
MAX_CHARACTERS = {DatasetType.GOOD: 1_000, DatasetType.RANDOM: 2_000, DatasetType.BAD: 10_000}
# Of one file; whoever mends these sees the rest the next time.
MAX_PROBLEMS = 20

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+-]{0,31}")
LICENSE = re.compile(r"[A-Za-z0-9.+() -]{1,100}")
SHA256 = re.compile(r"[0-9a-f]{64}")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, in which file, and with which field of it."""

    file: str
    field: str
    text: str

    def __str__(self) -> str:
        # The name of a file is anybody's text, and may end up on a terminal.
        return f"{self.file if self.file.isprintable() else ascii(self.file)}: {self.field} {self.text}"


@dataclass(frozen=True, slots=True)
class Found:
    """The sets that are right, and what is wrong with the others."""

    sets: list[PromptSet] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def sets_in(files: Mapping[str, bytes]) -> Found:
    """The sets that these files hold, by name. Files that are neither metadata nor prompts are let be."""
    found = Found()
    stems = {name.removesuffix(ending) for name in files for ending in (METADATA, PROMPTS) if name.endswith(ending)}
    for stem in sorted(stems):
        metadata, prompts = files.get(stem + METADATA), files.get(stem + PROMPTS)
        if metadata is None:
            found.problems.append(Problem(stem + PROMPTS, "file", f"has no metadata beside it: {stem}{METADATA}."))
        elif prompts is None:
            found.problems.append(Problem(stem + METADATA, "file", f"has no prompts beside it: {stem}{PROMPTS}."))
        else:
            told = list(_set(stem, metadata, prompts))
            wrong = [one for one in told if isinstance(one, Problem)]
            found.problems.extend(wrong[:MAX_PROBLEMS])
            if not wrong:
                found.sets.extend(one for one in told if isinstance(one, PromptSet))
    return found


def _set(stem: str, metadata: bytes, content: bytes) -> Iterator[Problem | PromptSet]:
    file, beside = stem + METADATA, stem + PROMPTS
    values, wrong = _values(file, metadata)
    yield from wrong
    if "name" in values and values["name"] != stem:
        yield Problem(file, "name", f"is {values['name']!r}, but the file's is {stem!r}. They must be the same.")
    if "sha256" in values and (actual := sha256(content).hexdigest()) != values["sha256"]:
        yield Problem(file, "sha256", f"is {values['sha256']}, but {beside} has {actual}.")
    kind = values.get("type", DatasetType.BAD)
    prompts = []
    for one in _prompts(beside, content, kind):
        if isinstance(one, Problem):
            yield one
        else:
            prompts.append(one)
    if "prompt_count" in values and len(prompts) != values["prompt_count"]:
        yield Problem(
            file, "prompt_count", f"is {values['prompt_count']}, but {beside} has {len(prompts)} usable prompts."
        )
    if not prompts:
        yield Problem(beside, "file", "holds no prompt.")
    if len(values) == len(FIELDS):
        yield PromptSet(Dataset(**values), tuple(prompts))


def _values(file: str, content: bytes) -> tuple[dict[str, Any], list[Problem]]:
    """The fields of metadata that are right, `url` always among them, and what is wrong with the others."""
    try:
        said = _object(content, MAX_METADATA_BYTES)
    except ValueError as error:
        return {}, [Problem(file, "file", f"{error}")]
    values: dict[str, Any] = {"url": None}
    wrong = [Problem(file, repr(name[:80]), f"is no field{_meant(name)}") for name in said if name not in READERS]
    for name, read in READERS.items():
        if said.get(name) is None:
            if name not in values:
                wrong.append(Problem(file, name, "is missing."))
            continue
        try:
            values[name] = read(said[name])
        except ValueError as error:
            values.pop(name, None)
            wrong.append(Problem(file, name, f"{error}, not {_shown(said[name])}."))
    return values, wrong


def _prompts(file: str, content: bytes, kind: DatasetType) -> Iterator[Prompt | Problem]:
    if len(content) > MAX_PROMPTS_BYTES:
        yield Problem(file, "file", f"is larger than {MAX_PROMPTS_BYTES // MIB} MiB.")
        return
    first: dict[str, int] = {}
    lines = content.removesuffix(b"\n").split(b"\n") if content else []
    if len(lines) > MAX_PROMPTS:
        yield Problem(file, "file", f"has {len(lines):,} lines; at most {MAX_PROMPTS:,}.")
        return
    for number, line in enumerate(lines, 1):
        try:
            prompt = _prompt(line, kind)
        except ValueError as error:
            yield Problem(file, f"line {number}:", f"{error}")
            continue
        same = first.setdefault(normal(prompt.text), number)
        if same == number:
            yield prompt
        else:
            yield Problem(file, f"line {number}: prompt", f"is the same as in line {same}, but for case and spaces.")


def _prompt(line: bytes, kind: DatasetType) -> Prompt:
    said = _object(line, MAX_PROMPTS_BYTES)
    for name in said:
        if name not in ("prompt", "case"):
            raise ValueError(f"{name[:80]!r} is no field. A line has prompt, and perhaps case.")
    text, case = said.get("prompt"), said.get("case")
    if not isinstance(text, str):
        raise ValueError(f"prompt must be a text, not {_shown(text)}.")
    if case is not None and not (isinstance(case, str) and NAME.fullmatch(case)):
        raise ValueError(f"case must be lower-case letters, digits, dots and dashes, not {_shown(case)}.")
    if len(text) > MAX_CHARACTERS[kind]:
        most = MAX_CHARACTERS[kind]
        raise ValueError(f"prompt has {len(text):,} characters; at most {most:,} in a set of type {kind.value}.")
    if any(unicodedata.category(one) == "Cs" for one in text):
        raise ValueError("prompt has half a character (a lone surrogate), which UTF-8 cannot carry.")
    if kind is not DatasetType.BAD and not text.strip():
        raise ValueError(f"prompt is blank; only a set of type {DatasetType.BAD.value} may hold such a one.")
    if kind is DatasetType.GOOD and (odd := next((one for one in text if unicodedata.category(one) == "Cc"), None)):
        raise ValueError(f"prompt has a control character (U+{ord(odd):04X}), which no good prompt has.")
    return Prompt(text, case)


def _object(content: bytes, most: int) -> dict[str, Any]:
    if len(content) > most:
        raise ValueError(f"is larger than {most // KIB} KiB.")
    try:
        said = json.loads(content.decode("utf-8"), object_pairs_hook=_once)
    except UnicodeDecodeError as error:
        raise ValueError(f"is not UTF-8 (byte {error.start + 1}).") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON: {error.msg} (character {error.pos + 1}).") from None
    except RecursionError:
        raise ValueError("is nested too deeply.") from None
    if not isinstance(said, dict):
        raise ValueError("is not a JSON object.")
    return said


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    said = dict(pairs)
    if len(said) != len(pairs):
        raise json.JSONDecodeError("a field is given twice", "", 0)
    return said


def _meant(name: str) -> str:
    close = difflib.get_close_matches(name, FIELDS, n=1)
    return f"; did you mean {close[0]}?" if close else f". There are: {', '.join(FIELDS)}."


def _shown(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:77] + "…"


def _matching(pattern: re.Pattern[str], what: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise ValueError(f"must be {what}")
        return value

    return read


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_TEXT or not value.isprintable():
        raise ValueError(f"must be a line of at most {MAX_TEXT:,} characters")
    return value


def _type(value: object) -> DatasetType:
    for one in DatasetType:
        if one.value == value:
            return one
    raise ValueError(f"must be one of {', '.join(one.value for one in DatasetType)}")


def _count(value: object) -> int:
    if type(value) is not int or not 1 <= value <= MAX_PROMPTS:
        raise ValueError(f"must be a whole number from 1 to {MAX_PROMPTS:,}")
    return value


def _instant(value: object) -> datetime:
    try:
        if isinstance(value, str) and INSTANT.fullmatch(value):
            return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError("must be a time like 2026-01-09T13:00:00Z")


def _url(value: object) -> str:
    try:
        if isinstance(value, str) and value.isprintable() and " " not in value and len(value) <= MAX_TEXT:
            parts = urlsplit(value)
            if parts.scheme == "https" and parts.hostname and "@" not in parts.netloc:
                return value
    except ValueError:
        pass
    raise ValueError("must be an address that begins with https://")


READERS: Mapping[str, Callable[[object], Any]] = {
    "name": _matching(NAME, "lower-case letters, digits, dots, dashes and underscores, at most 100"),
    "version": _matching(VERSION, "a version like 1.0.0"),
    "workflow": _text,
    "type": _type,
    "description": _text,
    "license": _matching(LICENSE, "an SPDX licence expression like CC0-1.0"),
    "prompt_count": _count,
    "sha256": _matching(SHA256, "64 lower-case hexadecimal digits"),
    "updated_at": _instant,
    "url": _url,
}
