"""What is derived from it: facts, their rollups, sightings, sessions"""

from alembic import op

from backends.postgres.partitions import outer
from backends.postgres.tables import METADATA, PARTITIONED, SCHEMA

revision, down_revision = "0002", "0001"
branch_labels, depends_on = None, None
TABLES = (
    *("facts", "facts_minute", "facts_hour", "facts_day", "supply"),
    *("sightings", "sightings_hour", "sightings_day", "sessions", "stale"),
)


def upgrade() -> None:
    METADATA.create_all(op.get_bind(), [METADATA.tables[f"{SCHEMA}.{name}"] for name in TABLES])
    for name in TABLES:
        for statement in outer(name) if name in PARTITIONED else ():
            op.execute(statement)


def downgrade() -> None:
    """The log stays: `naap rebuild` derives everything from it again."""
    for name in TABLES:
        op.execute(f"DROP TABLE {SCHEMA}.{name}")
