"""Outcomes of checks: which hosts and jobs failed with what they ran, and which passed.

A migration is history and must not move with the code: it repeats what it needs instead of importing it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of outcomes."""
    op.create_table(
        "outcome",
        sa.Column("check", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("root", sa.String(64), primary_key=True),
        sa.Column("host_id", sa.String(64), sa.ForeignKey("host.id")),
        sa.Column("environment", sa.Text, nullable=False),
        sa.Column("failed", sa.Boolean, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("told_by", sa.Text, nullable=False),
    )
    op.create_index("outcome_at", "outcome", ["at"])
    op.create_index("outcome_root", "outcome", ["root"])
