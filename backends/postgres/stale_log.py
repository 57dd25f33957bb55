"""Which buckets of rollups must be computed again, kept in the store: its readers may be other processes."""

from collections.abc import Set

from backends.postgres.handle import Session
from backends.stale import Stale


def mark(session: Session, kind: Stale, buckets: Set[int]) -> None:
    """These buckets must be computed again."""
    if buckets:
        session.run("insert stale", MARK_STALE, {"kind": kind.value, "buckets": sorted(buckets)})


def unmark(session: Session, kind: Stale, buckets: Set[int]) -> None:
    """These buckets have been."""
    if buckets:
        session.run("settled", SETTLED, {"kind": kind.value, "buckets": sorted(buckets)})


def stale_buckets(session: Session) -> dict[Stale, set[int]]:
    """What must be computed again."""
    found: dict[Stale, set[int]] = {kind: set() for kind in Stale}
    for kind, bucket_ms in session.query("stale", "SELECT kind, bucket_ms FROM stale"):
        found[Stale(kind)].add(bucket_ms)
    return found


MARK_STALE = (
    "INSERT INTO stale (kind, bucket_ms) SELECT %(kind)s, new.bucket_ms FROM unnest(%(buckets)s::bigint[]) AS "
    "new(bucket_ms) WHERE NOT EXISTS (SELECT FROM stale WHERE kind = %(kind)s AND stale.bucket_ms = new.bucket_ms)"
)
SETTLED = "DELETE FROM stale WHERE kind = %(kind)s AND bucket_ms = ANY (%(buckets)s::bigint[])"
