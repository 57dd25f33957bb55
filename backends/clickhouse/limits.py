"""What one read may use, and the settings that make a ClickHouse keep to it, embedded or not."""

from collections.abc import Mapping
from dataclasses import dataclass

# The cache of conditions takes some IN for others and then leaves rows out (several releases until 26.9 did).
EXACT: Mapping[str, object] = {"use_query_condition_cache": 0}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one read may use. `threads` of the engine; 0: as many as it likes."""

    seconds: float = 20
    memory_bytes: int = 2 * 1024**3
    rows: int = 500_000
    threads: int = 1  # short reads gain nothing from a second one


def reading(limits: Limits) -> dict[str, object]:
    """The settings of a connection that reads, in the order in which to set them."""
    return {
        "max_execution_time": limits.seconds,
        "max_memory_usage": limits.memory_bytes,
        "max_result_rows": limits.rows,
        "result_overflow_mode": "throw",
        "max_threads": limits.threads,
        **EXACT,
        # Last: from here on neither settings nor data can be changed.
        "readonly": 1,
    }


WRITING: Mapping[str, object] = {
    # An insert must become one part, whatever its size: that makes it all or nothing.
    "max_insert_threads": 1,
    "min_insert_block_size_rows": 100_000_000,
    "min_insert_block_size_bytes": 0,
    "async_insert": 0,
    **EXACT,
}
