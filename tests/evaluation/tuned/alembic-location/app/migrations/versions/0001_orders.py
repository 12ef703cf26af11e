"""Make the table of orders."""

revision = "0001"
down_revision = None


def upgrade():
    """Nothing more than the mark."""
