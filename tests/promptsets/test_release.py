"""The release in this package: complete, right, as varied as its rule says, and the same bytes every time."""

import hashlib
import statistics
import unicodedata
from collections import Counter

import pytest

from promptsets.dataset import DatasetType, PromptSet, normal
from promptsets.rule import bad, good, typed, write
from promptsets.rule.chance import Chance
from promptsets.source import RELEASE, load
from telemetry.simulator.catalogue import WORKFLOWS

SETS = {one.dataset.name: one for one in load(None)}


def of(kind: DatasetType) -> list[PromptSet]:
    return [one for one in SETS.values() if one.dataset.type is kind]


def test_it_is_written_again_to_the_byte() -> None:
    kept = {path.name: path.read_bytes() for path in RELEASE.iterdir()}

    assert dict(write.files()) == kept, "run make datasets, and give the sets another version"


def test_a_version_names_its_bytes() -> None:
    # A set may change; what was called 1.0.0 may not. With a new version, put the new number and digest here.
    digest = hashlib.sha256("".join(one.dataset.sha256 for one in SETS.values()).encode()).hexdigest()

    assert (write.VERSION, digest[:16]) == ("1.0.0", "4f81b0a1d73b3101")


def test_three_workflows_of_the_network_have_every_type() -> None:
    have = {(one.dataset.workflow, one.dataset.type) for one in SETS.values()}

    assert have == {(workflow, kind) for workflow in write.WORKFLOWS for kind in DatasetType}
    assert len(write.WORKFLOWS) == 3
    assert set(write.WORKFLOWS) <= {one.name for one in WORKFLOWS}


@pytest.mark.parametrize("name", SETS)
def test_a_set_has_enough_prompts_and_no_two_alike(name: str) -> None:
    prompts = SETS[name].prompts

    assert len({normal(one.text) for one in prompts}) == len(prompts) >= 200


@pytest.mark.parametrize("workflow", write.WORKFLOWS)
@pytest.mark.parametrize(
    ("kind", "forms"),
    [
        (DatasetType.GOOD, lambda workflow: good.FORMS[workflow]),
        (DatasetType.RANDOM, lambda _: typed.FORMS),
        (DatasetType.BAD, lambda _: bad.FORMS),
    ],
)
def test_every_case_of_the_rule_occurs_more_than_once(workflow: str, kind: DatasetType, forms) -> None:
    cases = Counter(one.case for one in SETS[f"{workflow}-{kind.value}"].prompts)

    assert set(cases) == {form.__name__.replace("_", "-") for form in forms(workflow)}
    assert min(cases.values()) >= 3


@pytest.mark.parametrize("kind", [DatasetType.GOOD, DatasetType.RANDOM])
def test_lengths_and_words_vary(kind: DatasetType) -> None:
    for one in of(kind):
        lengths = statistics.quantiles([len(prompt.text) for prompt in one.prompts], n=20)
        assert lengths[-1] > 3 * lengths[0], one.dataset.name
        assert len({word for prompt in one.prompts for word in normal(prompt.text).split()}) > 300, one.dataset.name


def test_random_prompts_are_in_many_scripts() -> None:
    for one in of(DatasetType.RANDOM):
        letters = {letter for prompt in one.prompts for letter in prompt.text if letter.isalpha()}
        scripts = {unicodedata.name(letter, "").partition(" ")[0] for letter in letters}
        assert scripts >= {"LATIN", "CYRILLIC", "ARABIC", "DEVANAGARI", "CJK", "HIRAGANA", "HANGUL"}


def test_bad_prompts_have_every_edge() -> None:
    for one in of(DatasetType.BAD):
        texts = [prompt.text for prompt in one.prompts]
        assert sum(len(text) >= 2_000 for text in texts) >= 3
        assert any(not normal(text) or not any(map(str.isalnum, text)) for text in texts)
        assert any(unicodedata.category(sign) == "Cc" for text in texts for sign in text)
        assert any(unicodedata.category(sign) == "Cf" for text in texts for sign in text)
        assert any(text.count("(") != text.count(")") for text in texts)


def test_addresses_in_prompts_lead_nowhere() -> None:
    texts = [prompt.text for one in SETS.values() for prompt in one.prompts]

    for mark in ("://", "@"):
        for text in texts:
            if mark in text:
                assert "example.invalid" in text or text.startswith("file:///etc/hostname"), text


def test_files_show_in_an_editor_what_they_hold() -> None:
    for path in RELEASE.iterdir():
        text = path.read_text(encoding="utf-8")
        assert {sign for sign in text if unicodedata.category(sign) in ("Cc", "Cf", "Co", "Cn")} <= {"\n"}, path


def test_chance_follows_from_names_alone() -> None:
    # Worked out once: another version of Python must not draw otherwise.
    chance = Chance("a", "name")

    assert [chance.between(1, 100) for _ in range(5)] == [98, 43, 52, 38, 21]
    assert sorted(chance.some("abc", 3)) == ["a", "b", "c"]


def test_weights_are_kept() -> None:
    chance = Chance("weights")
    drawn = Counter(chance.weighted({"rare": 1, "often": 9}) for _ in range(5000))

    assert 0.08 < drawn["rare"] / 5000 < 0.12
