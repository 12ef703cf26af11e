"""The tables: content by its hash, hosts and what they ran when, what people decided, and who may do what.

Per-host tables carry `host_id` and content tables their hash, so that either can be spread over machines as it stands.
"""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
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
    false,
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

_NUMBER = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up an INTEGER only


# --- what hosts run -------------------------------------------------------------------------------------------------

# roots, parts of roots, sections and pages, each once however many hosts and days share it: `fingerprint.py`
content = Table(
    "content",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("kind", String(8), nullable=False),  # root (or a part of one), section or page
    Column("body", LargeBinary, nullable=False),  # compressed by zlib
    Column("stored_at", UtcDateTime, nullable=False),
    Index("content_kind", "kind", "stored_at"),
)

environment = Table(
    "environment",
    metadata,
    Column("name", Text, primary_key=True),
    Column("against", Text),  # the selector that it is meant to be like; null: nobody said
    Column("created_at", UtcDateTime, nullable=False),
)

host = Table(
    "host",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("labels", JSON, nullable=False),
    Column("credential_hash", String(64), nullable=False, unique=True),
    Column("next_credential_hash", String(64)),  # while it is changed, both are valid
    Column("credential_expires_at", UtcDateTime),  # of an ephemeral host
    Column("ephemeral", Boolean, nullable=False, server_default=false()),  # never votes
    Column("enrolled_at", UtcDateTime, nullable=False),
    Column("retired_at", UtcDateTime),  # its history stays, nothing else does
    # the last report that was accepted
    Column("epoch", Text),
    Column("seq", Integer),
    Column("root", String(64)),
    Column("seen_at", UtcDateTime),
    Column("taken_at", Text),
    Column("skew", Integer),  # seconds that the host's clock is ahead
    Column("interval", Integer, nullable=False),
    Column("agent", Text),
    Column("identity", JSON, nullable=False),
    Column("observed", JSON, nullable=False),
    Index("host_environment", "environment"),
    Index("host_name", "name"),
    Index("host_next_credential", "next_credential_hash", unique=True),
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

# the same for each section, so that a moment is read without opening roots
section_history = Table(
    "section_history",
    metadata,
    Column("host_id", String(64), ForeignKey("host.id"), primary_key=True),
    Column("path", Text, primary_key=True),
    Column("first_seen", UtcDateTime, primary_key=True),
    Column("last_seen", UtcDateTime),  # null while it is the host's present one
    Column("hash", String(64), nullable=False),
    Column("kind", Text, nullable=False),
    Column("good", Boolean, nullable=False),  # ok, or known not to be there
    Index("section_history_hash", "hash", "last_seen"),
)

# index of what is in use: the items of the pages of present sections
section_page = Table(
    "section_page",
    metadata,
    Column("section", String(64), primary_key=True),
    Column("page", String(64), primary_key=True),
    Index("section_page_page", "page"),
)
page_item = Table(
    "page_item",
    metadata,
    Column("page", String(64), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", Text),  # the version, or what else tells most
    Index("page_item_name", "name", "value"),
)

# one difference between two reports of a host that could both be read
change = Table(
    "change",
    metadata,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("host_id", String(64), ForeignKey("host.id"), nullable=False),
    Column("after", UtcDateTime, nullable=False),  # the last report before it
    Column("before", UtcDateTime, nullable=False),  # the first report with it
    Column("section", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("item", Text, nullable=False),
    Column("attribute", Text, nullable=False),
    Column("state", String(16), nullable=False),  # changed, only_left (it went), only_right (it came)
    Column("left", JSON),
    Column("right", JSON),
    Column("distance", String(16)),
    Column("severity", Integer, nullable=False),
    Column("actor", Text),  # who, where a log names one
    Column("origin", Text),  # how it came to be: `added in the container`
    Index("change_host", "host_id", "before"),
    Index("change_item", "item", "section"),
    Index("change_before", "before"),
)

# where a tag of an image points in its registry
tag = Table(
    "tag",
    metadata,
    Column("reference", Text, primary_key=True),
    Column("digest", Text),  # as it was answered last
    Column("kind", String(16)),  # of the digest: index or manifest
    Column("platforms", JSON, nullable=False),  # platform -> {manifest, config}; that of a lone manifest is empty
    Column("asked_at", UtcDateTime, nullable=False),
    Column("problem", Text),  # of the last time
    Column("failures", Integer, nullable=False),  # since it was answered
)

# --- what people decided --------------------------------------------------------------------------------------------

baseline = Table(
    "baseline",
    metadata,
    Column("name", Text, primary_key=True),
    Column("applies_to", Text, nullable=False),  # a selector
    Column("environment", Text, nullable=False),  # of that selector; empty where it goes across environments
    Column("approved", Integer),  # number of the version that is the reference
    Column(
        "newest", Integer, nullable=False
    ),  # number of the newest version: what a decision names, so that two are told
    Column("created_at", UtcDateTime, nullable=False),
)
baseline_version = Table(
    "baseline_version",
    metadata,
    Column("name", Text, ForeignKey("baseline.name", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("source", Text, nullable=False),  # env:prod@2026-11-01T02:00, uv.lock, each host
    Column("kind", Text, nullable=False),  # of the target that was pinned
    Column("taken_at", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("proposed_at", UtcDateTime, nullable=False),
    Column("approved_by", Text),
    Column("approved_at", UtcDateTime),
    Column("withdrawn_by", Text),
    Column("withdrawn_at", UtcDateTime),
)
baseline_section = Table(
    "baseline_section",
    metadata,
    Column("name", Text, ForeignKey("baseline.name", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("host_id", String(64), primary_key=True),  # empty where it is one for all hosts
    Column("path", Text, primary_key=True),
    Column("hash", String(64), nullable=False),
    Index("baseline_section_hash", "hash"),
)

rule = Table(
    "rule",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("match", Text, nullable=False),
    Column("hosts", Text, nullable=False),  # a selector; empty for all
    Column("severity", Integer),  # null: what it matches is expected
    Column("reason", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("created_by", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("hits", Integer, nullable=False, server_default="0"),
    Column("last_hit_at", UtcDateTime),
    Column("environment", Text),  # that its hosts are in; null: it belongs to all
    Column("version", Integer, nullable=False, server_default="1"),  # what a decision names, so that two are told
)

# one cause: some items that differ on some hosts of a group
drift = Table(
    "drift",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("hosts", Text, nullable=False),  # the selector of the group
    Column("environment", Text, nullable=False),
    Column("reference", Text, nullable=False),  # what it was held against: baseline:NAME or a selector
    Column("section", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("severity", Integer, nullable=False),
    Column("words", Text, nullable=False),  # what a person reads, as it stood when it was last evaluated
    Column("first", Boolean, nullable=False),  # its hosts had it from the start: it is shown, and never told
    Column("state", String(16), nullable=False),  # settling, new, ongoing, acknowledged, snoozed, resolved, regressed
    Column("state_since", UtcDateTime, nullable=False),
    Column("first_seen", UtcDateTime, nullable=False),
    Column("last_seen", UtcDateTime, nullable=False),
    Column("last_moved", UtcDateTime, nullable=False),  # when a host last joined or left it
    Column("moved", String(16), nullable=False),  # host, reference or unknown: who changed
    Column("actor", Text),
    Column("deploy", String(16)),
    Column("reason", Text),  # of the person who acknowledged or snoozed
    Column("decided_by", Text),
    Column("until", UtcDateTime),  # of a snooze
    Column("notified_at", UtcDateTime),
    Column("regressions", Integer, nullable=False, server_default="0"),
    Column("version", Integer, nullable=False, server_default="1"),  # what a decision names, so that two are told
    Column("is_whole", Boolean, nullable=False),  # it is of the environment itself, and of no host in it
    Index("drift_state", "state"),
    Index("drift_environment", "environment"),
)
drift_item = Table(
    "drift_item",
    metadata,
    Column("drift", String(16), ForeignKey("drift.id", ondelete="CASCADE"), primary_key=True),
    Column("subject", Text, primary_key=True),  # id of a host, or env:NAME
    Column("section", Text, primary_key=True),
    Column("item", Text, primary_key=True),
    Column("attribute", Text, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("left", JSON),  # of the subject
    Column("right", JSON),  # of its reference
    Column("distance", String(16)),
    Column("severity", Integer, nullable=False),
    Column("since_after", UtcDateTime),  # changed between these two; both null where it was so from the first report
    Column("since_before", UtcDateTime),
    Column("gone_at", UtcDateTime),  # null while it lasts
    Index("drift_item_key", "section", "item", "attribute"),
)

# what each subject was last held against: what is as it was then is not compared again
evaluated = Table(
    "evaluated",
    metadata,
    Column("subject", Text, primary_key=True),  # id of a host, env:NAME, or `peers of SELECTOR` for a whole group
    Column("peers", Text, nullable=False),  # the selector of its group
    Column("root", String(64), nullable=False),
    Column("reference", String(64), nullable=False),
    Column("rules", String(64), nullable=False),
    Column("seen_at", UtcDateTime),  # the report that was looked at
    Column("at", UtcDateTime, nullable=False),
)

deploy = Table(
    "deploy",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("hosts", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("link", Text, nullable=False),
    Column("begun_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("begun_by", Text, nullable=False),
)

# whether a check failed on what a host, or a job of a pipeline, ran; told again of the same, the last word counts
outcome = Table(
    "outcome",
    metadata,
    Column("check", Text, primary_key=True),
    Column("subject", Text, primary_key=True),  # id of a host, or JOB/RUN
    Column("root", String(64), primary_key=True),  # what it ran: stays stored as long as the outcome
    Column("host_id", String(64), ForeignKey("host.id")),  # null for a job
    Column("environment", Text, nullable=False),  # when it was told
    Column("failed", Boolean, nullable=False),
    Column("at", UtcDateTime, nullable=False),  # the moment that it is about
    Column("told_by", Text, nullable=False),
    Index("outcome_at", "at"),
    Index("outcome_root", "root"),
)

# what gates answered; runs with one key follow each other, and the last accepted one is what `--new-only` looks at
gate_run = Table(
    "gate_run",
    metadata,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("key", String(64), nullable=False),  # SHA-256 over repository, against, scope and subject
    Column("repository", Text, nullable=False),  # these four as the pipeline tells them; empty: not told
    Column("ref", Text, nullable=False),
    Column("commit", Text, nullable=False),
    Column("link", Text, nullable=False),
    Column("against", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("subject", Text, nullable=False),  # kind and name of the target
    Column("verdict", String(16), nullable=False),  # parity, drift, unknown
    Column("threshold", String(16), nullable=False),
    Column("summary", Text, nullable=False),
    Column("counts", JSON, nullable=False),  # how many findings stand how: standing -> number
    Column("told_by", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("accepted_by", Text),  # an operator; null: nobody, as parity needs nobody
    Column("accepted_at", UtcDateTime),
    Column("reason", Text),  # of the operator
    Column("report", LargeBinary, nullable=False),  # the whole document, compressed by zlib
    Index("gate_run_key", "key", "at"),
    Index("gate_run_repository", "repository", "at"),
    Index("gate_run_at", "at"),
)
# whose state a run tells about: who does not see all of them does not see the run
gate_run_environment = Table(
    "gate_run_environment",
    metadata,
    Column("run", _NUMBER, ForeignKey("gate_run.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("environment", Text, primary_key=True),
)
# a picture of the newest verdict that anybody may see who has its address
gate_badge = Table(
    "gate_badge",
    metadata,
    Column("key", String(64), primary_key=True),  # SHA-256 over repository, ref and against
    Column("secret_hash", String(64), nullable=False, unique=True),  # of what the address ends with
    Column("repository", Text, nullable=False),
    Column("ref", Text, nullable=False),
    Column("against", Text, nullable=False),
    Column("environments", JSON(none_as_null=True)),  # a list: whose runs it may show; null: all
    Column("created_by", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

# where notifications go, and what was sent
channel = Table(
    "channel",
    metadata,
    Column("name", Text, primary_key=True),
    Column("kind", String(16), nullable=False),  # webhook or apprise
    Column("address", Text, nullable=False),  # may hold a secret: never shown whole
    Column("secret", Text, nullable=False),  # signs a webhook's body
    Column("hosts", Text, nullable=False),  # a selector; empty for all
    Column("severity", Integer, nullable=False),  # the lowest that is told
    Column("enabled", Boolean, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)
delivery = Table(
    "delivery",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("channel", Text, ForeignKey("channel.name", ondelete="CASCADE"), nullable=False),
    Column("drift", String(16)),  # null for a test
    Column("event", String(16), nullable=False),  # new, regressed, resolved, stale, test
    Column("title", Text, nullable=False),
    Column("body", JSON, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime),  # null once it was delivered or given up
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("delivered_at", UtcDateTime),
    Column("problem", Text),
    Index("delivery_due", "due_at"),
)

# --- who may do what ------------------------------------------------------------------------------------------------

user = Table(
    "person",  # `user` is a word of PostgreSQL
    metadata,
    Column("name", Text, primary_key=True),
    Column("password_hash", Text),  # argon2; null: logs in by a code only
    Column("role", String(16), nullable=False),  # viewer, operator, admin
    Column("environments", JSON(none_as_null=True)),  # a list; null: all
    Column("created_at", UtcDateTime, nullable=False),
    Column("disabled_at", UtcDateTime),
)

# tokens are random, so their SHA-256 needs no salt
enrolment_token = Table(
    "enrolment_token",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("id", String(16), nullable=False),
    Column("environment", Text),  # null: the agent says which
    Column("expires_at", UtcDateTime, nullable=False),
    Column("uses_left", Integer, nullable=False),
    Column("host_life", Integer),  # seconds that a host of it lasts: it is ephemeral; null: it stays
    Column("created_by", Text, nullable=False),
    Column("revoked_at", UtcDateTime),
    Index("enrolment_token_id", "id", unique=True),
)

access_token = Table(
    "access_token",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("id", String(16), nullable=False),
    Column("role", String(16), nullable=False),  # ci, viewer, operator, admin
    Column("name", Text, nullable=False),
    Column("environments", JSON(none_as_null=True)),  # a list; null: all
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("last_used_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Index("access_token_id", "id", unique=True),
)

login = Table(
    "login",
    metadata,
    Column("code_hash", String(64), primary_key=True),
    Column("person", Text, ForeignKey("person.name", ondelete="CASCADE"), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)

session = Table(
    "session",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("id", String(16), nullable=False),
    Column("person", Text, ForeignKey("person.name", ondelete="CASCADE"), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Index("session_id", "id", unique=True),
)

# append only: the migration makes triggers that refuse to change or delete a row
audit = Table(
    "audit",
    metadata,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),  # host.retire, rule.add, ...
    Column("object", Text, nullable=False),
    Column("environment", Text),
    Column("detail", JSON, nullable=False),
    Index("audit_at", "at"),
)

# --- jobs -----------------------------------------------------------------------------------------------------------

# one row a job: who holds it until when, and when it is due; what makes N processes run each once
job = Table(
    "job",
    metadata,
    Column("name", Text, primary_key=True),
    Column("due_at", UtcDateTime, nullable=False),
    Column("holder", Text),
    Column("held_until", UtcDateTime),
)
job_run = Table(
    "job_run",
    metadata,
    Column("job", Text, primary_key=True),
    Column("due_at", UtcDateTime, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("problem", Text),
)
