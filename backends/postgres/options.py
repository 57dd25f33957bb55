"""What opening a PostgreSQL store depends on."""

from collections.abc import Callable
from dataclasses import dataclass

# Called after every statement with its name, its seconds and the rows it answered or wrote.
OnStatement = Callable[[str, float, int], None]


@dataclass(frozen=True, slots=True)
class Options:
    """How long to wait, and how much to hold at once."""

    pool: int = 10  # connections that read
    connect_s: float = 5
    statement_s: float = 20  # of a read
    # A writer that loses the server tries again for so long.
    retry_s: float = 60
    rows: int = 500_000  # of one answer
    # TimescaleDB's: after how many days chunks are compressed, and dropped with all that was made of them. None: never.
    compress_days: int | None = None
    retain_days: int | None = None
