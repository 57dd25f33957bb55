"""Peak FLOPS of GPU models and FLOPs per frame of workflows: a versioned JSON file, ours or that of NAAP_FLOPS.

{"version": "2026-11", "precision": "FP16 …", "gpus": {"NVIDIA L4": {"peak_flops": 121000000000000, "source": "…"}},
 "workflows": {"model": {"flops_per_frame": 1000000000000, "source": "…"}}}

A model without a published figure is left out: its efficiency is null, never a guess.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from metrics.errors import BadRequest
from metrics.fact import Dims

PACKAGED = Path(__file__).with_name("flops.json")
MOST = 10**18  # a thousand times what any GPU can do


@dataclass(frozen=True, slots=True)
class Flops:
    """The figures: GPU model, as its driver names it → FLOP per second; workflow → FLOP per frame."""

    version: str = "none"
    peak: Mapping[str, int] = field(default_factory=dict)
    per_frame: Mapping[str, int] = field(default_factory=dict)

    def known(self, dims: Dims) -> tuple[int, int] | None:
        """(peak, per frame) for a session's dimensions, where its GPU is known and both figures are published."""
        _, _, gpu, model, workflow, *_ = dims
        peak, per_frame = self.peak.get(model or ""), self.per_frame.get(workflow or "")
        return (peak, per_frame) if gpu and peak and per_frame else None

    @classmethod
    def load(cls, path: str | Path | None) -> "Flops":
        """Read the file; without a path the packaged one. Raises BadRequest with what is wrong where."""
        return packaged() if path is None else _read(Path(path))

    @classmethod
    def of_config(cls, config: Mapping[str, object]) -> "Flops":
        """The figures of the parsed file. Raises ValueError where one is none, TypeError where the shape is another."""
        return cls(
            version=str(config.get("version", "none")),
            peak=_figures(config.get("gpus", {}), "peak_flops"),
            per_frame=_figures(config.get("workflows", {}), "flops_per_frame"),
        )


@cache
def packaged() -> Flops:
    """The figures that come with the project."""
    return _read(PACKAGED)


def _read(path: Path) -> Flops:
    try:
        return Flops.of_config(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise BadRequest(f"NAAP_FLOPS: {path} cannot be read: {error.strerror}.", "NAAP_FLOPS") from error
    except (ValueError, AttributeError, TypeError) as error:
        raise BadRequest(
            f'NAAP_FLOPS: {path} must hold {{"version": …, "gpus": {{model: {{"peak_flops", "source"}}}}, "workflows": '
            f'{{name: {{"flops_per_frame", "source"}}}}}}: {error}.',
            "NAAP_FLOPS",
        ) from error


def _figures(said: object, name: str) -> dict[str, int]:
    if not isinstance(said, Mapping):
        raise TypeError("gpus and workflows are maps")
    found: dict[str, int] = {}
    for key, entry in said.items():
        figure, source = entry.get(name), entry.get("source")
        if isinstance(figure, bool) or not isinstance(figure, int) or not 0 < figure <= MOST:
            raise ValueError(f"{name} of {key} must be a whole number from 1 to {MOST}, not {figure!r}")
        if not isinstance(source, str) or not source.strip():
            raise ValueError(f"{key} names no source")
        found[str(key)] = figure
    return found
