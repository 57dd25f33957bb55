"""The part of `docs/metrics.md` that tells how scores are made."""

from metrics.scoring.score import Criterion, Rule, Version
from metrics.scoring.versions import DEFAULT, VERSIONS
from metrics.targets import packaged


def scores() -> str:
    """The section on scores."""
    return "\n".join(["# Scores", *(_version(one) for one in VERSIONS), _targets()])


def _version(version: Version) -> str:
    name = f"`{version.name}`" + (", the default" if version is DEFAULT else "")
    formula = "100 × Σ weight·subscore / Σ weight" + (" × coverage" if version.cover else "")
    lines = [f"## {name}", version.description, "", f"- formula: `{formula}`"]
    if version.prior is not None and version.k is not None:
        drawn = f"(n·score + {version.k:g}·{version.prior:g}) / (n + {version.k:g})"
        lines.append(f"- published, with n attempted sessions: `{drawn}`")
    lines += ["", "| subscore | weight | made of | weight | good … bad |", "|---|---|---|---|---|"]
    return "\n".join([*lines, *(_row(one, rule) for one in version.criteria for rule in one.rules), ""])


def _row(criterion: Criterion, rule: Rule) -> str:
    is_fixed = rule.good is not None and rule.bad is not None
    edges = f"{rule.good:g} … {rule.bad:g}" if is_fixed else rule.thresholds
    weight = "–" if rule.weight is None else f"{rule.weight:g}"
    return (
        f"| {criterion.name} | {criterion.weight:g} | `{rule.metric.name}` ({rule.metric.unit}) | {weight} | {edges} |"
    )


def _targets() -> str:
    held = packaged()
    rows = [("any other", held.default), *sorted(held.rows.items())]
    shown = [
        f"| {name} | {row.output_fps:g} | {row.prompt_to_first_frame_ms:g} | {_or_dash(row.startup_time_s)} "
        f"| {_or_dash(row.min_vram_gib)} |"
        for name, row in rows
    ]
    head = f"## Targets of workflows\nVersion {held.default.version}, unless `NAAP_TARGETS` names another file.\n"
    table = ["| workflow | fps | prompt to first frame, ms | startup, s | memory, GiB |", "|---|---|---|---|---|"]
    return "\n".join([head, *table, *shown, ""])


def _or_dash(value: float | None) -> str:
    return "–" if value is None else f"{value:g}"
