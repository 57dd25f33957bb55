"""Tables kept month by month: a partition is made when the first row of its month comes."""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial

from backends.postgres.handle import Handle, Session
from backends.postgres.tables import SCHEMA
from metrics.window import from_ms, to_ms

# Events may state any time. Beside these years lie few, and no partition each.
FIRST_YEAR, LAST_YEAR = 2020, 2100


class Partitions:
    """Which partitions there are, as far as this process knows."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._known: set[tuple[str, str]] = set()

    def ready(self, table: str, instants: Iterable[int]) -> None:
        """Make the partitions that rows of these instants need. A hypertable makes its chunks itself."""
        if self._handle.aggregates:
            return
        months = {month for month in map(month_of, instants) if month is not None}
        for month in sorted(months):
            if (table, month) not in self._known:
                self._handle.read("partition", partial(_make, table=table, month=month))
                self._known.add((table, month))

    def forget(self) -> None:
        """Look again: the tables may have been made anew."""
        self._known.clear()


def month_of(at_ms: int) -> str | None:
    """The month of an instant, as YYYY_MM; None beside the years that have partitions of their own."""
    if not to_ms(datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)) <= at_ms < to_ms(datetime(LAST_YEAR, 1, 1, tzinfo=UTC)):
        return None
    return f"{from_ms(at_ms):%Y_%m}"


def outer(table: str) -> list[str]:
    """The statements that make the partitions before and after the years of months."""
    first, last = (to_ms(datetime(year, 1, 1, tzinfo=UTC)) for year in (FIRST_YEAR, LAST_YEAR))
    return [
        f"CREATE TABLE {SCHEMA}.{table}_before PARTITION OF {SCHEMA}.{table} FOR VALUES FROM (MINVALUE) TO ({first})",
        f"CREATE TABLE {SCHEMA}.{table}_after PARTITION OF {SCHEMA}.{table} FOR VALUES FROM ({last}) TO (MAXVALUE)",
    ]


def inner(table: str, month: str) -> str:
    """The statement that makes the partition of a month."""
    first, end = _bounds(month)
    return f"CREATE TABLE {SCHEMA}.{table}_{month} PARTITION OF {SCHEMA}.{table} FOR VALUES FROM ({first}) TO ({end})"


def _bounds(month: str) -> tuple[int, int]:
    start = datetime.strptime(month, "%Y_%m").replace(tzinfo=UTC)
    return to_ms(start), to_ms(start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1))


def _make(session: Session, table: str, month: str) -> None:
    name, (first, end) = f"{table}_{month}", _bounds(month)
    if session.query("partition", "SELECT 1 WHERE to_regclass(%(name)s) IS NOT NULL", {"name": f"{SCHEMA}.{name}"}):
        return
    # Made apart and attached, which needs no lock that readers would wait for; as one statement, which is one
    # transaction.
    session.run(
        "partition",
        f"DO $$BEGIN CREATE TABLE {SCHEMA}.{name} (LIKE {SCHEMA}.{table} INCLUDING DEFAULTS); "
        f"ALTER TABLE {SCHEMA}.{table} ATTACH PARTITION {SCHEMA}.{name} FOR VALUES FROM ({first}) TO ({end}); END$$",
    )
