"""The command with a ClickHouse server as its store."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backends.stores import serving
from tests.gateway.processes import naap

PASSWORD = "hidden-word"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(":memory:", "--password", PASSWORD) as port:
        yield f"clickhouse://me:{PASSWORD}@127.0.0.1:{port}/naap"


def asked(url: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return naap(*arguments, NAAP_BACKEND=url)


def test_a_file_is_loaded_into_a_server_and_no_password_is_shown(url: str, tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    file.write_text(asked(url, "simulate", "--orchestrators", "2", "--hours", "1", "--seed", "3").stdout)
    ran = [
        asked(url, "migrate"),
        asked(url, "ingest", str(file)),
        asked(url, "ingest", str(file)),
        asked(url, "rebuild"),
    ]

    assert [one.returncode for one in ran] == [0] * 4, [one.stderr for one in ran]
    assert "127.0.0.1" in ran[0].stdout
    assert "accepted" in ran[1].stdout
    assert PASSWORD not in "".join(one.stdout + one.stderr for one in ran)


@pytest.mark.parametrize(
    ("change", "arguments", "words"),
    [
        (("/naap", "/naap?nothing=1"), ("migrate",), "NAAP_BACKEND: this ClickHouse address cannot be used"),
        ((f":{PASSWORD}@", ":wrong-hidden-word@"), ("migrate",), "refuses the user or the password"),
        (("clickhouse://", "clickhouses://"), ("migrate",), "cannot be reached"),
        (("", ""), ("serve", "--workers", "2"), "one process writes it"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    url: str, change: tuple[str, str], arguments: tuple[str, ...], words: str
) -> None:
    done = asked(url.replace(*change), *arguments)

    assert done.returncode == 1
    assert words in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert "hidden-word" not in done.stdout + done.stderr
