"""Runs the migrations on the connection that `database.migrate` hands over."""

from alembic import context

from envparity_server.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite cannot alter a table in place
    transactional_ddl=False,  # the caller's transaction is the one
)
context.run_migrations()
