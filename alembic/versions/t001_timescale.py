"""TimescaleDB: the log and facts in hypertables, rollups as continuous aggregates"""

from alembic import op

from backends.postgres.refresh import REFRESHES
from backends.postgres.tables import SCHEMA
from backends.postgres.timescale import (
    HYPERTABLES,
    NOW,
    ROLLUPS,
    create_rollups,
    drop_rollups,
    plain_rollups,
    to_hypertable,
    to_partitions,
)

revision, down_revision = "t001", None
# A line of its own, on top of 0002: a database may move here and back whenever the extension comes and goes.
branch_labels, depends_on = ("timescale",), None


def upgrade() -> None:
    connection = op.get_bind()
    op.execute(NOW)
    for kind in ROLLUPS:
        op.execute(f"DROP TABLE {SCHEMA}.{REFRESHES[kind].table}")
    for name in HYPERTABLES:
        to_hypertable(connection, name)
    create_rollups(connection)
    # Nothing is computed, so nothing is stale: all is made from facts until it is.
    op.execute(f"DELETE FROM {SCHEMA}.stale WHERE kind IN ('facts', 'facts_hour', 'facts_day')")  # noqa: S608  # our own words


def downgrade() -> None:
    connection = op.get_bind()
    drop_rollups(connection)
    for name in HYPERTABLES:
        to_partitions(connection, name)
    op.execute(f"DROP FUNCTION {SCHEMA}.now_ms()")
    plain_rollups(connection)
    op.execute(f"DELETE FROM {SCHEMA}.stale WHERE kind IN ('facts', 'facts_hour', 'facts_day')")  # noqa: S608  # our own words
