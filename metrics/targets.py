"""Targets: what a workflow should reach. Versioned configuration; the packaged file unless NAAP_TARGETS names another.

{"version": "2026-11", "default": {"output_fps": 15, "prompt_to_first_frame_ms": 3000},
 "workflows": {"streamdiffusion-sdxl": {"output_fps": 15, "prompt_to_first_frame_ms": 3500, "startup_time_s": 20,
                                        "min_vram_gib": 22, "gpu_models": ["NVIDIA L40S"]}}}

What a row leaves out it has from the default row.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

from metrics.errors import BadRequest

SETTING = "NAAP_TARGETS"
PACKAGED = Path(__file__).with_name("targets.json")
MAX_BYTES = 1_048_576


@dataclass(frozen=True, slots=True)
class WorkflowTargets:
    """One row: frames per second, milliseconds, seconds, GiB; None where nothing is asked."""

    output_fps: float = 15
    prompt_to_first_frame_ms: float = 3000
    startup_time_s: float | None = None
    min_vram_gib: float | None = None
    gpu_models: tuple[str, ...] = ()
    # The version of the file that says so.
    version: str = "none"
    # Is this the default row?
    is_default: bool = True

    def number(self, name: str) -> float | None:
        """The target of the metric of this name; None where the row has none."""
        value: float | None = getattr(self, name)
        return value


NUMBERS = ("output_fps", "prompt_to_first_frame_ms", "startup_time_s", "min_vram_gib")
KEYS = (*NUMBERS, "gpu_models")
assert {*KEYS, "version", "is_default"} == {one.name for one in fields(WorkflowTargets)}


@dataclass(frozen=True, slots=True)
class Targets:
    """Every row, and the one for workflows without."""

    default: WorkflowTargets = WorkflowTargets()
    rows: Mapping[str, WorkflowTargets] = field(default_factory=dict)

    def of(self, workflow: str | None) -> WorkflowTargets:
        """The workflow's own row, else the default one."""
        return self.rows.get(workflow or "", self.default)

    @classmethod
    def load(cls, path: str | Path | None) -> "Targets":
        """Read a file; no path gives the packaged one. Raises BadRequest with what is wrong where."""
        if path is None:
            return packaged()
        try:
            with Path(path).open("rb") as file:
                body = file.read(MAX_BYTES + 1)
            if len(body) > MAX_BYTES:
                raise BadRequest(f"it is larger than {MAX_BYTES:,} bytes.")
            return cls.of_config(json.loads(body))
        except OSError as error:
            raise BadRequest(f"{SETTING}: {path} cannot be read: {error.strerror}.", SETTING) from error
        except BadRequest as error:
            raise BadRequest(f"{SETTING}: {path}: {error}", SETTING) from error
        except (ValueError, RecursionError) as error:
            raise BadRequest(f"{SETTING}: {path} is no JSON: {error}.", SETTING) from error

    @classmethod
    def of_config(cls, config: object) -> "Targets":
        """Targets from the parsed file. Raises BadRequest where something in it cannot be meant."""
        said = _mapping(config, "the file", ("version", "default", "workflows"))
        version = said.get("version")
        if not isinstance(version, str) or not version.strip():
            raise BadRequest(f'version must be a text such as "2026-11", not {_shown(version)}.')
        given = _mapping(said.get("default", {}), "default", KEYS)
        default = replace(_row(given, "default", WorkflowTargets()), version=version.strip())
        rows = _mapping(said.get("workflows", {}), "workflows")
        own = replace(default, is_default=False)
        named = {name.strip(): _row(row, f"workflows.{name}", own) for name, row in rows.items()}
        if "" in named:
            raise BadRequest("workflows has a row without a name.")
        return cls(default, named)


@cache
def packaged() -> Targets:
    """The targets that come with the project."""
    return Targets.of_config(json.loads(PACKAGED.read_bytes()))


def _row(given: object, where: str, base: WorkflowTargets) -> WorkflowTargets:
    """A row over the one that it has the rest from."""
    said = _mapping(given, where, KEYS)
    values: dict[str, Any] = {key: _number(said[key], f"{where}.{key}") for key in NUMBERS if key in said}
    if "gpu_models" in said:
        values["gpu_models"] = _texts(said["gpu_models"], f"{where}.gpu_models")
    return replace(base, **values)


def _mapping(value: object, where: str, keys: tuple[str, ...] = ()) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise BadRequest(f"{where} must be an object, not {_shown(value)}.")
    unknown = [key for key in value if keys and key not in keys]
    if unknown:
        raise BadRequest(f"{where} knows no {_shown(unknown[0])}. There are: {', '.join(keys)}.")
    return value


def _number(value: object, where: str) -> float:
    # No target is so large that a float could not carry three times it.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1e9 or math.isnan(value):
        raise BadRequest(f"{where} must be a number above 0 and at most 1,000,000,000, not {_shown(value)}.")
    return value


def _texts(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) and one.strip() for one in value):
        raise BadRequest(f"{where} must be a list of texts, not {_shown(value)}.")
    return tuple(dict.fromkeys(one.strip() for one in value))


def _shown(value: object) -> str:
    """The value as JSON, cut where it is long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else f"{text[:80]}…"
