"""The table at the end of a run."""

from tests.backends.table import Tried, table


def test_the_table_shows_capabilities_by_store_and_every_reason_once() -> None:
    tried = [
        Tried("it counts", "memory", "passed"),
        Tried("it counts", "memory", "failed"),
        Tried("it counts", "chdb", "passed"),
        Tried("it sums", "chdb", "gap", "no sums yet"),
        Tried("it counts", "far", "skipped", "no server"),
        Tried("it sums", "far", "skipped", "no server"),
    ]

    assert table(tried, ["memory", "chdb", "far"]) == [
        "                        memory  chdb  far",
        "it counts               FAILED   ✓     –",
        "it sums                         gap    –",
        "of 2 capabilities pass    0      1     0",
        "– far: no server (it counts, it sums)",
        "gap chdb: no sums yet (it sums)",
    ]
