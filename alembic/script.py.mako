"""${message}"""

from alembic import op
from backends.postgres.tables import SCHEMA

revision, down_revision = ${repr(up_revision)}, ${repr(down_revision)}
branch_labels, depends_on = None, None


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
