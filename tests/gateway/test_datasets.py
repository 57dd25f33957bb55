"""`naap datasets`, and a gateway that starts with datasets."""

import json
from pathlib import Path

import pytest

from gateway.datasets import visible
from promptsets.dataset import Prompt
from promptsets.source import load
from tests.gateway.processes import environment, free_port, get, graphql, naap, started
from tests.promptsets.made import lines, made, tarred

PACKED = load(None)


@pytest.fixture
def own(tmp_path: Path) -> str:
    """A directory with one set of two prompts."""
    for name, content in made(content=lines("\x1b[31mred\n", "🙂 fox"), type="bad").items():
        (tmp_path / name).write_bytes(content)
    return str(tmp_path)


def test_the_packaged_ones_are_listed_and_right() -> None:
    listed, told = naap("datasets", "list"), naap("datasets", "list", "--format", "ndjson", "--type", "good")
    validated = naap("datasets", "validate")

    assert [line.split()[0] for line in listed.stdout.splitlines()] == ["name", *(one.dataset.name for one in PACKED)]
    assert all(json.loads(line)["type"] == "good" for line in told.stdout.splitlines())
    assert (validated.returncode, validated.stdout.count("ok  "), validated.stderr) == (0, len(PACKED), "")


def test_a_sample_is_the_same_for_the_same_seed() -> None:
    drawing = ("datasets", "sample", "--workflow", "streamdiffusion", "--type", "random", "--count", "5")
    first, again, other = naap(*drawing), naap(*drawing), naap(*drawing, "--seed", "2")

    assert first.stdout == again.stdout != other.stdout
    told = [json.loads(line) for line in first.stdout.splitlines()]
    assert {(one["dataset"], one["workflow"], one["type"]) for one in told} == {
        ("streamdiffusion-random", "streamdiffusion", "random")
    }
    assert len({one["prompt"] for one in told}) == 5


def test_ndjson_is_exact_and_text_can_steer_nothing(own: str) -> None:
    exact = naap("datasets", "sample", "small", "--from", own, "--count", "2")
    shown = naap("datasets", "sample", "--count", "2", "--format", "text", NAAP_DATASETS=own, PYTHONIOENCODING="ascii")

    assert {json.loads(line)["prompt"] for line in exact.stdout.splitlines()} == {"\x1b[31mred\n", "🙂 fox"}
    assert set(shown.stdout.splitlines()) == {r"\x1b[31mred\n", "🙂 fox"}


@pytest.mark.parametrize("text", ["\x00", "\r\n", "\u202e", "\u2028", "\x9b", "\u00a0", "\U000e0041", "\udc80"])
def test_what_cannot_be_printed_is_escaped(text: str) -> None:
    assert visible(Prompt(text)).isascii()


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("list", "--workflow", "x"), 2, "there is no dataset for 'x'. There are some for: streamdiffusion,"),
        (("sample", "nothing"), 1, "there is no dataset 'nothing'. There are: streamdiffusion-bad,"),
        (("sample", "--count", "0"), 2, "--count must be from 1 to 2,160"),
        (("sample", "streamdiffusion-bad", "--count", "241"), 2, "--count must be from 1 to 240"),
        (("sample", "streamdiffusion-bad", "--type", "good"), 2, "--type: none of the datasets"),
        (("list", "--from", "/no/such"), 1, "--from: /no/such cannot be read"),
        (("list", "--from", "https://example.org/x"), 2, "--from must be a directory"),
        (("validate", "--from", "/dev/null"), 1, "/dev/null is no plain file"),
    ],
)
def test_bad_input_is_one_line_that_says_what_to_do(arguments: tuple[str, ...], status: int, said: str) -> None:
    done = naap("datasets", *arguments)

    assert (done.returncode, done.stderr.count("\n"), done.stdout) == (status, 1, "")
    assert said in done.stderr


@pytest.mark.parametrize("arguments", [("list", "--type", "worse"), ("sample", "--seed", "x"), ("nothing",)])
def test_wrong_usage_exits_with_2(arguments: tuple[str, ...]) -> None:
    assert naap("datasets", *arguments).returncode == 2


def test_validating_names_what_is_wrong_and_what_is_right(own: str) -> None:
    for name, content in made("wrong", prompt_count=7, licence="MIT").items():
        (Path(own) / name).write_bytes(content)
    done, listed = naap("datasets", "validate", "--from", own), naap("datasets", "list", "--from", own)

    assert (done.returncode, done.stdout) == (1, "ok  small 1.0.0: 2 prompts\n")
    assert done.stderr.splitlines()[0] == "wrong.json: 'licence' is no field; did you mean license?"
    assert done.stderr.splitlines()[1].startswith("wrong.json: prompt_count is 7,")
    assert (listed.returncode, "There is 1 more" in listed.stderr) == (1, True)


def test_a_gateway_tells_the_datasets_of_its_setting(tmp_path: Path) -> None:
    (tmp_path / "sets.tar.gz").write_bytes(tarred(made(workflow="flux")))
    port, env = free_port(), environment(tmp_path / "store", NAAP_DATASETS=f"file://{tmp_path}/sets.tar.gz")
    with started("serve", "--port", str(port), env=env, port=port):
        rest = get(f"http://127.0.0.1:{port}/v1/sla/datasets")
        graph = graphql(port, "{datasets {nodes {name workflow}}}")

    assert [one["name"] for one in rest["data"]] == ["small"]
    assert graph == {"datasets": {"nodes": [{"name": "small", "workflow": "flux"}]}}


def test_a_wrong_set_stops_the_start_and_is_named(tmp_path: Path) -> None:
    for name, content in made(type="worse").items():
        (tmp_path / name).write_bytes(content)
    done = naap("serve", store=tmp_path / "store", NAAP_DATASETS=str(tmp_path))

    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "NAAP_DATASETS: small.json: type must be one of good, random, bad" in done.stderr
