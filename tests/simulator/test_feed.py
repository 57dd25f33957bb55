"""The feed as a whole: repeatable, ordered, fast, of the promised size, and with all that a network shows."""

import hashlib
import os
import subprocess
import sys
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from telemetry.simulator.network import Simulation
from telemetry.simulator.options import Options
from tests.simulator.runs import read, run

ROOT = Path(__file__).parents[2]
TRACES = {
    "gateway_receive_stream_request",
    "gateway_ingest_stream_closed",
    "gateway_send_first_ingest_segment",
    "gateway_receive_first_processed_segment",
    "gateway_receive_few_processed_segments",
    "gateway_receive_first_data_segment",
    "gateway_no_orchestrators_available",
    "orchestrator_swap",
    "runner_receive_first_ingest_segment",
    "runner_send_first_processed_segment",
}
TYPES = {
    "stream_trace",
    "ai_stream_events",
    "ai_stream_status",
    "stream_ingest_metrics",
    "create_new_payment",
    "network_capabilities",
    "discovery_results",
    "ai_batch_request",
    "ai_llm_request",
    "job_gateway",
}
DIGEST = """
import hashlib
from telemetry.simulator.network import Simulation
from telemetry.simulator.options import Options, parse_faults
simulation = Simulation(Options(3, 2, 9, faults=parse_faults("all")))
text = b"".join(simulation.events()) + repr(simulation.truth()).encode()
print(hashlib.sha256(text).hexdigest())
"""


def test_the_same_options_give_the_same_bytes_in_every_process() -> None:
    digests = {
        subprocess.run(
            [sys.executable, "-c", DIGEST],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }

    assert len(digests) == 1


def test_another_seed_gives_another_network() -> None:
    one, other = (hashlib.sha256(b"".join(run(2, 1, seed)[0])).digest() for seed in (1, 2))

    assert one != other


def test_events_come_faster_than_a_loader_needs_them() -> None:
    simulation = Simulation(Options(20, 6, 3))
    start = time.perf_counter()
    count = sum(1 for _ in simulation.events())
    rate = count / (time.perf_counter() - start)
    print(f"{count} events, {rate:,.0f} per second")

    assert rate > 8_000


def test_the_default_demonstration_has_its_promised_size() -> None:
    lines, truth = run(12, 48, 1)

    assert 100_000 <= len(lines) <= 150_000
    assert truth["events"] == len(lines)


def test_a_clean_feed_is_in_order_of_time_with_every_id_once() -> None:
    events = read(run()[0])
    times = [int(e["timestamp"]) for e in events if e["type"] != "ai_stream_status"]

    assert len({e["id"] for e in events}) == len(events)
    # A runner's word reaches the gateway a few milliseconds after it was said.
    assert all(later >= earlier - 12 for earlier, later in pairwise(times))


def test_every_type_of_event_and_every_trace_occurs() -> None:
    events = read(run(12, 48, 1)[0])

    assert {e["type"] for e in events} == TYPES
    assert {e["data"]["type"] for e in events if e["type"] == "stream_trace"} == TRACES


def test_a_network_shows_what_real_ones_show() -> None:
    lines, truth = run(12, 48, 1)
    events = read(lines)
    keys: dict[str, set[str]] = {}
    shapes: Counter[object] = Counter()
    for event in events:
        if event["type"] == "network_capabilities":
            for row in event["data"]:
                keys.setdefault(row["local_address"], set()).add(row["address"])
                infos = [h["gpu_info"] for h in row["hardware"] or [{"gpu_info": None}]]
                shapes.update(len(i) if i else None for i in infos)
                shapes["several workflows"] += len(row["capabilities_prices"]) > 1
    states = {e["data"]["state"] for e in events if e["type"] == "ai_stream_status"}

    assert max(len(wallets) for wallets in keys.values()) == 2
    assert all(shapes[shape] for shape in (None, 1, 2, "several workflows"))
    assert {"ONLINE", "LOADING", "DEGRADED_INPUT", "DEGRADED_INFERENCE"} <= states
    assert {e["gateway"] for e in events if e["type"] == "stream_trace"} > {""}
    assert truth["network"]["restarts"] > 0


def test_a_simulation_runs_once_and_tells_the_truth_only_afterwards() -> None:
    simulation = Simulation(Options(1, 0.1, 1))

    with pytest.raises(RuntimeError, match="only when all events"):
        simulation.truth()
    list(simulation.events())
    simulation.truth()
    with pytest.raises(RuntimeError, match="runs once"):
        list(simulation.events())
