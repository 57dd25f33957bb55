"""What people ask: every question is answered, and the page and the README tell what the gateway answers."""

import json
import re
from typing import Any

import pytest

from gateway.question_docs import EXAMPLES, answered, files, network, page, shortened, shown
from resolvers.context import Context
from tests.gateway.processes import ROOT
from tests.laws.test_identities import leaves


@pytest.fixture(scope="module")
def asked() -> Context:
    """The network of the page."""
    return network()


def test_the_page_of_questions_is_what_the_gateway_answers(asked: Context) -> None:
    assert (ROOT / "docs" / "questions.md").read_text(encoding="utf-8") == page(asked), "run make docs"


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("*.graphql")), ids=lambda path: path.stem)
async def test_every_example_has_something_to_tell(asked: Context, path: Any) -> None:
    told = [value for _, value in leaves(await answered(asked, path.read_text(encoding="utf-8")))]

    assert len([value for value in told if value is not None]) > 3 or path.stem in ("datasets", "last-event")


def test_every_question_is_asked_in_one_line_and_ten_or_more_are() -> None:
    firsts = [path.read_text(encoding="utf-8").partition("\n")[0] for path in files()]

    assert len(firsts) >= 10
    assert all(re.fullmatch(r"# [A-Z].*\?", line) for line in firsts), firsts


async def test_the_answer_in_the_readme_is_a_real_one(asked: Context) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    told = re.findall(r"```json\n(.*?)```", readme, flags=re.DOTALL)[0]
    query = (EXAMPLES / "first.graphql").read_text(encoding="utf-8")

    assert json.loads(told)["data"] == shortened(await answered(asked, query))


def test_answers_are_shortened_and_lie_within_the_width_where_they_can() -> None:
    assert shortened([1.0, 0.12345, 12.345, None, True]) == [1.0, 0.1235, 12.35, None, True]
    assert shortened(["a"] * 4) == ["a", "a", "… 2 more"]
    assert shortened([{"a": [0] * 99}] * 4) == [{"a": [*[0] * 25, "… 74 more"]}] * 4
    assert shown({"a": [1], "b": None}) == '{"a": [1], "b": null}'
    assert shown({"a": "x" * 100, "b": "y" * 100}).splitlines()[1] == f'  "a": "{"x" * 100}",'
