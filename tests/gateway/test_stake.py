"""`naap ingest --stake`: into the store or through a gateway, and what it says of a file that is none."""

import time
from pathlib import Path

import pytest

from tests.gateway.conftest import Running
from tests.gateway.processes import environment, free_port, graphql, naap, started
from tests.gateway.test_cli import counts

A, B = "0x" + "a" * 40, "0x" + "b" * 40
ROWS = f"""Address,LPT,Time
{A},12.50,2026-01-09T12:00:00Z

{B},nothing,2026-01-09
{B},1,234,2026-01-09
{B},7,2026-01-09
"""


def test_a_file_is_imported_once_and_bad_rows_are_told(tmp_path: Path) -> None:
    file = tmp_path / "stake.csv"
    file.write_text(ROWS)

    first = naap("ingest", "--stake", str(file), store=tmp_path / "store")
    again = naap("ingest", "--strict", "--stake", "-", store=tmp_path / "store", text=ROWS)

    assert (first.returncode, again.returncode) == (0, 1)
    assert "accepted     2" in first.stdout
    assert "duplicate    2" in again.stdout
    assert [line for line in first.stderr.splitlines() if "line" in line] == [
        f"{file}: line 4: bad_number",
        f"{file}: line 5: bad_data",
    ]


def test_through_a_gateway_it_is_shown_without_moving_the_latest_event(tmp_path: Path) -> None:
    feed = naap("simulate", "--orchestrators", "2", "--hours", "1", "--seed", "3", "--end", "2026-01-09T10:00:00Z")
    port, store = free_port(), tmp_path / "store"
    naap("ingest", "-", store=store, text=feed.stdout)
    with started("serve", "--port", str(port), env=environment(store), port=port):
        query = "{ network { lastEventAt orchestratorCount } orchestrators { nodes { address stakeLpt } } }"
        before = graphql(port, query)
        wallet = before["orchestrators"]["nodes"][0]["address"]
        rows = f"address,lpt,time\n{wallet},12.50,2026-01-10\nnobody,1,2026-01-10\n"
        sent = naap("ingest", "--to", f"http://127.0.0.1:{port}", "--stake", "-", text=rows)
        told = naap("ingest", "--to", f"http://127.0.0.1:{port}", "--stake", "-", text=rows)
        deadline = time.monotonic() + 5
        while (after := graphql(port, query)) == before and time.monotonic() < deadline:
            time.sleep(0.1)

    assert counts(sent.stdout.splitlines()[0])["accepted"] == 1
    assert "-: line 3: bad_address" in sent.stderr
    assert "duplicate    1" in told.stdout
    assert after["network"] == before["network"]
    assert after["orchestrators"]["nodes"][0] == {"address": wallet, "stakeLpt": "12.5"}


@pytest.mark.parametrize(
    ("arguments", "text", "said"),
    [
        (("--stake", "/no/such/file"), "", "/no/such/file does not exist"),
        (("--stake", "/tmp"), "", "/tmp is a directory. Name its files: --stake /tmp/FILE"),
        (("--stake", "-"), "", "- does not begin with a header: its first line names the columns address, lpt, time"),
        (("--stake", "-"), f"{A},1,2026-01-09\n", "does not begin with a header"),
        (("--stake", "-", "-"), "", "given more than once"),
        ((), "", "name the files to load: PATH…, - or --stake FILE"),
    ],
)
def test_a_file_that_is_none_is_named(tmp_path: Path, arguments: tuple[str, ...], text: str, said: str) -> None:
    done = naap("ingest", *arguments, store=tmp_path / "store", text=text)

    assert done.returncode in (1, 2)
    assert said in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr


async def test_a_stake_event_may_be_posted(running: Running) -> None:
    event = {"type": "orchestrator_stake", "timestamp": "1767960000000", "data": {"address": A, "lpt": "3"}}

    answer = (
        await running.client.post("/v1/events", json=[event, {**event, "data": {"address": A, "lpt": "x"}}])
    ).json()

    assert (answer["accepted"], answer["rejected_by_reason"], answer["unknown_types"]) == (1, {"bad_number": 1}, {})
