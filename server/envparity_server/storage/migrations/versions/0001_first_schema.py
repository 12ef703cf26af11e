"""The first schema: content, hosts, history, tokens, sessions.

A migration is history and must not move with the code: it repeats the tables of its day instead of importing them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "content",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "host",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("environment", sa.Text, nullable=False),
        sa.Column("labels", sa.JSON, nullable=False),
        sa.Column("credential_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("enrolled_at", sa.DateTime, nullable=False),
        sa.Column("epoch", sa.Text),
        sa.Column("seq", sa.Integer),
        sa.Column("root", sa.String(64)),
        sa.Column("seen_at", sa.DateTime),
        sa.Column("taken_at", sa.Text),
        sa.Column("interval", sa.Integer, nullable=False),
        sa.Column("agent", sa.Text),
        sa.Column("identity", sa.JSON, nullable=False),
        sa.Column("observed", sa.JSON, nullable=False),
    )
    op.create_index("host_environment", "host", ["environment"])
    op.create_index("host_name", "host", ["name"])
    op.create_table(
        "history",
        sa.Column("host_id", sa.String(64), sa.ForeignKey("host.id"), primary_key=True),
        sa.Column("first_seen", sa.DateTime, primary_key=True),
        sa.Column("last_seen", sa.DateTime),
        sa.Column("root", sa.String(64), nullable=False),
    )
    op.create_table(
        "enrolment_token",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        sa.Column("environment", sa.Text),
        sa.Column("expires_at", sa.DateTime, nullable=False),
        sa.Column("uses_left", sa.Integer, nullable=False),
    )
    op.create_table(
        "access_token",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("expires_at", sa.DateTime, nullable=False),
    )
    op.create_table(
        "login",
        sa.Column("code_hash", sa.String(64), primary_key=True),
        sa.Column("expires_at", sa.DateTime, nullable=False),
    )
    op.create_table(
        "session",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        sa.Column("expires_at", sa.DateTime, nullable=False),
    )
