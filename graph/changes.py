"""What a new schema breaks for those who use the old one: `python -m graph.changes` compares with the last release.

`docs/schema/released.graphql` is the schema of the last release, `docs/schema/accepted.toml` what may break since, and
why. At a release `make released` takes the schema as it is, and empties the other.
"""

import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from graphql import (
    GraphQLSchema,
    build_schema,
    find_breaking_changes,
    find_dangerous_changes,
)
from graphql.language import ConstDirectiveNode, print_ast

from graph.schema import sdl

PLACE = Path(__file__).parents[1] / "docs" / "schema"
RELEASED, ACCEPTED = PLACE / "released.graphql", PLACE / "accepted.toml"
# What routers hold on to: without one of these a composed graph breaks.
HELD = ("key", "shareable")


@dataclass(frozen=True, slots=True)
class Change:
    """One difference in words. `breaks`: a client that was right is wrong now; else it may only be surprised."""

    text: str
    breaks: bool


def changes(old: str, new: str) -> list[Change]:
    """What may hurt who uses the old schema (both as SDL): what breaks first, each once, in order."""
    before, after = build_schema(old), build_schema(new)
    breaking = {one.description for one in find_breaking_changes(before, after)} | lost(before, after)
    dangerous = {one.description for one in find_dangerous_changes(before, after)}
    return [Change(text, True) for text in sorted(breaking)] + [Change(text, False) for text in sorted(dangerous)]


def lost(before: GraphQLSchema, after: GraphQLSchema) -> set[str]:
    """Directives that routers hold on to and that are there no more, of types that still are."""
    found = set()
    for name, type_ in before.type_map.items():
        if name in after.type_map:
            for written in _held(type_) - _held(after.type_map[name]):
                found.add(f"{name} has {written} no more.")
            fields = getattr(type_, "fields", {}), getattr(after.type_map[name], "fields", {})
            for field in fields[0].keys() & fields[1].keys():
                for written in _held(fields[0][field]) - _held(fields[1][field]):
                    found.add(f"{name}.{field} has {written} no more.")
    return found


def verdict(found: list[Change], accepted: Mapping[str, str]) -> tuple[list[str], bool]:
    """The lines to show, and whether all is well: each break is accepted with a reason, and nothing else is."""
    lines, well = [], True
    breaks = {one.text for one in found if one.breaks}
    for one in found:
        if not one.breaks:
            lines.append(f"may surprise: {one.text}")
        elif accepted.get(one.text, "").strip():
            lines.append(f"breaks, accepted: {one.text} ({accepted[one.text].strip()})")
        else:
            lines.append(f"BREAKS: {one.text}")
            well = False
    for text in accepted:
        if text not in breaks:
            lines.append(f"accepted for nothing: {text}")
            well = False
    return lines, well


def main() -> int:
    """Print what changed since the last release; 1 where something breaks that nobody gave a reason for."""
    accepted = tomllib.loads(ACCEPTED.read_text(encoding="utf-8"))["breaks"]
    lines, well = verdict(changes(RELEASED.read_text(encoding="utf-8"), sdl()), accepted)
    for line in lines:
        print(line)  # noqa: T201 - a command
    if not well:
        print(  # noqa: T201 - a command
            f"Since the last release ({RELEASED.name}) the schema breaks clients. Keep what they use and deprecate it, "
            f"or write each break with its reason into {ACCEPTED.parent.name}/{ACCEPTED.name}, and into CHANGELOG.md.",
            file=sys.stderr,
        )
    return 0 if well else 1


def _held(thing: object) -> set[str]:
    """The directives of a type or a field that are held on to, as they are written."""
    nodes = [getattr(thing, "ast_node", None), *(getattr(thing, "extension_ast_nodes", None) or ())]
    written: list[ConstDirectiveNode] = [one for node in nodes if node for one in (node.directives or ())]
    return {print_ast(one) for one in written if one.name.value in HELD}


if __name__ == "__main__":
    sys.exit(main())
