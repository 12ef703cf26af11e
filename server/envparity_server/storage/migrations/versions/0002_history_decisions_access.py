"""What the server remembers beside fingerprints, and indexes over them: sections' history, changes, decisions, access.

A migration is history and must not move with the code: it repeats what it needs instead of importing it.
"""

import hashlib
import json
import secrets
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_BATCH = 500
_MOMENT = sa.DateTime
_HOST = sa.table("host", sa.column("id", sa.String), sa.column("seen_at", _MOMENT))
_HISTORY = sa.table(
    "history",
    sa.column("host_id", sa.String),
    sa.column("first_seen", _MOMENT),
    sa.column("last_seen", _MOMENT),
    sa.column("root", sa.String),
)
_SECTION_HISTORY = sa.table(
    "section_history",
    sa.column("host_id", sa.String),
    sa.column("path", sa.Text),
    sa.column("first_seen", _MOMENT),
    sa.column("last_seen", _MOMENT),
    sa.column("hash", sa.String),
    sa.column("kind", sa.Text),
    sa.column("good", sa.Boolean),
)
_SECTION_PAGE = sa.table("section_page", sa.column("section", sa.String), sa.column("page", sa.String))
_PAGE_ITEM = sa.table(
    "page_item", sa.column("page", sa.String), sa.column("name", sa.Text), sa.column("value", sa.Text)
)


def upgrade() -> None:
    """Make the tables of 0.2 and bring what 0.1 stored into them."""
    now = datetime.now(UTC).replace(tzinfo=None)
    _make_tables()
    _forbid_changes_of_the_audit()
    _widen_hosts()
    _widen_access()
    _repack_content(now)
    _register_environments(now)
    _unfold_history()


def _make_tables() -> None:
    op.create_table(
        "environment",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("against", sa.Text),
        sa.Column("created_at", sa.DateTime, nullable=False),
    )
    op.create_table(
        "section_history",
        sa.Column("host_id", sa.String(64), sa.ForeignKey("host.id"), primary_key=True),
        sa.Column("path", sa.Text, primary_key=True),
        sa.Column("first_seen", sa.DateTime, primary_key=True),
        sa.Column("last_seen", sa.DateTime),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("good", sa.Boolean, nullable=False),
    )
    op.create_index("section_history_hash", "section_history", ["hash", "last_seen"])
    op.create_table(
        "section_page",
        sa.Column("section", sa.String(64), primary_key=True),
        sa.Column("page", sa.String(64), primary_key=True),
    )
    op.create_index("section_page_page", "section_page", ["page"])
    op.create_table(
        "page_item",
        sa.Column("page", sa.String(64), primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text),
    )
    op.create_index("page_item_name", "page_item", ["name", "value"])
    op.create_table(
        "change",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("host_id", sa.String(64), sa.ForeignKey("host.id"), nullable=False),
        sa.Column("after", sa.DateTime, nullable=False),
        sa.Column("before", sa.DateTime, nullable=False),
        sa.Column("section", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("item", sa.Text, nullable=False),
        sa.Column("attribute", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("left", sa.JSON),
        sa.Column("right", sa.JSON),
        sa.Column("distance", sa.String(16)),
        sa.Column("severity", sa.Integer, nullable=False),
        sa.Column("actor", sa.Text),
        sa.Column("origin", sa.Text),
    )
    op.create_index("change_before", "change", ["before"])
    op.create_index("change_host", "change", ["host_id", "before"])
    op.create_index("change_item", "change", ["item", "section"])
    op.create_table(
        "tag",
        sa.Column("reference", sa.Text, primary_key=True),
        sa.Column("digest", sa.Text),
        sa.Column("kind", sa.String(16)),
        sa.Column("platforms", sa.JSON, nullable=False),
        sa.Column("asked_at", sa.DateTime, nullable=False),
        sa.Column("problem", sa.Text),
        sa.Column("failures", sa.Integer, nullable=False),
    )
    op.create_table(
        "baseline",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("applies_to", sa.Text, nullable=False),
        sa.Column("environment", sa.Text, nullable=False),
        sa.Column("approved", sa.Integer),
        sa.Column("newest", sa.Integer, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
    )
    op.create_table(
        "baseline_version",
        sa.Column("name", sa.Text, sa.ForeignKey("baseline.name", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("taken_at", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("proposed_by", sa.Text, nullable=False),
        sa.Column("proposed_at", sa.DateTime, nullable=False),
        sa.Column("approved_by", sa.Text),
        sa.Column("approved_at", sa.DateTime),
        sa.Column("withdrawn_by", sa.Text),
        sa.Column("withdrawn_at", sa.DateTime),
    )
    op.create_table(
        "baseline_section",
        sa.Column("name", sa.Text, sa.ForeignKey("baseline.name", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("host_id", sa.String(64), primary_key=True),
        sa.Column("path", sa.Text, primary_key=True),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.create_index("baseline_section_hash", "baseline_section", ["hash"])
    op.create_table(
        "rule",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("match", sa.Text, nullable=False),
        sa.Column("hosts", sa.Text, nullable=False),
        sa.Column("severity", sa.Integer),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("expires_at", sa.DateTime),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("hits", sa.Integer, nullable=False, server_default="0"),
        sa.Column("last_hit_at", sa.DateTime),
        sa.Column("environment", sa.Text),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    )
    op.create_table(
        "drift",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("hosts", sa.Text, nullable=False),
        sa.Column("environment", sa.Text, nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("section", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("severity", sa.Integer, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("first", sa.Boolean, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("state_since", sa.DateTime, nullable=False),
        sa.Column("first_seen", sa.DateTime, nullable=False),
        sa.Column("last_seen", sa.DateTime, nullable=False),
        sa.Column("last_moved", sa.DateTime, nullable=False),
        sa.Column("moved", sa.String(16), nullable=False),
        sa.Column("actor", sa.Text),
        sa.Column("deploy", sa.String(16)),
        sa.Column("reason", sa.Text),
        sa.Column("decided_by", sa.Text),
        sa.Column("until", sa.DateTime),
        sa.Column("notified_at", sa.DateTime),
        sa.Column("regressions", sa.Integer, nullable=False, server_default="0"),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        sa.Column("is_whole", sa.Boolean, nullable=False),
    )
    op.create_index("drift_environment", "drift", ["environment"])
    op.create_index("drift_state", "drift", ["state"])
    op.create_table(
        "drift_item",
        sa.Column("drift", sa.String(16), sa.ForeignKey("drift.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("section", sa.Text, primary_key=True),
        sa.Column("item", sa.Text, primary_key=True),
        sa.Column("attribute", sa.Text, primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("left", sa.JSON),
        sa.Column("right", sa.JSON),
        sa.Column("distance", sa.String(16)),
        sa.Column("severity", sa.Integer, nullable=False),
        sa.Column("since_after", sa.DateTime),
        sa.Column("since_before", sa.DateTime),
        sa.Column("gone_at", sa.DateTime),
    )
    op.create_index("drift_item_key", "drift_item", ["section", "item", "attribute"])
    op.create_table(
        "evaluated",
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("peers", sa.Text, nullable=False),
        sa.Column("root", sa.String(64), nullable=False),
        sa.Column("reference", sa.String(64), nullable=False),
        sa.Column("rules", sa.String(64), nullable=False),
        sa.Column("seen_at", _MOMENT),
        sa.Column("at", _MOMENT, nullable=False),
    )
    op.create_table(
        "deploy",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("hosts", sa.Text, nullable=False),
        sa.Column("environment", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("link", sa.Text, nullable=False),
        sa.Column("begun_at", sa.DateTime, nullable=False),
        sa.Column("ended_at", sa.DateTime),
        sa.Column("begun_by", sa.Text, nullable=False),
    )
    op.create_table(
        "channel",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("hosts", sa.Text, nullable=False),
        sa.Column("severity", sa.Integer, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("channel", sa.Text, sa.ForeignKey("channel.name", ondelete="CASCADE"), nullable=False),
        sa.Column("drift", sa.String(16)),
        sa.Column("event", sa.String(16), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("made_at", sa.DateTime, nullable=False),
        sa.Column("due_at", sa.DateTime),
        sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
        sa.Column("delivered_at", sa.DateTime),
        sa.Column("problem", sa.Text),
    )
    op.create_index("delivery_due", "delivery", ["due_at"])
    op.create_table(
        "person",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("password_hash", sa.Text),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("environments", sa.JSON),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("disabled_at", sa.DateTime),
    )
    op.create_table(
        "audit",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("object", sa.Text, nullable=False),
        sa.Column("environment", sa.Text),
        sa.Column("detail", sa.JSON, nullable=False),
    )
    op.create_index("audit_at", "audit", ["at"])
    op.create_table(
        "job",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("due_at", sa.DateTime, nullable=False),
        sa.Column("holder", sa.Text),
        sa.Column("held_until", sa.DateTime),
    )
    op.create_table(
        "job_run",
        sa.Column("job", sa.Text, primary_key=True),
        sa.Column("due_at", sa.DateTime, primary_key=True),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("started_at", sa.DateTime, nullable=False),
        sa.Column("ended_at", sa.DateTime),
        sa.Column("problem", sa.Text),
    )


def _forbid_changes_of_the_audit() -> None:
    """Make the audit log append-only for whoever has this database's connection."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_no_{verb.lower()} BEFORE {verb} ON audit "
                "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()"
    )


def _widen_hosts() -> None:
    for column in (
        sa.Column("next_credential_hash", sa.String(64)),
        sa.Column("credential_expires_at", sa.DateTime),
        sa.Column("ephemeral", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("retired_at", sa.DateTime),
        sa.Column("skew", sa.Integer),
    ):
        op.add_column("host", column)
    op.create_index("host_next_credential", "host", ["next_credential_hash"], unique=True)


def _widen_access() -> None:
    """Give tokens an id by which they can be named and revoked; logins and sessions of nobody end."""
    op.add_column("enrolment_token", sa.Column("host_life", sa.Integer))
    op.add_column("access_token", sa.Column("environments", sa.JSON))
    op.add_column("access_token", sa.Column("last_used_at", sa.DateTime))
    for table in ("enrolment_token", "access_token"):
        op.add_column(table, sa.Column("id", sa.String(16)))
        op.add_column(table, sa.Column("created_by", sa.Text))
        op.add_column(table, sa.Column("revoked_at", sa.DateTime))
        bind = op.get_bind()
        for hash in bind.execute(sa.text(f"SELECT token_hash FROM {table}")).scalars().all():  # noqa: S608  # no input
            bind.execute(
                sa.text(f"UPDATE {table} SET id = :id, created_by = 'unknown' WHERE token_hash = :hash"),  # noqa: S608
                {"id": secrets.token_hex(8), "hash": hash},
            )
        with op.batch_alter_table(table) as altered:
            altered.alter_column("id", existing_type=sa.String(16), nullable=False)
            altered.alter_column("created_by", existing_type=sa.Text, nullable=False)
        op.create_index(f"{table}_id", table, ["id"], unique=True)
    op.drop_table("login")
    op.drop_table("session")
    op.create_table(
        "login",
        sa.Column("code_hash", sa.String(64), primary_key=True),
        sa.Column("person", sa.Text, sa.ForeignKey("person.name", ondelete="CASCADE"), nullable=False),
        sa.Column("expires_at", sa.DateTime, nullable=False),
    )
    op.create_table(
        "session",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("person", sa.Text, sa.ForeignKey("person.name", ondelete="CASCADE"), nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("expires_at", sa.DateTime, nullable=False),
    )
    op.create_index("session_id", "session", ["id"], unique=True)


_NEW_CONTENT = sa.table(
    "content",
    sa.column("hash", sa.String),
    sa.column("kind", sa.String),
    sa.column("body", sa.LargeBinary),
    sa.column("stored_at", sa.DateTime),
)


def _repack_content(now: datetime) -> None:
    """Compress each object and say what it is."""
    op.rename_table("content", "content_1")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER INDEX content_pkey RENAME TO content_1_pkey")
    op.create_table(
        "content",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("stored_at", sa.DateTime, nullable=False),
    )
    bind = op.get_bind()
    for batch in _batches("SELECT hash, body FROM content_1 WHERE hash > :last ORDER BY hash LIMIT :limit"):
        rows = [
            {"hash": hash, "kind": _kind(json.loads(body)), "body": zlib.compress(body), "stored_at": now}
            for hash, body in batch
        ]
        bind.execute(sa.insert(_NEW_CONTENT), rows)
    op.drop_table("content_1")
    op.create_index("content_kind", "content", ["kind", "stored_at"])


def _batches(query: str) -> Iterator[list[tuple[str, bytes]]]:
    last = ""
    while True:
        found = op.get_bind().execute(sa.text(query), {"last": last, "limit": _BATCH}).all()
        if not found:
            return
        yield [(hash, bytes(body)) for hash, body in found]
        last = found[-1][0]


def _kind(body: dict[str, Any]) -> str:
    if "items" in body:
        return "page"
    if "pages" in body:
        return "section"
    return "root"  # or a part of one: kept alike


def _register_environments(now: datetime) -> None:
    op.get_bind().execute(
        sa.text("INSERT INTO environment (name, created_at) SELECT DISTINCT environment, :now FROM host"), {"now": now}
    )


def _unfold_history() -> None:
    """Tell of each section what `history` tells of roots, and index what is present."""
    bind = op.get_bind()
    present: set[str] = set()
    for host_id, seen_at in bind.execute(sa.select(_HOST.c.id, _HOST.c.seen_at)).all():
        intervals = bind.execute(
            sa.select(_HISTORY).where(_HISTORY.c.host_id == host_id).order_by(_HISTORY.c.first_seen)
        ).all()
        rows: list[dict[str, Any]] = []
        standing: dict[str, dict[str, Any]] = {}
        last_seen = seen_at
        for interval in intervals:
            sections = _sections(interval.root)
            for path in [path for path, row in standing.items() if sections.get(path) != row["hash"]]:
                standing.pop(path)["last_seen"] = last_seen
            for path, hash in sections.items():
                if path not in standing:
                    head = _loaded(hash)
                    good = head["status"] == "ok" or head["reasons"] == ["not-installed"]
                    standing[path] = {
                        "host_id": host_id, "path": path, "first_seen": interval.first_seen, "last_seen": None,
                        "hash": hash, "kind": head["kind"], "good": good,
                    }  # fmt: skip
                    rows.append(standing[path])
            last_seen = interval.last_seen
        if rows:
            bind.execute(sa.insert(_SECTION_HISTORY), rows)
        present |= {row["hash"] for row in standing.values()}
    _index(present)


def _index(sections: set[str]) -> None:
    bind = op.get_bind()
    pages: set[str] = set()
    for section in sorted(sections):
        own = sorted(set(_loaded(section)["pages"]))
        bind.execute(sa.insert(_SECTION_PAGE), [{"section": section, "page": page} for page in own])
        pages.update(own)
    for page in sorted(pages):
        rows = [
            {"page": page, "name": name, "value": value}
            for name, value in {_key(name): _value(its) for name, its in _loaded(page)["items"].items()}.items()
        ]
        if rows:
            bind.execute(sa.insert(_PAGE_ITEM), rows)


def _value(attributes: dict[str, Any]) -> str | None:
    """What tells most of an item."""
    told = ("version", "reference", "change", "commit", "tree", "command", "value")
    found = next((attributes[name] for name in told if name in attributes), None)
    if isinstance(found, bool):
        return str(found).lower()
    return None if found is None else _key(", ".join(found) if isinstance(found, list) else str(found))


def _key(name: str) -> str:
    """A text as an index of PostgreSQL can hold it, as `storage/items.py` makes it."""
    shown = name.replace("\0", "\N{SYMBOL FOR NULL}")
    encoded = shown.encode()
    if len(encoded) <= 512:
        return shown
    return f"{encoded[:472].decode('utf-8', 'ignore')}…{hashlib.sha256(encoded).hexdigest()[:16]}"


def _sections(root: str) -> dict[str, str]:
    """The sections of a root, path -> hash."""
    top = _loaded(root)
    parts = [_loaded(hash) for hash in top["parts"]] if "parts" in top else [top]
    return {path: hash for part in parts for path, hash in part["sections"].items()}


def _loaded(hash: str) -> Any:
    body: bytes = op.get_bind().execute(sa.select(_NEW_CONTENT.c.body).where(_NEW_CONTENT.c.hash == hash)).scalar_one()
    return json.loads(zlib.decompress(body))
