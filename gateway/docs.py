"""Writes `docs/metrics.md` from the catalogue: `python -m gateway.docs`."""

import sys

from metrics.catalogue import BY_NAME, DEMAND, OUTCOMES
from metrics.metric import Direction, Metric, Statistic
from rest.gpu_metrics import METRICS as IN_REST

INTRODUCTION = """\
# Metrics

Generated from `metrics/catalogue.py` by `make docs`; change it there. In formulas, `_n`, `_sum` and `_sumsq` stand for
the number, the sum and the sum of squares of a column of facts. Stored integers are fixed point: billionths for rates,
thousandths of a millisecond for times. A value without evidence is `null`; 0 is a measurement.
"""
BETTER = {Direction.HIGHER: "higher", Direction.LOWER: "lower", Direction.NEITHER: "–"}


def page() -> str:
    """The reference page."""
    parts = [INTRODUCTION, _overview(), *(_section(metric) for metric in BY_NAME.values()), _outcomes(), _demand()]
    return "\n".join(parts)


def field(name: str) -> str:
    """A name as GraphQL writes it."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def target(metric: Metric) -> str:
    """What a value is held against, in words."""
    if metric.target.of_workflow:
        return "the workflow's own"
    if metric.target.fixed is None:
        return "–"
    return f"{'≤' if metric.direction is Direction.LOWER else '≥'} {metric.target.fixed:g}"


def _overview() -> str:
    rows = [
        f"| [`{field(m.name)}`](#{field(m.name).lower()}) | {m.unit} | {BETTER[m.direction]} | {target(m)} |"
        for m in BY_NAME.values()
    ]
    return "\n".join(["| metric | unit | better | target |", "|---|---|---|---|", *rows, ""])


def _section(metric: Metric) -> str:
    in_rest = [key for key, one in IN_REST.items() if one is metric]
    told = [statistic.value for statistic in metric.statistics if statistic is not Statistic.VALUE]
    lines = [
        f"## {field(metric.name)}",
        metric.doc,
        "",
        f"- formula: `{metric.formula}`",
        f"- evidence: `{metric.evidence}`",
        f"- from: {metric.source}",
    ]
    if told:
        lines.append(f"- also tells: {', '.join(told)}")
    if in_rest:
        lines.append(f"- in REST: `{in_rest[0]}`")
    return "\n".join([*lines, ""])


def _outcomes() -> str:
    rows = [f"| `{field(name)}` | `{formula}` |" for name, formula in OUTCOMES.items()]
    return "\n".join(["## Outcomes of sessions", "| field | sum |", "|---|---|", *rows, ""])


def _demand() -> str:
    return "\n".join(["# Of demand and supply\n", *map(_section, DEMAND.values())])


if __name__ == "__main__":
    sys.stdout.write(page())
