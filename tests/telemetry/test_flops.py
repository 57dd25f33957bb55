"""The table of FLOPS: what comes with the project, and what a file may say."""

import json
from pathlib import Path
from typing import Any

import pytest

from metrics.errors import BadRequest
from telemetry.flops import PACKAGED, Flops

DIMS = ("default", None, "GPU-1", "NVIDIA L4", "model", None, None, "false")


def test_the_packaged_figures_are_read_and_each_names_its_source() -> None:
    flops = Flops.load(None)

    said = json.loads(PACKAGED.read_text(encoding="utf-8"))
    assert flops.version == said["version"]
    assert flops.peak["NVIDIA L4"] == 121 * 10**12
    assert all(entry["source"] for part in ("gpus", "workflows") for entry in said[part].values())


def test_a_file_replaces_them(tmp_path: Path) -> None:
    path = tmp_path / "flops.json"
    path.write_text(json.dumps({"version": "mine", "workflows": {"m": {"flops_per_frame": 7, "source": "measured"}}}))

    assert Flops.load(path) == Flops("mine", {}, {"m": 7})


@pytest.mark.parametrize(
    "said",
    [
        "not json",
        [],
        {"gpus": []},
        {"gpus": {"L4": 5}},
        {"gpus": {"L4": {"peak_flops": 1.5, "source": "s"}}},
        {"gpus": {"L4": {"peak_flops": 0, "source": "s"}}},
        {"gpus": {"L4": {"peak_flops": True, "source": "s"}}},
        {"gpus": {"L4": {"peak_flops": 10**19, "source": "s"}}},
        {"gpus": {"L4": {"peak_flops": 5, "source": " "}}},
    ],
)
def test_a_file_that_says_something_else_is_refused_by_name(tmp_path: Path, said: Any) -> None:
    path = tmp_path / "flops.json"
    path.write_text(said if isinstance(said, str) else json.dumps(said))

    with pytest.raises(BadRequest, match="NAAP_FLOPS") as caught:
        Flops.load(path)
    assert caught.value.argument == "NAAP_FLOPS"


@pytest.mark.parametrize("missing", [2, 3, 4])
def test_without_gpu_model_or_workflow_there_is_no_figure(missing: int) -> None:
    flops = Flops("t", {"NVIDIA L4": 10}, {"model": 3})

    assert flops.known(DIMS) == (10, 3)
    assert flops.known((*DIMS[:missing], None, *DIMS[missing + 1 :])) is None
