"""Which stores an answer came from, as it is told beside the answer."""

from collections.abc import Mapping
from typing import Any

from backends.told import Contribution, Stretch
from metrics.window import from_ms
from resolvers.context import Context

Told = list[dict[str, Any]]


def contributors(context: Context) -> Told | None:
    """Each store that had to do with the answer; None where there is only one store. Keys are written_so."""
    if context.several is None:
        return None
    return [_contribution(one) for one in context.several.contributions]


def camel(value: Any) -> Any:
    """The same with keysWrittenSo."""
    if isinstance(value, Mapping):
        return {_camel(key): camel(inner) for key, inner in value.items()}
    return [camel(inner) for inner in value] if isinstance(value, list) else value


def missing_names(context: Context) -> list[str]:
    """The names of the stores whose part is missing."""
    told = () if context.several is None else context.several.contributions
    return [one.name for one in told if one.is_missing]


def _contribution(one: Contribution) -> dict[str, Any]:
    error = {} if one.error is None else {"error": {"code": one.error[0], "message": one.error[1]}}
    return {
        "name": one.name,
        "rows": one.rows,
        "milliseconds": round(one.milliseconds, 3),
        "reached_until": _instant(one.reached_ms),
        **error,
        "is_missing": one.is_missing,
        "missing": [_stretch(part) for part in one.missing],
        "left_to_others": [{**_stretch(part), "answered_by": [*part.answered_by]} for part in one.yielding],
    }


def _stretch(part: Stretch) -> dict[str, Any]:
    """Without a region it is about every one that no store names; "" is where none is known."""
    region = {} if part.region is None else {"region": part.region}
    return {"source": part.source, **region, "start": _instant(part.start_ms), "end": _instant(part.end_ms)}


def _instant(at_ms: int | None) -> str | None:
    return None if at_ms is None else from_ms(at_ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.title() for word in rest)
