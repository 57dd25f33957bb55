"""Writes the release of this package: `python -m promptsets.rule.write [DIRECTORY]`. Same code, same bytes."""

import json
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from promptsets.dataset import Dataset, DatasetType, Prompt, normal
from promptsets.reading import METADATA, PROMPTS
from promptsets.rule import bad, good, typed
from promptsets.rule.chance import Chance
from promptsets.source import RELEASE

# Change the version whenever a byte of a set changes; a test compares.
VERSION = "1.0.0"
UPDATED_AT = datetime(2026, 11, 20, tzinfo=UTC)
LICENSE = "CC0-1.0"
SEED = "naap-1"
COUNT = 240
WORKFLOWS = ("streamdiffusion", "streamdiffusion-sdxl", "streamdiffusion-sdxl-faceid")

MAKE: Mapping[DatasetType, Callable[[str, Chance], tuple[str, str]]] = {
    DatasetType.GOOD: good.make,
    DatasetType.RANDOM: typed.make,
    DatasetType.BAD: bad.make,
}
DESCRIPTIONS = {
    DatasetType.GOOD: "Well-formed prompts in the forms that suit the model, of many subjects, styles and lengths.",
    DatasetType.RANDOM: "Prompts as people type them: short, misspelt, with emoji or settings, in 14 languages.",
    DatasetType.BAD: "Prompts to survive: empty, over-long, contradictory, with control characters or injections.",
}


def prompts(workflow: str, kind: DatasetType) -> list[Prompt]:
    """The prompts of a set: drawn one after another, without those that an earlier one equals."""
    chance, seen, found = Chance(SEED, workflow, kind.value), set[str](), list[Prompt]()
    while len(found) < COUNT:
        case, text = MAKE[kind](workflow, chance)
        if normal(text) not in seen:
            seen.add(normal(text))
            found.append(Prompt(text, case))
    return found


def files() -> Iterator[tuple[str, bytes]]:
    """The name and the content of every file of the release."""
    for workflow in WORKFLOWS:
        for kind in DatasetType:
            name = f"{workflow}-{kind.value}"
            content = "".join(f"{_line(one)}\n" for one in prompts(workflow, kind)).encode()
            dataset = Dataset(
                name,
                VERSION,
                workflow,
                kind,
                DESCRIPTIONS[kind],
                LICENSE,
                COUNT,
                sha256(content).hexdigest(),
                UPDATED_AT,
            )
            yield name + PROMPTS, content
            yield name + METADATA, _metadata(dataset)


def write(directory: Path) -> None:
    """Put the files of the release into a directory."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in files():
        (directory / name).write_bytes(content)


def _line(prompt: Prompt) -> str:
    text = json.dumps({"prompt": prompt.text, "case": prompt.case}, ensure_ascii=False)
    return "".join(map(_visible, text))


def _visible(character: str) -> str:
    """As JSON escapes it, where an editor would not show it."""
    if unicodedata.category(character) in ("Cc", "Cf", "Cn", "Co", "Me", "Zl", "Zp"):
        return json.dumps(character)[1:-1]
    return character


def _metadata(dataset: Dataset) -> bytes:
    told = {name: value for name, value in dataset.told().items() if value is not None}
    return f"{json.dumps(told, indent=2)}\n".encode()


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else RELEASE)
