"""`naap datasets`: what sets of prompts there are, whether they are right, and some of their prompts."""

import click
import orjson

from metrics.errors import BadRequest
from promptsets.dataset import DatasetType, Prompt, PromptSet
from promptsets.sample import sample
from promptsets.source import Place, examined, load

COLUMNS = ("name", "version", "workflow", "type", "prompt_count", "license")


def listed(setting: str | None, place: str | None, workflow: str | None, kind: str | None, form: str) -> None:
    """Print the metadata of the datasets that fit."""
    told = [one.dataset.told() for one in _fitting(_loaded(setting, place), workflow, kind)]
    if form == "ndjson":
        _print_json(told)
        return
    rows = [COLUMNS, *(tuple(str(one[name]) for name in COLUMNS) for one in told)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def validated(setting: str | None, place: str | None) -> int:
    """Print what is right and what is wrong; the exit status: 1 where anything is wrong."""
    found = examined(_place(setting, place))
    for one in found.sets:
        click.echo(f"ok  {one.dataset.name} {one.dataset.version}: {one.dataset.prompt_count:,} prompts")
    for problem in found.problems:
        click.echo(str(problem), err=True)
    return 1 if found.problems else 0


def sampled(
    setting: str | None,
    place: str | None,
    name: str | None,
    workflow: str | None,
    kind: str | None,
    count: int,
    seed: int,
    form: str,
) -> None:
    """Print prompts that are drawn from the datasets that fit."""
    sets = _fitting(_named(_loaded(setting, place), name), workflow, kind)
    drawn = sample(sets, seed, count)
    if form == "text":
        for _, prompt in drawn:
            click.echo(visible(prompt).encode() + b"\n", nl=False)
        return
    _print_json(
        [
            {
                "dataset": one.name,
                "version": one.version,
                "workflow": one.workflow,
                "type": one.type.value,
                "case": prompt.case,
                "prompt": prompt.text,
            }
            for one, prompt in drawn
        ]
    )


def visible(prompt: Prompt) -> str:
    """The prompt on one line, for reading: nothing in it can end the line or steer a terminal."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in prompt.text
    )


def _place(setting: str | None, place: str | None) -> Place:
    return Place.of(setting, "NAAP_DATASETS") if place is None else Place.of(place, "--from")


def _loaded(setting: str | None, place: str | None) -> list[PromptSet]:
    return load(setting) if place is None else load(place, "--from")


def _named(sets: list[PromptSet], name: str | None) -> list[PromptSet]:
    found = [one for one in sets if name in (None, one.dataset.name)]
    if not found:
        names = ", ".join(one.dataset.name for one in sets)
        raise BadRequest(f"there is no dataset {name!r}. There are: {names}.", "NAME")
    return found


def _fitting(sets: list[PromptSet], workflow: str | None, kind: str | None) -> list[PromptSet]:
    type = None if kind is None else DatasetType.of(kind, "--type")
    found = [one for one in sets if workflow in (None, one.dataset.workflow)]
    if not found:
        names = ", ".join(sorted({one.dataset.workflow for one in sets}))
        raise BadRequest(
            f"--workflow: there is no dataset for {workflow!r}. There are some for: {names}.", "--workflow"
        )
    found = [one for one in found if type in (None, one.dataset.type)]
    if not found:
        raise BadRequest(f"--type: none of the datasets asked for is of type {kind}.", "--type")
    return found


def _print_json(values: list[dict[str, str | int | None]]) -> None:
    click.echo(b"".join(orjson.dumps(value) + b"\n" for value in values), nl=False)
