"""A new schema: what breaks is named and needs a reason; what is deprecated says what to use instead."""

import re

import pytest
from graphql import build_schema

from graph.changes import ACCEPTED, RELEASED, changes, main, verdict
from graph.schema import sdl

OLD = """
directive @key(fields: String!) repeatable on OBJECT
type Query { a(first: Int): A  old: Int @deprecated(reason: "Use a instead.") }
type A @key(fields: "id") @key(fields: "name") { id: ID  n: Int  name: String  kind: Kind }
enum Kind { ONE TWO }
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("n: Int ", "", "Field A.n was removed."),
        ("name: String", "name: Int", "Field A.name changed type from String to Int."),
        ("(first: Int)", "(first: Int!)", "Argument Query.a(first:) has changed type from Int to Int!."),
        ("(first: Int)", "(first: Int, last: Int!)", "A required argument Query.a(last:) was added."),
        ("ONE TWO", "ONE", "Enum value Kind.TWO was removed."),
        ('@key(fields: "name")', "", 'A has @key(fields: "name") no more.'),
    ],
)
def test_a_break_is_named(old: str, new: str, said: str) -> None:
    found = changes(OLD, OLD.replace(old, new))

    assert [one.text for one in found if one.breaks] == [said]
    assert verdict(found, {})[1] is False
    assert verdict(found, {said: " "})[1] is False, "a reason that says nothing is none"
    assert verdict(found, {said: "Nobody used it."}) == ([f"breaks, accepted: {said} (Nobody used it.)"], True)


def test_what_may_only_surprise_does_not_fail() -> None:
    found = changes(OLD, OLD.replace("ONE TWO", "ONE TWO THREE"))

    assert verdict(found, {}) == (["may surprise: Enum value Kind.THREE was added."], True)


def test_what_is_accepted_for_nothing_fails() -> None:
    assert verdict([], {"A.gone was removed.": "Long ago."}) == (["accepted for nothing: A.gone was removed."], False)


def test_nothing_is_broken_since_the_last_release_without_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 0, capsys.readouterr().out


def test_the_check_of_ci_fails_on_a_break(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("graph.changes.sdl", lambda: sdl().replace("  gpuCount: Int", "  gpuTotal: Int"))

    assert main() == 1
    told = capsys.readouterr()
    assert "BREAKS: Field Network.gpuCount was removed.\n" in told.out
    assert ACCEPTED.name in told.err
    assert RELEASED.name in told.err


def without_replacement(text: str) -> list[str]:
    """What is deprecated without saying why and what to use instead, or by naming what there is not."""
    schema = build_schema(text)
    found = []
    for type_name, type_ in schema.type_map.items():
        parts = {**getattr(type_, "fields", {}), **getattr(type_, "values", {})}
        for name, one in parts.items():
            for told, thing in ((name, one), *getattr(one, "args", {}).items()):
                reason = getattr(thing, "deprecation_reason", None)
                named = re.search(r"\bUse `([\w.]+)`", reason or "")
                if reason is not None and not (named and is_there(schema, type_name, named[1])):
                    found.append(f"{type_name}.{told}")
    return found


def is_there(schema: object, type_name: str, name: str) -> bool:
    """Whether `name` is a field of the type, or a `Type.field`."""
    owner, _, field = name.rpartition(".")
    type_ = schema.type_map.get(owner or type_name)  # type: ignore[attr-defined]
    return field in {**getattr(type_, "fields", {}), **getattr(type_, "values", {})}


@pytest.mark.parametrize(
    ("reason", "is_enough"),
    [
        ("", False),
        ("It was wrong.", False),
        ("It was wrong. Use `b`.", False),
        ("It was slow. Use `a`.", True),
        ("It was slow. Use `A.name`.", True),
    ],
)
def test_a_deprecation_without_replacement_is_found(reason: str, is_enough: bool) -> None:
    assert without_replacement(OLD.replace("Use a instead.", reason)) == ([] if is_enough else ["Query.old"])


def test_every_deprecation_names_what_to_use_instead() -> None:
    assert without_replacement(sdl()) == []
