"""How many GPUs there are, by each URI's last snapshot."""

from metrics.sighting import Seen, Trait
from resolvers.census import present

BY = (Trait.SOURCE, Trait.SERVICE_URI, Trait.NODE_VERSION, Trait.GPU, Trait.VRAM_BYTES, Trait.CUDA_CAPABILITY)


def row(uri: str | None, gpu: str | None, last_ms: int, version: str | None = None) -> Seen:
    """A GPU seen at a URI; snapshots say a version."""
    return Seen(("default", uri, version, gpu, None, None), 0, last_ms)


def test_a_uris_last_snapshot_counts_and_not_the_ids_that_churned_away() -> None:
    rows = [row("a", "old", 5, "1"), row("a", "new", 9, "1"), row("a", "new2", 9, "1"), row("b", "other", 3, "1")]

    assert present(rows, BY) == {"new", "new2", "other"}


def test_a_session_does_not_make_its_gpu_newer_than_the_snapshot() -> None:
    assert present([row("a", "x", 5, "1"), row("a", "y", 5, "1"), row("a", "x", 8)], BY) == {"x", "y"}


def test_where_there_is_no_snapshot_every_gpu_that_was_seen_counts() -> None:
    assert present([row("v1", "x", 5), row(None, "y", 6), row(None, "z", 7, "1"), row("v1", None, 9)], BY) == {
        "x",
        "y",
        "z",
    }


def test_a_last_snapshot_without_a_gpu_takes_back_those_before() -> None:
    rows = [row("a", "x", 5, "1"), row("a", None, 9, "1"), row("b", None, 5, "1"), row("b", "y", 5, "1")]

    assert present(rows, BY) == {"y"}
