"""The tables: content by its hash, hosts and their history, and who may do what."""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC: SQLite keeps no offset, so none is stored on either database."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """To the database."""
        return value.astimezone(UTC).replace(tzinfo=None) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """From the database."""
        return value.replace(tzinfo=UTC) if value else None


metadata = MetaData()

# roots, sections and pages, each once however many hosts and days share it: the objects of `fingerprint.py`
content = Table(
    "content",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

host = Table(
    "host",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("labels", JSON, nullable=False),
    Column("credential_hash", String(64), nullable=False, unique=True),
    Column("enrolled_at", UtcDateTime, nullable=False),
    # the last report that was accepted
    Column("epoch", Text),
    Column("seq", Integer),
    Column("root", String(64)),
    Column("seen_at", UtcDateTime),
    Column("taken_at", Text),
    Column("interval", Integer, nullable=False),
    Column("agent", Text),
    Column("identity", JSON, nullable=False),
    Column("observed", JSON, nullable=False),
    Index("host_environment", "environment"),
    Index("host_name", "name"),
)

# which root a host had, from its first report to its last; A, B, A is three rows
history = Table(
    "history",
    metadata,
    Column("host_id", String(64), ForeignKey("host.id"), primary_key=True),
    Column("first_seen", UtcDateTime, primary_key=True),
    Column("last_seen", UtcDateTime),  # null while it is the host's present root
    Column("root", String(64), nullable=False),
)

# tokens are random, so their SHA-256 needs no salt
enrolment_token = Table(
    "enrolment_token",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("environment", Text),  # null: the agent says which
    Column("expires_at", UtcDateTime, nullable=False),
    Column("uses_left", Integer, nullable=False),
)

access_token = Table(
    "access_token",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("role", String(16), nullable=False),  # ci: may gate, nothing else; viewer: may read
    Column("name", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)

login = Table(
    "login",
    metadata,
    Column("code_hash", String(64), primary_key=True),
    Column("expires_at", UtcDateTime, nullable=False),
)

session = Table(
    "session",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("expires_at", UtcDateTime, nullable=False),
)
