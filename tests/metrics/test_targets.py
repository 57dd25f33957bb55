"""Targets: the packaged file, another one, and every way in which it can be wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from metrics.errors import BadRequest
from metrics.targets import Targets, packaged
from telemetry.simulator.catalogue import WORKFLOWS


def test_the_default_row_is_that_of_the_definitions() -> None:
    row = Targets.load(None).of("never heard of")

    assert (row.prompt_to_first_frame_ms, row.output_fps) == (3000, 15)
    assert (row.startup_time_s, row.min_vram_gib, row.gpu_models, row.is_default) == (None, None, (), True)
    assert Targets.load(None).of(None) == row


@pytest.mark.parametrize("workflow", [one.name for one in WORKFLOWS])
def test_every_workflow_of_the_network_has_its_own_row(workflow: str) -> None:
    row = packaged().of(workflow)

    assert not row.is_default
    assert row.version == packaged().default.version
    assert None not in (row.startup_time_s, row.min_vram_gib)


def test_what_a_row_leaves_out_it_has_from_the_default_row() -> None:
    targets = Targets.of_config(
        {"version": "v", "default": {"startup_time_s": 9}, "workflows": {" flux ": {"output_fps": 7}}}
    )

    row = targets.of("flux")

    assert (row.output_fps, row.startup_time_s, row.prompt_to_first_frame_ms) == (7, 9, 3000)
    assert (row.version, row.is_default) == ("v", False)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ([], "the file must be an object"),
        ({}, 'version must be a text such as "2026-11", not null'),
        ({"version": 3}, "version must be a text"),
        ({"version": " "}, "version must be a text"),
        ({"version": "1", "workflow": {}}, 'the file knows no "workflow". There are: version, default, workflows'),
        ({"version": "1", "workflows": []}, "workflows must be an object"),
        ({"version": "1", "workflows": {"a": 5}}, "workflows.a must be an object, not 5"),
        ({"version": "1", "workflows": {"a": {"fps": 5}}}, 'workflows.a knows no "fps". There are: output_fps'),
        ({"version": "1", "workflows": {" ": {}}}, "workflows has a row without a name"),
        ({"version": "1", "workflows": {"a": {"output_fps": 0}}}, "workflows.a.output_fps must be a number above 0"),
        ({"version": "1", "workflows": {"a": {"output_fps": True}}}, "must be a number above 0"),
        ({"version": "1", "workflows": {"a": {"output_fps": "15"}}}, 'not "15"'),
        ({"version": "1", "workflows": {"a": {"output_fps": None}}}, "not null"),
        ({"version": "1", "workflows": {"a": {"output_fps": 10**400}}}, "must be a number above 0"),
        ({"version": "1", "workflows": {"a": {"startup_time_s": float("nan")}}}, "must be a number above 0"),
        ({"version": "1", "workflows": {"a": {"startup_time_s": float("inf")}}}, "must be a number above 0"),
        ({"version": "1", "workflows": {"a": {"gpu_models": "L4"}}}, "workflows.a.gpu_models must be a list of texts"),
        ({"version": "1", "workflows": {"a": {"gpu_models": [""]}}}, "must be a list of texts"),
        ({"version": "1", "default": {"min_vram_gib": -1}}, "default.min_vram_gib must be a number above 0"),
    ],
)
def test_a_wrong_file_is_refused_with_what_is_wrong_where(tmp_path: Path, config: Any, message: str) -> None:
    file = tmp_path / "targets.json"
    file.write_text(json.dumps(config))

    with pytest.raises(BadRequest) as refusal:
        Targets.load(file)

    assert message in str(refusal.value)
    assert str(refusal.value).startswith(f"NAAP_TARGETS: {file}")
    assert refusal.value.argument == "NAAP_TARGETS"


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"NaN", b" " * 2_000_000, b"1" * 5_000])
def test_a_file_that_is_no_json_or_too_large_is_refused(tmp_path: Path, body: bytes) -> None:
    file = tmp_path / "targets.json"
    file.write_bytes(body)

    with pytest.raises(BadRequest, match="NAAP_TARGETS"):
        Targets.load(file)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="cannot be read"):
        Targets.load(tmp_path / "nothing")
