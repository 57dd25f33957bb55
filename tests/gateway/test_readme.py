"""What the README promises, done: its commands run, its tables are true, its first query answers."""

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway.settings import described
from tests.gateway.processes import NAAP, ROOT, environment, free_port, graphql, naap, started

README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def commands(beginning: str) -> list[str]:
    lines = [line.partition("#")[0].strip() for block in blocks("sh") for line in block.splitlines()]
    return [line for line in lines if line.startswith(beginning)]


def test_its_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    written = commands("make") + re.findall(r"`(make [a-z ]+)`", README)
    named = {word for command in written for word in command.partition("&&")[0].split()[1:]}

    assert {"demo", "test"} <= named
    for target in named:
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_its_table_of_settings_is_what_serve_lists() -> None:
    table = README.partition("<!-- settings")[2].partition("<!-- /settings -->")[0]

    assert re.findall(r"\| `(NAAP_\w+)` \| (.*?) \| (.*?) \|", table) == described()


def test_its_table_of_commands_is_true() -> None:
    named = re.findall(r"^\| `naap (\w+)(.*?)` \|", README, flags=re.MULTILINE)

    assert {name for name, _ in named} == {
        "serve",
        "ingest",
        "simulate",
        "rebuild",
        "migrate",
        "copy",
        "schema",
        "datasets",
        "token",
    }
    for name, rest in named:
        offered = naap(name, "--help").stdout
        for option in re.findall(r"--\w+", rest):
            assert option in offered, f"{name} {option}"


def test_its_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_its_first_query_is_the_example() -> None:
    example = (ROOT / "examples" / "first.graphql").read_text(encoding="utf-8")

    assert re.sub(r"#.*\n", "", example) == blocks("graphql")[0]


def same_shape(one: Any, other: Any) -> bool:
    """Whether two JSON values have the same keys, and the same kinds of values where both are there."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_shape(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return all(same_shape(a, b) for a, b in zip(one, other, strict=False))
    return one is None or other is None or type(one) is type(other)


EXAMPLES = ROOT / "examples"


@pytest.mark.parametrize("example", sorted(str(one.relative_to(EXAMPLES)) for one in EXAMPLES.rglob("*.graphql")))
def test_every_example_answers_from_the_demo(demo: int, example: str) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "ask.py"), str(EXAMPLES / example), f"http://127.0.0.1:{demo}"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip

    answer = json.loads(done.stdout)
    assert "errors" not in answer
    assert any(answer["data"].values())
    assert (
        example != "first.graphql"
        or answer["data"]["orchestrators"]["nodes"][0]["metrics"]["failureRatePct"]["value"] is not None
    )
    assert example != "first.graphql" or same_shape(answer, json.loads(blocks("json")[0]))
    assert example != "first.graphql" or costs(answer) == costs(json.loads(blocks("json")[0]))


def costs(answer: Any) -> tuple[int, int]:
    """What an answer was charged: before it was made, and after."""
    cost = answer["extensions"]["cost"]
    return cost["requested"], cost["actual"]


def ask(*arguments: str) -> subprocess.CompletedProcess[str]:
    script = str(ROOT / "examples" / "ask.py")
    return subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ((), 2, "usage: python3 examples/ask.py FILE [URL]"),
        (("/no/such/query",), 1, "/no/such/query cannot be read"),
        ((str(ROOT / "examples" / "first.graphql"), "http://127.0.0.1:9"), 1, "Is the gateway running there?"),
        ((str(ROOT / "examples" / "first.graphql"), "nowhere"), 1, "does not answer"),
    ],
)
def test_asking_wrongly_is_one_line(arguments: tuple[str, ...], status: int, said: str) -> None:
    done = ask(*arguments)

    assert (done.returncode, done.stderr.count("\n")) == (status, 1), done.stderr
    assert said in done.stderr


def test_its_login_example_signs_in(demo: int) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "login.py"), f"http://127.0.0.1:{demo}"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    viewer = json.loads(done.stdout)["viewer"]
    assert viewer["orchestrators"] == [viewer["wallet"]]


def test_a_reader_of_an_answer_may_leave_early(demo: int) -> None:
    script, query = ROOT / "examples" / "ask.py", ROOT / "examples" / "network.graphql"
    command = f"{sys.executable} {script} {query} http://127.0.0.1:{demo} | true"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60)

    assert done.stderr == ""


def test_a_taken_port_is_said_in_the_words_of_make(demo: int, tmp_path: Path) -> None:
    done = naap("demo", "--port", str(demo), "--directory", str(tmp_path))

    assert (done.returncode, f"make demo PORT={demo + 1}" in done.stderr) == (1, True)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The demo of the README, shortened to an hour."""
    port, home = free_port(), tmp_path_factory.mktemp("demo")
    arguments = ("demo", "--hours", "1", "--port", str(port), "--directory", str(home))
    with started(*arguments, env=environment(), port=port):
        yield port


def test_its_demo_knows_regions_and_can_be_run_again(tmp_path: Path) -> None:
    found = []
    for _ in range(2):
        port = free_port()
        arguments = ("demo", "--hours", "1", "--port", str(port), "--directory", str(tmp_path))
        with started(*arguments, env=environment(), port=port):
            second = naap("demo", "--port", str(free_port()), "--directory", str(tmp_path))
            found.append(graphql(port, "{regions {id} network {orchestratorCount}}"))

        assert (second.returncode, "a demo already runs" in second.stderr) == (1, True)
    assert found[0] == found[1]
    assert len(found[0]["regions"]) > 1


def test_its_way_to_load_a_dump_works(tmp_path: Path) -> None:
    events = naap("simulate", "--orchestrators", "2", "--hours", "1").stdout.splitlines()
    half = len(events) // 2
    (tmp_path / "dump.ndjson.gz").write_bytes(gzip.compress("\n".join(events[:half]).encode()))
    (tmp_path / "more.json").write_text(f"[{','.join(events[half:])}]")
    first, serve, more = commands("naap")
    port = free_port()
    env = environment(tmp_path / "store", NAAP_PORT=str(port))

    def run(command: str) -> str:
        words = command.replace(":8000", f":{port}").split()[1:]
        done = subprocess.run([*NAAP, *words], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert f"accepted     {half}" in run(first)
    with started(*serve.split()[1:], env=env, port=port):
        assert f"accepted     {len(events) - half}" in run(more)
