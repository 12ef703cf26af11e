"""Runs of gates: what each answered, for whom, and who accepted it; badges that show the newest of them.

A migration is history and must not move with the code: it repeats what it needs instead of importing it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")  # SQLite counts up an INTEGER only


def upgrade() -> None:
    """Make the tables of runs and badges."""
    op.create_table(
        "gate_run",
        sa.Column("id", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("repository", sa.Text, nullable=False),
        sa.Column("ref", sa.Text, nullable=False),
        sa.Column("commit", sa.Text, nullable=False),
        sa.Column("link", sa.Text, nullable=False),
        sa.Column("against", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("threshold", sa.String(16), nullable=False),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("counts", sa.JSON, nullable=False),
        sa.Column("told_by", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("accepted_by", sa.Text),
        sa.Column("accepted_at", sa.DateTime),
        sa.Column("reason", sa.Text),
        sa.Column("report", sa.LargeBinary, nullable=False),
    )
    op.create_index("gate_run_key", "gate_run", ["key", "at"])
    op.create_index("gate_run_repository", "gate_run", ["repository", "at"])
    op.create_index("gate_run_at", "gate_run", ["at"])
    op.create_table(
        "gate_run_environment",
        sa.Column(
            "run",
            _NUMBER,
            sa.ForeignKey("gate_run.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("environment", sa.Text, primary_key=True),
    )
    op.create_table(
        "gate_badge",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("secret_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("repository", sa.Text, nullable=False),
        sa.Column("ref", sa.Text, nullable=False),
        sa.Column("against", sa.Text, nullable=False),
        sa.Column("environments", sa.JSON),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
    )
