"""What a URI's snapshots and sessions make of an hour, worked out by hand."""

from collections.abc import Sequence

from backends.log import Card, Showing
from metrics.fact import Fact
from metrics.window import DAY_MS, HOUR_MS
from telemetry.flops import Flops
from telemetry.slots import MOST_CARDS, Run, Site, supply_facts

SITE = Site("default", "u", "fra")
NONE = Flops()


def card(gpu: str, model: str = "L4", workflow: str = "w", wallet: str = "0xa") -> Card:
    return Card(gpu, model, workflow, wallet)


def run(start_ms: int, end_ms: int, gpu: str | None = None, model: str | None = None, workflow: str = "w") -> Run:
    return Run(start_ms, end_ms, ("default", "0xa", gpu, model, workflow, "gw", None, "false"))


def told(cards: Sequence[Card], runs: Sequence[Run], hours: Sequence[int] = (0,)) -> list[Fact]:
    return list(supply_facts(SITE, [Showing("u", 0, 0, tuple(sorted(cards)))], runs, hours, NONE))


def spans(facts: Sequence[Fact], column: str) -> list[tuple[int, int, str | None, str | None]]:
    """(start, length, GPU, model) of each fact that says something of the column."""
    return [(f.at_ms, f.values[column], f.dims[2], f.dims[3]) for f in facts if column in f.values]


def test_a_busy_gpu_is_told_once_as_closely_as_it_is_known() -> None:
    cards = [card("g1"), card("g2"), card("g3", "A100")]
    facts = told(cards, [run(0, 60, "g1", "L4"), run(0, 60, None, "L4"), run(0, 60), run(0, 60)])

    assert spans(facts, "busy_gpu_ms") == [(0, 60, None, None), (0, 60, None, "L4"), (0, 60, "g1", "L4")]
    assert len(spans(facts, "gpu_ms")) == 3


def test_two_sessions_on_one_gpu_keep_one_gpu_busy() -> None:
    facts = told([card("g1")], [run(0, 60, "g1", "L4"), run(30, 90, "g1", "L4")])

    assert spans(facts, "busy_gpu_ms") == [(0, 90, "g1", "L4")]


def test_a_gpu_of_two_workflows_is_one_gpu_and_one_for_each() -> None:
    facts = told([card("g1", workflow="v"), card("g1", workflow="w")], [run(0, 60, "g1", "L4")])

    assert [fact.dims[4] for fact in facts if "gpu_ms" in fact.values] == ["v"]
    assert [fact.dims[4] for fact in facts if "workflow_gpu_ms" in fact.values] == ["v", "w"]
    assert [fact.dims[4] for fact in facts if "workflow_busy_gpu_ms" in fact.values] == ["w"]


def test_advertised_for_a_day_and_not_longer() -> None:
    facts = told([card("g1")], [], range(0, 26 * HOUR_MS, HOUR_MS))

    assert sum(fact.values["gpu_ms"] for fact in facts) == DAY_MS
    assert len({(fact.at_ms, fact.key) for fact in facts}) == 24


def test_a_session_without_anything_advertised_keeps_nothing_busy() -> None:
    assert told([card("")], [run(0, 60, "g1", "L4")]) == []


def test_two_wallets_in_one_snapshot_are_nobodys_even_where_one_names_no_gpu() -> None:
    (fact,) = told([card("g1"), card("", wallet="0xb")], [])

    assert fact.dims == ("default", None, "g1", "L4", "w", None, "fra", None)


def test_a_broken_snapshot_makes_no_more_facts_than_a_large_one() -> None:
    assert len(told([card(f"g{number}") for number in range(3 * MOST_CARDS)], [])) == MOST_CARDS


def test_a_peak_counts_once_for_sessions_that_share_a_gpu() -> None:
    flops = Flops("t", {"L4": 7}, {"v": 1, "w": 1})
    runs = [run(0, 60, "g1", "L4", "v"), run(30, 90, "g1", "L4", "w"), run(0, 90, "g1", "L4", "unknown")]
    facts = list(supply_facts(SITE, [], runs, [0], flops))

    def total(column: str) -> int:
        return sum(fact.values["running_ms"] * fact.values.get(column, 0) for fact in facts)

    assert total("running_peak") == total("region_running_peak") == 7 * 90
    assert total("workflow_running_peak") == total("workflow_region_running_peak") == 7 * 120
