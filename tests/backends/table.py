"""The table at the end of a run: rows are capabilities, columns are stores. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

# From the best to the worst: of a capability that is tried several times the worst counts.
OUTCOMES = ("passed", "gap", "skipped", "failed")
SIGNS = {"passed": "✓", "gap": "gap", "skipped": "–", "failed": "FAILED"}


# How a test's report carries what it tried.
TRIED = "tried"


class Tried(NamedTuple):
    """What became of one capability in one store."""

    capability: str
    store: str
    outcome: str
    reason: str = ""


def table(tried: Iterable[Tried], stores: Sequence[str]) -> list[str]:
    """The lines of the table, and below it every reason once."""
    cells: dict[str, dict[str, Tried]] = {}
    for one in tried:
        row = cells.setdefault(one.capability, {})
        before = row.get(one.store, one)
        row[one.store] = max(before, one, key=lambda each: OUTCOMES.index(each.outcome))
    total = f"of {len(cells)} capabilities pass"
    wide = max(map(len, (*cells, total)))
    lines = [f"{'':{wide}}  {'  '.join(stores)}".rstrip()]
    for capability, row in cells.items():
        signs = [f"{_sign(row, store):^{len(store)}}" for store in stores]
        lines.append(f"{capability:{wide}}  {'  '.join(signs)}".rstrip())
    counts = [f"{sum(row.get(store, _NONE).outcome == 'passed' for row in cells.values())}" for store in stores]
    numbers = [f"{count:^{len(store)}}" for count, store in zip(counts, stores, strict=True)]
    lines.append(f"{total:{wide}}  {'  '.join(numbers)}".rstrip())
    return lines + _reasons(cells)


_NONE = Tried("", "", "")


def _sign(row: Mapping[str, Tried], store: str) -> str:
    return SIGNS.get(row.get(store, _NONE).outcome, "")


def _reasons(cells: Mapping[str, Mapping[str, Tried]]) -> list[str]:
    told: dict[tuple[str, str, str], list[str]] = {}
    for capability, row in cells.items():
        for one in row.values():
            if one.outcome in ("skipped", "gap"):
                told.setdefault((one.outcome, one.store, one.reason), []).append(capability)
    return [
        f"{SIGNS[outcome]} {store}: {reason}"
        + (f" ({', '.join(of)})" if len(of) <= 3 else f" ({len(of)} capabilities)")
        for (outcome, store, reason), of in told.items()
    ]
