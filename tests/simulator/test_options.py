"""What can be asked for, and what an impossible wish is told."""

from datetime import UTC, datetime
from typing import Any

import pytest

from telemetry.simulator.options import FAULTS, Options, parse_faults


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("none", set()),
        ("", set()),
        ("all", set(FAULTS)),
        ("loss", {"loss"}),
        (" Late, loss ", {"late", "loss"}),
    ],
)
def test_faults_are_named_by_a_list_or_by_all_or_none(text: str, wanted: set[str]) -> None:
    assert parse_faults(text) == wanted


def test_an_unknown_fault_is_named_beside_those_that_exist() -> None:
    with pytest.raises(ValueError, match=r"faults must be .*loss, duplicate.*unknown: tornado"):
        parse_faults("loss,tornado")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("orchestrators", 0),
        ("hours", 0),
        ("hours", float("nan")),
        ("seed", -1),
        ("rate", 0),
        ("end", datetime(2026, 1, 1)),  # noqa: DTZ001
        ("faults", frozenset({"tornado"})),
    ],
)
def test_an_impossible_option_is_refused_by_name(option: str, value: Any) -> None:
    good: dict[str, Any] = {"orchestrators": 1, "hours": 1.0, "seed": 1}

    with pytest.raises(ValueError, match=f"^{option} must be "):
        Options(**{**good, option: value})


def test_the_window_ends_at_the_end_and_is_as_long_as_asked() -> None:
    options = Options(1, 1.5, 1, end=datetime(2026, 3, 1, 12, tzinfo=UTC))

    assert options.end_ms == 1_772_366_400_000
    assert options.end_ms - options.start_ms == 5_400_000
