"""Bringing continuous aggregates up to date for what late facts touched.

Only buckets that are over are computed, and none is left out below the watermark; then nothing is ever hidden by it.
"""

from collections.abc import Iterable, Set

from backends.postgres.handle import Handle
from backends.postgres.refresh import REFRESHES
from backends.postgres.stale_log import unmark
from backends.postgres.tables import SCHEMA
from backends.stale import Buckets, Stale

LOWEST = -(2**63)
KINDS = (Stale.MINUTES, Stale.HOURS, Stale.DAYS)  # each is made of the one before


def compute(handle: Handle, due: Buckets) -> None:
    """Compute these buckets again. Readers pass by a coarser rollup, which is marked, until it has caught up."""
    now_ms = _now(handle)
    for kind in KINDS:
        if due[kind]:
            _compute(handle, kind, due[kind], now_ms)


def compute_all(handle: Handle) -> None:
    """Compute every bucket that is over, so that nothing older must be made from the finer level."""
    now_ms = _now(handle)
    for kind in KINDS:
        how = REFRESHES[kind]
        _call(handle, how.table, None, now_ms // how.width_ms * how.width_ms)


def stretches(buckets: Iterable[int], width_ms: int, watermark: int, now_ms: int) -> list[tuple[int, int]]:
    """What to compute of these buckets: those below the watermark, and from there on all until the last one over. Pure.

    A bucket that is neither is made from the finer level whenever it is read.
    """
    found: list[tuple[int, int]] = []
    over = LOWEST
    for start in sorted(buckets):
        end = start + width_ms
        if start >= watermark:
            over = max(over, end) if end <= now_ms else over
        elif found and found[-1][1] == start:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return [*found, (watermark, over)] if over > watermark else found


def _compute(handle: Handle, kind: Stale, buckets: Set[int], now_ms: int) -> None:
    how = REFRESHES[kind]
    watermark = handle.query("watermark", WATERMARK, {"name": how.table})[0][0]
    for start, end in stretches(buckets, how.width_ms, watermark, now_ms):
        _call(handle, how.table, None if start == LOWEST else start, end)
    handle.write("settled", lambda session, ver: unmark(session, kind, buckets))


def _call(handle: Handle, table: str, start_ms: int | None, end_ms: int) -> None:
    handle.read(
        f"refresh {table}",
        lambda session: session.run(
            f"refresh {table}",
            "CALL refresh_continuous_aggregate(%(name)s::regclass, %(start)s::bigint, %(end)s::bigint)",
            {"name": f"{SCHEMA}.{table}", "start": start_ms, "end": end_ms},
        ),
    )


def _now(handle: Handle) -> int:
    found: int = handle.query("now", "SELECT now_ms()")[0][0]
    return found


WATERMARK = (
    "SELECT _timescaledb_functions.cagg_watermark(mat_hypertable_id) FROM _timescaledb_catalog.continuous_agg "
    f"WHERE user_view_schema = '{SCHEMA}' AND user_view_name = %(name)s"
)
