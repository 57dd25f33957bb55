"""Writes `docs/metrics.md` from the catalogue: `python -m gateway.docs`."""

import sys

from gateway.score_docs import scores
from metrics.catalogue import BY_NAME, OUTCOMES, SUPPLY
from metrics.metric import Direction, Metric, Statistic
from rest.demand import ITEM as DEMAND
from rest.gpu_metrics import METRICS as IN_REST

INTRODUCTION = """\
# Metrics

Generated from `metrics/catalogue.py` by `make docs`; change it there. In formulas, `_n`, `_sum` and `_sumsq` stand for
the number, the sum and the sum of squares of a column of facts. Stored integers are fixed point: billionths for rates,
thousandths of a millisecond for times. A value without evidence is `null`; 0 is a measurement.
"""
TABLE = ("| field | is |", "|---|---|")
STATISTICS = """\
## Statistics
| statistic | is |
|---|---|
| `value` | the formula |
| `p50`, `p95`, `p99` | the nearest rank: the smallest bucket of the histogram whose cumulated count × 100 ≥ p × n, \
told as its midpoint within [`min`, `max`]; at most 1 % off, the same on every store |
| `min`, `max` | the extremes, exactly |
| `stddev` | of the population: √(n × Σx² − (Σx)²) / n |
| `samples` | the evidence: how many observations, sessions, stays or samples the value rests on |
"""
BETTER = {Direction.HIGHER: "higher", Direction.LOWER: "lower", Direction.NEITHER: "–"}


def page() -> str:
    """The reference page."""
    sections = (_section(metric) for metric in (*BY_NAME.values(), *SUPPLY.values()))
    parts = [INTRODUCTION, _overview(), *sections, _outcomes(), _demand(), scores(), STATISTICS]
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
    sign = ("<" if metric.target.strict else "≤") if metric.direction is Direction.LOWER else "≥"
    return f"{sign} {metric.target.fixed:g}"


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
        f"- unit: {metric.unit}; better: {BETTER[metric.direction]}; target: {target(metric)}",
        f"- caveats: {metric.caveats}",
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
    rows = [f"| `{name}` | {said['description']} |" for name, said in DEMAND["properties"].items()]
    return "\n".join(
        ["## Demand", "Under the names of REST; in GraphQL it is `demand` and `demandSeries`.", "", *TABLE, *rows, ""]
    )


if __name__ == "__main__":
    sys.stdout.write(page())
