"""Where alembic's migrations run: on the connection that backends.postgres.migrate hands over."""

from alembic import context

from backends.postgres.tables import SCHEMA

context.configure(connection=context.config.attributes["connection"], version_table_schema=SCHEMA)
context.run_migrations()
