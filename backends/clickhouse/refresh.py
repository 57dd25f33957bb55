"""Rollups, computed again for the buckets whose facts changed: never counted up, so that they always equal their facts.

Each level is one INSERT … SELECT from the finer one. The groups that a bucket has so far take part with nothing; where
nothing else joins them they are withdrawn by the same insert.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from backends.clickhouse.compile import merged, nothing, of_fact
from backends.clickhouse.handle import Handle
from backends.tables import FACTS_DAY, FACTS_HOUR, FACTS_MINUTE, SIGHTINGS_DAY, SIGHTINGS_HOUR, Table
from metrics.columns import MEASURES
from metrics.dimension import DIMENSIONS
from metrics.sighting import TRAITS
from metrics.window import DAY_MS, HOUR_MS, MINUTE_MS


@dataclass(frozen=True, slots=True)
class Refresh:
    """How one rollup is computed again."""

    table: Table
    width_ms: int
    sql: str

    def run(self, handle: Handle, buckets: Iterable[int], ver: int) -> None:
        """Compute these buckets again, in stretches, so that memory stays bounded."""
        for some in _stretches(sorted(buckets), 300 * self.width_ms):
            values = {"buckets": some, "first": some[0], "last": some[-1] + self.width_ms, "ver": ver}
            handle.command(f"refresh {self.table.name}", self.sql, values)


def _stretches(buckets: Sequence[int], width_ms: int) -> Iterator[list[int]]:
    run: list[int] = []
    for bucket in buckets:
        if run and bucket >= run[0] + width_ms:
            yield run
            run = []
        run.append(bucket)
    if run:
        yield run


def _of_measures(table: Table, width_ms: int, finer: str, time: str, place: str, parts: Sequence[str]) -> Refresh:
    names = [f"`{measure.name}`" for measure in MEASURES]
    new = [f"{part} AS {name}" for part, name in zip(parts, names, strict=True)]
    none = [f"{nothing(measure)} AS {name}" for measure, name in zip(MEASURES, names, strict=True)]
    sums = [merged(measure, name) for measure, name in zip(MEASURES, names, strict=True)]
    groups = [f"`{dimension.value}`" for dimension in DIMENSIONS]
    return Refresh(table, width_ms, _sql(table, width_ms, finer, time, place, groups, names, new, none, sums))


def _of_times(table: Table, width_ms: int, finer: str, time: str, place: str) -> Refresh:
    names, sums = ["first_ms", "last_ms"], ["minIf(first_ms, alive = 1)", "maxIf(last_ms, alive = 1)"]
    groups = [f"`{trait.value}`" for trait in TRAITS]
    return Refresh(table, width_ms, _sql(table, width_ms, finer, time, place, groups, names, names, names, sums))


def _sql(
    table: Table,
    width_ms: int,
    finer: str,
    time: str,
    place: str,
    groups: Sequence[str],
    names: Sequence[str],
    new: Sequence[str],
    none: Sequence[str],
    sums: Sequence[str],
) -> str:
    by = ", ".join(groups)
    return f"""
INSERT INTO {table.name} (bucket_ms, {by}, {", ".join(names)}, ver, deleted)
SELECT bucket, {by}, {", ".join(sums)}, {{ver:UInt64}}, toUInt8(sum(alive) = 0) FROM (
  SELECT intDiv({time}, {width_ms}) * {width_ms} AS bucket, {by}, 1 AS alive, {", ".join(new)} FROM {finer} FINAL
  WHERE {place} >= {{first:Int64}} AND {place} < {{last:Int64}} AND bucket IN {{buckets:Array(Int64)}}
  UNION ALL
  SELECT bucket_ms AS bucket, {by}, 0 AS alive, {", ".join(none)} FROM {table.name} FINAL
  WHERE bucket_ms IN {{buckets:Array(Int64)}}
) GROUP BY bucket, {by}"""


_NAMES = [f"`{measure.name}`" for measure in MEASURES]
MINUTES = _of_measures(FACTS_MINUTE, MINUTE_MS, "facts", "at_ms", "slot", [of_fact(measure) for measure in MEASURES])
HOURS = _of_measures(FACTS_HOUR, HOUR_MS, "facts_minute", "bucket_ms", "bucket_ms", _NAMES)
DAYS = _of_measures(FACTS_DAY, DAY_MS, "facts_hour", "bucket_ms", "bucket_ms", _NAMES)
SEEN_HOURS = _of_times(SIGHTINGS_HOUR, HOUR_MS, "sightings", "first_ms", "slot")
SEEN_DAYS = _of_times(SIGHTINGS_DAY, DAY_MS, "sightings_hour", "bucket_ms", "bucket_ms")
