"""Rollups, computed again for the buckets whose facts changed: never counted up, so that they equal their facts."""

from collections.abc import Sequence
from dataclasses import dataclass

from backends.postgres.handle import Session
from backends.stale import Stale
from metrics.columns import MEASURES
from metrics.dimension import DIMENSIONS
from metrics.measure import Aggregate, Measure
from metrics.sighting import TRAITS
from metrics.window import DAY_MS, HOUR_MS, MINUTE_MS


@dataclass(frozen=True, slots=True)
class Refresh:
    """How one rollup is computed again from the finer table."""

    table: str
    width_ms: int
    finer: str
    time: str  # the finer table's column of instants
    groups: tuple[str, ...]
    sums: tuple[tuple[str, str], ...]  # (column, what it is the sum of)

    def run(self, session: Session, buckets: Sequence[int]) -> None:
        """Compute these buckets again."""
        values = {"buckets": list(buckets)}
        session.run(
            f"forget {self.table}", f"DELETE FROM {self.table} WHERE bucket_ms = ANY (%(buckets)s::bigint[])", values
        )
        session.run(f"refresh {self.table}", f"INSERT INTO {self.table} ({self.names}) {self.select(WITHIN)}", values)

    @property
    def names(self) -> str:
        """The columns that `select` answers."""
        return ", ".join(("bucket_ms", *self.groups, *(name for name, _ in self.sums)))

    def select(self, tests: str, bucket: str = "") -> str:
        """The sums of every bucket and group of the finer table that passes the tests."""
        bucket = bucket or f"{self.time} / {self.width_ms} * {self.width_ms}"
        sums = (f"{expression} AS {name}" for name, expression in self.sums)
        columns = ", ".join((f"{bucket} AS bucket_ms", *self.groups, *sums))
        where = tests.format(time=self.time, width=self.width_ms)
        return f"SELECT {columns} FROM {self.finer}{where} GROUP BY {bucket}, {', '.join(self.groups)}"


# Each stretch by itself, so that each is looked up in the index.
WITHIN = (
    ", unnest(%(buckets)s::bigint[]) AS stale(start) WHERE {time} >= stale.start AND {time} < stale.start + {width}"
)


def of_facts(measure: Measure) -> str:
    """A measure's sum over facts; null without evidence."""
    column = measure.column.name
    return {
        Aggregate.COUNT: f"nullif(count({column}), 0)",
        Aggregate.SUM: f"sum({column})::numeric",
        Aggregate.SUMSQ: f"sum({column}::numeric * {column})",
        Aggregate.MIN: f"min({column})",
        Aggregate.MAX: f"max({column})",
        Aggregate.HISTOGRAM: f"histogram(entry({column})) FILTER (WHERE {column} IS NOT NULL)",
        Aggregate.SPAN: f"sum({column})::bigint",
    }[measure.aggregate]


def of_rollups(measure: Measure) -> str:
    """A measure's sum over rows of a finer rollup."""
    return {
        Aggregate.COUNT: f"sum({measure.name})::bigint",
        Aggregate.MIN: f"min({measure.name})",
        Aggregate.MAX: f"max({measure.name})",
        Aggregate.HISTOGRAM: f"merged({measure.name})",
        Aggregate.SPAN: f"sum({measure.name})::bigint",
    }.get(measure.aggregate, f"sum({measure.name})")


_DIMS = tuple(dimension.value for dimension in DIMENSIONS)
_TRAITS = tuple(trait.value for trait in TRAITS)
_FACTS = tuple((measure.name, of_facts(measure)) for measure in MEASURES)
_ROLLUPS = tuple((measure.name, of_rollups(measure)) for measure in MEASURES)
_TIMES = (("first_ms", "min(first_ms)"), ("last_ms", "max(last_ms)"))
REFRESHES = {
    Stale.MINUTES: Refresh("facts_minute", MINUTE_MS, "facts", "slot", _DIMS, _FACTS),
    Stale.HOURS: Refresh("facts_hour", HOUR_MS, "facts_minute", "bucket_ms", _DIMS, _ROLLUPS),
    Stale.DAYS: Refresh("facts_day", DAY_MS, "facts_hour", "bucket_ms", _DIMS, _ROLLUPS),
    Stale.SEEN_HOURS: Refresh("sightings_hour", HOUR_MS, "sightings", "slot", _TRAITS, _TIMES),
    Stale.SEEN_DAYS: Refresh("sightings_day", DAY_MS, "sightings_hour", "bucket_ms", _TRAITS, _TIMES),
}
