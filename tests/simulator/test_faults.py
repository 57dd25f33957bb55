"""Each fault is there when it is asked for, is not there otherwise, and does no more than it says."""

from collections import Counter
from typing import Any

import orjson
import pytest

from telemetry.simulator.disturbed import NONSENSE, WORDINGS, content_hash
from tests.simulator.runs import read, run

CLEAN = run()[0]
FAITHFUL = "duplicate,conflict,late,malformed,wander"


def faulty(fault: str) -> list[bytes]:
    return run(faults=fault)[0]


def done(faults: str) -> dict[str, int]:
    counts: dict[str, int] = run(faults=faults)[1]["faults"]
    return counts


def runner_edges_out_of_order(lines: list[bytes]) -> int:
    """Runners that got a segment before the gateway sent it."""
    sent, got = {}, {}
    for event in read(lines):
        data: Any = event["data"]
        if event["type"] == "stream_trace":
            place = (data["request_id"], data["orchestrator_info"]["url"])
            if data["type"] == "gateway_send_first_ingest_segment":
                sent[place] = data["timestamp"]
            elif data["type"] == "runner_receive_first_ingest_segment":
                got[place] = data["timestamp"]
    return sum(1 for place, at_ms in got.items() if at_ms < sent[place])


def test_a_clean_feed_has_no_fault() -> None:
    events = read(CLEAN)

    assert len(events) == len(CLEAN) == len(set(CLEAN))
    assert all(isinstance(e["timestamp"], str) and e["timestamp"].isdigit() and e["id"] for e in events)
    assert runner_edges_out_of_order(CLEAN) == 0
    assert done("none") == {}


def test_loss_takes_events_away_and_changes_none() -> None:
    lines = faulty("loss")

    assert set(lines) < set(CLEAN)
    assert len(CLEAN) - len(lines) == done("loss")["loss"] > 0


def test_duplicates_are_the_same_bytes_some_of_them_much_later() -> None:
    lines = faulty("duplicate")
    places: dict[bytes, list[int]] = {}
    for index, line in enumerate(lines):
        places.setdefault(line, []).append(index)

    assert set(lines) == set(CLEAN)
    assert len(lines) - len(CLEAN) == done("duplicate")["duplicate"] > 0
    assert max(indexes[-1] - indexes[0] for indexes in places.values()) > 1_000


def test_a_conflict_says_something_else_under_the_same_id_and_loses() -> None:
    lines = faulty("conflict")
    clean = {orjson.loads(line)["id"]: line for line in CLEAN}
    rivals = [line for line in lines if clean[orjson.loads(line)["id"]] != line]

    assert len(rivals) == len(lines) - len(CLEAN) == done("conflict")["conflict"] > 0
    assert all(content_hash(rival) > content_hash(clean[orjson.loads(rival)["id"]]) for rival in rivals)


def test_late_events_are_the_same_events_in_another_order() -> None:
    lines = faulty("late")

    assert Counter(lines) == Counter(CLEAN)
    assert lines != CLEAN


def test_skewed_clocks_put_runner_edges_out_of_order() -> None:
    assert runner_edges_out_of_order(faulty("skew")) > 0


def test_malformed_lines_come_in_addition_and_for_every_reason() -> None:
    lines = faulty("malformed")
    reasons = {name.split(":")[1] for name in run(12, 48, 1, "all")[1]["faults"] if name.startswith("malformed")}

    assert set(lines) > set(CLEAN)
    assert sum(done("malformed").values()) == len(lines) - len(CLEAN) > 0
    assert reasons == set(NONSENSE)


def test_wandering_events_keep_their_place_and_come_in_every_form() -> None:
    lines = faulty("wander")
    changed = [(a, b) for a, b in zip(CLEAN, lines, strict=True) if a != b]
    forms = {name.split(":")[1] for name in done("wander")}

    assert 0 < len(changed) <= sum(done("wander").values())
    assert all(orjson.loads(a)["type"] == orjson.loads(b)["type"] for a, b in changed)
    assert forms == set(WORDINGS)


@pytest.mark.parametrize("fault", FAITHFUL.split(","))
def test_what_only_disturbs_the_feed_leaves_the_truth_alone(fault: str) -> None:
    clean, disturbed = run()[1], run(faults=fault)[1]
    own = ("options", "faults")
    conflicts = done(fault).get("conflict", 0)

    assert disturbed["network"] == {**clean["network"], "conflicts": conflicts}
    assert {k: v for k, v in disturbed.items() if k not in (*own, "network")} == {
        k: v for k, v in clean.items() if k not in (*own, "network")
    }
