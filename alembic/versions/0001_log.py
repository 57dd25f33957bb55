"""What was sent and what events of no session say"""

from alembic import op

from backends.postgres.partitions import outer
from backends.postgres.tables import FUNCTIONS, METADATA, SCHEMA

revision, down_revision = "0001", None
branch_labels, depends_on = ("main",), None
TABLES = ("raw", "ids", "conflicts", "rejected", "marks", "reach", "claims", "offers", "payments", "stakes")


def upgrade() -> None:
    for statement in FUNCTIONS:
        op.execute(statement)
    METADATA.create_all(op.get_bind(), [METADATA.tables[f"{SCHEMA}.{name}"] for name in TABLES])
    for statement in outer("raw"):
        op.execute(statement)
    op.bulk_insert(
        METADATA.tables[f"{SCHEMA}.marks"], [{"name": name, "value": 0} for name in ("waiting", "derived", "version")]
    )


def downgrade() -> None:
    for name in TABLES:
        op.execute(f"DROP TABLE {SCHEMA}.{name}")
    for kind, name in (("AGGREGATE", "merged(bigint[])"), ("AGGREGATE", "histogram(bigint)")):
        op.execute(f"DROP {kind} {SCHEMA}.{name}")
    for name in ("compact(bigint[])", "entry(bigint)", "hashes(text[])"):
        op.execute(f"DROP FUNCTION {SCHEMA}.{name}")
