"""The verbs that keep the database: `envparity server backup`, `restore` and `migrate`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Engine

from envparity_agent.errors import UsageError
from envparity_agent.terminal import note
from envparity_server.cli.database import Database, local_actor, ready
from envparity_server.settings import server_settings
from envparity_server.storage import audit, backups
from envparity_server.storage.backups import Contents
from envparity_server.storage.database import known_revisions, migrate, open_database, present_revision, writing

_NO_BACKUP = "Do not copy the database first: there is a copy of it already."


def backup(
    file: Annotated[Path, typer.Argument(help="Where the copy goes; an older one there is replaced.", metavar="FILE")],
    database_url: Database = None,
) -> None:
    """Copy the whole database to a file while servers use it, and read the copy again before it gets its name.

    envparity server backup /var/backups/envparity.backup
    """
    engine = ready(database_url)
    made = backups.back_up(engine, file)
    with writing(engine) as connection:
        audit.write(connection, local_actor(), "server.backup", str(file), datetime.now(UTC), rows=made.total)
    note(f"{file}: {_told(made)}")


def restore(
    file: Annotated[Path, typer.Argument(help="What `envparity server backup` wrote.", metavar="FILE")],
    replace: Annotated[bool, typer.Option("--replace", help="Replace a database that is not empty.")] = False,
    database_url: Database = None,
) -> None:
    """Put a backup into an empty database. The backup is read whole before anything is touched.

    envparity server restore /var/backups/envparity.backup
    """
    engine = open_database(server_settings(database_url=database_url).database_url)
    found = backups.restore(engine, file, replace)
    newest = known_revisions()[-1]
    if found.revision == newest:
        with writing(engine) as connection:
            audit.write(connection, local_actor(), "server.restore", str(file), datetime.now(UTC), rows=found.total)
    note(f"restored: {_told(found)}")
    if found.revision != newest:
        note("it is of an older version: envparity server migrate")


def migrate_schema(
    backup_file: Annotated[
        Path | None,
        typer.Option(
            "--backup", metavar="FILE", help="Where the copy goes; by default beside SQLite's file, else here."
        ),
    ] = None,
    no_backup: Annotated[bool, typer.Option("--no-backup", help=_NO_BACKUP)] = False,
    database_url: Database = None,
) -> None:
    """Make the database's schema, or bring it to this version; what is there is copied first.

    envparity server migrate
    """
    if backup_file and no_backup:
        raise UsageError("--backup and --no-backup exclude each other")
    engine = open_database(server_settings(database_url=database_url).database_url)
    old = _older_revision(engine)
    if old and not no_backup:
        file = backup_file or _place(engine, old)
        note(f"{file}: {_told(backups.back_up(engine, file))}, as it was before")
    migrate(engine)
    note("the schema is up to date")


def _older_revision(engine: Engine) -> str | None:
    """The number of a schema that is to be migrated; None for a database that is new, or up to date."""
    if engine.dialect.name == "sqlite" and not Path(engine.url.database or "").exists():
        return None
    revision = present_revision(engine)
    return revision if revision in known_revisions()[:-1] else None


def _place(engine: Engine, revision: str) -> Path:
    name = Path(engine.url.database or "envparity")
    copy = f"{name.name}.{revision}.backup"
    return name.with_name(copy) if engine.dialect.name == "sqlite" else Path(copy)


def _told(contents: Contents) -> str:
    return f"{contents.total} rows in {len(contents.rows)} tables, schema {contents.revision}, verified"
