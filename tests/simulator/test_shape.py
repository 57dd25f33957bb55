"""Every simulated event has the keys, their order and the types that the real feed has, field by field."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.simulator.runs import read, run

REAL = Path(__file__).parents[3] / "shared" / "data"
# Objects whose keys are data, not fields.
MAPS = {"capacities", "gpu_info", "models"}
# Fields that the hundred real events happen not to show.
OPTIONAL = {"synthetic", "minor"}
# Where the real events happen to show one type only. Hidden hardware, no restart and no output or input yet are null.
NULLABLE = {"hardware", "gpu_info", "last_output_time", "last_input_time"}
RESTARTED = {"last_restart_time": "number", "last_restart_logs": "list"}


def kind(value: Any) -> str:
    if value is None or isinstance(value, (dict, list, str)):
        return type(value).__name__
    return "bool" if isinstance(value, bool) else "number"


def shapes(value: Any, path: str, found: dict[str, set[Any]]) -> None:
    """Collects, by path, the types of a value, and the key orders of objects."""
    found.setdefault(path, set()).add(kind(value))
    if isinstance(value, dict):
        name = path.rsplit(".", 1)[-1]
        if name not in MAPS:
            found.setdefault(path + " keys", set()).add(tuple(key for key in value if key not in OPTIONAL))
        for key, part in value.items():
            if key not in OPTIONAL:
                shapes(part, f"{path}.{'*' if name in MAPS else key}", found)
    elif isinstance(value, list):
        for part in value:
            shapes(part, path + ".[]", found)


def collected(events: list[dict[str, Any]]) -> dict[str, dict[str, set[Any]]]:
    """Shapes by type and subtype."""
    by_type: dict[str, dict[str, set[Any]]] = {}
    for event in events:
        subtype = event["data"].get("type", "") if isinstance(event["data"], dict) else ""
        shapes(event, "", by_type.setdefault(f"{event['type']} {subtype}", {}))
    return by_type


def test_simulated_events_look_like_the_real_ones() -> None:
    files = sorted(REAL.glob("*.ndjson"))
    if not files:
        pytest.skip(f"no real events at {REAL}")
    real = collected([orjson.loads(line) for file in files for line in file.read_bytes().splitlines()])
    simulated = collected(read(run(12, 48, 1)[0]))

    assert real.keys() <= simulated.keys()
    for name, wanted in real.items():
        for path, found in simulated[name].items():
            leaf = path.rsplit(".", 1)[-1]
            if leaf in RESTARTED or ".last_restart_logs." in path:
                continue
            extra = found - wanted.get(path, set()) - ({"NoneType"} if leaf in NULLABLE else set())
            assert not extra, f"{name}{path}: {extra}, but the real feed has {wanted.get(path)}"


def test_a_restarted_runner_tells_when_and_what_it_last_wrote() -> None:
    found: dict[str, set[Any]] = {}
    for event in read(run(12, 48, 1)[0]):
        if event["type"] == "ai_stream_status":
            shapes(event["data"]["inference_status"], "", found)

    assert found[".last_restart_time"] == {"NoneType", "number"}
    assert found[".last_restart_logs"] == {"NoneType", "list"}
    assert found[".last_restart_logs.[]"] == {"str"}


def test_numbers_of_payments_are_strings() -> None:
    payments = [e["data"] for e in read(run()[0]) if e["type"] == "create_new_payment"]

    assert {kind(value) for payment in payments for value in payment.values()} == {"str"}
    assert {p["faceValue"].split(" ")[1] for p in payments} == {"WEI", "ETH"}
    assert {p["requestID"] == "" for p in payments} == {True, False}
    assert {p["manifestID"].startswith("35_") for p in payments} == {True, False}
